#!/usr/bin/env python3
"""MP4 writing against mp4mux, ffmpeg and, where they are found, MP4Box and Shaka Packager: same inputs, same run.

mp4.py [PART…] [--keep FOLDER]; parts: faststart, recording, cmaf. Processor time and bytes written are the
kernel's (rusage, /proc/PID/io); each figure of `recording` is the least of --rounds interleaved rounds.
"""
import argparse
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import time

TOOL = os.environ.get("HULL_TOOL", "gst-hull-1.0")


def run(command, stdout=subprocess.DEVNULL):
    """Runs a command; returns its CPU seconds, wall seconds, peak RSS in MB and bytes written. The peak is read while it
    runs: what wait4 tells begins with this program's own size."""
    started = time.monotonic()
    process = subprocess.Popen(command, stdout=stdout, stderr=subprocess.DEVNULL)
    peak = 0
    while not os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT | os.WNOHANG):
        with open(f"/proc/{process.pid}/status") as status:
            peak = max([peak] + [int(line.split()[1]) for line in status if line.startswith("VmHWM")])
        time.sleep(0.002)
    try:
        fields = dict(line.split(": ") for line in open(f"/proc/{process.pid}/io"))
        written = int(fields["wchar"])
    except OSError:
        written = 0
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        print("failed:", " ".join(map(str, command)))
    return {"cpu": usage.ru_utime + usage.ru_stime, "wall": time.monotonic() - started, "rss": peak / 1024,
            "written": written}


def least(contenders, rounds):
    """name -> command; the least of each figure over interleaved rounds. mp4mux takes a minute: it gets one."""
    best = {}
    for number in range(rounds):
        for name, command in contenders.items():
            if number > 0 and name.startswith("mp4mux"):
                continue
            got = run(command)
            kept = best.setdefault(name, got)
            best[name] = {key: min(kept[key], got[key]) for key in got}
    return best


def ffmpeg(*arguments):
    return ["ffmpeg", "-v", "error", "-y", *map(str, arguments)]


def launch(*words):
    return ["gst-launch-1.0", "-q", *" ".join(map(str, words)).split()]


def make_inputs(folder):
    big, tiny = folder / "big.mp4", folder / "tiny.mp4"
    if not big.exists():
        part = folder / "big10.mp4"
        subprocess.run(ffmpeg("-f", "lavfi", "-i", "testsrc2=s=1920x1080:r=30:d=10,noise=alls=30", "-f", "lavfi", "-i",
                              "sine=d=10", "-c:v", "libx264", "-preset", "ultrafast", "-bf", 2, "-g", 60, "-b:v", "37M",
                              "-maxrate", "37M", "-bufsize", "20M", "-c:a", "aac", "-shortest", part), check=True)
        subprocess.run(ffmpeg("-stream_loop", 9, "-i", part, "-c", "copy", big), check=True)
    if not tiny.exists():
        part = folder / "tiny60.mp4"
        subprocess.run(ffmpeg("-f", "lavfi", "-i", "testsrc2=s=64x64:r=30:d=60", "-c:v", "libx264", "-preset", "ultrafast",
                              "-qp", 51, "-g", 60, part), check=True)
        subprocess.run(ffmpeg("-stream_loop", 719, "-i", part, "-c", "copy", tiny), check=True)
    return big, tiny


def packets(path):
    """A hash of the pictures: qtdemux cuts the priming off the sound before a muxer sees it."""
    made = subprocess.run(["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-c", "copy", "-f", "streamhash", "-"],
                          capture_output=True, text=True)
    return made.stdout


def faststart(folder, big, _tiny, _rounds):
    out = folder / "out.mp4"
    source = f"filesrc location={big} ! qtdemux name=d"
    feeds = "d.video_0 ! queue ! m.video_0 d.audio_0 ! queue ! m.audio_0"
    demuxed = f"{source} {feeds}"
    contenders = {
        "hullmp4mux ! hullmp4sink (hybrid)": launch("hullmp4mux name=m ! hullmp4sink sync-interval=0 location=%s" % out, demuxed),
        "hullmp4mux ! hullmp4sink layout=insert": launch("hullmp4mux name=m ! hullmp4sink sync-interval=0 layout=insert location=%s" % out,
                                                         demuxed),
        "mp4mux faststart=true": launch("mp4mux faststart=true name=m ! filesink location=%s" % out, demuxed),
        "ffmpeg +faststart": ffmpeg("-i", big, "-c", "copy", "-movflags", "+faststart", out),
    }
    if shutil.which("MP4Box"):
        contenders["MP4Box -add -new"] = ["MP4Box", "-quiet", "-add", big, "-new", out]
    print(f"\nfast start of {big.stat().st_size / 1e6:.0f} MB: bytes written / bytes of the file")
    wanted = packets(big)
    for name, command in contenders.items():
        got = run(command)
        size = out.stat().st_size
        same = "same pictures" if packets(out) == wanted else "OTHER PICTURES"
        print(f"  {name:42} {got['written'] / size:6.3f}x  {got['cpu']:6.2f} s CPU  {same}")
    tail = folder / "tail.mp4"
    subprocess.run(ffmpeg("-i", big, "-c", "copy", tail), check=True)
    got = run([TOOL, "atoms", "faststart", tail])
    same = "same pictures" if packets(tail) == wanted else "OTHER PICTURES"
    print(f"  {'gst-hull-1.0 atoms faststart':42} {got['written'] / tail.stat().st_size:6.4f}x of the file {got['cpu']:6.2f} s CPU  {same}")


def recording(folder, _big, tiny, rounds):
    """What a sample costs over demuxing it. Peak memory is less that of the same command with an hour of samples, so that
    libraries do not count; what remains over the demuxer's own growth is the muxer's index and buffers."""
    out, short = folder / "out.mp4", folder / "hour.mp4"
    if not short.exists():
        subprocess.run(ffmpeg("-i", tiny, "-t", 3600, "-c", "copy", short), check=True)
    samples = int(subprocess.run(["ffprobe", "-v", "error", "-show_entries", "stream=nb_frames", "-of", "csv=p=0", tiny],
                                 capture_output=True, text=True).stdout.strip().strip(","))

    def contenders(source):
        demux = f"filesrc location={source} ! qtdemux name=d d.video_0 !"
        sink = f"hullmp4sink sync-interval=0 location={out}"
        return {
            "demuxing alone (GStreamer)": launch(demux, "queue ! fakesink sync=false"),
            "hullmp4mux ! hullmp4sink (hybrid)": launch(demux, "queue ! hullmp4mux !", sink),
            "hullmp4mux ! hullmp4sink layout=insert": launch(demux, "queue ! hullmp4mux !", sink, "layout=insert"),
            "mp4mux": launch(demux, f"queue ! m.video_0 mp4mux name=m ! filesink location={out}"),
            "mp4mux fragment-duration=2000": launch(demux, "queue ! m.video_0 mp4mux name=m fragment-duration=2000 !",
                                                    f"filesink location={out}"),
            "demuxing alone (no queue)": launch(demux, "fakesink sync=false"),
            "hullmp4mux ! hullmp4sink (hybrid, no queue)": launch(demux, "hullmp4mux !", sink),
            "hullmp4mux ! hullmp4sink layout=insert (no queue)": launch(demux, "hullmp4mux !", sink, "layout=insert"),
            "demuxing alone (ffmpeg)": ffmpeg("-i", source, "-c", "copy", "-f", "null", "-"),
            "ffmpeg -c copy": ffmpeg("-i", source, "-c", "copy", out),
            **({"MP4Box -add -new": ["MP4Box", "-quiet", "-add", source, "-new", out]} if shutil.which("MP4Box") else {}),
        }

    fixed, best = least(contenders(short), rounds), least(contenders(tiny), rounds)
    print(f"\na recording of {samples} small samples ({tiny.stat().st_size / samples:.0f} bytes each): over demuxing")
    for name, got in best.items():
        base = "demuxing alone (ffmpeg)" if "ffmpeg" in name else \
            "demuxing alone (no queue)" if "no queue" in name else "demuxing alone (GStreamer)"
        grown = (got["rss"] - fixed[name]["rss"]) - (best[base]["rss"] - fixed[base]["rss"])
        over = f"{(got['cpu'] - best[base]['cpu']) / samples * 1e6:6.2f} us CPU a sample  " \
               f"{grown * 1048576 / (samples * 11 / 12):6.1f} B RSS a sample" if name != base else " " * 45
        alone = " (whole process)" if name.startswith("MP4Box") else ""
        print(f"  {name:50} {over}  {got['cpu']:6.2f} s CPU {got['wall']:6.1f} s wall{alone}")


def segments_of(path):
    """Bytes of the header, then of each segment: from one styp to the next."""
    sizes, data, at = [0], path.read_bytes(), 0
    while at < len(data):
        size, kind = int.from_bytes(data[at:at + 4], "big"), data[at + 4:at + 8]
        if kind == b"styp":
            sizes.append(0)
        sizes[-1] += size
        at += size
    return sizes


def validator_errors(folder, path):
    """What DASH-IF's ISOSegmentValidator prints as errors; its status is 0 whatever it finds."""
    if not shutil.which("ValidateMP4"):
        return "not found"
    sizes = segments_of(path)
    (folder / "info.txt").write_text(f"0 {sizes[0]}\n" + "".join(f"1 {size}\n" for size in sizes[1:]))
    said = subprocess.run(["ValidateMP4", "-cmaf", "-infofile", "info.txt", "-width", "1920", "-height", "1080", path.name],
                          cwd=folder, capture_output=True, text=True, errors="replace")
    lines = (said.stdout + said.stderr).splitlines()
    return f"{sum(line.startswith('### error') for line in lines)} errors in {len(sizes) - 1} segments, {len(lines)} lines said"


def cmaf(folder, big, _tiny, _rounds):
    """`atoms check` always; DASH-IF's ISOSegmentValidator where ValidateMP4 is on PATH."""
    print("\nCMAF rules broken: by gst-hull-1.0 atoms check; by ISOSegmentValidator")
    plain = folder / "plain.mp4"
    if not plain.exists():
        subprocess.run(ffmpeg("-i", folder / "big10.mp4", "-t", 6, "-c:v", "libx264", "-preset", "ultrafast", "-bf", 0, "-g", 60, "-an",
                              plain), check=True)
    for kind, (source, pad) in {"video": (plain, "video_0"), "video with B-frames": (big, "video_0"), "AAC": (big, "audio_0")}.items():
        for chunks in (0, 200_000_000):
            out = folder / "track.mp4"
            run(launch(f"filesrc location={source} ! qtdemux name=d d.{pad} ! queue ! m.{pad} hullmp4mux name=m styp=true",
                       f"send-force-keyunit=false chunk-duration={chunks} ! video/quicktime,variant=cmaf ! filesink location={out}"))
            said = subprocess.run([TOOL, "atoms", "check", out], capture_output=True, text=True)
            print(f"  {kind:22} {'2 s fragments' if chunks == 0 else '200 ms chunks':14} status {said.returncode}: "
                  f"{said.stdout.strip().splitlines()[-1] if said.stdout.strip() else 'nothing'}; {validator_errors(folder, out)}")


PARTS = {"faststart": faststart, "recording": recording, "cmaf": cmaf}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], default=list(PARTS))
    parser.add_argument("--keep", type=pathlib.Path, help="folder for inputs, kept for the next run")
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    folder = arguments.keep or pathlib.Path(tempfile.mkdtemp(prefix="hull-bench-"))
    folder.mkdir(exist_ok=True)
    try:
        big, tiny = make_inputs(folder)
        for part in arguments.parts or PARTS:
            PARTS[part](folder, big, tiny, arguments.rounds)
            sys.stdout.flush()
    finally:
        if not arguments.keep:
            shutil.rmtree(folder)


main()
