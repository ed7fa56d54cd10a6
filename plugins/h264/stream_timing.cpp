#include "plugins/h264/stream_timing.h"

#include <algorithm>

namespace hull::h264 {

void StreamTiming::begin(const Sps &sps) {
  sps_ = sps;
  bucket_ = {};
  if (has_hrd())
    bucket_.set(static_cast<double>(bit_rate(sps.vui.nal_hrd)),
                static_cast<double>(buffer_size(sps.vui.nal_hrd)));
  any_ = false;
}

std::uint64_t StreamTiming::ticks(GstClockTime clock) const {
  return gst_util_uint64_scale_round(clock, sps_.vui.time_scale, sps_.vui.num_units_in_tick * GST_SECOND);
}

double StreamTiming::seconds(GstClockTime clock) const {
  if (!sps_.vui.timing_info_present_flag) return static_cast<double>(clock) / GST_SECOND;
  return static_cast<double>(ticks(clock)) * sps_.vui.num_units_in_tick / sps_.vui.time_scale;
}

std::vector<SeiMessage> StreamTiming::messages(GstClockTime clock, bool key,
                                               const std::optional<ClockTimestamp> &time) {
  std::vector<SeiMessage> made;
  if (!has_hrd() && !has_time_codes()) return made;
  const std::uint64_t now = has_hrd() ? ticks(clock) : 0;
  if (any_) bucket_.wait(static_cast<double>(now - last_) * sps_.vui.num_units_in_tick / sps_.vui.time_scale);
  if (has_hrd() && key)
    made.push_back(buffering_period(
        sps_, static_cast<std::uint32_t>(std::max(0.0, bucket_.level()) * 90000 / bucket_.rate())));
  // The delay counts from the buffering period before, also where a new one begins.
  made.push_back(picture_timing(sps_, static_cast<std::uint32_t>(any_ ? now - period_ : 0), time));
  if (key) period_ = now;
  last_ = now;
  any_ = true;
  return made;
}

} // namespace hull::h264
