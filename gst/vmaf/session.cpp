#include "gst/vmaf/session.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

/// The models were planned when they were chosen, so this does not fail any more.
FeaturePlan plan_of(std::vector<NamedModel> &models) {
  auto plan = plan_features(models);
  return plan ? std::move(*plan) : FeaturePlan{};
}

AnalyzerOptions analyzer_options(const SessionOptions &options, const FeaturePlan &plan) {
  AnalyzerOptions made;
  made.gains = plan.gains;
  made.adm = plan.adm_passes;
  made.cambi = plan.cambi;
  made.speed = plan.speed;
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

ScoreColumns columns_of(const SessionOptions &options, const FeaturePlan &plan) {
  std::vector<std::string> names;
  if (plan.gains.normal) name_features(names, "");
  if (plan.gains.neg) name_features(names, "_egl_1");
  names.push_back("integer_motion2");
  const auto more = plan_columns(plan);
  names.insert(names.end(), more.begin(), more.end());
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

constexpr int kHdLines = 1440;          ///< above them a screen of 2160 lines is meant
constexpr double kHighFrameRate = 49.0; ///< 50 and 59.94 frames a second are high, 48 are cinema's

std::string key_of(const Model &model, bool first) {
  if (first) return "vmaf";
  if (model.name == "vmaf_v0.6.1neg") return "vmaf_neg";
  if (model.name == "vmaf_4k_v0.6.1") return "vmaf_4k";
  if (model.name == "vmaf_v0.6.1 phone") return "vmaf_phone";
  return model.name;
}

} // namespace

Result<std::vector<NamedModel>> choose_models(const std::string &names, const std::string &model_file,
                                              int height, double frame_rate) {
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
    if (name == "auto") name = height > kHdLines ? "vmaf_4k_v0.6.1" : "vmaf_v0.6.1";
    if (name == "auto-v1")
      name = std::string("vmaf_v1.0.16_") + (frame_rate >= kHighFrameRate ? "hfr_" : "") +
             (height > kHdLines ? "1d5h_2160" : "3d0h");
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
  if (auto plan = plan_features(chosen); !plan) return tl::unexpected(plan.error());
  return chosen;
}

Session::Session(int width, int height, std::size_t streams, SessionOptions options)
    : options_(std::move(options)),
      plan_(plan_of(options_.models)),
      analyzer_(width, height, streams, analyzer_options(options_, plan_)),
      columns_(std::make_shared<const ScoreColumns>(columns_of(options_, plan_))),
      estimated_(streams) {
  for (const MotionOptions &motion : plan_.motion)
    tracks_.emplace_back(motion);
}

std::vector<FrameScore> Session::push(const Picture &reference, const Earlier &earlier,
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
  const Earlier read{earlier.one, looks_back_two() ? earlier.two : nullptr};
  const MotionPair motion = analyzer_.measure(reference, read, present, features);
  for (MotionTrack &track : tracks_)
    track.push(track.span() == 2 ? motion.two : motion.one);
  Pending made{frames_++, std::vector<std::optional<PairFeatures>>(distorted.size())};
  for (std::size_t i = 0; i < streams.size(); ++i)
    made.streams[streams[i]] = std::move(features[i]);
  pending_.push_back(std::move(made));
  return complete(false);
}

std::vector<FrameScore> Session::finish() {
  return complete(true);
}

std::vector<FrameScore> Session::complete(bool last) {
  std::vector<FrameScore> scores;
  const auto ready = [&] {
    return last || std::all_of(tracks_.begin(), tracks_.end(),
                               [](const MotionTrack &track) { return track.ready(); });
  };
  for (; !pending_.empty() && ready(); pending_.pop_front()) {
    FrameMotion motion(0);
    for (MotionTrack &track : tracks_)
      motion.tracks.push_back(track.take(last));
    motion.motion2 = motion.tracks.front().motion2;
    const Pending &frame = pending_.front();
    for (std::size_t i = 0; i < frame.streams.size(); ++i) {
      if (!frame.streams[i]) continue;
      const PairFeatures &pair = *frame.streams[i];
      estimated_[i] += std::any_of(pair.speed.begin(), pair.speed.end(),
                                   [](const SpeedScore &speed) { return speed.uv == 0; });
      scores.push_back({i, frame.frame, columns_, row(pair, motion)});
    }
  }
  return scores;
}

std::optional<std::uint64_t> Session::estimated(std::size_t stream) const {
  if (!plan_.reads_chroma()) return std::nullopt;
  return estimated_[stream];
}

std::vector<double> Session::row(const PairFeatures &pair, const FrameMotion &motion) const {
  std::vector<double> values;
  const bool wanted[kGains] = {plan_.gains.normal, plan_.gains.neg};
  for (int g = 0; g < kGains; ++g) {
    if (!wanted[g]) continue;
    values.push_back(pair.adm2[g]);
    for (const auto &level : pair.adm_scale)
      values.push_back(level[g]);
    for (const auto &scale : pair.vif_scale)
      values.push_back(scale[g]);
  }
  values.push_back(motion.motion2);
  const auto more = plan_values(plan_, pair, motion);
  values.insert(values.end(), more.begin(), more.end());
  if (options_.psnr) values.insert(values.end(), std::begin(pair.psnr), std::end(pair.psnr));
  for (const NamedModel &named : options_.models) {
    values.push_back(named.model.score(pair, motion));
    if (!named.model.is_collection()) continue;
    const Interval spread = named.model.interval(pair, motion);
    values.insert(values.end(), {spread.bagging, spread.stddev, spread.low, spread.high});
  }
  return values;
}

} // namespace hull::vmaf
