#include "gst/origin/outputs/output.h"

namespace hull::origin {

void DeliveryStats::sent(std::uint64_t bytes) {
  const Lock lock(mutex_);
  ++stats_.objects;
  stats_.bytes += bytes;
}

void DeliveryStats::dropped() {
  const Lock lock(mutex_);
  ++stats_.dropped_segments;
}

void DeliveryStats::failed(const Error &error) {
  {
    const Lock lock(mutex_);
    if (stats_.failures++ % 50) return;
  }
  report_(error);
}

OutputStats DeliveryStats::stats() const {
  const Lock lock(mutex_);
  return stats_;
}

} // namespace hull::origin
