"""Every pipeline into hullmp4mux ends and loses nothing: containers, queues, demuxers, preroll, silent pads. Speaks TAP.

mp4_ends_test.py [RUNS]: each pipeline runs RUNS times. ffprobe counts what came out. Pipelines run side by side, so
that the machine is busy: lost wake-ups show then.
"""

import concurrent.futures
import os
import pathlib
import subprocess
import sys
import tempfile

RUNS = int(sys.argv[1]) if len(sys.argv) > 1 else 2
SECONDS = 90  # a hang, not a speed limit
PICTURES = 75

QUEUES = {"default": "queue", "tiny": "queue max-size-buffers=1",
          "unbounded": "queue max-size-buffers=0 max-size-bytes=0 max-size-time=0"}
DEMUXERS = {"ts": ("tsdemux", "h264parse", "aacparse"), "mkv": ("matroskademux", "h264parse", "aacparse"),
            "mp4": ("qtdemux", "h264parse", "aacparse"), "flv": ("flvdemux", "h264parse", "aacparse")}


def shell(command, seconds=SECONDS):
    """Status and text; status None where it had to be ended."""
    try:
        done = subprocess.run(["bash", "-c", "exec " + command], capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return None, f"still running after {seconds} s: {command}"
    return done.returncode, f"status {done.returncode}: {command}\n{done.stdout[-600:]}{done.stderr[-600:]}"


def packets(path, kind):
    text = subprocess.run(["ffprobe", "-v", "error", "-count_packets", "-select_streams", kind, "-show_entries",
                           "stream=nb_read_packets", "-of", "csv=p=0", path], capture_output=True, text=True).stdout
    return max([int(word) for word in text.replace(",", "\n").split() if word.isdigit()], default=0)


def has(*elements):
    return all(subprocess.run(["gst-inspect-1.0", "--exists", name]).returncode == 0 for name in elements)


def make_inputs(folder):
    for kind in DEMUXERS:
        status, said = shell(
            "ffmpeg -v error -y -f lavfi -i testsrc2=s=160x120:r=25:d=3 -f lavfi -i sine=r=48000:d=3 -c:v libx264 "
            f"-preset ultrafast -bf 2 -g 25 -c:a aac "
            f"{'-muxdelay 0.7 ' if kind == 'ts' else ''}{folder}/in.{kind}")
        if status:
            raise SystemExit("Bail out! ffmpeg made no input: " + said)


def remux(folder, kind, queue, sink, out):
    demuxer, video, audio = DEMUXERS[kind]
    return (f"gst-launch-1.0 -q filesrc location={folder}/in.{kind} ! {demuxer} name=d hullmp4mux name=m ! {sink} location={out} "
            f"d. ! {queue} ! {video} ! m. d. ! {queue} ! {audio} ! m.")


def check_counts(pictures, sounds, off=0):
    def check(out):
        found = packets(out, "v"), packets(out, "a")
        fits = found[0] == pictures and abs(found[1] - sounds) <= off
        return None if fits else f"{out} has {found} packets, not {(pictures, sounds)}"
    return check


def cases(folder):
    """name, command with {out}, what is wrong with the file"""
    sounds = {kind: packets(f"{folder}/in.{kind}", "a") for kind in DEMUXERS}
    for kind in DEMUXERS:
        # qtdemux leaves out the frame of sound that the edit list hides.
        whole = check_counts(PICTURES, sounds[kind], off=kind == "mp4")
        for name, queue in QUEUES.items():
            yield f"{kind} {name} hybrid", remux(folder, kind, queue, "hullmp4sink", "{out}"), whole
            yield (f"{kind} {name} insert", remux(folder, kind, queue, "hullmp4sink layout=insert", "{out}"), whole)
    encode = ("hullmp4mux name=m ! hullmp4sink location={out} "
              "d. ! queue ! videoconvert ! x264enc speed-preset=1 ! h264parse ! m. "
              "d. ! queue ! audioconvert ! avenc_aac ! aacparse ! m.")
    for kind in DEMUXERS:
        whole = check_counts(PICTURES, sounds[kind], off=kind == "mp4")
        encoded = check_counts(PICTURES, sounds[kind], off=3)  # decoders and encoders of sound have delays
        yield (f"{kind} decodebin", f"gst-launch-1.0 -q filesrc location={folder}/in.{kind} ! decodebin name=d {encode}",
               encoded)
        yield (f"{kind} uridecodebin3", f"gst-launch-1.0 -q uridecodebin3 uri=file://{folder}/in.{kind} name=d {encode}",
               encoded)
        yield (f"{kind} parsebin", f"gst-launch-1.0 -q filesrc location={folder}/in.{kind} ! parsebin name=d "
               "hullmp4mux name=m ! hullmp4sink location={out} d. ! queue ! h264parse ! m.video_0 "
               "d. ! queue ! aacparse ! m.audio_0", whole)
    for encoder in ["x264enc", "x264enc tune=zerolatency"]:
        for caps in ["iso", "iso-fragmented", "cmaf"]:
            for sink in ["hullmp4sink", "filesink"]:
                yield (f"tee, {encoder}, {caps}, {sink}", "gst-launch-1.0 -q videotestsrc num-buffers=60 ! "
                       "video/x-raw,width=160,height=120 ! tee name=t t. ! queue ! fakesink sync=true "
                       f"t. ! queue ! {encoder} ! h264parse ! hullmp4mux ! video/quicktime,variant={caps} ! {sink} "
                       "location={out}", check_counts(60, 0))
    source = "videotestsrc num-buffers=50 {live} ! video/x-raw,width=64,height=64,framerate=25/1 ! x264enc tune=zerolatency ! h264parse ! m."
    for live in ["", "is-live=true"]:
        # appsrc without an application: linked, and never a buffer.
        yield (f"pad without data {live}", "gst-launch-1.0 -q hullmp4mux name=m ! hullmp4sink location={out} "
               + source.replace("{live}", live) + " appsrc ! audio/mpeg,mpegversion=4,stream-format=raw ! m.",
               check_counts(50, 0))
    # Live, since gst-launch-1.0 goes on to PLAYING while the thread that completed splitmuxsink's PAUSED still says so, and
    # GstBin then forgets that it plays: with mp4mux and filesink 7 of 120 such pipelines miss their EOS.
    yield ("splitmuxsink", "gst-launch-1.0 -q videotestsrc is-live=true num-buffers=100 ! "
           "video/x-raw,width=64,height=64,framerate=100/1 ! x264enc tune=zerolatency key-int-max=25 ! h264parse ! "
           "splitmuxsink muxer-factory=hullmp4mux sink-factory=hullmp4sink max-size-time=250000000 location={out}.%02d.mp4",
           lambda out: check_split(out, 100, 4))
    for layout in ["hybrid", "insert", "tail", "spool"]:
        yield (f"two sizes, {layout}", concat("hullmp4sink layout=" + layout, (160, 50), (96, 50)), check_sizes({160: 50, 96: 50}))
        yield (f"two equal streams, {layout}", concat("hullmp4sink layout=" + layout, (96, 50), (96, 50)), check_sizes({96: 100}))
    yield ("forty sizes", concat("hullmp4sink", *[(64 + 16 * n, 2) for n in range(40)]),
           check_sizes({64 + 16 * n: 2 for n in range(40)}))
    yield ("two sizes, killed", "bash -c '! timeout -s KILL 12 " + concat("hullmp4sink", (160, 50), (96, 100000, "is-live=true"))
           .replace("hullmp4mux", "hullmp4mux fragment-duration=500000000") + "'", check_sizes({160: 50, 96: 1}, least=True))


def concat(sink, *parts):
    """Streams of these widths and numbers of pictures, one after the other in one track."""
    streams = " ".join(f"videotestsrc num-buffers={part[1]} {' '.join(part[2:])} ! "
                       f"video/x-raw,width={part[0]},height=96,framerate=25/1 ! "
                       "x264enc tune=zerolatency key-int-max=25 threads=1 ! c." for part in parts)
    return f"gst-launch-1.0 -q concat name=c ! h264parse ! hullmp4mux ! {sink} location={{out}} {streams}"


def check_sizes(wanted, least=False):
    """Pictures that decode, by width."""
    def check(out):
        text = subprocess.run(["ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "frame=width", "-of", "csv=p=0",
                               out], capture_output=True, text=True).stdout
        found = {}
        for word in text.replace(",", " ").split():
            found[int(word)] = found.get(int(word), 0) + 1
        fits = all(found.get(width, 0) >= count for width, count in wanted.items()) if least else found == wanted
        return None if fits else f"pictures by width {found}, not {wanted}"
    return check


def check_split(out, pictures, least):
    parts = sorted(pathlib.Path(out).parent.glob(pathlib.Path(out).name + ".*.mp4"))
    found = [packets(str(part), "v") for part in parts]
    return None if sum(found) == pictures and len(found) >= least and all(found) else f"files with {found} pictures"


def run(case):
    name, command, check = case
    for number in range(RUNS):
        with tempfile.TemporaryDirectory() as folder:
            out = folder + "/out.mp4"
            status, said = shell(command.replace("{out}", out))
            problem = said if status != 0 else check(out)
            if problem:
                return f"run {number + 1} of {RUNS}: {problem}"
    return None


def stalled():
    """A live input that stalls wakes nobody: rounds of the muxing thread, which were a hundred thousand a second."""
    with tempfile.NamedTemporaryFile() as log:
        shell(f"env GST_DEBUG=hullmp4mux:7 GST_DEBUG_FILE={log.name} timeout 4 gst-launch-1.0 -q hullmp4mux name=m ! fakesink "
              "videotestsrc is-live=true num-buffers=20 ! video/x-raw,width=64,height=64,framerate=25/1 ! tee name=t ! queue ! "
              "x264enc tune=zerolatency ! h264parse ! m. t. ! queue ! fakesink "
              "appsrc is-live=true format=time ! audio/mpeg,mpegversion=4,stream-format=raw ! m. "
              "appsrc is-live=true format=time ! audio/mpeg,mpegversion=4,stream-format=raw ! m.")
        rounds = sum(line.rstrip().endswith(" round") for line in open(log.name, errors="replace"))
    return None if 0 < rounds < 2000 else f"{rounds} rounds"


def main():
    if not has("x264enc", "avenc_aac", "tsdemux", "flvdemux"):
        print("1..0 # SKIP x264enc, avenc_aac, tsdemux or flvdemux are missing")
        return 0
    with tempfile.TemporaryDirectory() as folder:
        make_inputs(folder)
        found = list(cases(folder))
        print(f"1..{len(found) + 1}")
        failed = 0
        with concurrent.futures.ThreadPoolExecutor(2 * os.cpu_count()) as pool:
            for number, ((name, _, _), problem) in enumerate(zip(found, pool.map(run, found)), 1):
                print(f"{'not ok' if problem else 'ok'} {number} - {name}", flush=True)
                if problem:
                    failed += 1
                    print("\n".join("# " + line for line in problem.splitlines()), flush=True)
        problem = stalled()
        print(f"{'not ok' if problem else 'ok'} {len(found) + 1} - live inputs that stall" + (f"\n# {problem}" if problem else ""))
        failed += bool(problem)
    return 1 if failed else 0


sys.exit(main())
