#pragma once

#include "gst/h264/hrd.h"
#include "gst/h264/rate.h"

#include <vector>

#include <gst/gst.h>

namespace hull::h264 {

/// When pictures are taken from the coded picture buffer, counted in the clock ticks of the SPS, and the SEI
/// messages that say it: buffering periods, picture timing, time codes.
class StreamTiming {
 public:
  /// The sequence of `sps` begins. Without HRD parameters and pic_struct there is nothing to say.
  void begin(const Sps &sps);
  /// `clock` (running time without jumps) in seconds, as whole ticks where the SPS has ticks.
  double seconds(GstClockTime clock) const;
  /// What goes in front of the picture at `clock`; the buffering period of a key picture first.
  std::vector<SeiMessage> messages(GstClockTime clock, bool key, const std::optional<ClockTimestamp> &time);
  /// The picture left, with all that was around it.
  void sent(std::size_t bytes) { bucket_.take(8.0 * static_cast<double>(bytes)); }
  bool has_hrd() const { return sps_.vui.nal_hrd_parameters_present_flag; }
  bool has_time_codes() const { return sps_.vui.pic_struct_present_flag; }

 private:
  std::uint64_t ticks(GstClockTime clock) const;
  Sps sps_;
  LeakyBucket bucket_;                  // as the HRD parameters say it
  std::uint64_t period_ = 0, last_ = 0; // ticks: of the last buffering period, and of the last picture
  bool any_ = false;
};

} // namespace hull::h264
