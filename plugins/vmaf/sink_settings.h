#pragma once

#include "gst/vmaf/log.h"

#include <cstdint>
#include <string>

namespace hull {

enum class VmafAlignment { timestamp, index };
enum class VmafMetrics : unsigned { none = 0, psnr = 1 };

struct VmafSinkSettings {
  std::string models; ///< empty = vmaf_v0.6.1, or the file alone
  std::string model_location;
  std::string location;
  vmaf::LogLayout format = vmaf::LogLayout::json;
  VmafMetrics metrics = VmafMetrics::none;
  VmafAlignment alignment = VmafAlignment::timestamp;
  std::uint64_t tolerance = 0;
  std::uint32_t score_height = 0;
  std::uint32_t bit_depth = 0;
  std::uint32_t subsample = 1;
  std::uint32_t threads = 1;
  double threshold = 0;
  bool frame_messages = true;
  std::uint32_t kept_frames = 32768;
  std::uint32_t auto_align = 0;
};

/// A model file alone stands in for the default.
std::string models_of(const VmafSinkSettings &settings);

} // namespace hull
