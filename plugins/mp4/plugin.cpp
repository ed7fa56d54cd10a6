#include "plugins/mp4/mux.h"
#include "plugins/mp4/sink.h"

#include <gst/gst.h>

#define PACKAGE "gst-plugins-hull"

GST_ELEMENT_REGISTER_DEFINE(hullmp4mux, "hullmp4mux", GST_RANK_NONE, hull::shell_type<hull::Mp4Mux>())
GST_ELEMENT_REGISTER_DEFINE(hullmp4sink, "hullmp4sink", GST_RANK_NONE, hull::shell_type<hull::Mp4Sink>())

static gboolean plugin_init(GstPlugin *plugin) {
  return GST_ELEMENT_REGISTER(hullmp4mux, plugin) && GST_ELEMENT_REGISTER(hullmp4sink, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullmp4, "MP4 and CMAF files: muxer and file sink",
                  plugin_init, HULL_VERSION, "LGPL", "gst-plugins-hull", HULL_URL)
