#!/bin/sh
# file-loop.sh FILE [hullcmafsink properties …]: a file with picture, and sound if it has any, again and again, on air at
# http://127.0.0.1:8080/ until Ctrl-C. ffmpeg repeats it without a seam in the timestamps; the sink keeps the pace.
[ -f "$1" ] || { echo "usage: file-loop.sh FILE [PROPERTY=VALUE …]" >&2; exit 2; }
command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || { echo "file-loop.sh wants ffmpeg and ffprobe" >&2; exit 2; }
file=$1
shift
[ -n "$(ffprobe -v error -select_streams a:0 -show_entries stream=index -of csv=p=0 "$file")" ] && sound=1 || sound=
ffmpeg -v error -stream_loop -1 -i "$file" -map 0:v:0 ${sound:+-map 0:a:0} -vf scale=-2:720 -c:v rawvideo -pix_fmt yuv420p \
  -c:a pcm_s16le -ar 48000 -ac 2 -f matroska - |
  gst-launch-1.0 -e fdsrc ! matroskademux name=file hullcmafsink name=air "$@" \
    file.video_0 ! queue ! videoconvert ! hullh264enc bitrate=2500 ! air. \
    ${sound:+file.audio_0 ! queue ! audioconvert ! avenc_aac ! air.}
