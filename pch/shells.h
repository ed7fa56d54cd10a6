// Precompiled for plugins and the tool: rooms.h and GStreamer.
#include "rooms.h"

#include <gst/gst.h>
#include <gst/video/video.h>
