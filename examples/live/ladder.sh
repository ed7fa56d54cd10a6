#!/bin/sh
# One picture in three sizes and sound, on air at http://127.0.0.1:8080/ until Ctrl-C: players choose and switch. All
# rungs cut at the same times. Arguments go to hullcmafsink.
rung() { # WIDTH HEIGHT KBIT
  echo "t. ! queue ! hullscale ! video/x-raw,width=$1,height=$2 ! hullh264enc bitrate=$3 ! air."
}
exec gst-launch-1.0 -e hullcmafsink name=air "$@" \
  videotestsrc is-live=true pattern=ball ! video/x-raw,format=I420,width=960,height=540,framerate=25/1 ! tee name=t \
  $(rung 960 540 1600) $(rung 640 360 800) $(rung 320 180 250) \
  audiotestsrc is-live=true wave=ticks samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! air.
