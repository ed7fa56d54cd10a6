#pragma once

#include "gst/publish/live/live.h"

#include <cstdint>
#include <string>

namespace hull::origin {

struct OriginStats {
  std::uint64_t manifests = 0, objects = 0, others = 0; ///< requests, also those that wait
  std::uint64_t bytes = 0, errors = 0, held = 0, dropped_clients = 0, refused = 0;
  unsigned connections = 0, waiting = 0, streaming = 0;
  std::uint64_t requests() const { return manifests + objects + others; }
};

/// Prometheus text (exposition format 0.0.4) of the origin, and of the window when something is on air.
std::string metrics_text(const OriginStats &origin, const publish::Live *live);

} // namespace hull::origin
