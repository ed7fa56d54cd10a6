#pragma once

// How a live presentation is cut and described. Fixed for the time it is on air.

#include "gst/core/log.h"

#include <cstdint>
#include <functional>
#include <string>

namespace hull::publish {

/// Cameras' times jitter: a chunk or part of pictures may last this share (one 40th) longer than its pictures
/// should. PART-TARGET counts it in.
constexpr std::int64_t kGraceShare = 40;

enum class PlaylistType { live, event, vod };

struct LiveConfig {
  std::int64_t segment_duration = 2'000'000'000; ///< ns
  std::int64_t chunk_duration = 200'000'000;     ///< ns; of pictures, as few as last that long
  std::int64_t part_duration = 200'000'000;      ///< ns; whole chunks, as few as last that long
  std::int64_t dvr_window = 60'000'000'000;      ///< ns that stay listed; at least 3 segments are
  std::int64_t target_latency = 1'000'000'000;   ///< ns, ServiceDescription
  std::int64_t part_hold_back = 0;               ///< ns; 0 = 3 of the longest part
  double playback_rate_min = 0.96, playback_rate_max = 1.04;
  PlaylistType playlist_type = PlaylistType::live;
  bool enable_endlist = true; ///< the end of stream closes the manifests
  bool dash = true, hls = true;
  std::string utc_timing_url = "time"; ///< relative to the MPD, or absolute
  unsigned leap_offset = 37; ///< s, TAI - UTC since 2017 (IERS Bulletin C); 0 = no LeapSecondInformation
  std::function<std::int64_t()> clock; ///< UTC of the stream's clock, ns since 1970; empty = the system's
  LogSink log;                         ///< what is decided, in words; called without a lock
};

/// The same within what can be published: durations that contain each other.
LiveConfig checked(LiveConfig config);

} // namespace hull::publish
