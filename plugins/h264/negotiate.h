#pragma once

#include "gst/core/result.h"
#include "gst/glue/ref.h"
#include "gst/h264/level.h"

#include <string>

#include <gst/video/video.h>

namespace hull::h264 {

/// What hullh264enc puts out, chosen among what downstream takes.
struct OutputChoice {
  bool avc = false;
  bool nal_alignment = false;
  std::string profile = "main"; ///< caps name
  std::uint8_t profile_idc = 77;
  std::uint8_t level_idc = 0;
  std::uint64_t most_kbps = 0;   ///< that the level holds
  std::uint64_t most_buffer = 0; ///< kbit, of the coded picture buffer
};

/// Chooses from `allowed` (null: everything). The first structure with a profile we make wins, then in it:
/// byte-stream before avc, whole access units before NAL units, main before high before baseline, the lowest
/// level that fits `demand`. Where downstream's levels hold the pictures but not the bitrate, the one that
/// holds most of it; fails when none holds the pictures.
Result<OutputChoice> choose_output(GstCaps *allowed, Demand demand);

/// Source caps: the choice, with profile and level as the stream says them.
CapsRef output_caps(const OutputChoice &choice, const std::string &level);

} // namespace hull::h264
