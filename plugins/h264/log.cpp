#include "plugins/h264/log.h"

#include <wels/codec_api.h>

#include <gst/video/video.h>

namespace hull::h264 {
namespace {

// What matters to a user the element says itself. Of the library's words, what it calls errors and warnings
// (single lost pictures, settings it changes) may explain that; the rest comes many times a picture.
GstDebugLevel loudness(int level) {
  return level <= WELS_LOG_WARNING ? GST_LEVEL_DEBUG : GST_LEVEL_LOG;
}

void pass_on(GstDebugCategory *category, void *element, int level, const char *text) {
  GST_CAT_LEVEL_LOG(category, loudness(level), static_cast<GObject *>(element), "%s", text);
}

} // namespace

void log_input(GstDebugCategory *category, GstElement *element, GstEvent *event) {
  GstCaps *caps = nullptr;
  const GstSegment *segment = nullptr;
  switch (GST_EVENT_TYPE(event)) {
  case GST_EVENT_CAPS:
    gst_event_parse_caps(event, &caps);
    GST_CAT_INFO_OBJECT(category, element, "sink: caps %" GST_PTR_FORMAT, static_cast<void *>(caps));
    break;
  case GST_EVENT_SEGMENT:
    gst_event_parse_segment(event, &segment);
    GST_CAT_INFO_OBJECT(category, element, "sink: %" GST_SEGMENT_FORMAT, static_cast<const void *>(segment));
    break;
  case GST_EVENT_FLUSH_STOP:
    GST_CAT_DEBUG_OBJECT(category, element, "sink: flushed, what was under way is forgotten");
    break;
  default:
    if (gst_video_event_is_force_key_unit(event))
      GST_CAT_DEBUG_OBJECT(category, element, "a key unit is asked for: %" GST_PTR_FORMAT,
                           static_cast<void *>(event));
  }
}

int library_log_level(GstDebugCategory *category) {
  const GstDebugLevel threshold = gst_debug_category_get_threshold(category);
  return threshold >= GST_LEVEL_LOG     ? WELS_LOG_DETAIL
         : threshold >= GST_LEVEL_DEBUG ? WELS_LOG_WARNING
                                        : WELS_LOG_QUIET;
}

void library_log(void *element, int level, const char *text) {
  pass_on(encoder_category(), element, level, text);
}

void decoder_log(void *element, int level, const char *text) {
  pass_on(decoder_category(), element, level, text);
}

} // namespace hull::h264
