#pragma once

#include "gst/mux/timecode_track.h"
#include "plugins/mp4/mux_input.h"

#include <string>

namespace hull {

/// The timecode track number `id` of a picture track: from the GstVideoTimeCodeMeta of its head, or from
/// `label` ("hh:mm:ss:ff", ";ff" for drop frame) at the caps' frame rate; null where neither says a label.
/// settings: a label that is none.
Result<std::unique_ptr<mux::TimecodeTrack>> make_timecode_track(const MuxInput &pictures,
                                                                const std::string &label, std::uint32_t id);

} // namespace hull
