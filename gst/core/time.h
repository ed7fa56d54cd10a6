#pragma once

#include <cstdint>

namespace hull {

__extension__ using Int128 = __int128;

/// value * to / from, to the nearest integer, halves away from zero; exact in 128 bits. `from` > 0, `to` >=
/// 0. With from = 10^9 it turns nanoseconds into ticks. Convert points in time and subtract, never durations:
/// differences of rounded times add up without drift, rounded differences do not.
constexpr std::int64_t rescale(std::int64_t value, std::int64_t to, std::int64_t from) {
  const Int128 product = Int128{value} * to;
  const Int128 half = from / 2;
  return static_cast<std::int64_t>((product >= 0 ? product + half : product - half) / from);
}

/// As rescale, rounded toward minus infinity.
constexpr std::int64_t rescale_floor(std::int64_t value, std::int64_t to, std::int64_t from) {
  const Int128 product = Int128{value} * to;
  const Int128 quotient = product / from;
  return static_cast<std::int64_t>(quotient - (product % from < 0 ? 1 : 0));
}

constexpr std::int64_t kNanoseconds = 1'000'000'000;

} // namespace hull
