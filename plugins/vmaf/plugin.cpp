#include "plugins/vmaf/scale.h"
#include "plugins/vmaf/sink.h"

#include <gst/gst.h>

#define PACKAGE "gst-plugins-hull"

GST_ELEMENT_REGISTER_DEFINE(hullvmafsink, "hullvmafsink", GST_RANK_NONE, hull::shell_type<hull::VmafSink>())
GST_ELEMENT_REGISTER_DEFINE(hullscale, "hullscale", GST_RANK_NONE, hull::shell_type<hull::Scale>())

static gboolean plugin_init(GstPlugin *plugin) {
  return GST_ELEMENT_REGISTER(hullvmafsink, plugin) && GST_ELEMENT_REGISTER(hullscale, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullvmaf, "VMAF scores of any number of renditions",
                  plugin_init, HULL_VERSION, "LGPL", "gst-plugins-hull", HULL_URL)
