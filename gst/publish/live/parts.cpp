#include "gst/publish/live/parts.h"

#include "gst/core/time.h"
#include "gst/publish/live/segments.h"

#include <algorithm>
#include <cmath>

namespace hull::publish {

void close_part(LiveSegment &segment) {
  const std::size_t end = segment.chunks.size();
  if (segment.open.first_chunk == end) return;
  segment.open.chunk_count = end - segment.open.first_chunk;
  segment.parts.push_back(segment.open);
  segment.open = {};
  segment.open.first_chunk = end;
}

// PART-TARGET: the configured length in whole chunks of whole pictures, since every part that is not
// independent must last 85 % of it (HLS-10): 5 pictures of 29.97/s are 83 % of 0.2 s. From the frame rate,
// never from what was measured (HLS-11). Sound is independent throughout.
std::int64_t part_target(const LiveConfig &config, const Track &track) {
  const FrameRate rate = track.frame_rate;
  double part = static_cast<double>(config.part_duration) / kNanoseconds;
  if (track.kind != Kind::video) return static_cast<std::int64_t>(part * track.timescale);
  const double grace = part / kGraceShare;
  if (rate.numerator) {
    const double frame = static_cast<double>(rate.denominator) / rate.numerator;
    // Against rounding: 0.2 s shall hold five of 25/s.
    const auto whole = [](double length) { return std::max(1.0, std::floor(length + 0.0001)); };
    const double chunk = frame * whole(static_cast<double>(config.chunk_duration) / kNanoseconds / frame);
    part = chunk * whole(part / chunk);
  }
  return static_cast<std::int64_t>(std::ceil((part + grace) * track.timescale - 0.001));
}

std::int64_t one_sample(const Track &track) {
  const FrameRate rate = track.frame_rate;
  return rate.numerator ? std::int64_t{track.timescale} * rate.denominator / rate.numerator : 1;
}

// Up to where the next segment is due (HLS-38).
void fill_hole(const LiveWindow &window, const TrackState &track, LiveSegment &segment, std::int64_t until) {
  until = std::min(until, grid(window, track, segment.number + 1));
  std::int64_t at = segment.start + segment.duration;
  if (until - at <= one_sample(track.info)) return;
  close_part(segment);
  while (at < until) {
    const std::int64_t length = std::min(track.part_target, until - at);
    segment.parts.push_back({segment.chunks.size(), 0, length, false, true});
    at += length;
  }
  segment.duration = until - segment.start;
}

// A part never exceeds PART-TARGET (HLS-09): it closes before a chunk that would not fit, and as soon as
// another chunk like the last would not.
void append_to_parts(const TrackState &track, LiveSegment &segment, const ChunkInfo &chunk) {
  const std::int64_t target = track.part_target + 1;
  if (segment.open.duration + chunk.duration > target) close_part(segment);
  segment.chunks.push_back(chunk.bytes);
  segment.bytes += chunk.bytes->size();
  segment.duration = chunk.start + chunk.duration - segment.start;
  segment.open.duration += chunk.duration;
  segment.open.independent = segment.open.independent || chunk.independent;
  if (segment.open.duration + chunk.duration > target) close_part(segment);
}

} // namespace hull::publish
