"""Sound and pictures stay where the source has them, whatever begins late or is reordered. Speaks TAP.

Sources are made by ffmpeg, remuxed through hullmp4mux, and both are read by ffprobe: as many packets, and of each
stream the first and the last within a frame of where they were, seen from the stream that begins first.
"""

import itertools
import subprocess
import sys
import tempfile

FRAME = 0.0401  # of pictures, with rounding
DEMUXERS = {"mov": "qtdemux", "mkv": "matroskademux", "ts": "tsdemux"}
# What begins later, in seconds: (pictures, sound)
LATE = {"together": (0, 0), "sound 0.1 s late": (0, 0.1), "sound 3 s late": (0, 3), "sound 30 s late": (0, 30),
        "pictures 0.3 s late": (0.3, 0), "pictures 5 s late": (5, 0), "both 100 s late": (100, 100.5)}
SINKS = {"hybrid": "hullmp4sink", "insert": "hullmp4sink layout=insert", "fragments": "hullmp4sink layout=tail"}


def shell(command):
    try:
        done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    except subprocess.TimeoutExpired:
        return "still running: " + command
    return done.returncode and f"status {done.returncode}: {command}\n{done.stderr[-500:]}"


def source(path, pictures, sound):
    problem = shell(
        f"ffmpeg -v error -y -itsoffset {pictures} -f lavfi -i testsrc2=s=96x64:r=25:d=6 -itsoffset {sound} -f lavfi -i "
        f"sine=r=48000:d=6 -map 0 -map 1 -c:v libx264 -preset ultrafast -g 25 -bf 2 -c:a aac -max_interleave_delta 0 "
        f"-fps_mode passthrough -avoid_negative_ts disabled {path}")
    if problem:
        raise SystemExit("Bail out! " + problem)


def times(path, kind):
    """Presentation times of the packets that are shown, sorted."""
    text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", kind, "-show_entries", "packet=pts_time,flags", "-of",
                           "csv=p=0", path], capture_output=True, text=True).stdout
    rows = [line.rstrip(",").split(",") for line in text.splitlines() if line]
    return sorted(float(row[0]) for row in rows if row[0] != "N/A" and "D" not in row[1])


def compare(before, after):
    found, hidden = [], before.endswith("ts")
    for path in (before, after):
        streams = times(path, "v"), times(path, "a")
        if not all(streams):
            return f"{path} has {len(streams[0])} pictures and {len(streams[1])} frames of sound"
        # A program stream's segment begins with its pictures, so sound in front of those is hidden.
        start = streams[0][0] if hidden else min(streams[0][0], streams[1][0])
        found.append([(len(t), t[0] - start, t[-1] - start) for t in streams])
    for name, was, now in zip(("pictures", "sound"), *found):
        # A frame of sound in front of the pictures' zero may be hidden by an edit list.
        counts = abs(was[0] - now[0]) <= (2 if name == "sound" else 0) or hidden and was[1] < 0
        starts = abs(was[1] - now[1]) <= FRAME or hidden and was[1] < 0
        if not (counts and starts and abs(was[2] - now[2]) <= FRAME):
            return f"{name}: (packets, first, last) {was} became {now}"
    return None


def opus(folder):
    """The delay lies in front of 0, and the last packet ends where the sound does: as many samples as went in."""
    problem = shell("exec gst-launch-1.0 -q audiotestsrc num-buffers=10 samplesperbuffer=777 ! audio/x-raw,rate=48000,channels=1 ! "
                    f"opusenc ! hullmp4mux ! hullmp4sink layout=insert location={folder}/opus.mp4")
    text = subprocess.run(["ffprobe", "-v", "error", "-show_entries", "packet=pts,duration", "-of", "csv=p=0",
                           f"{folder}/opus.mp4"], capture_output=True, text=True).stdout
    rows = [[int(word) for word in line.strip(",").split(",")] for line in text.splitlines() if line]
    found = rows and (rows[0], rows[1][0], sum(rows[-1]))
    return problem or (None if found == ([-312, 960], 648, 7770) else f"first packet, second, end: {found}")


def main():
    # Without pictures no clock of the program: tsdemux gives no times at all.
    kinds = [kind for kind in itertools.product(DEMUXERS, LATE.items()) if kind[0] != "ts" or kind[1][0] != "pictures 5 s late"]
    print(f"1..{len(kinds) * len(SINKS) + 1}")
    number = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for container, (late, offsets) in kinds:
            if container == "mov" and max(offsets) > 6:  # qtdemux 1.22 refuses empty edits longer than the media
                late, offsets = late + ", a twentieth", tuple(offset / 20 for offset in offsets)
            path = f"{folder}/in.{container}"
            source(path, *offsets)
            for sink, element in SINKS.items():
                number += 1
                unbounded = "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"
                problem = shell(
                    f"exec gst-launch-1.0 -q filesrc location={path} ! {DEMUXERS[container]} name=d hullmp4mux name=m ! {element} "
                    f"location={folder}/out.mp4 d. ! {unbounded} ! h264parse ! m. d. ! {unbounded} ! aacparse ! m.")
                problem = problem or compare(path, f"{folder}/out.mp4")
                failed += bool(problem)
                print(f"{'not ok' if problem else 'ok'} {number} - {container}, {late}, {sink}", flush=True)
                if problem:
                    print("\n".join("# " + line for line in problem.splitlines()), flush=True)
        number += 1
        problem = opus(folder)
        failed += bool(problem)
        print(f"{'not ok' if problem else 'ok'} {number} - what an encoder says of its delay" + (f"\n# {problem}" if problem else ""))
    return 1 if failed else 0


sys.exit(main())
