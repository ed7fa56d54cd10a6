#pragma once

// Rules an origin keeps by how it answers: asked, not read. `ask` fetches one URL relative to the
// presentation and may block as long as the origin does.

#include "gst/publish/lint/lint.h"

#include <functional>

namespace hull::publish {

using Ask = std::function<HttpReply(const std::string &url)>;

/// LL-HLS: blocking reloads, delta updates, hints, and that what is named can be had (HLS-50 to HLS-65).
/// `url` is a media playlist's, without a query. Takes a few target durations.
void lint_hls_server(const Ask &ask, const std::string &url, Findings &out);

/// How far apart the live edges of the media playlists `urls` are (HLS-70).
void lint_renditions(const Ask &ask, const std::vector<std::string> &urls, Findings &out);

/// One Representation of a dynamic MPD addressed by number: the URL of segment `number` and what the MPD says
/// of its time (DSH-25, DSH-50 to DSH-53). `newest` must be whole by now, `newest + 1` is on its way.
struct NumberedTrack {
  std::function<std::string(std::int64_t number)> url;
  std::int64_t newest = 0, start_number = 1;
  double duration = 0;  ///< seconds, of a segment
  double timescale = 1; ///< ticks per second of the media
  double offset = 0;    ///< presentationTimeOffset in seconds
  bool chunked = false;
};
void lint_dash_server(const Ask &ask, const NumberedTrack &track, Findings &out);

} // namespace hull::publish
