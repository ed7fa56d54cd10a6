"""Runs examples/applications as a user would: what they print, how they end, and what their files hold (ffprobe)."""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

RECORDER, GATE = sys.argv[1:3]
tests = []


def test(function):
    tests.append(function)
    return function


def run(*command):
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def pictures(path):
    """How many pictures a file holds, and when they are shown first and last, in seconds."""
    told = run("ffprobe", "-v", "error", "-select_streams", "v", "-show_entries", "packet=pts_time", "-of", "json", str(path))
    assert told.returncode == 0 and not told.stderr, told.stderr
    times = sorted(float(packet["pts_time"]) for packet in json.loads(told.stdout)["packets"])
    return len(times), times[0], times[-1]


@test
def recorder_makes_whole_parts(folder):
    made = run(RECORDER, str(folder), "12")
    assert made.returncode == 0, made.stderr
    parts = sorted(folder.glob("part-*.mp4"))
    assert [p.name for p in parts] == ["part-00000.mp4", "part-00001.mp4", "part-00002.mp4"], parts
    counts = [pictures(p)[0] for p in parts]
    assert counts == [125, 125, 50], counts
    assert made.stdout.count("is finished") == 3, made.stdout
    assert made.stdout.count(" 0 samples in files") <= 2, "stats stand still: " + made.stdout
    assert "300 samples in files, 0 dropped" in made.stdout, made.stdout
    sizes = [p.stat().st_size for p in parts]
    assert sizes[0] > 0 and sizes[2] / 50 < sizes[0] / 125, f"the bitrate did not sink: {sizes}"


@test
def recorder_ends_at_an_interrupt(folder):
    process = subprocess.Popen([RECORDER, str(folder), "600"], stdout=subprocess.PIPE, text=True)
    first = [process.stdout.readline(), process.stdout.readline()]
    process.send_signal(signal.SIGINT)
    rest, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    count, start, last = pictures(folder / "part-00000.mp4")
    assert count >= 20 and start == 0 and abs(last - (count - 1) / 25) < 0.001, (first, count, start, last)
    assert f"{count} samples in files" in rest, rest


@test
def recorder_killed_loses_a_chunk_at_most(folder):
    process = subprocess.Popen([RECORDER, str(folder), "600"], stdout=subprocess.PIPE, text=True)
    told = [process.stdout.readline() for _ in range(4)]
    process.kill()
    process.wait()
    count, start, _ = pictures(folder / "part-00000.mp4")
    written = int(told[-1].split(" samples in files")[0].split()[-1])
    assert start == 0 and count >= written - 50, (told, count)


@test
def recorder_says_why_it_cannot_write(folder):
    made = run(RECORDER, str(folder / "missing"), "1")
    assert made.returncode == 1 and "cannot be made" in made.stderr, made.stderr


@test
def gate_passes_and_refuses(folder):
    source = "videotestsrc num-buffers=50 pattern=ball ! video/x-raw,width=320,height=180,framerate=25/1"
    good, bad = folder / "good one.mp4", folder / "bad.mp4"
    launch = ["gst-launch-1.0", "-q"]
    for name, quantizer in ((good, 12), (bad, 48)):
        made = run(*launch, *(f"{source} ! hullh264enc rate-control=cqp quantizer={quantizer} ! hullmp4mux ! hullmp4sink name=s").split(),
                   f"location={name}")
        assert made.returncode == 0, made.stderr
    passed = run(GATE, str(good), str(good))
    assert passed.returncode == 0, passed.stderr
    assert "50 frames, VMAF" in passed.stdout and " at " in passed.stdout, passed.stdout
    refused = run(GATE, str(good), str(bad), "97")
    assert refused.returncode == 1, refused.stdout + refused.stderr
    assert float(refused.stdout.split("VMAF ")[1].split(",")[0]) < 97, refused.stdout
    missing = run(GATE, str(good), str(folder / "none.mp4"))
    assert missing.returncode == 2 and "error: " in missing.stderr, missing.stderr
    assert run(GATE, str(good), str(bad), "much").returncode == 2


print(f"1..{len(tests)}")
for number, function in enumerate(tests, 1):
    if not shutil.which("ffprobe"):
        print(f"ok {number} - {function.__name__} # SKIP ffprobe is not installed")
        continue
    with tempfile.TemporaryDirectory() as made:
        begun = time.monotonic()
        try:
            function(Path(made))
            print(f"ok {number} - {function.__name__}", flush=True)
        except (AssertionError, OSError, subprocess.SubprocessError, ValueError, IndexError) as error:
            for line in f"{error!r}\nafter {time.monotonic() - begun:.1f} s".splitlines():
                print(f"# {line}")
            print(f"not ok {number} - {function.__name__}", flush=True)
