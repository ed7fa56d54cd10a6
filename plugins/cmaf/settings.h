#pragma once

#include "gst/glue/properties.h"
#include "gst/publish/live/live.h"

namespace hull::cmaf {

enum class Protocols : unsigned { none = 0, dash = 1, hls = 2, both = 3 };
enum class Outputs : unsigned { none = 0, origin = 1, directory = 2, push = 4 };
enum class IngestMode { cmaf = 0, objects = 1 };

struct SinkSettings {
  std::uint64_t segment_duration = 2 * GST_SECOND;
  std::uint64_t chunk_duration = 200 * GST_MSECOND;
  std::uint64_t part_duration = 200 * GST_MSECOND;
  std::uint64_t part_hold_back = 0;
  std::uint64_t dvr_window = 60 * GST_SECOND;
  std::uint64_t target_latency = 1 * GST_SECOND;
  double playback_rate_min = 0.96, playback_rate_max = 1.04;
  Protocols protocols = Protocols::both;
  publish::PlaylistType playlist_type = publish::PlaylistType::live;
  bool enable_endlist = true;
  bool epoch_lock = false;
  bool serve = true;
  std::string bind_address = "127.0.0.1";
  std::uint32_t port = 8080;
  std::string tls_certificate;
  std::string cors_origin = "*";
  std::uint32_t max_clients = 2000;
  std::uint32_t max_clients_per_address = 0;
  std::string player_dir;
  std::string location;
  std::string ingest_url;
  IngestMode ingest_mode = IngestMode::cmaf;
  bool ingest_post = false;
  std::uint32_t ingest_queue = 3;
  std::string utc_timing_url = "time";
  std::uint32_t leap_offset = 37;
};

} // namespace hull::cmaf
