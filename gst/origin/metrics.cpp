#include "gst/origin/metrics.h"

#include <fmt/format.h>

namespace hull::origin {

std::string metrics_text(const OriginStats &origin, const publish::Live *live) {
  std::string out;
  const auto head = [&out](const char *name, const char *type, const char *help) {
    out += fmt::format("# HELP hull_{0} {1}\n# TYPE hull_{0} {2}\n", name, help, type);
  };
  const auto add = [&](const char *name, const char *type, const char *help, std::uint64_t value) {
    head(name, type, help);
    out += fmt::format("hull_{} {}\n", name, value);
  };
  head("http_requests_total", "counter", "Requests answered or waiting");
  out += fmt::format("hull_http_requests_total{{kind=\"manifest\"}} {}\n"
                     "hull_http_requests_total{{kind=\"object\"}} {}\n"
                     "hull_http_requests_total{{kind=\"other\"}} {}\n",
                     origin.manifests, origin.objects, origin.others);
  add("http_body_bytes_total", "counter", "Body bytes sent", origin.bytes);
  add("http_errors_total", "counter", "Replies of 400 and above", origin.errors);
  add("http_held_requests_total", "counter", "Requests that had to wait for the stream", origin.held);
  add("http_dropped_clients_total", "counter", "Clients cut off because they took too little",
      origin.dropped_clients);
  add("http_refused_connections_total", "counter", "Connections above the limits", origin.refused);
  add("http_connections", "gauge", "Open connections", origin.connections);
  add("http_waiting_requests", "gauge", "Requests that wait now", origin.waiting);
  add("http_streaming_requests", "gauge", "Objects being sent while they grow", origin.streaming);
  if (!live) return out;
  const publish::Live::Stats window = live->stats();
  add("chunks_total", "counter", "Chunks published", window.chunks);
  add("segments_total", "counter", "Segments published", window.segments);
  add("late_segments_total", "counter", "Segments begun without the key unit that was due",
      window.late_segments);
  add("gap_segments_total", "counter", "Segments lost at the input", window.gaps);
  add("window_bytes", "gauge", "Bytes of media held", window.bytes_held);
  return out;
}

} // namespace hull::origin
