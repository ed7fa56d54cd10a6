#pragma once

#include "gst/vmaf/analyzer.h"
#include "gst/vmaf/feature_plan.h"
#include "gst/vmaf/scores.h"

#include <deque>
#include <optional>

namespace hull::vmaf {

/// The models of a comma-separated list, then the file's, if any. "auto" picks 4k above 1440 lines, "auto-v1"
/// 1d5h_2160 above them and 3d0h up to there, of both the hfr form from 49 frames a second on; 0 = unknown.
Result<std::vector<NamedModel>> choose_models(const std::string &names, const std::string &model_file,
                                              int height, double frame_rate = 0);

struct SessionOptions {
  std::vector<NamedModel> models; ///< v1 models read chroma, and sizes that check_pictures has passed
  bool psnr = false;
  unsigned subsample = 1; ///< features of every n-th frame only; motion is between neighbours all the same
  unsigned threads = 1;
};

/// Scores streams of distorted pictures against one reference. Motion needs the next frame, so each frame's
/// score is ready when its successor has been pushed, the last one's at finish(). Models for high frame rates
/// need the third frame for the first score.
class Session {
 public:
  Session(int width, int height, std::size_t streams, SessionOptions options);

  /// The next reference frame; `distorted` has one entry per stream, null where no picture belongs to this
  /// frame. `earlier`: lumas of the frames pushed before; the last but one is read where looks_back_two().
  /// Planes must live until return only. Gives the scores that have become ready.
  std::vector<FrameScore> push(const Picture &reference, const Earlier &earlier,
                               std::span<const Picture *const> distorted);
  /// The scores of the last frames.
  std::vector<FrameScore> finish();
  bool reads_chroma() const { return plan_.reads_chroma(); }
  bool looks_back_two() const { return plan_.looks_back_two(); }
  /// How the first model that reads banding does; null = none does.
  const CambiOptions *reads_banding() const { return plan_.cambi.empty() ? nullptr : &plan_.cambi.front(); }

  /// Frames of a stream whose chroma a model estimated, since SpEED was 0; none where no model reads chroma.
  std::optional<std::uint64_t> estimated(std::size_t stream) const;

  const std::vector<NamedModel> &models() const { return options_.models; }
  const std::shared_ptr<const ScoreColumns> &columns() const { return columns_; }
  std::uint64_t frames() const { return frames_; }

 private:
  struct Pending {
    std::uint64_t frame;
    std::vector<std::optional<PairFeatures>> streams;
  };
  std::vector<FrameScore> complete(bool last);
  std::vector<double> row(const PairFeatures &pair, const FrameMotion &motion) const;

  SessionOptions options_;
  FeaturePlan plan_;
  Analyzer analyzer_;
  std::shared_ptr<const ScoreColumns> columns_;
  std::vector<MotionTrack> tracks_;
  std::deque<Pending> pending_;
  std::vector<std::uint64_t> estimated_; ///< by stream
  std::uint64_t frames_ = 0;
};

} // namespace hull::vmaf
