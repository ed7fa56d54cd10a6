#pragma once

// One map from running time to UTC for everything a session publishes.

#include "gst/core/mutex.h"

#include <cstdint>
#include <optional>

#include <gst/gst.h>

namespace hull::cmaf {

class WallClock {
 public:
  /// A buffer said when it was taken: `utc` (ns since 1970) at `running_time`. Only the first one counts, and
  /// only before anything was published.
  void reference(std::int64_t utc, std::int64_t running_time);
  /// UTC of running time 0, decided at the first call: from a reference, else from a pipeline clock that is
  /// NTP, PTP or the system's realtime clock, else from the system clock now.
  std::int64_t epoch(GstElement *element);
  /// UTC now by the same map, ns since 1970: the pipeline's clock carries it on, so a step of the system
  /// clock moves nothing. The system clock before epoch() and when the element has no clock.
  std::int64_t now(GstElement *element);

 private:
  Mutex mutex_; // leaf
  std::optional<std::int64_t> reference_ HULL_GUARDED_BY(mutex_);
  std::optional<std::int64_t> epoch_ HULL_GUARDED_BY(mutex_);
};

/// ns since 1970 of a timestamp/x-unix or timestamp/x-ntp reference on the buffer.
std::optional<std::int64_t> reference_utc(GstBuffer *buffer);

} // namespace hull::cmaf
