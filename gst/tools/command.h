#pragma once

#include "gst/core/result.h"

#include <CLI/CLI.hpp>
#include <functional>
#include <string>

namespace hull::tools {

/// Exit statuses of gst-hull-1.0, the same for every subcommand.
inline constexpr int kDone = 0;
inline constexpr int kFailed = 1;
inline constexpr int kUsage = 2;

/// A subcommand adds itself to `app` with CLI11 and sets `run` in its callback; main calls run after parsing.
/// run returns an exit status and has printed its one sentence of error already.
using Run = std::function<int()>;
using AddCommand = void (*)(CLI::App &app, Run &run);

/// Prints "gst-hull-1.0: TEXT" on standard error and returns the exit status that fits: kUsage for settings,
/// kFailed for the rest.
int report(const Error &error);

/// GStreamer is initialised and our elements are there, from GST_PLUGIN_PATH, the build tree or the installed
/// folder; otherwise the error says which is missing.
Result<void> start_gstreamer();

} // namespace hull::tools
