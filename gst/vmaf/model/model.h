#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/analyzer.h"

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace hull::vmaf {

/// What a model may read of a frame.
enum class Feature { adm2, motion2, vif_scale0, vif_scale1, vif_scale2, vif_scale3 };

struct FeatureUse {
  Feature feature;
  int gain = 0; ///< index into kGainLimit
};

/// A support vector regression with a radial basis function, and the line its result is scaled back with.
struct Svr {
  double gamma = 0;
  double rho = 0;
  std::vector<double> slopes, intercepts; ///< [0] the score's, then one per feature
  std::vector<double> vectors;            ///< coefficient and coordinates, one vector after the other

  /// Unclipped prediction from one value per feature, summed in the file's order.
  double predict(const std::vector<double> &values) const;
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

  bool is_collection() const { return members.size() > 1; }
  bool uses_gain(int gain) const;
  double score(const PairFeatures &pair, double motion2) const;
  /// Only for a collection.
  Interval interval(const PairFeatures &pair, double motion2) const;

 private:
  double finish(double raw) const;
  std::vector<double> values(const PairFeatures &pair, double motion2) const;
};

/// vmaf_v0.6.1, vmaf_v0.6.1neg, vmaf_4k_v0.6.1, each also without "vmaf_", and "phone" (v0.6.1 with its
/// transform). Another name is a settings error that lists them.
Result<Model> built_in_model(std::string_view name);

/// A model of the v0.6 family as libvmaf's JSON, collections included. `name` labels it.
Result<Model> parse_model(std::string_view json, std::string name);
Result<Model> load_model(const std::string &path);

} // namespace hull::vmaf
