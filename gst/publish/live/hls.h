#pragma once

// HLS playlists of what is on air (RFC 8216bis), with parts and without.

#include "gst/publish/live/window.h"

#include <optional>

namespace hull::publish {

/// `_HLS_msn`, `_HLS_part` and `_HLS_skip` of a playlist request.
struct PlaylistQuery {
  std::optional<std::uint64_t> msn;
  std::optional<std::uint64_t> part;
  bool skip = false;
};

PlaylistReply live_multivariant(const LiveWindow &window);
PlaylistReply live_playlist(const LiveWindow &window, std::string_view track_id, const PlaylistQuery &query);
/// Without low latency, for web servers that know nothing of growing objects.
PlaylistReply live_plain_playlist(const LiveWindow &window, std::string_view track_id);

} // namespace hull::publish
