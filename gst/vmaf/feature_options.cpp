#include "gst/vmaf/feature_options.h"

#include <algorithm>
#include <fmt/format.h>
#include <span>
#include <type_traits>
#include <variant>

namespace hull::vmaf {
namespace {

/// One option: libvmaf's name, its short form in columns, and where it is kept.
template <class T> struct Option {
  const char *name;
  const char *alias; ///< null: a second name of another option
  std::variant<bool T::*, int T::*, double T::*, Eotf T::*, Prescale T::*> member;
  double least = 0, most = 1e9;
};

// Sorted by name, since columns name them in that order.

constexpr Option<AdmOptions> kAdm[] = {
    {"adm_csf_mode", "csf", &AdmOptions::csf_mode, 0, 3},
    {"adm_dlm_weight", "dlmw", &AdmOptions::dlm_weight, 0, 1},
    {"adm_enhn_gain_limit", "egl", &AdmOptions::gain, 1, 100},
    {"adm_min_val", "min", &AdmOptions::least, 0, 1},
    {"adm_noise_weight", "nw", &AdmOptions::noise, 0, 1},
    {"adm_norm_view_dist", "nvd", &AdmOptions::distance, 0.75, 24},
    {"adm_ref_display_height", "rdh", &AdmOptions::height, 1, 4320},
};

constexpr Option<MotionOptions> kMotion[] = {
    {"motion_blend_factor", "mbf", &MotionOptions::blend_factor, 0, 1},
    {"motion_blend_offset", "mbo", &MotionOptions::blend_offset, 0, 1000},
    {"motion_five_frame_window", "mffw", &MotionOptions::five_frame_window},
    {"motion_force_zero", "force_0", &MotionOptions::force_zero},
    {"motion_fps_weight", "mfw", &MotionOptions::fps_weight, 0, 5},
    {"motion_max_val", "mmxv", &MotionOptions::most, 0, 10000},
    {"motion_moving_average", "mma", &MotionOptions::moving_average},
};

constexpr Option<CambiOptions> kCambi[] = {
    {"cambi_eotf", "ceot", &CambiOptions::eotf},
    {"cambi_high_res_speedup", "hrs", &CambiOptions::speedup, 0, 2160},
    {"cambi_max_val", "cmxv", &CambiOptions::most, 0, 1000},
    {"cambi_topk", "ctpk", &CambiOptions::topk, 0.0001, 1},
    {"cambi_vis_lum_threshold", "vlt", &CambiOptions::visible_luminance, 0, 300},
    {"enc_bitdepth", "encbd", &CambiOptions::enc_bits, 6, 16},
    {"enc_height", "ench", &CambiOptions::enc_height, 1, 16384},
    {"enc_width", "encw", &CambiOptions::enc_width, 1, 16384},
    {"eotf", nullptr, &CambiOptions::eotf},
    {"max_log_contrast", "mlc", &CambiOptions::max_log_contrast, 0, 5},
    {"topk", nullptr, &CambiOptions::topk, 0.0001, 1},
    {"tvi_threshold", "tvit", &CambiOptions::tvi_threshold, 0.0001, 1},
    {"window_size", "ws", &CambiOptions::window, 15, 127},
};

constexpr Option<SpeedOptions> kSpeed[] = {
    {"speed_kernelscale", "ks", &SpeedOptions::kernel_scale, 0.1, 4},
    {"speed_max_val", "mxv", &SpeedOptions::most, 0, 1000},
    {"speed_nn_floor", "nnf", &SpeedOptions::nn_floor, 0, 1},
    {"speed_prescale", "ps", &SpeedOptions::prescale, 0.1, 4},
    {"speed_prescale_method", "psm", &SpeedOptions::method},
    {"speed_sigma_nn", "snn", &SpeedOptions::sigma_nn, 0.1, 2},
    {"speed_weight_var_mode", "wvm", &SpeedOptions::weight_mode, 0, 6},
};

std::string text_of(Eotf eotf) {
  return eotf == Eotf::pq ? "pq" : "bt1886";
}
std::string text_of(Prescale method) {
  return method == Prescale::bilinear ? "bilinear" : "nearest";
}
std::string text_of(int value) {
  return std::to_string(value);
}
std::string text_of(double value) {
  return fmt::format("{:g}", value);
}

bool take(const Json &value, double, double, bool &to) {
  if (!value.is_bool()) return false;
  to = value.get<bool>();
  return true;
}
bool take(const Json &value, double least, double most, double &to) {
  if (!value.is_number()) return false;
  to = value.get<double>();
  return to >= least && to <= most;
}
bool take(const Json &value, double least, double most, int &to) {
  double number = 0;
  if (!take(value, least, most, number)) return false;
  to = static_cast<int>(number);
  return to == number;
}
template <class Choice> bool take(const Json &value, double, double, Choice &to) {
  for (const Choice choice : {Choice{0}, Choice{1}})
    if (value.is_string() && value.get<std::string>() == text_of(choice)) {
      to = choice;
      return true;
    }
  return false;
}

template <class T> Result<void> read(const Json &options, std::span<const Option<T>> known, T &to) {
  if (!options.is_object())
    return fail(ErrorCode::bad_data, "The VMAF model does not load: 'feature_opts_dicts' must hold objects.");
  for (const auto &member : options.members()) {
    const std::string &key = member.first;
    const Json &value = member.second;
    const auto option =
        std::find_if(known.begin(), known.end(), [&key](const Option<T> &o) { return key == o.name; });
    const bool taken =
        option != known.end() &&
        std::visit([&](auto at) { return take(value, option->least, option->most, to.*at); }, option->member);
    if (!taken)
      return fail(ErrorCode::unsupported, "The VMAF model sets the feature option '" + key + "' to " +
                                              value.dump() + ", which is not built in.");
  }
  return {};
}

template <class T> std::string suffix(const T &options, std::span<const Option<T>> known) {
  const T usual;
  std::string text;
  for (const Option<T> &option : known)
    std::visit(
        [&](auto member) {
          if (!option.alias || options.*member == usual.*member) return;
          text += std::string("_") + option.alias;
          if constexpr (!std::is_same_v<decltype(member), bool T::*>) text += "_" + text_of(options.*member);
        },
        option.member);
  return text;
}

} // namespace

double AdmOptions::adm3(double adm2, double aim) const {
  return std::max(adm2 * dlm_weight + (1 - aim) * (1 - dlm_weight), least);
}

Result<void> read_options(const Json &options, AdmOptions &to) {
  return read<AdmOptions>(options, kAdm, to);
}
Result<void> read_options(const Json &options, MotionOptions &to) {
  return read<MotionOptions>(options, kMotion, to);
}
Result<void> read_options(const Json &options, CambiOptions &to) {
  return read<CambiOptions>(options, kCambi, to);
}
Result<void> read_options(const Json &options, SpeedOptions &to) {
  return read<SpeedOptions>(options, kSpeed, to);
}

std::string option_suffix(const AdmOptions &options) {
  return suffix<AdmOptions>(options, kAdm);
}
std::string option_suffix(const MotionOptions &options) {
  return suffix<MotionOptions>(options, kMotion);
}
std::string option_suffix(const CambiOptions &options) {
  return suffix<CambiOptions>(options, kCambi);
}
std::string option_suffix(const SpeedOptions &options) {
  return suffix<SpeedOptions>(options, kSpeed);
}

} // namespace hull::vmaf
