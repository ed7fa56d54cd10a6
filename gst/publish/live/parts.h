#pragma once

// HLS parts: how chunks become parts of a segment, and how long they are announced to be.

#include "gst/publish/live/window.h"

namespace hull::publish {

struct ChunkInfo;

/// PART-TARGET in ticks, from the configuration and the frame rate.
std::int64_t part_target(const LiveConfig &config, const Track &track);
/// A sample's duration by the track's frame rate; 1 where that is unknown.
std::int64_t one_sample(const Track &track);
/// What was lost of `segment` before `until` becomes parts of nothing.
void fill_hole(const LiveWindow &window, const TrackState &track, LiveSegment &segment, std::int64_t until);
void close_part(LiveSegment &segment);
void append_to_parts(const TrackState &track, LiveSegment &segment, const ChunkInfo &chunk);

} // namespace hull::publish
