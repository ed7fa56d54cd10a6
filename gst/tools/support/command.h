#pragma once

#include "gst/core/result.h"

namespace hull::tools {

/// Exit statuses of gst-hull-1.0, the same for every subcommand.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// Prints "gst-hull-1.0: TEXT" on standard error and returns the exit status that fits: kUsage for settings,
/// kFailed for the rest.
int report(const Error &error);

/// GStreamer is initialised and our elements are there, from GST_PLUGIN_PATH, the build tree or the installed
/// folder; otherwise the error says which is missing.
Result<void> start_gstreamer();

} // namespace hull::tools
