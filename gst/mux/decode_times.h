#pragma once

#include "gst/mux/timeline.h"

#include <queue>
#include <vector>

namespace hull::mux {

/// Decode times for pictures that say only when they are shown (Matroska): the order in which they are shown,
/// as many pictures later as a decoder holds back. Times that a container has rounded to milliseconds go back
/// to where the frame rate has them. Nanoseconds.
class DecodeTimes {
 public:
  /// `reorder`: pictures that a decoder holds back at most. The frame rate may be unknown: 0.
  DecodeTimes(unsigned reorder, std::uint32_t rate_numerator, std::uint32_t rate_denominator);

  /// Gives the next picture in decode order its DTS, if it has a PTS and no DTS.
  void complete(Stamp &stamp);
  /// The times begin anew.
  void restart();

 private:
  std::int64_t on_grid(std::int64_t time);
  std::int64_t frames(std::int64_t count) const;

  unsigned reorder_;
  std::int64_t numerator_, denominator_;
  std::int64_t fallback_ = 40'000'000; // a picture, where neither the rate nor the stamp tells
  std::priority_queue<std::int64_t, std::vector<std::int64_t>, std::greater<>> shown_;
  std::int64_t first_ = 0;  // PTS
  std::int64_t anchor_ = 0; // a time that lies on the grid of the frame rate
  unsigned begun_ = 0;      // pictures whose time lies in front of the first one's
  bool started_ = false;
};

} // namespace hull::mux
