#include "gst/origin/outputs/output.h"

namespace hull::origin {

void Ledger::sent(std::uint64_t bytes) {
  const std::lock_guard lock(mutex_);
  ++stats_.objects;
  stats_.bytes += bytes;
}

void Ledger::dropped() {
  const std::lock_guard lock(mutex_);
  ++stats_.dropped_segments;
}

void Ledger::failed(const Error &error) {
  {
    const std::lock_guard lock(mutex_);
    if (stats_.failures++ % 50) return;
  }
  report_(error);
}

OutputStats Ledger::stats() const {
  const std::lock_guard lock(mutex_);
  return stats_;
}

} // namespace hull::origin
