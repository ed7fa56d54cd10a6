#pragma once

#include <gst/gst.h>

namespace hull::h264 {

/// Debug categories "hullh264enc" and "hullh264dec"; valid after the plugin is loaded.
GstDebugCategory *encoder_category();
GstDebugCategory *decoder_category();

/// Level at which the library should speak, from the threshold of the encoder's category, and the callback
/// (WelsTraceCallback) that takes its words there. `context` is unused.
int library_log_level();
void library_log(void *context, int level, const char *text);
/// The same for the decoder.
int decoder_log_level();
void decoder_log(void *context, int level, const char *text);

} // namespace hull::h264
