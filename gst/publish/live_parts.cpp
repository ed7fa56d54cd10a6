#include "gst/core/time.h"
#include "gst/publish/live.h"

#include <algorithm>
#include <cmath>

namespace hull::publish {

void Live::close_part(LiveSegment &segment) const {
  if (segment.open_chunk == segment.chunks.size()) return;
  segment.parts.push_back({static_cast<std::size_t>(segment.open_chunk),
                           segment.chunks.size() - static_cast<std::size_t>(segment.open_chunk),
                           segment.open_duration, segment.open_independent});
  segment.open_chunk = segment.chunks.size();
  segment.open_duration = 0;
  segment.open_independent = false;
}

// PART-TARGET: the configured length in whole chunks of whole pictures, since every part that is not
// independent must last 85 % of it (HLS-10): 5 pictures of 29.97/s are 83 % of 0.2 s. From the frame rate,
// never from what was measured (HLS-11). Sound is independent throughout.
std::int64_t Live::part_target(const Row &row) const {
  const FrameRate rate = row.info.frame_rate;
  double part = static_cast<double>(config_.part_duration) / kNanoseconds;
  if (row.info.kind != Kind::video) return static_cast<std::int64_t>(part * row.info.timescale);
  const double grace = part / kGraceShare;
  if (rate.numerator) {
    const double frame = static_cast<double>(rate.denominator) / rate.numerator;
    // Against rounding: 0.2 s shall hold five of 25/s.
    const auto whole = [](double length) { return std::max(1.0, std::floor(length + 0.0001)); };
    const double chunk = frame * whole(static_cast<double>(config_.chunk_duration) / kNanoseconds / frame);
    part = chunk * whole(part / chunk);
  }
  return static_cast<std::int64_t>(std::ceil((part + grace) * row.info.timescale - 0.001));
}

std::int64_t Live::one_sample(const Row &row) const {
  const FrameRate rate = row.info.frame_rate;
  return rate.numerator ? std::int64_t{row.info.timescale} * rate.denominator / rate.numerator : 1;
}

// What was lost inside a segment is listed as parts of nothing, up to where the next segment is due (HLS-38).
void Live::fill_hole(const Row &row, LiveSegment &segment, std::int64_t until) const {
  until = std::min(until, grid(row, segment.number + 1));
  std::int64_t at = segment.start + segment.duration;
  if (until - at <= one_sample(row)) return;
  close_part(segment);
  while (at < until) {
    const std::int64_t length = std::min(row.part_target, until - at);
    segment.parts.push_back({segment.chunks.size(), 0, length, false, true});
    at += length;
  }
  segment.duration = until - segment.start;
}

// A part never exceeds PART-TARGET (HLS-09): it closes before a chunk that would not fit, and as soon as
// another chunk like the last would not.
void Live::append_parts(Row &row, LiveSegment &segment, const ChunkInfo &chunk) const {
  const std::int64_t target = row.part_target + 1;
  if (segment.open_duration + chunk.duration > target) close_part(segment);
  segment.chunks.push_back(chunk.bytes);
  segment.bytes += chunk.bytes->size();
  segment.duration = chunk.start + chunk.duration - segment.start;
  segment.open_duration += chunk.duration;
  segment.open_independent = segment.open_independent || chunk.independent;
  if (segment.open_duration + chunk.duration > target) close_part(segment);
}

} // namespace hull::publish
