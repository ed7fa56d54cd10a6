#!/bin/sh
# A test picture with sound, on air at http://127.0.0.1:8080/ until Ctrl-C. Arguments go to hullcmafsink: port=9000 …
exec gst-launch-1.0 -e videotestsrc is-live=true pattern=ball ! video/x-raw,width=640,height=360,framerate=25/1 \
  ! hullh264enc bitrate=1500 ! hullcmafsink name=air "$@" \
  audiotestsrc is-live=true wave=ticks samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! air.
