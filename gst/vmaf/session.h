#pragma once

#include "gst/vmaf/analyzer.h"
#include "gst/vmaf/log.h"
#include "gst/vmaf/model/model.h"

#include <functional>
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
  std::size_t kept_frames = 32768; ///< rows of the log kept per stream
};

/// One finished row of a stream's log.
struct FrameScore {
  std::size_t stream;
  std::uint64_t frame;
  std::shared_ptr<const std::vector<std::string>> names;
  std::vector<double> values;
  double score; ///< the first model's
};

/// Scores streams of distorted pictures against one reference. Motion needs the next frame, so each frame's
/// score is ready when its successor has been pushed, the last one's at finish().
class Session {
 public:
  using Report = std::function<void(const FrameScore &)>;
  Session(int width, int height, std::size_t streams, SessionOptions options, Report report);

  /// The next reference frame; `distorted` has one entry per stream, null where no picture belongs to this
  /// frame. `previous`: the luma of the frame pushed before, or null for the first. Planes must live until
  /// return only.
  void push(const Picture &reference, const Plane *previous, std::span<const Picture *const> distorted);
  void finish();

  const std::vector<NamedModel> &models() const { return options_.models; }
  std::uint64_t frames() const { return frames_; }
  const ScoreLog &log(std::size_t stream) const { return logs_[stream]; }
  /// Mean of the first model's scores so far, NaN before the first.
  double mean(std::size_t stream) const;
  std::uint64_t scored(std::size_t stream) const { return counts_[stream]; }

 private:
  void complete(double motion2);
  std::vector<double> row(const PairFeatures &pair, double motion2) const;

  const SessionOptions options_;
  const Report report_;
  Gains gains_;
  Analyzer analyzer_;
  std::shared_ptr<const std::vector<std::string>> names_;
  std::size_t score_column_ = 0;
  std::vector<ScoreLog> logs_;
  std::vector<std::optional<PairFeatures>> pending_; ///< of frame frames_ - 1
  std::vector<double> sums_;
  std::vector<std::uint64_t> counts_;
  std::uint64_t frames_ = 0;
  double motion_ = 0; ///< of frame frames_ - 1 against the one before
};

} // namespace hull::vmaf
