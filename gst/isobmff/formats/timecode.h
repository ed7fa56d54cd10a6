#pragma once

// QuickTime's timecode tracks: a sample is the number of the frame it begins with.

#include "gst/isobmff/file/track.h"

namespace hull::isobmff {

/// How frames are counted: `numerator`/`denominator` a second; `drop` leaves numbers out so that the count
/// keeps up with the clock (SMPTE ST 12-1).
struct TimecodeRate {
  std::uint32_t numerator = 30, denominator = 1;
  bool drop = false;
};

/// A track without samples. Its timescale counts frames exactly; its label's parts follow from the rate.
Result<TrackConfig> timecode_track(std::uint32_t id, const TimecodeRate &rate);

/// A sample's 4 bytes.
ByteVector timecode_sample(std::uint32_t frame_number);

} // namespace hull::isobmff
