#!/usr/bin/env bash
# package.sh TITLEGEN TOOL CHECK: renders five seconds with sound, runs the main job on them, and hands the package to
# CHECK (readers.mjs, vod.mjs or report.mjs). Two small sizes of a cartoon, whose ladder has both, so that a rung switch shows and the run stays short.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
command -v ffmpeg >/dev/null || { echo "skipped: ffmpeg is not installed"; exit 77; }
"$1" cartoon 640 360 25 125 >"$work/clip.y4m"
ffmpeg -v error -i "$work/clip.y4m" -f lavfi -i sine=frequency=440:duration=5 -c:v ffv1 -c:a pcm_s16le "$work/clip.mkv"
rm "$work/clip.y4m"
"$2" pertitle "$work/clip.mkv" -o "$work/out" --res 180,360 --qp 26,32,38 --cap 5000
node "$here/$3" "$work/out"
