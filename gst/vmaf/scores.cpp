#include "gst/vmaf/scores.h"

#include <limits>

namespace hull::vmaf {

void StreamScores::add(const FrameScore &score) {
  log_.add(score.frame, score.values);
  sum_ += score.score();
}

double StreamScores::mean() const {
  if (frames() == 0) return std::numeric_limits<double>::quiet_NaN();
  return sum_ / static_cast<double>(frames());
}

} // namespace hull::vmaf
