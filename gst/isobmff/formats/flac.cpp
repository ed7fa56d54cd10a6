#include "gst/isobmff/formats/flac.h"

#include <bit>

namespace hull::isobmff {

std::uint32_t flac_frame_samples(Bytes frame) {
  constexpr std::size_t kFixed = 4; // bytes in front of the coded number
  if (frame.size() < kFixed + 1 || frame[0] != 0xff || (frame[1] & 0xfe) != 0xf8) return 0;
  const unsigned code = frame[2] >> 4;
  if (code == 0) return 0;
  if (code == 1) return 192;
  if (code <= 5) return 144u << code;
  if (code >= 8) return 1u << code;
  const int ones = std::countl_one(frame[kFixed]); // of a number coded as UTF-8 codes characters
  const std::size_t at = kFixed + (ones == 0 ? 1 : static_cast<std::size_t>(ones)), bytes = code - 5;
  if (frame.size() < at + bytes) return 0;
  return static_cast<std::uint32_t>(load_be(frame.data() + at, bytes)) + 1;
}

} // namespace hull::isobmff
