#pragma once

// DASH MPD of finished presentations (ISO/IEC 23009-1). The live one is in live_mpd.h.

#include "gst/publish/presentation.h"

namespace hull::publish {

/// A static MPD. Tracks with a sidx are addressed by SegmentBase (on-demand profile), tracks of segment files
/// by SegmentTemplate with a timeline, single files without a sidx by a SegmentList of byte ranges. Video
/// tracks of one codec share an AdaptationSet; audio and text have one per language and codec.
std::string dash_mpd(const Presentation &presentation);

} // namespace hull::publish
