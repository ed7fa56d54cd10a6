#include "plugins/vmaf/scale.h"
#include "plugins/vmaf/sink.h"

#include <gst/gst.h>

namespace {

gboolean plugin_init(GstPlugin *plugin) {
  return gst_element_register(plugin, "hullvmafsink", GST_RANK_NONE, hull::shell_type<hull::VmafSink>()) &&
         gst_element_register(plugin, "hullscale", GST_RANK_NONE, hull::shell_type<hull::Scale>());
}

} // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullvmaf, "VMAF scores of any number of renditions",
                  plugin_init, HULL_VERSION, "LGPL", "gst-plugins-hull",
                  "https://gst-plugins-hull.example.invalid")
