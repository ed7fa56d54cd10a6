#pragma once

#include "gst/core/result.h"

#include <variant>

namespace hull::tools {

/// The user asked for the end: finished work is kept, and the same command goes on from there.
struct Stopped {};

/// The engine has only listed its tasks: they are somebody else's to do.
struct Listed {};

/// Why a step of a title came to no value.
using Halt = std::variant<Stopped, Listed, Error>;
template <class T> using Step = tl::expected<T, Halt>;

/// The failure of something below as the end of a step.
inline tl::unexpected<Halt> halt(Error error) {
  if (error.code == ErrorCode::stopped) return tl::unexpected<Halt>(Stopped{});
  return tl::unexpected<Halt>(std::move(error));
}

} // namespace hull::tools
