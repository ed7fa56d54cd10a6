#pragma once

#include "gst/glue/ref.h"

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>

namespace hull::h264 {

/// What hullh264enc counts for its stats property, and whether it can hold its bitrate.
class Counters {
 public:
  /// The stream begins, or its target changes: `window` pictures are looked at before a verdict.
  void expect(double target_kbps, double fps, unsigned qp_max);
  void reset();
  void coded(std::size_t bytes, bool key, int qp, unsigned temporal_id);
  void dropped();
  void coded_again(); ///< because it was too large, or the library refused it
  void overran();     ///< the buffer of max-bitrate
  /// Bitrate in kbit/s over the last two seconds, once, when it is more than a tenth above the target though
  /// the quantizer stands at its maximum.
  std::optional<double> overshoot();
  StructureRef structure() const;

 private:
  struct Entry {
    std::size_t bytes;
    int qp;
  };
  double window_kbps() const;

  mutable std::mutex mutex_; // leaf
  std::uint64_t frames_ = 0, dropped_ = 0, keys_ = 0, bytes_ = 0, quantizers_ = 0, layers_[4] = {},
                again_ = 0, overruns_ = 0;
  int last_qp_ = 0;
  double target_kbps_ = 0, fps_ = 30;
  unsigned qp_max_ = 51;
  bool told_ = false;
  std::deque<Entry> window_; // of two seconds
  std::uint64_t window_bytes_ = 0, window_quantizers_ = 0;
};

} // namespace hull::h264
