#!/usr/bin/env python3
"""Processor time of a title's search against an encode, an upscale and a libvmaf run per pair.

pertitle.py TOOL [FILE]: FILE defaults to drive of the shared data. HULL_VMAF names libvmaf's `vmaf`; without it only our own
figures are printed. The peer makes one pair per picture size (QP 32) and counts it for all five quantizers. With HULL_WORKERS=1
a looped title is measured with one worker and with two, by wall clock: only on a quiet machine.
"""
import json
import os
import resource
import subprocess
import sys
import tempfile
import time

SIZES = [(640, 360), (960, 540), (1280, 720), (1920, 1080)]
QPS = 5


def cpu_of(command, **options):
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def peer(file, vmaf, work):
    """Seconds for the whole grid, from one pair per size."""
    reference = f"{work}/reference.y4m"
    subprocess.run(["ffmpeg", "-v", "error", "-y", "-i", file, "-pix_fmt", "yuv420p", "-strict", "-1", reference], check=True)
    total = 0.0
    for width, height in SIZES:
        coded, scaled = f"{work}/coded.264", f"{work}/scaled.y4m"
        total += cpu_of(["gst-launch-1.0", "-q", "filesrc", f"location={file}", "!", "decodebin", "!", "videoconvert", "!",
                         "videoscale", "method=catrom", "!", f"video/x-raw,format=I420,width={width},height={height}", "!",
                         "openh264enc", "rate-control=quality", "qp-min=32", "qp-max=32", "bitrate=100000000", "gop-size=50",
                         "!", "filesink", f"location={coded}"])
        total += cpu_of(["ffmpeg", "-v", "error", "-y", "-i", coded, "-vf", "scale=1920:1080:flags=bicubic", "-pix_fmt",
                         "yuv420p", scaled])
        total += cpu_of([vmaf, "-r", reference, "-d", scaled, "--threads", "1", "-q", "-o", "/dev/null"])
    return total * QPS


def main():
    tool = sys.argv[1]
    shared = os.environ.get("HULL_SHARED", "../shared")
    file = sys.argv[2] if len(sys.argv) > 2 else f"{shared}/media/drive_1080p25_high_b.264"
    if not os.path.exists(file):
        print(f"skipped: {file} is absent")
        return 77
    with tempfile.TemporaryDirectory() as work:
        quiet = ["--progress", "none"]
        grid = cpu_of([tool, "pertitle", "analyze", file, "-o", f"{work}/grid", "--grid", *quiet])
        search = cpu_of([tool, "pertitle", "analyze", file, "-o", f"{work}/search", *quiet])
        rungs = cpu_of([tool, "pertitle", file, "-o", f"{work}/search", *quiet])
        with open(f"{work}/search/ladder.json") as ladder:
            ladder = json.load(ladder)
        print(f"grid of {len(SIZES) * QPS} encodes   {grid:7.1f} s CPU")
        print(f"search, {ladder['encodes_to_decide']} encodes  {search:7.1f} s CPU")
        print(f"{len(ladder['ladder'])} rungs and package {rungs:7.1f} s CPU")
        vmaf = os.environ.get("HULL_VMAF")
        if vmaf:
            pairs = peer(file, vmaf, work)
            print(f"a pair at a time     {pairs:7.1f} s CPU: grid 1/{pairs / grid:.2f}, search 1/{pairs / search:.2f}, "
                  f"search with rungs 1/{pairs / (search + rungs):.2f}")
        if os.environ.get("HULL_WORKERS"):
            looped = f"{work}/looped.mkv"
            subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=640x360:r=25:d=96", "-c:v",
                            "libx264", looped], check=True)
            took = []
            for workers in ("1", "2"):
                start = time.monotonic()
                cpu_of([tool, "pertitle", "analyze", looped, "-o", f"{work}/w{workers}", "--qp", "30", "--workers", workers, *quiet])
                took.append(time.monotonic() - start)
            print(f"one worker {took[0]:.1f} s, two {took[1]:.1f} s: {took[0] / took[1]:.2f}x")
    return 0


sys.exit(main())
