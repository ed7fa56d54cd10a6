#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/analyzer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

namespace hull::vmaf {

/// What a model may read of a frame.
enum class Feature {
  adm2,
  motion2,
  vif_scale0,
  vif_scale1,
  vif_scale2,
  vif_scale3,
  // The v1 models, with their options.
  adm3,
  motion3,
  cambi,
  speed_chroma_uv
};

struct FeatureUse {
  Feature feature;
  int gain = 0; ///< index into kGainLimit
  std::variant<std::monostate, AdmOptions, MotionOptions, CambiOptions, SpeedOptions> options;
  std::size_t index = 0; ///< v1: which of the values measured; FeaturePlan sets it
  /// Whether it belongs to the v0.6 family and reads a gain limit.
  bool has_gain() const { return feature != Feature::motion2 && options.index() == 0; }
};

/// Motion of one frame; [i] of `tracks` by the plan's i-th options.
struct FrameMotion {
  FrameMotion(double v06, std::vector<MotionScore> all = {}) : motion2(v06), tracks(std::move(all)) {}
  double motion2;
  std::vector<MotionScore> tracks;
};

/// Where chroma shows no difference at all, its feature is estimated from adm3 before prediction.
struct ChromaCorrection {
  std::size_t chroma, adm; ///< places among the features
  double weight;
};

/// A support vector regression with a radial basis function, and the line its result is scaled back with.
struct Svr {
  double gamma = 0;
  double rho = 0;
  std::vector<double> slopes, intercepts; ///< [0] the score's, then one per feature
  std::vector<double> vectors;            ///< coefficient and coordinates, one vector after the other

  /// Unclipped prediction from one value per feature, summed in the file's order.
  double predict(const std::vector<double> &values,
                 const std::optional<ChromaCorrection> &correction = std::nullopt) const;
};

/// Correction after prediction; off unless the model or the user turns it on ("phone").
struct Transform {
  bool enabled = false;
  std::optional<double> p0, p1, p2;
  std::vector<std::pair<double, double>> knots;
  bool at_least_input = false, at_most_input = false;
  double apply(double score) const;
};

/// Spread of a bootstrap collection's predictions.
struct Interval {
  double bagging, stddev, low, high; ///< low and high: 95 % confidence
};

struct Model {
  std::string name; ///< "vmaf_v0.6.1" or the file's stem
  std::vector<FeatureUse> features;
  std::vector<Svr> members; ///< [0] gives the score; more than one is a bootstrap collection
  Transform transform;
  std::optional<std::pair<double, double>> clip;
  std::optional<ChromaCorrection> correction;

  bool is_collection() const { return members.size() > 1; }
  bool uses_gain(int gain) const;
  double score(const PairFeatures &pair, const FrameMotion &motion) const;
  /// Only for a collection.
  Interval interval(const PairFeatures &pair, const FrameMotion &motion) const;

 private:
  double finish(double raw) const;
  std::vector<double> values(const PairFeatures &pair, const FrameMotion &motion) const;
};

/// vmaf_v0.6.1, vmaf_v0.6.1neg, vmaf_4k_v0.6.1, each also without "vmaf_", "phone" (v0.6.1 with its transform),
/// and vmaf_v1.0.16_3d0h, _5d0h, _1d5h_2160, _3d0h_2160 and _hfr_ with each, also without "vmaf_v1.0.16_".
/// Another name is a settings error that lists them.
Result<Model> built_in_model(std::string_view name);

/// A model of the v0.6 or v1 family as libvmaf's JSON, collections included. `name` labels it.
Result<Model> parse_model(std::string_view json, std::string name);
Result<Model> load_model(const std::string &path);

} // namespace hull::vmaf
