#pragma once

#include "gst/core/place.h"

#include <functional>
#include <string_view>

namespace hull {

/// How loud a line is, as GStreamer's levels of these names.
enum class LogLevel { warning, info, debug, log };

/// Where rooms without GStreamer send their lines. `wanted` is asked first, so that nobody composes a line
/// that nobody reads; an empty sink takes nothing.
struct LogSink {
  std::function<bool(LogLevel)> wanted;
  std::function<void(LogLevel, std::string_view, const Place &)> write;

  /// Writes the line that `compose` returns, if somebody wants it.
  template <class Compose> void line(LogLevel level, Compose &&compose, Place at = Place::here()) const {
    if (wanted && wanted(level)) write(level, compose(), at);
  }
};

} // namespace hull
