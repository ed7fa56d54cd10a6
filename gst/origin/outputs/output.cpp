#include "gst/origin/outputs/output.h"

#include <fmt/format.h>

namespace hull::origin {

void DeliveryStats::sent(const std::string &name, std::uint64_t bytes) {
  log_.line(LogLevel::debug, [&] { return fmt::format("{} is delivered, {} bytes", name, bytes); });
  const Lock lock(mutex_);
  ++stats_.objects;
  stats_.bytes += bytes;
}

void DeliveryStats::dropped(const std::string &name) {
  log_.line(LogLevel::debug, [&] { return name + " is not delivered"; });
  const Lock lock(mutex_);
  ++stats_.dropped_segments;
}

void DeliveryStats::failed(const Error &error) {
  log_.line(
      LogLevel::debug, [&] { return error.text; }, error.at);
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
