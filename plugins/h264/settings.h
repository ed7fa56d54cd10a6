#pragma once

#include "gst/glue/properties.h"

#include <cstdint>

namespace hull::h264 {

enum class RateControl { bitrate, quality, buffer, timestamp, cqp, capped_quality };
enum class Entropy { automatic, cavlc, cabac };
enum class Complexity { low, medium };
enum class Usage { camera, screen };
enum class SliceMode { single, fixed, rows, size_limited };
enum class Deblocking { on, off, within_slices };
enum class Parallel { slices, gop };

/// Properties of hullh264enc; the initial values are the defaults.
struct EncoderSettings {
  RateControl rate_control = RateControl::bitrate;
  std::uint32_t bitrate = 0;       // kbit/s, 0 = from the picture size
  std::uint32_t max_bitrate = 0;   // kbit/s, 0 = none
  std::uint32_t vbv_buffer = 1000; // ms of max_bitrate
  std::uint32_t quantizer = 26;
  std::uint32_t qp_min = 0;
  std::uint32_t qp_max = 51;
  std::uint32_t key_int_max = 0; // frames, 0 = two seconds
  bool scene_cut = false;
  Entropy entropy = Entropy::automatic;
  Complexity complexity = Complexity::medium;
  Usage usage = Usage::camera;
  std::uint32_t temporal_layers = 1;
  bool ltr = false;
  std::uint32_t ltr_mark_period = 30;
  SliceMode slice_mode = SliceMode::single;
  std::uint32_t slices = 0;
  std::uint32_t max_slice_size = 1200;
  Parallel parallel = Parallel::slices;
  std::uint32_t threads = 0;
  bool frame_skip = false;
  Deblocking deblocking = Deblocking::on;
  std::int32_t deblocking_alpha = 0;
  std::int32_t deblocking_beta = 0;
  bool denoise = false;
  bool background_detection = false;
  bool aud = false;
  bool captions = true;
  bool operator==(const EncoderSettings &) const = default;
};

/// As the property has it.
const char *name_of(RateControl control);
const char *name_of(SliceMode mode);

} // namespace hull::h264
