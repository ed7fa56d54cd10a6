#pragma once

#include "gst/core/result.h"

#include <string>

#include <gst/gst.h>

namespace hull {

/// Posts an error message on the bus; the text is the room's, the debug string adds `context`.
void raise(GstElement *element, const Error &error, const std::string &context = {});

/// As raise, but the stream goes on: a warning message.
void warn(GstElement *element, const Error &error, const std::string &context = {});

} // namespace hull
