#include "gst/publish/live/parts.h"

#include "gst/core/time.h"
#include "gst/publish/live/segments.h"

#include <algorithm>
#include <cmath>

namespace hull::publish {
namespace {

/// What a muxer adds by itself: the tick of grace it allows, and the rounding of the limit.
constexpr std::int64_t kTicks = 200'000; // ns, at timescales from 7500 on

double frame_of(FrameRate rate) {
  return static_cast<double>(kNanoseconds) * rate.denominator / rate.numerator;
}

// As few as last `length`; 0.2 s are five of 25/s, whatever the last digit of the division says.
double at_least(double length, double unit) {
  return unit * std::max(1.0, std::ceil(length / unit - 0.0001));
}

// Less than half a picture, so that a chunk holds the same number of them throughout.
double grace(double length, FrameRate rate) {
  const double share = length / static_cast<double>(kGraceShare);
  return rate.numerator ? std::min(share, frame_of(rate) / 2) : share;
}

double full_chunk(const LiveConfig &config, FrameRate rate) {
  const auto wanted = static_cast<double>(config.chunk_duration);
  return rate.numerator ? at_least(wanted, frame_of(rate)) : wanted;
}

// Of a time that a picture stays longer than it should, what its part says: at most `most`, at least `least`.
// Never so much that full chunks then leave more than 15 % of the part empty (HLS-10).
std::int64_t share(const TrackState &track, const LiveSegment &segment, std::int64_t least,
                   std::int64_t most) {
  const std::int64_t left = track.part_target - segment.open.duration - most;
  const std::int64_t empty = left % std::max<std::int64_t>(track.full_chunk, 1);
  if (empty * 20 <= track.part_target * 3) return most;
  return std::max(least, most - (track.full_chunk - empty));
}

} // namespace

std::int64_t chunk_length(const LiveConfig &config, Kind kind, FrameRate rate) {
  return kind == Kind::video ? std::llround(full_chunk(config, rate)) : config.chunk_duration;
}

std::int64_t longest_chunk(const LiveConfig &config, Kind kind, FrameRate rate) {
  if (kind != Kind::video) return config.chunk_duration;
  const double chunk = full_chunk(config, rate);
  return std::llround(chunk + grace(chunk, rate)) - kTicks;
}

// A part that is not independent must last 85 % of PART-TARGET (HLS-10) and none may last longer (HLS-09), so
// it is counted in whole chunks of whole pictures: from the rate, never from what was measured (HLS-11).
// Sound is independent throughout.
std::int64_t part_target(const LiveConfig &config, const Track &track) {
  const auto wanted = static_cast<double>(config.part_duration);
  if (track.kind != Kind::video) return rescale(config.part_duration, track.timescale, kNanoseconds);
  const double part =
      track.frame_rate.numerator ? at_least(wanted, full_chunk(config, track.frame_rate)) : wanted;
  const double longest = part + grace(part, track.frame_rate);
  return static_cast<std::int64_t>(std::ceil(longest * track.timescale / kNanoseconds - 0.001));
}

std::int64_t first_part_target(const LiveConfig &config, const Track &track, const ChunkInfo &chunk) {
  // A pause after the very first sample is none that the track is made of.
  const std::int64_t usual = rescale(kNanoseconds / 2, track.timescale, kNanoseconds);
  const std::int64_t sample = track.frame_rate.numerator ? one_sample(track) : usual;
  const std::int64_t first = chunk.duration - chunk.sample_duration + std::min(chunk.sample_duration, sample);
  const std::int64_t most = rescale(config.segment_duration, track.timescale, kNanoseconds);
  return std::max(part_target(config, track), std::min(first, most));
}

std::int64_t part_hold_back(const LiveWindow &window) {
  const LiveConfig &config = window.config;
  std::int64_t longest = 0;
  for (const TrackState &track : window.tracks)
    longest =
        std::max(longest, track.part_target ? rescale(track.part_target, kNanoseconds, track.info.timescale)
                                            : config.part_duration + config.part_duration / kGraceShare);
  constexpr std::int64_t kMillisecond = 1'000'000; // what the list says
  const std::int64_t least = (config.part_hold_back ? 2 : 3) * longest + kMillisecond - 1;
  return std::max(config.part_hold_back, least / kMillisecond * kMillisecond);
}

std::int64_t one_sample(const Track &track) {
  const FrameRate rate = track.frame_rate;
  return rate.numerator ? std::int64_t{track.timescale} * rate.denominator / rate.numerator : 1;
}

void close_part(LiveSegment &segment) {
  const std::size_t end = segment.chunks.size();
  if (segment.open.first_chunk == end) return;
  segment.open.chunk_count = end - segment.open.first_chunk;
  segment.parts.push_back(segment.open);
  segment.open = {};
  segment.open.first_chunk = end;
}

std::int64_t usual_duration(const Track &track, const ChunkInfo &chunk) {
  return chunk.duration - chunk.sample_duration + std::min(chunk.sample_duration, one_sample(track));
}

// The picture before a hole stays until the next one: its part says so as far as PART-TARGET allows.
void bridge_hole(const TrackState &track, LiveSegment &segment, std::int64_t hole) {
  if (segment.open.first_chunk == segment.chunks.size()) return; // that part is told already
  const std::int64_t room = track.part_target - segment.open.duration;
  const std::int64_t more =
      share(track, segment, 0, std::clamp<std::int64_t>(hole, 0, std::max<std::int64_t>(room, 0)));
  segment.open.duration += more;
  segment.duration += more;
}

// A muxer holds the last sample until the next comes. No part may last that long (HLS-09), and one of
// pictures may not be much shorter than the others (HLS-10): the sample is listed up to the end of its part.
void end_with_part(const TrackState &track, const LiveSegment &segment, std::int64_t due, ChunkInfo &chunk) {
  const std::int64_t room = track.part_target - segment.open.duration;
  const std::int64_t usual = usual_duration(track.info, chunk);
  const bool fits = track.info.kind == Kind::video && usual <= room;
  const std::int64_t most =
      std::min({chunk.duration, fits ? room : track.part_target, std::max(usual, due - chunk.start)});
  const bool waited = track.info.frame_rate.numerator && chunk.duration > usual; // not known without a rate
  const std::int64_t listed = fits && waited ? share(track, segment, usual, most) : most;
  chunk.sample_duration = std::max<std::int64_t>(chunk.sample_duration - (chunk.duration - listed), 0);
  chunk.duration = listed;
}

// A part closes before a chunk that would not fit, and as soon as another chunk like the last would not.
void append_to_parts(const TrackState &track, LiveSegment &segment, const ChunkInfo &chunk) {
  const std::int64_t target = track.part_target;
  if (segment.open.duration + chunk.duration > target) close_part(segment);
  segment.chunks.push_back(chunk.bytes);
  segment.bytes += chunk.bytes->size();
  segment.duration += chunk.duration;
  segment.open.duration += chunk.duration;
  segment.open.independent = segment.open.independent || chunk.independent;
  if (segment.open.duration + std::min(chunk.duration, track.full_chunk) > target) close_part(segment);
}

} // namespace hull::publish
