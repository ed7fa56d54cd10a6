#pragma once

#include "gst/glue/log.h"

namespace hull::h264 {

/// Debug categories of the two elements, for files that do not know their classes.
inline GstDebugCategory *encoder_category() {
  static GstDebugCategory *const made = make_category("hullh264enc", "H.264 encoder");
  return made;
}
inline GstDebugCategory *decoder_category() {
  static GstDebugCategory *const made = make_category("hullh264dec", "H.264 decoder");
  return made;
}

/// Logs what a sink pad gets besides buffers: caps and segments, flushes, and that a key unit is wanted.
void log_input(GstDebugCategory *category, GstElement *element, GstEvent *event);

/// Level at which the library should speak, from the category's threshold.
int library_log_level(GstDebugCategory *category);
/// The library's callbacks (WelsTraceCallback); `element` is the GstElement whose codec speaks, or null.
void library_log(void *element, int level, const char *text);
void decoder_log(void *element, int level, const char *text);

} // namespace hull::h264
