#pragma once

// WebVTT out of wvtt: HLS wants text as files, DASH as fragments, and both come from one track.

#include "gst/core/bytes.h"
#include "gst/core/result.h"
#include "gst/publish/presentation.h"

#include <cstdint>
#include <memory>
#include <span>
#include <string>

namespace hull::publish {

/// Text that HLS gets as WebVTT files instead of fragments.
inline bool is_webvtt(const Track &track) {
  return track.codecs == "wvtt";
}

/// The cues of one segment, given as its chunks (moof and mdat), as a WebVTT file whose times are those of
/// the media: X-TIMESTAMP-MAP puts `start` ticks, the segment's first, on the 90 kHz clock. A cue that
/// reaches beyond the segment is cut, since the next segment has it too. bad_data where a chunk is not what
/// it says.
Result<std::string> webvtt_segment(std::span<const std::shared_ptr<const ByteVector>> chunks,
                                   std::uint32_t timescale, std::int64_t start);

} // namespace hull::publish
