#include "plugins/mp4/mux.h"
#include "plugins/mp4/sink.h"

#define PACKAGE "gst-plugins-hull"

static gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "hullmp4mux", GST_RANK_NONE, hull::shell_type<hull::Mp4Mux>()) &&
         gst_element_register(plugin, "hullmp4sink", GST_RANK_NONE, hull::shell_type<hull::Mp4Sink>());
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullmp4, "MP4 and CMAF files: muxer and file sink",
                  plugin_init, HULL_VERSION, "LGPL", "gst-plugins-hull",
                  "https://github.com/gst-plugins-hull")
