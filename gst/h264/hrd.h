#pragma once

#include "gst/h264/params.h"
#include "gst/h264/sei.h"

#include <optional>

namespace hull::h264 {

/// hrd_parameters() of one schedule of a bit rate and a coded picture buffer, cbr_flag 0. What the syntax can
/// say is at most 63 bit/s and 15 bits less than asked for.
Hrd variable_rate_hrd(std::uint64_t bits_per_second, std::uint64_t buffer_bits);
std::uint64_t bit_rate(const Hrd &hrd);    ///< bits per second, E-37
std::uint64_t buffer_size(const Hrd &hrd); ///< bits, E-38

/// buffering_period(), D.1.2: a picture may be taken `initial_delay` (1/90000 s) after its first bit came.
SeiMessage buffering_period(const Sps &sps, std::uint32_t initial_delay);

/// A time of day as pic_timing() carries it; negative fields are left out.
struct ClockTimestamp {
  std::uint8_t hours = 0, minutes = 0, seconds = 0, frames = 0;
  bool drop_frame = false, full = true;
  bool operator==(const ClockTimestamp &) const = default;
};

/// pic_timing(), D.1.3, of a progressive picture that is shown when it is decoded: `removal_delay` in clock
/// ticks since the last buffering period where the SPS has HRD parameters, and the time code where it has
/// pic_struct.
SeiMessage picture_timing(const Sps &sps, std::uint32_t removal_delay,
                          const std::optional<ClockTimestamp> &time);

/// Both back from their bytes, for tests and tools.
struct PictureTiming {
  std::uint32_t removal_delay = 0, output_delay = 0;
  std::optional<ClockTimestamp> time;
};
Result<PictureTiming> parse_picture_timing(const SeiMessage &message, const Sps &sps);
Result<std::uint32_t> parse_initial_delay(const SeiMessage &message, const Sps &sps);

/// mastering_display_colour_volume(), D.1.29. Primaries in the order red, green, blue, in units of 0.00002,
/// and luminances in 0.0001 cd/m², as caps say them.
struct MasteringDisplay {
  struct Point {
    std::uint16_t x = 0, y = 0;
  };
  Point primaries[3], white;
  std::uint32_t max_luminance = 0, min_luminance = 0;
};
SeiMessage mastering_display(const MasteringDisplay &display);

/// content_light_level_info(), D.1.31, in cd/m².
SeiMessage content_light_level(std::uint16_t max_content, std::uint16_t max_frame_average);

} // namespace hull::h264
