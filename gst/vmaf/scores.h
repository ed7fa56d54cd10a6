#pragma once

#include "gst/vmaf/log.h"

#include <memory>

namespace hull::vmaf {

/// The names of a frame's values, and which of them is the score: the first model's.
struct ScoreColumns {
  std::vector<std::string> names;
  std::size_t score = 0;
};

/// One frame of a stream, all that was measured of it.
struct FrameScore {
  std::size_t stream;
  std::uint64_t frame;
  std::shared_ptr<const ScoreColumns> columns;
  std::vector<double> values; ///< one per column; NaN = not measured
  double score() const { return values[columns->score]; }
};

/// The scores of one stream so far.
class StreamScores {
 public:
  StreamScores() = default;
  /// Of the newest `kept` frames every value is kept; mean() and pooled() cover all.
  StreamScores(const ScoreColumns &columns, std::size_t kept)
      : log_(columns.names, kept), score_(columns.score) {}
  void add(const FrameScore &score);
  const ScoreLog &log() const { return log_; }
  std::uint64_t frames() const { return log_.total(); }
  /// NaN before the first frame.
  double mean() const;
  Pooled pooled() const { return log_.pooled(score_); }

 private:
  ScoreLog log_;
  std::size_t score_ = 0;
  double sum_ = 0;
};

} // namespace hull::vmaf
