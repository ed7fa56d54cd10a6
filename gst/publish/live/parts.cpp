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

// Up to where the next segment is due (HLS-38).
void fill_hole(const LiveWindow &window, const TrackState &track, LiveSegment &segment, std::int64_t until) {
  until = std::min(until, grid(window, track, segment.number + 1));
  std::int64_t at = segment.start + segment.duration;
  if (until - at <= one_sample(track.info)) return;
  close_part(segment);
  // Of equal length: nothing announces a part of a few milliseconds.
  for (std::int64_t left = (until - at + track.part_target - 1) / track.part_target; left > 0; --left) {
    const std::int64_t length = (until - at) / left;
    segment.parts.push_back({segment.chunks.size(), 0, length, false, true});
    at += length;
  }
  segment.duration = until - segment.start;
}

// A part never exceeds PART-TARGET (HLS-09): it closes before a chunk that would not fit, and as soon as
// another chunk like the last would not.
void append_to_parts(const TrackState &track, LiveSegment &segment, const ChunkInfo &chunk) {
  const std::int64_t target = track.part_target;
  if (segment.open.duration + chunk.duration > target) close_part(segment);
  segment.chunks.push_back(chunk.bytes);
  segment.bytes += chunk.bytes->size();
  segment.duration = chunk.start + chunk.duration - segment.start;
  segment.open.duration += chunk.duration;
  segment.open.independent = segment.open.independent || chunk.independent;
  if (segment.open.duration + chunk.duration > target) close_part(segment);
}

} // namespace hull::publish
