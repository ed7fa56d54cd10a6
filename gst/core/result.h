#pragma once

#include "gst/core/place.h"

#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace hull {

/// What went wrong, coarse enough that a shell can choose a GStreamer error domain and a tool its exit
/// status.
enum class ErrorCode {
  bad_data,    ///< the input breaks its format
  unsupported, ///< valid, but not something we handle
  settings,    ///< an option or property has a value that cannot work
  not_found,   ///< a file, a stream or a path inside one is missing
  io,          ///< reading or writing failed
  no_space,    ///< the disk is full
  state,       ///< the call came at the wrong time
  stopped,     ///< the caller asked for the end meanwhile
};

/// An error a person can act on: `text` says what, where and what to do. `offset` is the byte in the input it
/// concerns, kNoOffset where there is none. `at` is where in our source it was made, however far from there it is
/// told.
struct Error {
  static constexpr std::uint64_t kNoOffset = ~std::uint64_t{0};
  ErrorCode code = ErrorCode::bad_data;
  std::string text;
  std::uint64_t offset = kNoOffset;
  Place at = Place::here();
};

template <class T> using Result = tl::expected<T, Error>;

/// Return value of a function that fails: `return fail(ErrorCode::io, "…")`.
inline tl::unexpected<Error> fail(ErrorCode code, std::string text, std::uint64_t offset = Error::kNoOffset,
                                  Place at = Place::here()) {
  return tl::unexpected<Error>(Error{code, std::move(text), offset, at});
}

} // namespace hull
