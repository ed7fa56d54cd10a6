#include "gst/vmaf/model/model.h"

#include "gst/vmaf/model/model_data.h"
#include "gst/vmaf/pool.h"

#include <algorithm>
#include <cmath>

namespace hull::vmaf {
namespace {

/// Figures of a built-in support vector regression.
template <class Data> Svr svr_of(const Data &data) {
  Svr svr;
  svr.gamma = data.gamma;
  svr.rho = data.rho;
  svr.slopes.assign(std::begin(data.slopes), std::end(data.slopes));
  svr.intercepts.assign(std::begin(data.intercepts), std::end(data.intercepts));
  svr.vectors.assign(data.vectors.begin(), data.vectors.end());
  return svr;
}

Model from_data(const ModelData &data, std::string name, int gain) {
  Model model;
  model.name = std::move(name);
  for (const Feature feature : {Feature::adm2, Feature::motion2, Feature::vif_scale0, Feature::vif_scale1,
                                Feature::vif_scale2, Feature::vif_scale3})
    model.features.push_back({feature, feature == Feature::motion2 ? 0 : gain, {}});
  model.members.push_back(svr_of(data));
  model.clip = {0.0, 100.0};
  return model;
}

/// What the v1 models differ in.
struct VariantV1 {
  const char *name;
  double distance;
  int height;
  double prescale;
  double p0, p1, p2, most;
};

constexpr VariantV1 kVariantsV1[] = {
    {"3d0h", 3.0, 1080, 1.0, 5.30624188, 0.980791305, -0.000490758318, 100},
    {"5d0h", 5.0, 1080, 0.6, 5.30624188, 0.980791305, -0.000490758318, 100},
    {"1d5h_2160", 1.5, 2160, 1.0, 0, 1, 0, 100},
    {"3d0h_2160", 3.0, 2160, 0.5, 5, 1, 0, 110},
};

Model from_v1(const VariantV1 &variant, bool high_frame_rate) {
  CambiOptions cambi;
  cambi.speedup = 1080;
  cambi.visible_luminance = 0.06;
  cambi.most = 17;
  SpeedOptions speed;
  speed.nn_floor = 0.1;
  speed.sigma_nn = 0.19;
  speed.weight_mode = 5;
  speed.most = 45;
  if (variant.prescale != 1) {
    speed.prescale = variant.prescale;
    speed.method = Prescale::bilinear;
  }
  AdmOptions adm{2, variant.distance, variant.height, 1.0, 0.02, 0.7, 0.5};
  MotionOptions motion;
  motion.most = 18;
  motion.five_frame_window = motion.moving_average = high_frame_rate;
  Model model;
  model.name = std::string("vmaf_v1.0.16_") + (high_frame_rate ? "hfr_" : "") + variant.name;
  model.features = {{Feature::cambi, 0, cambi},
                    {Feature::speed_chroma_uv, 0, speed},
                    {Feature::adm3, 0, adm},
                    {Feature::motion3, 0, motion}};
  model.members.push_back(svr_of(kModelV1016));
  model.transform.enabled = true;
  model.transform.p0 = variant.p0;
  model.transform.p1 = variant.p1;
  model.transform.p2 = variant.p2;
  model.clip = {0.0, variant.most};
  model.correction = ChromaCorrection{1, 2, 120};
  return model;
}

std::optional<Model> built_in_v1(std::string_view name) {
  if (name.starts_with("v1.0.16_")) name.remove_prefix(8);
  const bool high_frame_rate = name.starts_with("hfr_");
  if (high_frame_rate) name.remove_prefix(4);
  for (const VariantV1 &variant : kVariantsV1)
    if (name == variant.name) return from_v1(variant, high_frame_rate);
  return std::nullopt;
}

/// libvmaf's transform for screens held in the hand, published with vmaf_v0.6.1.
Transform phone_transform() {
  Transform transform;
  transform.enabled = true;
  transform.p0 = 1.70674692;
  transform.p1 = 1.72643844;
  transform.p2 = -0.00705305;
  transform.at_least_input = true;
  return transform;
}

double between(const std::vector<std::pair<double, double>> &knots, double x) {
  for (std::size_t i = 0; i + 1 < knots.size(); ++i) {
    const auto [x0, y0] = knots[i];
    const auto [x1, y1] = knots[i + 1];
    const bool last = i + 2 == knots.size();
    if (x > x1 && !last) continue;
    if (x1 - x0 == 0) return y0;
    const double slope = (y1 - y0) / (x1 - x0);
    return slope * x + (y0 - slope * x0);
  }
  return x;
}

} // namespace

double Svr::predict(const std::vector<double> &values,
                    const std::optional<ChromaCorrection> &correction) const {
  const std::size_t n = values.size();
  std::vector<double> scaled(n);
  for (std::size_t i = 0; i < n; ++i)
    scaled[i] = slopes[i + 1] * values[i] + intercepts[i + 1];
  // libvmaf reads the features back from what was scaled.
  const auto unscaled = [&](std::size_t i) { return (scaled[i] - intercepts[i + 1]) / slopes[i + 1]; };
  if (correction && unscaled(correction->chroma) == 0) {
    const double estimate = -correction->weight * unscaled(correction->adm) + correction->weight;
    scaled[correction->chroma] =
        slopes[correction->chroma + 1] * estimate + intercepts[correction->chroma + 1];
  }
  double sum = 0;
  for (std::size_t at = 0; at + n < vectors.size(); at += n + 1) {
    double distance = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const double difference = scaled[i] - vectors[at + 1 + i];
      distance += difference * difference;
    }
    sum += vectors[at] * std::exp(-gamma * distance);
  }
  return (sum - rho - intercepts[0]) / slopes[0];
}

double Transform::apply(double score) const {
  if (!enabled) return score;
  double value = score;
  if (p0 || p1 || p2) {
    value = 0;
    if (p0) value += *p0;
    if (p1) value += *p1 * score;
    if (p2) value += *p2 * score * score;
  }
  if (!knots.empty()) value = between(knots, value);
  if (at_least_input) value = std::max(value, score);
  if (at_most_input) value = std::min(value, score);
  return value;
}

bool Model::uses_gain(int gain) const {
  return std::any_of(features.begin(), features.end(),
                     [gain](const FeatureUse &use) { return use.has_gain() && use.gain == gain; });
}

std::vector<double> Model::values(const PairFeatures &pair, const FrameMotion &motion) const {
  std::vector<double> values;
  values.reserve(features.size());
  for (const FeatureUse &use : features)
    switch (use.feature) {
    case Feature::adm2:
      values.push_back(pair.adm2[use.gain]);
      break;
    case Feature::motion2:
      values.push_back(motion.motion2);
      break;
    case Feature::adm3:
      values.push_back(
          std::get<AdmOptions>(use.options).adm3(pair.adm[use.index].adm2, pair.adm[use.index].aim));
      break;
    case Feature::motion3:
      values.push_back(motion.tracks[use.index].motion3);
      break;
    case Feature::cambi:
      values.push_back(pair.cambi[use.index]);
      break;
    case Feature::speed_chroma_uv:
      values.push_back(pair.speed[use.index].uv);
      break;
    default:
      values.push_back(
          pair.vif_scale[static_cast<int>(use.feature) - static_cast<int>(Feature::vif_scale0)][use.gain]);
    }
  return values;
}

double Model::finish(double raw) const {
  const double score = transform.apply(raw);
  return clip ? std::clamp(score, clip->first, clip->second) : score;
}

double Model::score(const PairFeatures &pair, const FrameMotion &motion) const {
  return finish(members.front().predict(values(pair, motion), correction));
}

Interval Model::interval(const PairFeatures &pair, const FrameMotion &motion) const {
  const auto inputs = values(pair, motion);
  std::vector<double> raw;
  double sum = 0;
  // Member 0 is the model trained on everything; the spread is that of the resampled ones.
  for (std::size_t i = 1; i < members.size(); ++i) {
    raw.push_back(members[i].predict(inputs, correction));
    sum += raw.back();
  }
  const auto count = static_cast<double>(raw.size());
  const double mean = sum / count;
  double spread = 0;
  for (const double value : raw)
    spread += (value - mean) * (value - mean);
  std::sort(raw.begin(), raw.end());
  constexpr double kStep = 0.01;
  const double slope = (finish(mean + kStep) - finish(mean - kStep)) / (2 * kStep);
  return {finish(mean), std::sqrt(spread / count) * slope, finish(percentile(raw, 2.5)),
          finish(percentile(raw, 97.5))};
}

Result<Model> built_in_model(std::string_view name) {
  if (name.starts_with("vmaf_")) name.remove_prefix(5);
  if (name == "v0.6.1") return from_data(kModelV061, "vmaf_v0.6.1", 0);
  if (name == "v0.6.1neg") return from_data(kModelV061, "vmaf_v0.6.1neg", 1);
  if (name == "4k_v0.6.1") return from_data(kModel4kV061, "vmaf_4k_v0.6.1", 0);
  if (name == "phone") {
    Model model = from_data(kModelV061, "vmaf_v0.6.1 phone", 0);
    model.transform = phone_transform();
    return model;
  }
  if (auto model = built_in_v1(name)) return *model;
  return fail(
      ErrorCode::settings,
      "No built-in VMAF model is called '" + std::string(name) +
          "'. There are vmaf_v0.6.1, vmaf_v0.6.1neg, vmaf_4k_v0.6.1, phone and auto; vmaf_v1.0.16_3d0h, "
          "_5d0h, _1d5h_2160, _3d0h_2160, _hfr_3d0h, _hfr_5d0h, _hfr_1d5h_2160, _hfr_3d0h_2160 and "
          "auto-v1; another model is loaded from its JSON file by model-location.");
}

} // namespace hull::vmaf
