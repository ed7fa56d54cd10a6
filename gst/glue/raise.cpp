#include "gst/glue/raise.h"

#include "gst/glue/log.h"

#include <string_view>
#include <utility>

namespace hull {
namespace {

std::pair<GQuark, int> domain_of(ErrorCode code) {
  switch (code) {
  case ErrorCode::bad_data:
    return {GST_STREAM_ERROR, GST_STREAM_ERROR_FORMAT};
  case ErrorCode::unsupported:
    return {GST_STREAM_ERROR, GST_STREAM_ERROR_WRONG_TYPE};
  case ErrorCode::settings:
    return {GST_LIBRARY_ERROR, GST_LIBRARY_ERROR_SETTINGS};
  case ErrorCode::not_found:
    return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NOT_FOUND};
  case ErrorCode::io:
    return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_WRITE};
  case ErrorCode::no_space:
    return {GST_RESOURCE_ERROR, GST_RESOURCE_ERROR_NO_SPACE_LEFT};
  case ErrorCode::state:
  case ErrorCode::stopped:
    break;
  }
  return {GST_CORE_ERROR, GST_CORE_ERROR_STATE_CHANGE};
}

// The caller's file as seen from the root of the tree: meson names it from the build folder.
const char *from_root(const char *file) {
  std::string_view path = file;
  while (path.substr(0, 3) == "../")
    path.remove_prefix(3);
  return path.data();
}

void post(GstElement *element, GstMessageType type, const Error &error, const std::string &context,
          const Place &at) HULL_CALLS_OUT {
  const auto [domain, code] = domain_of(error.code);
  std::string debug = context;
  if (error.offset != Error::kNoOffset)
    debug += (debug.empty() ? "at byte " : ", at byte ") + std::to_string(error.offset);
  gst_debug_log(category_of(element), type == GST_MESSAGE_ERROR ? GST_LEVEL_ERROR : GST_LEVEL_WARNING,
                from_root(at.file), at.function, at.line, G_OBJECT(element), "%s%s%s", error.text.c_str(),
                debug.empty() ? "" : " ", debug.c_str());
  gst_element_message_full(element, type, domain, code, g_strdup(error.text.c_str()),
                           debug.empty() ? nullptr : g_strdup(debug.c_str()), from_root(at.file), at.function,
                           at.line);
}

} // namespace

void raise(GstElement *element, const Error &error, const std::string &context, Place at) {
  post(element, GST_MESSAGE_ERROR, error, context, at);
}

void warn(GstElement *element, const Error &error, const std::string &context, Place at) {
  post(element, GST_MESSAGE_WARNING, error, context, at);
}

} // namespace hull
