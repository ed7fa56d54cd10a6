#pragma once

#include "gst/vmaf/comparison.h"
#include "gst/vmaf/letterbox.h"
#include "plugins/vmaf/frame.h"

namespace hull {

/// A distorted input as it is when scoring begins.
struct ScoredInput {
  vmaf::InputId id;
  std::string pad;
  int bits; ///< of its samples
};

/// The times of a scored frame's reference buffer.
struct FrameTimes {
  GstClockTime pts = GST_CLOCK_TIME_NONE, running_time = GST_CLOCK_TIME_NONE,
               stream_time = GST_CLOCK_TIME_NONE, duration = GST_CLOCK_TIME_NONE;
};

struct ScoredFrame {
  std::vector<vmaf::FrameScore> scores; ///< one per stream that has a picture there
  FrameTimes times;
};

/// What a scorer knows besides scores; a copy of it serves other threads.
struct ScorerState {
  struct Stream {
    vmaf::InputId input;
    std::string pad;
    bool scaled, promoted;
    vmaf::Letterbox bars;
  };
  vmaf::ComparedFormat format;
  std::vector<std::pair<std::string, std::string>> models; ///< names in logs and of the models
  std::shared_ptr<const vmaf::ScoreColumns> columns;
  std::uint64_t frames = 0; ///< of the reference
  double fps = 0;           ///< frames scored per second of scoring
  vmaf::Letterbox reference_bars;
  std::vector<Stream> streams;
};

/// Reads the buffers of partners and feeds them to the models. One thread at a time.
class Scorer {
 public:
  explicit Scorer(vmaf::ComparisonOptions options) : options_(std::move(options)) {}

  /// Chooses format and models by the first set of partners; the streams are `inputs` in their order.
  Result<void> start(const vmaf::FrameSet &first, const std::vector<ScoredInput> &inputs);
  bool started() const { return comparison_ != nullptr; }
  /// Gives the scores of the frame before.
  Result<ScoredFrame> score(const vmaf::FrameSet &set);
  /// The scores of the last frame.
  ScoredFrame finish();
  ScorerState state() const;
  /// Hands the last buffer over, to let it go.
  std::unique_ptr<MappedPicture> release() { return std::move(previous_); }

 private:
  struct Stream {
    vmaf::InputId input;
    std::string pad;
    VmafChroma chroma;
    vmaf::LetterboxDetector bars;
  };
  Stream &stream_of(vmaf::InputId input);

  vmaf::ComparisonOptions options_;
  std::unique_ptr<vmaf::Comparison> comparison_;
  std::vector<Stream> streams_;
  VmafChroma reference_chroma_;
  vmaf::LetterboxDetector reference_bars_;
  std::unique_ptr<MappedPicture> previous_; ///< the reference before: motion reads it once more
  FrameTimes previous_times_;
  gint64 scoring_us_ = 0;
};

} // namespace hull
