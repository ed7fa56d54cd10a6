#pragma once

#include "gst/vmaf/analyzer.h"
#include "gst/vmaf/model/model.h"
#include "gst/vmaf/scores.h"

#include <optional>

namespace hull::vmaf {

/// A model and the name its scores have in logs: "vmaf" for the first, then "vmaf_neg", "vmaf_4k",
/// "vmaf_phone" or the model's own name.
struct NamedModel {
  std::string key;
  Model model;
};

/// The models of a comma-separated list ("auto" picks 4k above 1440 lines), then the file's, if any.
Result<std::vector<NamedModel>> choose_models(const std::string &names, const std::string &model_file,
                                              int height);

struct SessionOptions {
  std::vector<NamedModel> models;
  bool psnr = false;
  unsigned subsample = 1; ///< features of every n-th frame only; motion is between neighbours all the same
  unsigned threads = 1;
};

/// Scores streams of distorted pictures against one reference. Motion needs the next frame, so each frame's
/// score is ready when its successor has been pushed, the last one's at finish().
class Session {
 public:
  Session(int width, int height, std::size_t streams, SessionOptions options);

  /// The next reference frame; `distorted` has one entry per stream, null where no picture belongs to this
  /// frame. `previous`: the luma of the frame pushed before, or null for the first. Planes must live until
  /// return only. Gives the scores of the frame before.
  std::vector<FrameScore> push(const Picture &reference, const Plane *previous,
                               std::span<const Picture *const> distorted);
  /// The scores of the last frame.
  std::vector<FrameScore> finish();

  const std::vector<NamedModel> &models() const { return options_.models; }
  const std::shared_ptr<const ScoreColumns> &columns() const { return columns_; }
  std::uint64_t frames() const { return frames_; }

 private:
  std::vector<FrameScore> complete(double motion2);
  std::vector<double> row(const PairFeatures &pair, double motion2) const;

  const SessionOptions options_;
  Gains gains_;
  Analyzer analyzer_;
  std::shared_ptr<const ScoreColumns> columns_;
  std::vector<std::optional<PairFeatures>> pending_; ///< of frame frames_ - 1
  std::uint64_t frames_ = 0;
  double motion_ = 0; ///< of frame frames_ - 1 against the one before
};

} // namespace hull::vmaf
