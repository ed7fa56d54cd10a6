#pragma once

// HLS playlists of finished presentations (RFC 8216bis). The live ones are in live/hls.h.

#include "gst/publish/presentation.h"

namespace hull::publish {

/// File name of a track's media playlist: its id and ".m3u8".
std::string playlist_name(const Track &track);

/// The multivariant playlist: a variant per video track and audio codec, renditions for audio and text;
/// without video a variant per audio track. BANDWIDTH is the measured peak of the variant with its audio.
std::string hls_multivariant(const Presentation &presentation);

/// A VOD media playlist of one track: byte ranges of its file, or its segment files.
std::string hls_media(const Track &track);

} // namespace hull::publish
