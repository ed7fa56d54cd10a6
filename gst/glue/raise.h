#pragma once

#include "gst/core/result.h"
#include "gst/glue/calls_out.h"

#include <string>

#include <gst/gst.h>

namespace hull {

/// Posts an error message on the bus and logs it in the element's category; the text is the room's, the debug
/// string adds `context`. The message names the place where the error was made.
void raise(GstElement *element, const Error &error, const std::string &context = {}) HULL_CALLS_OUT;

/// As raise, but the stream goes on: a warning message.
void warn(GstElement *element, const Error &error, const std::string &context = {}) HULL_CALLS_OUT;

} // namespace hull
