#pragma once

#include "gst/mux/parameter_sets.h"

namespace hull::mux {

/// Presentation order of H.264 pictures, for streams whose container or parser gives only decode times (an
/// elementary stream with B-frames). H.264 8.2.1, types 0 and 2, frames and first fields.
class PictureOrder {
 public:
  /// `record`: codec_data of stream-format avc or avc3; false when it cannot be read.
  bool configure(Bytes record) { return sets_.configure(record); }
  unsigned reorder_frames() const { return sets_.reorder_frames(); }
  /// Frames by which the access unit is shown after the last IDR picture; nothing when it cannot be told.
  /// Frames are two apart in picture order, as encoders number them.
  std::optional<std::int64_t> frames_after_idr(Bytes access_unit);

 private:
  ParameterSets sets_;
  std::int64_t previous_msb_ = 0, previous_lsb_ = 0;
};

} // namespace hull::mux
