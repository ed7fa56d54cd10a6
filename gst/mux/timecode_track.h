#pragma once

#include "gst/isobmff/formats/timecode.h"
#include "gst/mux/track.h"

namespace hull::mux {

/// The timecode track of a picture track: frame numbers of the pictures, counted on where one has none.
class TimecodeTrack {
 public:
  /// `first`: number of the frame since midnight of the pictures' head. unsupported: a rate that no such
  /// track has.
  static Result<std::unique_ptr<TimecodeTrack>> create(const Track &pictures, isobmff::TimecodeRate rate,
                                                       std::uint32_t first, std::uint32_t id);

  isobmff::TrackConfig config;
  /// Number of the frame that a picture of this decode time is.
  std::uint32_t frame_number(const Track &pictures, std::int64_t decode_time) const;
  /// The same moment in ticks of this track.
  std::int64_t ticks(const Track &pictures, std::int64_t picture_ticks) const;

 private:
  std::uint32_t first_number_ = 0;
  std::int64_t first_time_ = 0; // ticks of this track
  std::int64_t frame_ = 1;      // ticks of a frame
};

} // namespace hull::mux
