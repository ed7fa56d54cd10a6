#include "gst/vmaf/feature_plan.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::vmaf {
namespace {

/// The place of `value` in `list`, at its end where it is new.
template <class T> std::size_t place(std::vector<T> &list, const T &value) {
  const auto found = std::find(list.begin(), list.end(), value);
  const auto at = static_cast<std::size_t>(found - list.begin());
  if (found == list.end()) list.push_back(value);
  return at;
}

/// Adds what `use` reads to a plan and says where.
struct Planner {
  FeaturePlan &plan;
  Result<std::size_t> operator()(std::monostate) const { return std::size_t{0}; }
  Result<std::size_t> operator()(const CambiOptions &options) const { return place(plan.cambi, options); }
  Result<std::size_t> operator()(const SpeedOptions &options) const { return place(plan.speed, options); }
  Result<std::size_t> operator()(const MotionOptions &options) const { return place(plan.motion, options); }
  Result<std::size_t> operator()(const AdmOptions &options) const {
    const auto pass = adm_pass(options);
    if (!pass) return tl::unexpected(pass.error());
    const std::size_t at = place(plan.adm_passes, *pass);
    place(plan.adm, {options, at});
    if (plan.adm_passes.size() > kAdmViews)
      return fail(ErrorCode::settings, "The VMAF models read ADM in more than " + std::to_string(kAdmViews) +
                                           " ways; leave some of them out, or score them in a second run.");
    return at;
  }
};

/// libvmaf's short names of cambi's and SpEED's columns; "integer_" stands before the others'.
std::vector<std::string> adm_names(const AdmOptions &options) {
  const std::string suffix = option_suffix(options);
  std::vector<std::string> names;
  for (const char *name : {"integer_adm2", "integer_aim", "integer_adm3", "integer_adm_scale0",
                           "integer_adm_scale1", "integer_adm_scale2", "integer_adm_scale3"})
    names.push_back(name + suffix);
  return names;
}

} // namespace

bool FeaturePlan::looks_back_two() const {
  return std::any_of(motion.begin(), motion.end(),
                     [](const MotionOptions &options) { return options.five_frame_window; });
}

Result<FeaturePlan> plan_features(std::vector<NamedModel> &models) {
  FeaturePlan plan;
  plan.motion.emplace_back();
  for (NamedModel &named : models)
    for (FeatureUse &use : named.model.features) {
      const auto index = std::visit(Planner{plan}, use.options);
      if (!index) return tl::unexpected(index.error());
      use.index = *index;
      if (use.has_gain()) (use.gain ? plan.gains.neg : plan.gains.normal) = true;
    }
  return plan;
}

Result<void> check_pictures(const FeaturePlan &plan, int width, int height, int chroma_width,
                            int chroma_height) {
  for (const CambiOptions &options : plan.cambi)
    if (auto fits = check_cambi(width, height, options); !fits) return fits;
  if (plan.reads_chroma() && chroma_width == 0)
    return fail(ErrorCode::unsupported, "VMAF models of v1 read chroma, and these pictures have none. Take "
                                        "vmaf_v0.6.1, or give pictures with chroma.");
  for (const SpeedOptions &options : plan.speed)
    if (auto fits = check_speed(chroma_width, chroma_height, options); !fits) return fits;
  return {};
}

namespace {

std::string listed(const std::vector<std::string> &names) {
  std::string list;
  for (const std::string &name : names)
    list += (list.empty() ? "" : ", ") + name;
  return list;
}

} // namespace

std::vector<std::string> model_cautions(const std::vector<NamedModel> &models, int chroma_width,
                                        int chroma_height) {
  std::vector<std::string> cautions, estimated;
  for (const NamedModel &named : models)
    for (const FeatureUse &use : named.model.features)
      if (const auto *speed = std::get_if<SpeedOptions>(&use.options))
        if (SpeedSetup(chroma_width, chroma_height, *speed).always_fails())
          estimated.push_back(named.model.name);
  if (!estimated.empty())
    cautions.push_back(fmt::format(
        "chroma planes of {}x{} are too small for SpEED: it is 0, and {} {} chroma from adm3. Scores of "
        "larger pictures, whose chroma is measured, are not comparable",
        chroma_width, chroma_height, listed(estimated), estimated.size() > 1 ? "estimate" : "estimates"));
  for (const NamedModel &named : models)
    if (named.model.clip && named.model.clip->second > 100)
      cautions.push_back(
          fmt::format("scores of {} reach {:g}, not 100", named.model.name, named.model.clip->second));
  return cautions;
}

std::vector<std::string> plan_columns(const FeaturePlan &plan) {
  std::vector<std::string> names;
  for (const CambiOptions &options : plan.cambi)
    names.push_back("cambi" + option_suffix(options));
  for (const SpeedOptions &options : plan.speed)
    for (const char *plane : {"u", "v", "uv"})
      names.push_back(std::string("speed_chroma_") + plane + option_suffix(options));
  for (const auto &[options, pass] : plan.adm)
    for (std::string &name : adm_names(options))
      names.push_back(std::move(name));
  for (std::size_t i = 1; i < plan.motion.size(); ++i) {
    const std::string suffix = option_suffix(plan.motion[i]);
    names.push_back("VMAF_integer_feature_motion_sad_score" + suffix);
    names.push_back("integer_motion2" + suffix);
    names.push_back("integer_motion3" + suffix);
  }
  return names;
}

std::vector<double> plan_values(const FeaturePlan &plan, const PairFeatures &pair,
                                const FrameMotion &motion) {
  std::vector<double> values = pair.cambi;
  for (const SpeedScore &speed : pair.speed)
    values.insert(values.end(), {speed.u, speed.v, speed.uv});
  for (const auto &[options, pass] : plan.adm) {
    const AdmViewScore &score = pair.adm[pass];
    values.insert(values.end(), {score.adm2, score.aim, options.adm3(score.adm2, score.aim)});
    values.insert(values.end(), std::begin(score.scale), std::end(score.scale));
  }
  for (std::size_t i = 1; i < motion.tracks.size(); ++i)
    values.insert(values.end(), {motion.tracks[i].sad, motion.tracks[i].motion2, motion.tracks[i].motion3});
  return values;
}

} // namespace hull::vmaf
