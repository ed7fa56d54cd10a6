#!/bin/sh
# The first camera and microphone, on air at http://127.0.0.1:8080/ until Ctrl-C. Arguments go to hullcmafsink.
# HULL_CAMERA and HULL_MICROPHONE name other sources: HULL_CAMERA="v4l2src device=/dev/video2".
exec gst-launch-1.0 -e ${HULL_CAMERA:-v4l2src} ! decodebin ! videoconvert ! videoscale ! videorate \
  ! video/x-raw,format=I420,width=1280,height=720,framerate=30/1 ! queue leaky=downstream \
  ! hullh264enc bitrate=2500 ! hullcmafsink name=air "$@" \
  ${HULL_MICROPHONE:-autoaudiosrc} ! queue leaky=downstream ! audioconvert ! audioresample \
  ! audio/x-raw,rate=48000,channels=2 ! avenc_aac ! air.
