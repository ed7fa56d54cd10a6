#pragma once

#include "gst/isobmff/formats/timecode.h"
#include "plugins/mp4/mux_input.h"

#include <string>

namespace hull {

/// The timecode track of a picture track: labels of the pictures' GstVideoTimeCodeMeta, counted on where one
/// has none.
class TimecodeTrack {
 public:
  /// From the first picture's meta, else from `label` ("hh:mm:ss:ff", ";ff" for drop frame) at the caps'
  /// frame rate; null where neither says a label. settings: a label that is none.
  static Result<std::unique_ptr<TimecodeTrack>> create(const MuxInput &pictures, const std::string &label,
                                                       std::uint32_t id);

  isobmff::TrackConfig config;
  /// Number of the frame that `sample` of the pictures' track is.
  std::uint32_t frame_number(const MuxInput &pictures, const MuxSample &sample) const;
  /// The same moment in ticks of this track.
  std::int64_t ticks(const MuxInput &pictures, std::int64_t picture_ticks) const;

 private:
  std::uint32_t first_number_ = 0;
  std::int64_t first_time_ = 0; // ticks of this track
  std::int64_t frame_ = 1;      // ticks of a frame
};

} // namespace hull
