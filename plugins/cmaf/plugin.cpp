#include "gst/glue/shell.h"
#include "plugins/cmaf/sink.h"

#include <gst/gst.h>

#define PACKAGE "gst-plugins-hull"

GST_ELEMENT_REGISTER_DEFINE(hullcmafsink, "hullcmafsink", GST_RANK_NONE,
                            hull::shell_type<hull::cmaf::CmafSink>())

static gboolean plugin_init(GstPlugin *plugin) {
  return GST_ELEMENT_REGISTER(hullcmafsink, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullcmaf, "LL-DASH and LL-HLS publisher", plugin_init,
                  HULL_VERSION, "LGPL", "gst-plugins-hull", HULL_URL)
