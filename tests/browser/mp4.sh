#!/usr/bin/env bash
# mp4.sh: writes one encode as four files with hullmp4mux and hullmp4sink, and hands them to mp4.mjs.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for element in x264enc h264parse hullmp4mux; do
  gst-inspect-1.0 "$element" >/dev/null 2>&1 || { echo "skipped: no $element"; exit 77; }
done
echo 500 >"$work/frames"
mux="t. ! queue ! hullmp4mux send-force-keyunit=false"
gst-launch-1.0 -q videotestsrc num-buffers=500 pattern=snow ! video/x-raw,width=480,height=270,framerate=25/1 ! \
  x264enc speed-preset=ultrafast bitrate=6000 key-int-max=50 bframes=2 ! h264parse ! tee name=t \
  $mux ! hullmp4sink layout=insert location="$work/first.mp4" \
  $mux ! video/quicktime,variant=iso ! hullmp4sink layout=tail location="$work/last.mp4" \
  $mux ! hullmp4sink layout=hybrid location="$work/hybrid.mp4" \
  $mux ! video/quicktime,variant=cmaf ! hullmp4sink location="$work/cmaf.mp4"
node "$here/mp4.mjs" "$work"
