#!/usr/bin/env python3
"""BD-rate of hullh264enc and of `gst-hull-1.0 encode` against openh264enc, in VMAF and PSNR-Y.

Every contender encodes two real clips at four bitrates; `gst-hull-1.0 vmaf` scores what came out against the source and
`gst-hull-1.0 bdrate` compares the curves. Rates are those of the files, not those asked for.
"""
import json
import os
import subprocess
import sys
import tempfile

MEDIA = os.path.join(os.environ.get("HULL_SHARED", "../shared"), "media")
TOOL = os.environ.get("HULL_TOOL", "gst-hull-1.0")
# name: file, pictures per second, bitrates in kbit/s
CLIPS = {
    "flower 720p30": ("flower_720p30_high_b.264", 30, (800, 1500, 2500, 4500)),
    "drive 1080p25": ("drive_1080p25_high_b.264", 25, (2000, 3000, 4500, 7500)),
}
OPENH264 = "openh264enc (defaults, qp-min=1)"
SHORT, PARALLEL = "hullh264enc, key-int-max=30", "the same, parallel=gop threads=2"


def run(command):
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


def element(description):
    """An encoder that gst-launch runs; {rate} is in kbit/s."""

    def encode(source, rate, out):
        line = description.format(rate=rate, bits=rate * 1000)
        run(["gst-launch-1.0", "-q", *f"filesrc location={source} ! h264parse ! avdec_h264 ! {line} ! "
             f"video/x-h264,stream-format=byte-stream ! filesink location={out}".split()])

    return encode


def two_pass(source, rate, out):
    run([TOOL, "encode", source, "-o", out, "--bitrate", str(rate), "--key-int-max", "90"])


CONTENDERS = {
    OPENH264: element("openh264enc qp-min=1 bitrate={bits}"),
    "hullh264enc, one pass": element("hullh264enc bitrate={rate} key-int-max=90"),
    "hullh264enc, one pass, background-detection": element(
        "hullh264enc bitrate={rate} key-int-max=90 background-detection=true"),
    "gst-hull-1.0 encode, two-pass": two_pass,
    SHORT: element("hullh264enc bitrate={rate} key-int-max=30"),
    PARALLEL: element("hullh264enc bitrate={rate} key-int-max=30 parallel=gop threads=2"),
    "the same, complexity=low": element("hullh264enc bitrate={rate} key-int-max=30 parallel=gop threads=2 complexity=low"),
}


def curve(encode, clip, folder):
    """(kbit/s, VMAF, PSNR-Y) per bitrate."""
    file, fps, rates = clip
    source = os.path.join(MEDIA, file)
    outputs = [os.path.join(folder, f"{rate}.264") for rate in rates]
    for rate, out in zip(rates, outputs):
        encode(source, rate, out)
    scores = os.path.join(folder, "s.json")
    run([TOOL, "vmaf", source, *outputs, "--models", "vmaf_v0.6.1", "--psnr", "-o", scores, "--progress", "none"])
    points = []
    for i, out in enumerate(outputs):
        with open(scores if i == 0 else os.path.join(folder, f"s.distorted_{i}.json"), encoding="utf-8") as text:
            result = json.load(text)
        seconds = len(result["frames"]) / fps
        pooled = result["pooled_metrics"]
        points.append((os.path.getsize(out) * 8 / 1000 / seconds, pooled["vmaf"]["mean"], pooled["psnr_y"]["mean"]))
    return points


def bd_rate(anchor, test, metric, folder):
    files = []
    for name, points in (("anchor", anchor), ("test", test)):
        files.append(os.path.join(folder, name + ".csv"))
        with open(files[-1], "w", encoding="utf-8") as text:
            text.write("kbps,vmaf\n" + "".join(f"{p[0]},{p[metric]}\n" for p in points))
    return json.loads(run([TOOL, "bdrate", *files, "--json"]))["bd_rate_percent"]


def main():
    if not os.path.exists(MEDIA):
        print(f"{MEDIA} is absent: nothing to measure")
        return
    only = sys.argv[1:]
    with tempfile.TemporaryDirectory() as folder:
        for title, clip in CLIPS.items():
            if only and title.split()[0] not in only:
                continue
            print(f"\n{title}: BD-rate against {OPENH264}, VMAF / PSNR-Y")
            curves = {name: curve(encode, clip, folder) for name, encode in CONTENDERS.items()}
            for name, points in curves.items():
                pairs = "  ".join(f"{p[0]:.0f} kbit/s {p[1]:.2f} {p[2]:.2f} dB" for p in points)
                vmaf, psnr = (bd_rate(curves[OPENH264], points, metric, folder) for metric in (1, 2))
                print(f"  {name:44} {vmaf:+6.1f} % / {psnr:+6.1f} %   {pairs}", flush=True)
            vmaf, psnr = (bd_rate(curves[SHORT], curves[PARALLEL], metric, folder) for metric in (1, 2))
            print(f"  parallel=gop against one thread              {vmaf:+6.1f} % / {psnr:+6.1f} %", flush=True)


if __name__ == "__main__":
    main()
