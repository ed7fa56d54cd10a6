#pragma once

// HLS parts: how chunks become parts of a segment, and how long they are announced to be.

#include "gst/publish/live/window.h"

namespace hull::publish {

struct ChunkInfo;

/// ns of media in a chunk that is full: of pictures whose rate is known, as few whole ones as last at least
/// the configured time (six of 29.97/s for 0.2 s, five of 24/s).
std::int64_t chunk_length(const LiveConfig &config, Kind kind, FrameRate rate);
/// ns that a muxer may let a chunk last: chunk_length() and what cameras' times jitter.
std::int64_t longest_chunk(const LiveConfig &config, Kind kind, FrameRate rate);
/// PART-TARGET in ticks: a part that is full, and the jitter.
std::int64_t part_target(const LiveConfig &config, const Track &track);
/// The same with what the track's first chunk says: where no rate is known, or the chunks are not cut by our
/// muxer, it may already last longer.
std::int64_t first_part_target(const LiveConfig &config, const Track &track, const ChunkInfo &chunk);
/// PART-HOLD-BACK in ns: three times the longest PART-TARGET, or what is configured where that is enough.
std::int64_t part_hold_back(const LiveWindow &window);
/// A sample's duration by the track's frame rate; 1 where that is unknown.
std::int64_t one_sample(const Track &track);
/// Of a chunk whose last sample did not have to wait for the next.
std::int64_t usual_duration(const Track &track, const ChunkInfo &chunk);
/// `hole` ticks without input lie between the segment's last chunk and the next one.
void bridge_hole(const TrackState &track, LiveSegment &segment, std::int64_t hole);
/// Shortens what the lists say of a chunk whose last sample waited for the next; its segment should end at
/// `due`.
void end_with_part(const TrackState &track, const LiveSegment &segment, std::int64_t due, ChunkInfo &chunk);
void close_part(LiveSegment &segment);
void append_to_parts(const TrackState &track, LiveSegment &segment, const ChunkInfo &chunk);

} // namespace hull::publish
