#pragma once

#include "gst/vmaf/comparison.h"
#include "gst/vmaf/letterbox.h"
#include "plugins/vmaf/frame.h"

#include <deque>
#include <optional>

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

/// Frames whose scores became ready together, in order.
using ScoredFrames = std::vector<ScoredFrame>;

/// Reference buffers that motion reads once more: the last one, and the one before where models ask for it.
struct HeldPictures {
  std::unique_ptr<MappedPicture> previous, before;
};

/// What a scorer knows besides scores; a copy of it serves other threads.
struct ScorerState {
  struct Stream {
    vmaf::InputId input;
    std::string pad;
    bool scaled, promoted;
    vmaf::Letterbox bars;
    std::optional<vmaf::Coding> banding;    ///< what CAMBI goes by, where a model reads it
    std::optional<std::uint64_t> estimated; ///< frames whose chroma is estimated
    std::vector<std::string> cautions;
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
  /// Gives the scores that have become ready, usually those of the frame before.
  Result<ScoredFrames> score(const vmaf::FrameSet &set);
  /// The scores of the last frames.
  ScoredFrames finish();
  ScorerState state() const;
  /// Hands the last buffers over, to let them go.
  HeldPictures release() { return std::move(held_); }

 private:
  struct Stream {
    vmaf::InputId input;
    std::string pad;
    VmafChroma chroma;
    vmaf::LetterboxDetector bars;
  };
  Stream &stream_of(vmaf::InputId input);
  ScoredFrames with_times(std::vector<vmaf::FrameScore> scores);

  vmaf::ComparisonOptions options_;
  std::unique_ptr<vmaf::Comparison> comparison_;
  std::vector<Stream> streams_;
  VmafChroma reference_chroma_;
  vmaf::LetterboxDetector reference_bars_;
  HeldPictures held_;
  std::deque<FrameTimes> times_; ///< of the frames whose scores are not ready
  std::uint64_t first_time_ = 0; ///< the frame of times_.front()
  gint64 scoring_us_ = 0;
};

} // namespace hull
