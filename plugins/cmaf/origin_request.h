#pragma once

#include "plugins/cmaf/origin.h"

namespace hull::cmaf {

/// A request that waits for its answer, or whose body still grows. Origin thread only.
struct Origin::Request {
  GRef<SoupServerMessage> message;
  std::string path;
  publish::PlaylistQuery query;
  bool head = false;
  bool streaming = false;
  bool fresh = false;    ///< its body has grown since libsoup last ran out of it
  bool finished = false; ///< libsoup is done with it, one way or the other
  std::size_t sent_chunks = 0;
  std::uint64_t appended = 0, written = 0;
  gint64 progress = g_get_monotonic_time();
  gint64 started = g_get_monotonic_time();

  bool is_manifest() const { return path.ends_with(".m3u8") || path == "manifest.mpd"; }
  double waited() const { return static_cast<double>(g_get_monotonic_time() - started) / 1e6; }
};

} // namespace hull::cmaf
