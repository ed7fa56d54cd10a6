#!/usr/bin/env python3
"""What `atoms recover` makes of damaged files, against the undamaged originals.

    recover_damage.py TOOL [FOLDER] [--damages N] [--cuts N] [--seed S] [--only NAME] [--few]

FOLDER holds good MP4 and MOV files; without one, files are made with ffmpeg and GStreamer (`--few`: three of them). Each is
damaged `--damages` times and cut `--cuts` times at random places; once it is only recovered. ffprobe reads the packets of the
original, of the damaged file, and of the file after `recover`; a packet counts when the kind of its stream and the hash of its
bytes are those of one in the original. Lost is a file of which fewer packets are right afterwards, or whose media were
destroyed: bytes of the original's packets that the damaged file has and the repaired one has not. Originals that ffprobe finds
incomplete or broken are left out: what is right in them cannot be told.
"""
import argparse
import collections
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile


def packets(path):
    """Every packet as ffprobe reads it."""
    out = subprocess.run(
        ["ffprobe", "-v", "quiet", "-show_packets", "-show_data_hash", "md5", "-show_entries",
         "packet=stream_index,codec_type,size,pos,data_hash", "-of", "json", path],
        capture_output=True, timeout=120).stdout
    try:
        return json.loads(out or b"{}").get("packets", [])
    except json.JSONDecodeError:
        return []


def is_whole(path):
    """ffprobe has nothing to say against the container."""
    said = subprocess.run(["ffprobe", "-v", "error", "-show_packets", path], stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True, timeout=120).stderr
    return "[mov," not in said


def counted(found):
    return collections.Counter((p["codec_type"], p["data_hash"], p["size"]) for p in found if "data_hash" in p)


def right(found, whole):
    return sum((counted(found) & whole).values())


def boxes(data):
    """(offset, size) of headers down to the sample tables: where damage hurts most."""
    found = []

    def walk(begin, end, depth):
        while begin + 8 <= end:
            size, kind = struct.unpack(">I4s", data[begin:begin + 8])
            head = 8
            if size == 1 and begin + 16 <= end:
                size, head = struct.unpack(">Q", data[begin + 8:begin + 16])[0], 16
            if size == 0:
                size = end - begin
            if size < head or begin + size > end:
                return
            found.append((begin, size, kind))
            if kind in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf", b"mvex", b"edts"):
                walk(begin + head, begin + size, depth + 1)
            begin += size

    walk(0, len(data), 0)
    return found


def damage(data, places, rng):
    """One random damage: its name and the bytes."""
    kind = rng.choice(["bits", "bits", "bytes", "zeros", "noise", "removed", "inserted", "header", "header", "table",
                       "tail", "several"])
    data = bytearray(data)
    at = rng.randrange(len(data))
    if kind == "bits":
        for _ in range(rng.choice([1, 1, 4, 32])):
            at = rng.randrange(len(data))
            data[at] ^= 1 << rng.randrange(8)
    elif kind == "bytes":
        for _ in range(rng.choice([1, 16, 200])):
            data[rng.randrange(len(data))] = rng.randrange(256)
    elif kind in ("zeros", "noise"):
        size = min(rng.choice([16, 512, 4096, 65536]), len(data) - at)
        data[at:at + size] = bytes(size) if kind == "zeros" else rng.randbytes(size)
    elif kind == "removed":
        del data[at:at + rng.choice([1, 188, 4096, 30000])]
    elif kind == "inserted":
        data[at:at] = rng.randbytes(rng.choice([1, 188, 4096]))
    elif kind == "header":  # size or name of a box
        offset, _, _ = rng.choice(places)
        where = min(offset + rng.randrange(8), len(data) - 1)
        data[where] = rng.choice([data[where] ^ 1 << rng.randrange(8), rng.randrange(256)])
    elif kind == "table":  # inside a small box
        small = [p for p in places if p[2] not in (b"mdat", b"moov", b"trak", b"mdia", b"minf", b"stbl", b"moof", b"traf")]
        offset, size, _ = rng.choice(small or places)
        for _ in range(rng.choice([1, 3])):
            data[min(offset + rng.randrange(size), len(data) - 1)] ^= 1 << rng.randrange(8)
    elif kind == "tail":
        data += rng.randbytes(rng.choice([1, 7, 100, 5000]))
    else:
        for _ in range(3):
            _, data = damage(data, places, rng) if len(data) > 64 else ("", data)
            data = bytearray(data)
    return kind, bytes(data)


class Media:
    """Looks for packets in a file that has most of them where the original has them, or moved by a few distances."""

    def __init__(self, data):
        self.data, self.moved = data, [0]

    def has(self, media, at):
        for moved in self.moved:
            if at + moved >= 0 and self.data[at + moved:at + moved + len(media)] == media:
                return True
        found = self.data.find(media)
        if found >= 0:
            self.moved.insert(0, found - at)
            del self.moved[8:]
        return found >= 0


def missing_media(original, whole, damaged, repaired):
    """Bytes of the original's packets that `damaged` has and `repaired` has not."""
    lost = 0
    there, still = Media(damaged), Media(repaired)
    for packet in whole:
        if "pos" not in packet:
            continue
        begin, size = int(packet["pos"]), int(packet["size"])
        media = original[begin:begin + size]
        if size >= 16 and not still.has(media, begin) and there.has(media, begin):
            lost += size
    return lost


FILMS = {
    "last.mp4": "-c:v libx264 -bf 2 -c:a aac",
    "first.mp4": "-c:v libx264 -c:a aac -movflags +faststart",
    "fragments.mp4": "-c:v libx264 -g 10 -c:a aac -movflags +frag_keyframe+empty_moov+default_base_moof",
    "absolute.mp4": "-c:v libx264 -g 10 -c:a aac -movflags +frag_keyframe+empty_moov",
    "half.mp4": "-c:v libx264 -g 10 -c:a aac -movflags +frag_keyframe",
    "frames.mp4": "-c:v libx264 -c:a aac -movflags +frag_every_frame+empty_moov+default_base_moof",
    "pcm.mov": "-c:v mpeg4 -bf 2 -c:a pcm_s16le",
    "pcm_first.mov": "-c:v libx264 -c:a pcm_s16le -movflags +faststart",
    "hevc.mp4": "-c:v libx265 -x265-params log-level=error -c:a libopus -movflags +faststart",
    "sound.m4a": "-vn -c:a aac",
    "av1.mp4": "-c:v libaom-av1 -cpu-used 8 -c:a libopus",
    "av1_fragments.mp4": "-c:v libaom-av1 -cpu-used 8 -g 10 -c:a libopus -movflags +frag_keyframe+empty_moov+default_base_moof",
    "cmaf.mp4": "-an -c:v libx264 -g 10 -movflags +cmaf+frag_keyframe+empty_moov+default_base_moof",
    "cmaf_hevc.mp4": "-an -c:v libx265 -x265-params log-level=error:keyint=10 -tag:v hvc1 -movflags +cmaf+frag_keyframe+empty_moov",
    "indexed.mp4": "-c:v libx264 -g 10 -c:a aac -movflags +dash+frag_keyframe+global_sidx",
    "vp9_flac.mp4": "-c:v libvpx-vp9 -deadline realtime -c:a flac -strict -2",
    "timecode.mov": "-c:v prores -c:a pcm_s24le -timecode 01:00:00:00",
    "tmcd.mov": "-c:v libx264 -bf 2 -c:a alac -timecode 01:00:00:00 -movflags +faststart",
    "ac3.mp4": "-c:v libx264 -c:a ac3",
    "mp3_first.mp4": "-c:v libx264 -c:a libmp3lame -movflags +faststart",
    "negative.mp4": "-c:v libx264 -bf 3 -c:a aac -movflags +negative_cts_offsets",
    "encrypted.mp4": "-c:v libx264 -c:a aac -encryption_scheme cenc-aes-ctr -encryption_key 00112233445566778899aabbccddeeff "
                     "-encryption_kid 00112233445566778899aabbccddee00",
}
PIPELINES = {  # other muxers and our own
    "hybrid.mp4": "hullmp4mux name=m ! hullmp4sink layout=hybrid location=",
    "hull_fragments.mp4": "hullmp4mux name=m fragment-duration=400000000 ! video/quicktime,variant=iso-fragmented ! filesink location=",
    "qtmux.mov": "qtmux name=m ! filesink location=",
    "mp4mux.mp4": "mp4mux name=m ! filesink location=",
    "mp4mux_fragments.mp4": "mp4mux name=m fragment-duration=400 ! filesink location=",
}
SOURCE = ("videotestsrc num-buffers=50 pattern=ball ! video/x-raw,width=128,height=96,framerate=25/1 ! x264enc key-int-max=10 ! h264parse ! m. "
          "audiotestsrc num-buffers=86 wave=pink-noise volume=0.1 ! audio/x-raw,rate=44100,channels=2 ! avenc_aac ! aacparse ! m. ")
FEW = ("first.mp4", "fragments.mp4", "pcm.mov")


def make_films(folder, few=False):
    """Two seconds with sound in every layout that ffmpeg, GStreamer and our own muxer know."""
    for name, options in FILMS.items():
        if few and name not in FEW:
            continue
        subprocess.run(["ffmpeg", "-v", "error", "-y", "-f", "lavfi", "-i", "testsrc2=s=128x96:r=25:d=2", "-f", "lavfi",
                        "-i", "anoisesrc=d=2:a=0.1:seed=1", *options.split(), "-shortest", os.path.join(folder, name)], timeout=120)
    for name, muxer in PIPELINES.items():
        if few:
            break
        path = os.path.join(folder, name)
        done = subprocess.run(["gst-launch-1.0", "-q", *(SOURCE + muxer + path).split()], timeout=120)
        if done.returncode and os.path.exists(path):
            os.remove(path)


class Run:
    def __init__(self, tool, verbose):
        self.tool, self.verbose = tool, verbose
        self.files = self.worse = self.better = self.refused = self.crashed = self.touched = 0
        self.destroyed = self.before = self.after = self.total = 0

    def one(self, name, original, whole, counts, kind, damaged, folder):
        path, out = os.path.join(folder, "damaged.mp4"), os.path.join(folder, "out.mp4")
        with open(path, "wb") as file:
            file.write(damaged)
        before = right(packets(path), counts)
        done = subprocess.run([self.tool, "atoms", "recover", path], capture_output=True, timeout=120)
        with open(path, "rb") as file:
            repaired = file.read()
        after = before if repaired == damaged else right(packets(path), counts)
        destroyed = 0 if repaired == damaged else missing_media(original, whole, damaged, repaired)
        self.files += 1
        self.total += sum(counts.values())
        self.before += before
        self.after += after
        self.better += after > before
        self.touched += repaired != damaged
        self.refused += done.returncode == 1
        self.crashed += done.returncode < 0 or done.returncode > 2
        self.destroyed += destroyed
        if after < before or destroyed or done.returncode not in (0, 1):
            self.worse += 1
            print(f"LOST {name} {kind}: {before} -> {after} of {sum(counts.values())}, {destroyed} bytes destroyed, "
                  f"status {done.returncode}")
            keep = os.environ.get("RECOVER_KEEP")
            if keep:
                with open(os.path.join(keep, f"{self.worse:03d}_{kind}_{name}"), "wb") as file:
                    file.write(damaged)
        elif self.verbose:
            print(f"{name} {kind}: {before} -> {after} of {sum(counts.values())}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--damages", type=int, default=25)
    parser.add_argument("--cuts", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", default="")
    parser.add_argument("--verbose", action="store_true")
    arguments = parser.parse_args()
    arguments.folder = arguments.folder or (None if arguments.few else os.environ.get("HULL_MEDIA"))
    if not shutil.which("ffprobe"):
        print("skipped: ffprobe is the second opinion")
        return 77
    run = Run(arguments.tool, arguments.verbose)
    folder = tempfile.mkdtemp(prefix="hull-recover-")
    try:
        if not arguments.folder:
            arguments.folder = os.path.join(folder, "films")
            os.mkdir(arguments.folder)
            make_films(arguments.folder, arguments.few)
        for name in sorted(os.listdir(arguments.folder)):
            if arguments.only not in name:
                continue
            with open(os.path.join(arguments.folder, name), "rb") as file:
                original = file.read()
            whole = packets(os.path.join(arguments.folder, name))
            counts = counted(whole)
            if not counts or not is_whole(os.path.join(arguments.folder, name)):
                print(f"left out: {name}")
                continue
            run.one(name, original, whole, counts, "none", original, folder)
            rng = random.Random(f"{arguments.seed} {name}")
            places = boxes(original)
            for _ in range(arguments.damages):
                kind, damaged = damage(original, places, rng)
                run.one(name, original, whole, counts, kind, damaged, folder)
            for _ in range(arguments.cuts):
                run.one(name, original, whole, counts, "cut", original[:rng.randrange(64, len(original))], folder)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{run.files} damaged files: {run.worse} lost something, {run.better} read better afterwards, {run.touched} "
          f"were changed, {run.refused} refused, {run.crashed} crashes; packets right {run.before} -> {run.after} of {run.total}; "
          f"{run.destroyed} bytes destroyed")
    return 1 if run.worse or run.files == 0 else 0


if __name__ == "__main__":
    sys.exit(main())
