#include "plugins/h264/log.h"

#include <wels/codec_api.h>

namespace hull::h264 {
namespace {

GstDebugCategory *category(const char *name, const char *description) {
  return _gst_debug_category_new(name, 0, description);
}

int level_for(GstDebugCategory *category) {
  switch (gst_debug_category_get_threshold(category)) {
  case GST_LEVEL_NONE:
    return WELS_LOG_QUIET;
  case GST_LEVEL_ERROR:
    return WELS_LOG_ERROR;
  case GST_LEVEL_WARNING:
  case GST_LEVEL_FIXME:
    return WELS_LOG_WARNING;
  case GST_LEVEL_INFO:
    return WELS_LOG_INFO;
  case GST_LEVEL_DEBUG:
    return WELS_LOG_DEBUG;
  default:
    return WELS_LOG_DETAIL;
  }
}

// The library reports single lost pictures as errors; what matters to a user the element posts itself, so its
// words are one step less loud here.
void pass_on(GstDebugCategory *category, int level, const char *text) {
  const GstDebugLevel loud = level <= WELS_LOG_ERROR     ? GST_LEVEL_WARNING
                             : level <= WELS_LOG_WARNING ? GST_LEVEL_INFO
                             : level <= WELS_LOG_INFO    ? GST_LEVEL_INFO
                             : level <= WELS_LOG_DEBUG   ? GST_LEVEL_DEBUG
                                                         : GST_LEVEL_LOG;
  GST_CAT_LEVEL_LOG(category, loud, nullptr, "%s", text);
}

} // namespace

GstDebugCategory *encoder_category() {
  static GstDebugCategory *const made = category("hullh264enc", "H.264 encoder of gst-plugins-hull");
  return made;
}

GstDebugCategory *decoder_category() {
  static GstDebugCategory *const made = category("hullh264dec", "H.264 decoder of gst-plugins-hull");
  return made;
}

int library_log_level() {
  return level_for(encoder_category());
}

void library_log(void *, int level, const char *text) {
  pass_on(encoder_category(), level, text);
}

int decoder_log_level() {
  return level_for(decoder_category());
}

void decoder_log(void *, int level, const char *text) {
  pass_on(decoder_category(), level, text);
}

} // namespace hull::h264
