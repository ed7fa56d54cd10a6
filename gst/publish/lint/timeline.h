#pragma once

// Rules of SegmentTimeline, over a whole MPD. For lint_mpd.cpp.

#include "gst/core/xml.h"
#include "gst/publish/lint/lint.h"

#include <optional>

namespace hull::publish {

/// DSH-27 and DSH-29.
void lint_timelines(const XmlNode &mpd, const std::string &where, Findings &out);
/// DSH-28: what an update may not change of a segment that is listed.
void lint_timeline_update(const XmlNode &before, const XmlNode &after, const std::string &where,
                          Findings &out);
/// Seconds of an xs:duration; days, hours, minutes and seconds are enough for media.
std::optional<double> iso_seconds(std::string_view text);

} // namespace hull::publish
