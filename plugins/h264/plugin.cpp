#include "gst/glue/shell.h"
#include "plugins/h264/decoder.h"
#include "plugins/h264/encoder.h"
#include "plugins/h264/log.h"
#include "plugins/h264/rtp_feedback.h"

#include <gst/gst.h>

#define PACKAGE "gst-plugins-hull"

namespace {

gboolean plugin_init(GstPlugin *plugin) {
  using namespace hull;
  h264::encoder_category();
  h264::decoder_category();
  // Below x264enc and avdec_h264: OpenH264 has no B-frames to encode and decodes them inexactly.
  return gst_element_register(plugin, "hullh264enc", GST_RANK_MARGINAL, shell_type<h264::Encoder>()) &&
         gst_element_register(plugin, "hullh264dec", GST_RANK_MARGINAL, shell_type<h264::Decoder>()) &&
         gst_element_register(plugin, "hullrtpfeedback", GST_RANK_NONE, shell_type<h264::RtpFeedback>());
}

} // namespace

GST_PLUGIN_DEFINE(GST_VERSION_MAJOR, GST_VERSION_MINOR, hullh264, "H.264 with OpenH264", plugin_init,
                  HULL_VERSION, "LGPL", "gst-plugins-hull", "https://gstreamer.freedesktop.org/")
