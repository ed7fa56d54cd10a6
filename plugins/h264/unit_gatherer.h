#pragma once

#include "gst/core/bytes.h"
#include "gst/h264/nal.h"

#include <optional>

namespace hull::h264 {

/// Finds where an access unit ends in a stream of NAL units that arrive in pieces.
class UnitGatherer {
 public:
  /// `data` is all that has come since the last access unit was taken, grown at its end since the last call.
  /// Returns the size of the first access unit once the unit behind it has begun; `length_size` 0 means start
  /// codes. `at_end`: nothing follows, so the last unit is whole. Each byte is looked at once.
  std::optional<std::size_t> end_of_unit(Bytes data, unsigned length_size, bool at_end);
  /// Begins anew: the access unit was taken, or the stream jumped.
  void reset() { *this = UnitGatherer(); }

 private:
  bool look(const Nal &nal);
  std::optional<std::size_t> by_start_codes(Bytes data, bool at_end);
  std::optional<std::size_t> by_lengths(Bytes data, unsigned length_size);
  std::size_t at_ = 0; // units before this were looked at
  bool has_slice_ = false;
};

} // namespace hull::h264
