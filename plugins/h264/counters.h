#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"

#include <cstdint>
#include <deque>
#include <optional>

namespace hull::h264 {

/// What hullh264enc counts for its stats property, and whether it can hold its bitrate.
class Counters {
 public:
  struct Totals {
    std::uint64_t frames = 0, dropped = 0, keys = 0, bytes = 0, quantizers = 0, again = 0, overruns = 0;
    std::uint64_t layers[4] = {};
    int last_qp = 0;
  };

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
  Totals totals() const;
  StructureRef structure() const;

 private:
  struct Entry {
    std::size_t bytes;
    int qp;
  };
  double window_kbps() const HULL_REQUIRES(mutex_);

  struct Window { // of two seconds
    std::deque<Entry> entries;
    std::uint64_t bytes = 0, quantizers = 0;
  };

  mutable Mutex mutex_; // leaf
  Totals totals_ HULL_GUARDED_BY(mutex_);
  Window window_ HULL_GUARDED_BY(mutex_);
  double target_kbps_ HULL_GUARDED_BY(mutex_) = 0, fps_ HULL_GUARDED_BY(mutex_) = 30;
  unsigned qp_max_ HULL_GUARDED_BY(mutex_) = 51;
  bool told_ HULL_GUARDED_BY(mutex_) = false;
};

} // namespace hull::h264
