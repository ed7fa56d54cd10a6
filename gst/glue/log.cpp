#include "gst/glue/log.h"

namespace hull {
namespace {

GstDebugLevel level_of(LogLevel level) {
  switch (level) {
  case LogLevel::warning:
    return GST_LEVEL_WARNING;
  case LogLevel::info:
    return GST_LEVEL_INFO;
  case LogLevel::debug:
    return GST_LEVEL_DEBUG;
  case LogLevel::log:
    break;
  }
  return GST_LEVEL_LOG;
}

} // namespace

GstDebugCategory *make_category(const char *name, const char *description) {
  return _gst_debug_category_new(name, 0, description);
}

GstDebugCategory *category_of(GstElement *element) {
  const GstElementFactory *factory = gst_element_get_factory(element);
  GstDebugCategory *own = factory ? _gst_debug_get_category(GST_OBJECT_NAME(factory)) : nullptr;
  return own ? own : GST_CAT_DEFAULT;
}

LogSink log_into(GstDebugCategory *category, GObject *object) {
  return {
      [category](LogLevel level) { return level_of(level) <= gst_debug_category_get_threshold(category); },
      [category, object](LogLevel level, std::string_view text, const Place &at) {
        gst_debug_log(category, level_of(level), at.from_root(), at.function, at.line, object, "%.*s",
                      static_cast<int>(text.size()), text.data());
      }};
}

} // namespace hull
