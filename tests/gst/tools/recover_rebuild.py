#!/usr/bin/env python3
"""How much `atoms recover --like` finds of files whose movie box is gone.

    recover_rebuild.py TOOL [FOLDER] [--least PERCENT] [--only NAME] [--few]

For every fragmented file in FOLDER, and every other with H.264 or H.265 pictures (without FOLDER: of files made with ffmpeg and
GStreamer): its movie box is taken out, and it is rebuilt like a good file that holds only the first 40 % of its bytes, so that
most of it was never seen; files that are not fragmented also like that good file in fragments. Counted are the original's
packets whose bytes come back whole, pictures and others apart. Left out are encrypted files, and those whose good part has no
pictures.
"""
import argparse
import os
import shutil
import struct
import subprocess
import sys
import tempfile

from recover_damage import boxes, counted, make_films, packets


def streams(path):
    out = subprocess.run(["ffprobe", "-v", "quiet", "-show_entries", "stream=index,codec_type,codec_name", "-of", "csv=p=0", path],
                         capture_output=True, text=True, timeout=60).stdout
    return {int(line.split(",")[0]): line.split(",")[1:3] for line in out.split() if line.count(",") >= 2}


def without_movie(data):
    top = [b for b in boxes(data) if b[2] == b"moov"]
    if not top:
        return None
    offset, size, _ = top[0]
    return data[:offset] + data[offset + size:]


def shortened(tool, path, out, fragmented):
    """A good file of the first 40 % of the bytes."""
    shutil.copy(path, out)
    os.chmod(out, 0o644)
    if not fragmented and subprocess.run([tool, "atoms", "faststart", out], capture_output=True, timeout=60).returncode:
        return False
    os.truncate(out, int(os.path.getsize(out) * 0.4))
    return subprocess.run([tool, "atoms", "recover", out], capture_output=True, timeout=60).returncode == 0


def in_fragments(path):
    """The same good file in fragments, or None where ffmpeg cannot."""
    out = path.replace(".mp4", "_fragments.mp4")
    done = subprocess.run(["ffmpeg", "-v", "quiet", "-y", "-i", path, "-map", "0:v", "-map", "0:a?", "-c", "copy", "-movflags",
                           "+frag_keyframe+empty_moov+default_base_moof", out], timeout=120)
    return out if done.returncode == 0 else None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("tool")
    parser.add_argument("folder", nargs="?")
    parser.add_argument("--few", action="store_true")
    parser.add_argument("--least", type=float, default=99)
    parser.add_argument("--only", default="")
    arguments = parser.parse_args()
    arguments.folder = arguments.folder or (None if arguments.few else os.environ.get("HULL_MEDIA"))
    if not shutil.which("ffprobe"):
        print("skipped: ffprobe is the second opinion")
        return 77
    folder = tempfile.mkdtemp(prefix="hull-rebuild-")
    pictures = [0, 0]
    others = [0, 0]
    files = low = 0
    try:
        if not arguments.folder:
            arguments.folder = os.path.join(folder, "films")
            os.mkdir(arguments.folder)
            make_films(arguments.folder, arguments.few)
        for name in sorted(os.listdir(arguments.folder)):
            path = os.path.join(arguments.folder, name)
            if arguments.only not in name:
                continue
            with open(path, "rb") as file:
                original = file.read()
            kinds = streams(path)
            fragmented = b"moof" in {b[2] for b in boxes(original)}
            video = {i for i, (codec, kind) in kinds.items() if kind == "video" and (fragmented or codec in ("h264", "hevc"))}
            broken = without_movie(original)
            if not video or broken is None or b"encv" in original:
                continue
            whole = packets(path)
            model, damaged, out = (os.path.join(folder, part) for part in ("model.mp4", "damaged.mp4", "out.mp4"))
            if not shortened(arguments.tool, path, model, fragmented) or "video" not in [kind for _, kind in streams(model).values()]:
                continue
            if not [p for p in packets(model) if p["codec_type"] == "video"]:
                continue
            with open(damaged, "wb") as file:
                file.write(broken)
            for good in [model] if fragmented else [model, in_fragments(model)]:
                if not good:
                    continue
                done = subprocess.run([arguments.tool, "atoms", "recover", damaged, "-o", out, "--like", good],
                                      capture_output=True, text=True, timeout=300)
                found = counted(packets(out)) if done.returncode == 0 else counted([])
                parts = []
                for picture in (True, False):
                    wanted = counted([p for p in whole if (p["stream_index"] in video) == picture])
                    got = sum((wanted & found).values())
                    total = sum(wanted.values())
                    parts.append(f"{got}/{total}")
                    tally = pictures if picture else others
                    tally[0] += got
                    tally[1] += total
                    if picture and got < total * arguments.least / 100:
                        low += 1
                        parts.append("LOW")
                files += 1
                kind = "fragments" if fragmented else "media" if good is model else "media, like fragments"
                print(f"{name} ({kind}) pictures", *parts, done.stderr.strip())
                if os.path.exists(out):
                    os.remove(out)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(f"{files} rebuilt, {low} below {arguments.least} %; pictures {pictures[0]} of {pictures[1]}, other packets {others[0]} of {others[1]}")
    return 1 if low or not files else 0


if __name__ == "__main__":
    sys.exit(main())
