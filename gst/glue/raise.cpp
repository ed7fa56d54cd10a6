#include "gst/glue/raise.h"

#include "gst/glue/log.h"

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

void post(GstElement *element, GstMessageType type, const Error &error,
          const std::string &context) HULL_CALLS_OUT {
  const auto [domain, code] = domain_of(error.code);
  std::string debug = context;
  if (error.offset != Error::kNoOffset)
    debug += (debug.empty() ? "at byte " : ", at byte ") + std::to_string(error.offset);
  gst_debug_log(category_of(element), type == GST_MESSAGE_ERROR ? GST_LEVEL_ERROR : GST_LEVEL_WARNING,
                error.at.from_root(), error.at.function, error.at.line, G_OBJECT(element), "%s%s%s",
                error.text.c_str(), debug.empty() ? "" : " ", debug.c_str());
  gst_element_message_full(element, type, domain, code, g_strdup(error.text.c_str()),
                           debug.empty() ? nullptr : g_strdup(debug.c_str()), error.at.from_root(),
                           error.at.function, error.at.line);
}

} // namespace

void raise(GstElement *element, const Error &error, const std::string &context) {
  post(element, GST_MESSAGE_ERROR, error, context);
}

void warn(GstElement *element, const Error &error, const std::string &context) {
  post(element, GST_MESSAGE_WARNING, error, context);
}

} // namespace hull
