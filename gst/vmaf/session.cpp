#include "gst/vmaf/session.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

Gains gains_of(const std::vector<NamedModel> &models) {
  Gains gains{false, false};
  for (const NamedModel &named : models) {
    gains.normal |= named.model.uses_gain(0);
    gains.neg |= named.model.uses_gain(1);
  }
  return gains;
}

AnalyzerOptions analyzer_options(const SessionOptions &options) {
  AnalyzerOptions made;
  made.gains = gains_of(options.models);
  made.psnr = options.psnr;
  made.threads = options.threads;
  return made;
}

void name_features(std::vector<std::string> &names, const std::string &suffix) {
  names.push_back("integer_adm2" + suffix);
  for (int s = 0; s < kLevels; ++s)
    names.push_back("integer_adm_scale" + std::to_string(s) + suffix);
  for (int s = 0; s < kScales; ++s)
    names.push_back("integer_vif_scale" + std::to_string(s) + suffix);
}

ScoreColumns columns_of(const SessionOptions &options, const Gains &gains) {
  std::vector<std::string> names;
  if (gains.normal) name_features(names, "");
  if (gains.neg) name_features(names, "_egl_1");
  names.push_back("integer_motion2");
  if (options.psnr) names.insert(names.end(), {"psnr_y", "psnr_cb", "psnr_cr"});
  const std::size_t score = names.size(); // the first model's
  for (const NamedModel &named : options.models) {
    names.push_back(named.key);
    if (named.model.is_collection())
      for (const char *part : {"_bagging", "_stddev", "_ci_p95_lo", "_ci_p95_hi"})
        names.push_back(named.key + part);
  }
  return {std::move(names), score};
}

std::string key_of(const Model &model, bool first) {
  if (first) return "vmaf";
  if (model.name == "vmaf_v0.6.1neg") return "vmaf_neg";
  if (model.name == "vmaf_4k_v0.6.1") return "vmaf_4k";
  if (model.name == "vmaf_v0.6.1 phone") return "vmaf_phone";
  return model.name;
}

} // namespace

Result<std::vector<NamedModel>> choose_models(const std::string &names, const std::string &model_file,
                                              int height) {
  std::vector<NamedModel> chosen;
  const auto add = [&chosen](Model model) -> Result<void> {
    std::string key = key_of(model, chosen.empty());
    for (const NamedModel &other : chosen)
      if (other.key == key || other.model.name == model.name)
        return fail(ErrorCode::settings, "The VMAF model '" + model.name + "' is asked for twice.");
    chosen.push_back({std::move(key), std::move(model)});
    return {};
  };
  for (std::size_t at = 0; at < names.size();) {
    const std::size_t comma = std::min(names.find(',', at), names.size());
    std::string name = names.substr(at, comma - at);
    at = comma + 1;
    while (!name.empty() && name.front() == ' ')
      name.erase(0, 1);
    while (!name.empty() && name.back() == ' ')
      name.pop_back();
    if (name.empty()) continue;
    if (name == "auto") name = height > 1440 ? "vmaf_4k_v0.6.1" : "vmaf_v0.6.1";
    auto model = built_in_model(name);
    if (!model) return tl::unexpected(model.error());
    if (auto added = add(std::move(*model)); !added) return tl::unexpected(added.error());
  }
  if (!model_file.empty()) {
    auto model = load_model(model_file);
    if (!model) return tl::unexpected(model.error());
    if (auto added = add(std::move(*model)); !added) return tl::unexpected(added.error());
  }
  if (chosen.empty())
    return fail(ErrorCode::settings, "No VMAF model is chosen: set models or model-location.");
  return chosen;
}

Session::Session(int width, int height, std::size_t streams, SessionOptions options)
    : options_(std::move(options)),
      gains_(gains_of(options_.models)),
      analyzer_(width, height, streams, analyzer_options(options_)),
      columns_(std::make_shared<const ScoreColumns>(columns_of(options_, gains_))),
      pending_(streams) {}

std::vector<FrameScore> Session::push(const Picture &reference, const Plane *previous,
                                      std::span<const Picture *const> distorted) {
  std::vector<Picture> present;
  std::vector<std::size_t> streams;
  if (frames_ % options_.subsample == 0)
    for (std::size_t i = 0; i < distorted.size(); ++i)
      if (distorted[i]) {
        present.push_back(*distorted[i]);
        streams.push_back(i);
      }
  std::vector<PairFeatures> features(present.size());
  const double motion = analyzer_.measure(reference, previous, present, features);
  std::vector<FrameScore> scores;
  if (frames_ > 0) scores = complete(frames_ == 1 ? 0.0 : std::min(motion_, motion));
  for (std::size_t i = 0; i < streams.size(); ++i)
    pending_[streams[i]] = features[i];
  motion_ = motion;
  ++frames_;
  return scores;
}

std::vector<FrameScore> Session::finish() {
  if (frames_ == 0) return {};
  return complete(frames_ == 1 ? 0.0 : motion_);
}

std::vector<FrameScore> Session::complete(double motion2) {
  std::vector<FrameScore> scores;
  for (std::size_t i = 0; i < pending_.size(); ++i) {
    if (!pending_[i]) continue;
    scores.push_back({i, frames_ - 1, columns_, row(*pending_[i], motion2)});
    pending_[i].reset();
  }
  return scores;
}

std::vector<double> Session::row(const PairFeatures &pair, double motion2) const {
  std::vector<double> values;
  const bool wanted[kGains] = {gains_.normal, gains_.neg};
  for (int g = 0; g < kGains; ++g) {
    if (!wanted[g]) continue;
    values.push_back(pair.adm2[g]);
    for (const auto &level : pair.adm_scale)
      values.push_back(level[g]);
    for (const auto &scale : pair.vif_scale)
      values.push_back(scale[g]);
  }
  values.push_back(motion2);
  if (options_.psnr) values.insert(values.end(), std::begin(pair.psnr), std::end(pair.psnr));
  for (const NamedModel &named : options_.models) {
    values.push_back(named.model.score(pair, motion2));
    if (!named.model.is_collection()) continue;
    const Interval spread = named.model.interval(pair, motion2);
    values.insert(values.end(), {spread.bagging, spread.stddev, spread.low, spread.high});
  }
  return values;
}

} // namespace hull::vmaf
