#pragma once

#include "gst/vmaf/model/model.h"

namespace hull::vmaf {

/// A model and the name its scores have in logs: "vmaf" for the first, then "vmaf_neg", "vmaf_4k",
/// "vmaf_phone" or the model's own name.
struct NamedModel {
  std::string key;
  Model model;
};

/// All that a set of models reads, each thing once.
struct FeaturePlan {
  Gains gains{false, false};
  std::vector<AdmPass> adm_passes;
  /// Columns of ADM: options, and the pass that gives them.
  std::vector<std::pair<AdmOptions, std::size_t>> adm;
  std::vector<CambiOptions> cambi;
  std::vector<SpeedOptions> speed;
  std::vector<MotionOptions> motion; ///< [0] libvmaf's default, which v0.6 reads

  bool reads_chroma() const { return !speed.empty(); }
  /// Whether motion looks back two frames.
  bool looks_back_two() const;
};

/// The plan of `models`, whose uses of features get their places in it.
Result<FeaturePlan> plan_features(std::vector<NamedModel> &models);

/// Whether pictures of this size and chroma have all of the plan's features.
Result<void> check_pictures(const FeaturePlan &plan, int width, int height, int chroma_width,
                            int chroma_height);

/// What to know of the scores that planned models give such pictures: chroma that is estimated, and scores beyond
/// 100.
std::vector<std::string> model_cautions(const std::vector<NamedModel> &models, int chroma_width,
                                        int chroma_height);

/// Names of the plan's columns beside those of the v0.6 family, and a frame's values in their order.
std::vector<std::string> plan_columns(const FeaturePlan &plan);
std::vector<double> plan_values(const FeaturePlan &plan, const PairFeatures &pair, const FrameMotion &motion);

} // namespace hull::vmaf
