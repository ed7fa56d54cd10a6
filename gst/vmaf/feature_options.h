#pragma once

#include "gst/core/json.h"
#include "gst/core/result.h"

#include <string>
#include <string_view>
#include <vector>

namespace hull::vmaf {

// What may be set for libvmaf's features of the v1 models, with its names and defaults.

/// ADM with its contrast sensitivity at a viewing distance, and AIM.
struct AdmOptions {
  int csf_mode = 0;       ///< 0 Watson's formula, 2 and 3 tables
  double distance = 3.0;  ///< in heights of the screen
  int height = 1080;      ///< lines of the screen
  double gain = 100.0;    ///< enhancement up to this counts as restored: 100 or 1
  double noise = 0.03125; ///< weight of the noise that every band has
  double dlm_weight = 0.5;
  double least = 0; ///< of adm3
  bool operator==(const AdmOptions &) const = default;
  double adm3(double adm2, double aim) const;
};

struct MotionOptions {
  bool force_zero = false;
  double blend_factor = 1.0, blend_offset = 40.0;
  bool five_frame_window = false; ///< differences to the frame before the last
  double fps_weight = 1.0;
  double most = 10000.0;
  bool moving_average = false;
  bool operator==(const MotionOptions &) const = default;
};

enum class Eotf { bt1886, pq };

/// Banding; sizes in pixels, depth in bits.
struct CambiOptions {
  int speedup = 0; ///< 1080, 1440 or 2160: pictures of that size on begin at half the size
  double most = 1000.0;
  double topk = 0.6;
  Eotf eotf = Eotf::bt1886;
  double visible_luminance = 0; ///< cd/m2 below which nothing is seen
  int enc_bits = 0;             ///< 0 = the picture's
  int enc_height = 0, enc_width = 0;
  int max_log_contrast = 2;
  double tvi_threshold = 0.019;
  int window = 65;
  bool operator==(const CambiOptions &) const = default;
};

enum class Prescale { nearest, bilinear };

struct SpeedOptions {
  double kernel_scale = 1.0;
  double most = 1000.0;
  double nn_floor = 0;
  double prescale = 1.0;
  Prescale method = Prescale::nearest;
  double sigma_nn = 0.29;
  int weight_mode = 0;
  bool operator==(const SpeedOptions &) const = default;
};

/// Sets what `options` names; an unknown name, a value of another type or one out of range is an error.
Result<void> read_options(const Json &options, AdmOptions &to);
Result<void> read_options(const Json &options, MotionOptions &to);
Result<void> read_options(const Json &options, CambiOptions &to);
Result<void> read_options(const Json &options, SpeedOptions &to);

/// What libvmaf adds to a column's name for options other than the default: "_csf_2_nvd_5".
std::string option_suffix(const AdmOptions &options);
std::string option_suffix(const MotionOptions &options);
std::string option_suffix(const CambiOptions &options);
std::string option_suffix(const SpeedOptions &options);

} // namespace hull::vmaf
