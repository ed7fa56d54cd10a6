#include "gst/glue/shell.h"
#include "plugins/h264/decoder.h"
#include "plugins/h264/encoder.h"
#include "plugins/h264/rtp_feedback.h"

#include <gst/gst.h>

#define PACKAGE "gst-plugins-hull"

// Presets are files beside GStreamer's own, by the name of the type: presets/HullH264Enc.prs.
static GType encoder_type() {
  static const GInterfaceInfo none{};
  const GType type = hull::shell_type<hull::h264::Encoder>();
  if (!g_type_is_a(type, GST_TYPE_PRESET)) g_type_add_interface_static(type, GST_TYPE_PRESET, &none);
  return type;
}

// Below x264enc and avdec_h264: OpenH264 has no B-frames to encode and decodes them inexactly.
GST_ELEMENT_REGISTER_DEFINE(hullh264enc, "hullh264enc", GST_RANK_MARGINAL, encoder_type())
GST_ELEMENT_REGISTER_DEFINE(hullh264dec, "hullh264dec", GST_RANK_MARGINAL,
                            hull::shell_type<hull::h264::Decoder>())
GST_ELEMENT_REGISTER_DEFINE(hullrtpfeedback, "hullrtpfeedback", GST_RANK_NONE,
                            hull::shell_type<hull::h264::RtpFeedback>())

static gboolean plugin_init(GstPlugin *plugin) {
  return GST_ELEMENT_REGISTER(hullh264enc, plugin) && GST_ELEMENT_REGISTER(hullh264dec, plugin) &&
         GST_ELEMENT_REGISTER(hullrtpfeedback, plugin);
}

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullh264, "H.264 with OpenH264", plugin_init,
                  HULL_VERSION, "LGPL", "gst-plugins-hull", HULL_URL)
