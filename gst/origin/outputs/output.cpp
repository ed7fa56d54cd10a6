#include "gst/origin/outputs/output.h"

namespace hull::origin {

void Ledger::sent(std::uint64_t bytes) {
  const Lock lock(mutex_);
  ++stats_.objects;
  stats_.bytes += bytes;
}

void Ledger::dropped() {
  const Lock lock(mutex_);
  ++stats_.dropped_segments;
}

void Ledger::failed(const Error &error) {
  {
    const Lock lock(mutex_);
    if (stats_.failures++ % 50) return;
  }
  report_(error);
}

OutputStats Ledger::stats() const {
  const Lock lock(mutex_);
  return stats_;
}

} // namespace hull::origin
