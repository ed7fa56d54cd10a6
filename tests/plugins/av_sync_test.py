"""Sound and pictures stay together: a flash and a beep at each second, twenty kinds of source, every way into a file.

av_sync_test.py [KIND…]: prints TAP, and what was found where it fails. The source itself is measured the same way, so an
error is what our elements added: at most one frame; and no flash and no beep may be lost.
"""

import array
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import tempfile

TOOL = os.environ.get("HULL_TOOL", "gst-hull-1.0")
RATE = 8000  # samples a second in which beeps are looked for
SECONDS = 120

# The noise keeps encoders at a bitrate that can be asked for.
FLASH = "color=black:s=320x180:r={rate}:d={length},noise=alls=12:allf=t,drawbox=c=white:t=fill:enable='between(mod(t,1),0.4,0.52)'"
BEEP = "aevalsrc='if(between(mod(t,1),0.4,0.52),sin(2*PI*1000*t)*0.8,0)':s={sound}:d={length}"


def flash(rate="25", length=6):
    return f'-f lavfi -i "{FLASH.format(rate=rate, length=length)}"'


def beep(sound=48000, length=6):
    return f'-f lavfi -i "{BEEP.format(sound=sound, length=length)}"'


H264 = "-c:v libx264 -preset ultrafast -pix_fmt yuv420p -g 50"
B = H264 + " -bf 3"
AAC = "-c:a aac"

# name: suffix, ffmpeg's arguments. {source} is a file of the kind mp4, for cuts.
KINDS = {
    "mp4": ("mp4", f"{flash()} {beep()} {H264} {AAC}"),
    "mp4 with B-frames": ("mp4", f"{flash()} {beep()} {B} {AAC}"),
    "mp4 in fragments": ("mp4", f"{flash()} {beep()} {B} {AAC} -movflags frag_keyframe+empty_moov"),
    "mp4 cut by an edit list": ("mp4", "-ss 1.3 -i {source} -c copy"),
    "mp4 at 44.1 kHz": ("mp4", f"{flash()} {beep(44100)} {B} {AAC}"),
    "mp4 at 30000/1001": ("mp4", f"{flash('30000/1001')} {beep()} {B} {AAC}"),
    "mp4 with a variable rate": ("mp4", f"{flash('50')} {beep()} -vf \"select='not(mod(n,2))+gt(t,3)'\" -vsync vfr {B} {AAC}"),
    "mp4 of HEVC": ("mp4", f"{flash()} {beep()} -c:v libx265 -preset ultrafast -x265-params log-level=none {AAC}"),
    "mov with late pictures": ("mov", f"-itsoffset 0.7 {flash()} {beep()} {B} {AAC}"),
    "mov with late sound": ("mov", f"{flash()} -itsoffset 2 {beep(length=4)} -map 0 -map 1 {B} {AAC}"),
    "mkv with B-frames": ("mkv", f"{flash()} {beep()} {B} {AAC}"),
    "mkv with Opus": ("mkv", f"{flash()} {beep()} {B} -c:a libopus"),
    "mkv with FLAC": ("mkv", f"{flash()} {beep()} {H264} -c:a flac"),
    "mkv with AC-3": ("mkv", f"{flash()} {beep()} {B} -c:a ac3"),
    "mkv with MP3": ("mkv", f"{flash()} {beep()} {B} -c:a libmp3lame"),
    "mkv that starts at 100 s": ("mkv", f"{flash()} {beep()} {B} {AAC} -output_ts_offset 100"),
    "webm": ("webm", f"{flash()} {beep()} -c:v libvpx-vp9 -deadline realtime -cpu-used 8 -c:a libopus"),
    "mkv of AV1": ("mkv", f"{flash()} {beep()} -c:v libsvtav1 -preset 12 -svtav1-params lp=1 -c:a libopus"),
    "ts": ("ts", f"{flash()} {beep()} {B} {AAC}"),
    "ts with early sound": ("ts", f"-itsoffset 1 {flash(length=5)} {beep()} {B} {AAC} -muxdelay 0.7"),
    "flv": ("flv", f"{flash()} {beep()} {B} {AAC}"),
}


def shell(command):
    try:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return f"still running after {SECONDS} s: {command}"
    return None if done.returncode == 0 else f"status {done.returncode}: {command}\n{done.stdout[-400:]}{done.stderr[-600:]}"


def flashes(path):
    """Times at which the picture becomes white, seconds."""
    text = subprocess.run(
        ["ffmpeg", "-v", "error", "-copyts", "-i", path, "-an", "-fps_mode", "passthrough", "-vf",
         "signalstats,metadata=print:key=lavfi.signalstats.YAVG:file=-", "-f", "null", "-"], capture_output=True, text=True).stdout
    found, white = [], False
    for time, level in re.findall(r"pts_time:(\S+)\s+\S*YAVG=(\S+)", text):
        if float(level) > 120 and not white:
            found.append(float(time))
        white = float(level) > 120
    return found


def beeps(path):
    """Times at which a tone begins, seconds."""
    raw = subprocess.run(["ffmpeg", "-v", "error", "-copyts", "-i", path, "-vn", "-af",
                          f"aresample={RATE}:async=1:first_pts=0", "-ac", "1", "-f", "s16le", "-"], capture_output=True).stdout
    samples = array.array("h", raw[:len(raw) // 2 * 2])
    found, quiet = [], RATE
    for place, sample in enumerate(samples):
        if abs(sample) < 4000:
            quiet += 1
            continue
        if quiet > RATE // 20:
            found.append(place / RATE)
        quiet = 0
    return found


def apart(shown, heard):
    """By how much each flash is later than its beep; None: it has none."""
    return [min((f - b for b in heard if abs(f - b) < 0.45), key=abs, default=None) for f in shown]


def judge(source, pictures, sound):
    """What the file (or its two track files) does worse than its source."""
    was, now = apart(flashes(source), beeps(source)), apart(flashes(pictures), beeps(sound))
    pairs = [d for d in was if d is not None]
    kept = [d for d in now if d is not None]
    # A cut may take half of a flash or of a beep with it at either end.
    if len(kept) < len(pairs) - (2 if min(len(was), len(now)) == 0 else 1):
        return f"{len(kept)} of {len(pairs)} pairs are left: {now}, source {was}"
    if not kept or not pairs:
        return f"nothing to compare: {now}, source {was}"
    # Which flash is the first one depends on the cut.
    worst = min(max(abs(d - w) for d, w in zip(kept[k:], pairs[j:])) for k, j in ((0, 0), (0, 1), (1, 0))
                if kept[k:] and pairs[j:])
    return None if worst <= 0.042 else f"{worst:.3f} s apart: {[round(d, 3) for d in kept]}, source {[round(d, 3) for d in pairs]}"


def launch(text):
    return "gst-launch-1.0 -q " + text


def record(sink):
    def run(source, folder):
        out = f"{folder}/out.mp4"
        return shell(launch(f"filesrc location={source} ! parsebin name=d hullmp4mux name=m ! {sink} location={out} "
                            "d. ! queue max-size-bytes=0 max-size-buffers=0 max-size-time=0 ! m. "
                            "d. ! queue max-size-bytes=0 max-size-buffers=0 max-size-time=0 ! m.")) or judge(source, out, out)
    return run


def transcode(source, folder):
    out = f"{folder}/out.mp4"
    return shell(launch(f"filesrc location={source} ! decodebin name=d hullmp4mux name=m ! hullmp4sink location={out} "
                        "d. ! queue ! videoconvert ! hullh264enc ! m. "
                        "d. ! queue ! audioconvert ! audioresample ! opusenc ! m.")) or judge(source, out, out)


def encode(source, folder):
    out = f"{folder}/out.mp4"
    return shell(f"'{TOOL}' encode {source} -o {out} --bitrate 200") or judge(source, out, out)


def joined(folder, track):
    out = f"{folder}/{track}.mp4"
    parts = sorted(pathlib.Path(folder, "live", track).glob("*.m4s"), key=lambda p: int(re.findall(r"\d+", p.name)[0]))
    with open(out, "wb") as file:
        for part in [pathlib.Path(folder, "live", track, "init.mp4")] + parts:
            file.write(part.read_bytes())
    return out


def live(source, folder):
    problem = shell(launch(f"filesrc location={source} ! decodebin name=d hullcmafsink name=s serve=false location={folder}/live "
                           "d. ! queue ! videoconvert ! clocksync ! hullh264enc key-int-max=25 ! s. "
                           "d. ! queue ! audioconvert ! audioresample ! clocksync ! opusenc ! s."))
    return problem or judge(source, joined(folder, "v1"), joined(folder, "a1"))


def pertitle(source, folder):
    problem = shell(f"cd {folder} && '{TOOL}' pertitle {source} --res 180 --qp 30,36 -o title")
    if problem:
        return problem
    tracks = [p for p in pathlib.Path(folder, "title").rglob("*.mp4")]
    sounds = [p for p in tracks if "audio" in p.name or p.parent.name.startswith("a")]
    pictures = [p for p in tracks if p not in sounds]
    if not sounds or not pictures:
        return f"no tracks among {tracks}"
    return judge(source, str(pictures[0]), str(sounds[0]))


WAYS = {"record": record("hullmp4sink"), "record insert": record("hullmp4sink layout=insert"), "transcode": transcode,
        "encode": encode, "live": live, "pertitle": pertitle}


def make_sources(folder, kinds):
    made = {}
    for number, kind in enumerate(kinds):
        suffix, arguments = KINDS[kind]
        made[kind] = f"{folder}/{number}.{suffix}"
        if "{source}" in arguments:
            problem = shell(f"ffmpeg -v error -y {KINDS['mp4 with B-frames'][1]} {folder}/cut.mp4")
            arguments = arguments.replace("{source}", f"{folder}/cut.mp4")
        problem = shell(f"ffmpeg -v error -y {arguments} {made[kind]}")
        if problem:
            raise SystemExit("Bail out! " + problem)
    return made


def main():
    kinds = [k for k in KINDS if not sys.argv[1:] or k in sys.argv[1:]]
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        sources = make_sources(folder, kinds)
        print(f"1..{len(kinds) * len(WAYS)}", flush=True)

        def run(job):
            kind, way = job
            with tempfile.TemporaryDirectory() as own:
                return WAYS[way](sources[kind], own)

        jobs = [(kind, way) for kind in kinds for way in WAYS]
        with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
            for number, ((kind, way), problem) in enumerate(zip(jobs, pool.map(run, jobs)), 1):
                print(f"{'not ok' if problem else 'ok'} {number} - {kind}: {way}", flush=True)
                if problem:
                    failed += 1
                    print("\n".join("# " + line for line in problem.splitlines()), flush=True)
    return 1 if failed else 0


sys.exit(main())
