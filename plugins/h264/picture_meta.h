#pragma once

#include "gst/h264/hrd.h"

#include <optional>
#include <vector>

#include <gst/video/video.h>

namespace hull::h264 {

/// The time code upstream attached to a buffer (GstVideoTimeCodeMeta).
std::optional<ClockTimestamp> time_code_of(GstBuffer *buffer);

/// The mastering display and the content light level that caps say, as messages of a key picture.
void append_hdr_messages(const GstVideoCodecState &state, std::vector<SeiMessage> &messages);

} // namespace hull::h264
