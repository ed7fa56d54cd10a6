#pragma once

// The MPD of what is on air (ISO/IEC 23009-1, DASH-IF low latency).

#include "gst/publish/live/window.h"

namespace hull::publish {

/// plain: for web servers that know nothing of growing objects.
enum class Latency { low, plain };

/// `now` is UTC in ns since 1970.
PlaylistReply live_mpd(const LiveWindow &window, std::int64_t now, Latency latency);

} // namespace hull::publish
