#include "gst/mux/fragmenter.h"

#include "gst/core/time.h"

#include <algorithm>
#include <utility>

namespace hull::mux {

using namespace isobmff;

Fragmenter::Fragmenter(const Settings &settings, std::vector<Track> tracks, std::size_t reference)
    : settings_(settings), tracks_(std::move(tracks)), reference_(reference), pending_(tracks_.size()) {}

std::int64_t Fragmenter::nanoseconds(std::size_t track, std::int64_t ticks) const {
  return rescale(ticks, kNanoseconds, tracks_[track].timescale);
}

std::int64_t Fragmenter::in_ticks(std::int64_t nanoseconds) const {
  return rescale(nanoseconds, tracks_[reference_].timescale, kNanoseconds);
}

std::optional<std::int64_t> Fragmenter::next_boundary() const {
  if (!started_ || settings_.manual) return std::nullopt;
  return nanoseconds(reference_, next_grid_);
}

const char *Fragmenter::why_fragment(const Sample &sample, std::int64_t decode_time) const {
  if (!sample.sync) return nullptr;
  const std::int64_t time = nanoseconds(reference_, decode_time);
  for (const std::int64_t split : splits_)
    if (time >= split) return "the first key unit since it was asked to split";
  if (settings_.manual) return nullptr;
  const std::int64_t tolerance = sample.duration / 2;
  if (decode_time >= next_grid_ - tolerance) return "a key unit at the multiple of fragment-duration";
  return !tracks_[reference_].all_sync &&
                 decode_time >= fragment_start_ + in_ticks(settings_.fragment_duration) - tolerance
             ? "a key unit fragment-duration after the last cut"
             : nullptr;
}

// Whether the pending chunk would grow too long or too large with `next`.
const char *Fragmenter::why_chunk(const Sample &next) const {
  const auto &run = pending_[reference_];
  if (run.empty()) return nullptr;
  const std::int64_t length = next.decode_time + next.duration - run.front().decode_time;
  const std::int64_t limit = settings_.chunk_duration ? settings_.chunk_duration : settings_.longest_chunk;
  // One tick of grace: the limit itself was rounded.
  if (length > in_ticks(limit) + 1)
    return settings_.chunk_duration ? "the next sample would pass chunk-duration"
                                    : "no key unit came for as long as samples are kept";
  return pending_bytes_ + next.size > settings_.largest_chunk ? "it holds all the bytes that are kept"
                                                              : nullptr;
}

void Fragmenter::begin_fragment(std::int64_t decode_time) {
  const std::int64_t target = std::max<std::int64_t>(in_ticks(settings_.fragment_duration), 1);
  fragment_start_ = decode_time;
  fragment_pending_ = true;
  // The next multiple that is more than half a fragment away; computed from the base so that nothing drifts.
  // On a grid that others share, a late start still ends where theirs does unless hardly anything would be
  // left.
  const std::int64_t early = settings_.grid_origin ? target / 4 : target / 2;
  const std::int64_t passed = (decode_time + early - base_) / target;
  next_grid_ = base_ + rescale((passed + 1) * settings_.fragment_duration, tracks_[reference_].timescale,
                               kNanoseconds);
  const std::int64_t time = nanoseconds(reference_, decode_time);
  std::erase_if(splits_, [time](std::int64_t split) { return split <= time; });
}

Chunk Fragmenter::take() {
  Chunk chunk;
  chunk.runs.resize(tracks_.size());
  for (std::size_t track = 0; track < tracks_.size(); ++track)
    chunk.runs[track].swap(pending_[track]);
  chunk.starts_fragment = fragment_pending_;
  fragment_pending_ = false;
  pending_bytes_ = 0;
  return chunk;
}

std::optional<Chunk> Fragmenter::drain() {
  return drain_since("the stream ends or its format changes");
}

std::optional<Chunk> Fragmenter::drain_since(const char *reason) {
  reason_ = reason;
  for (const auto &run : pending_)
    if (!run.empty()) return take();
  return std::nullopt;
}

std::optional<Chunk> Fragmenter::before(std::size_t track, const Sample &sample, std::int64_t early) {
  auto &run = pending_[track];
  if (!run.empty())
    run.back().duration = static_cast<std::uint32_t>(sample.decode_time - run.back().decode_time);
  if (track != reference_) {
    if (started_ && pending_bytes_ + sample.size > settings_.largest_chunk)
      return drain_since("it holds all the bytes that are kept");
    return std::nullopt;
  }
  if (!started_) {
    started_ = true;
    base_ = settings_.grid_origin ? in_ticks(*settings_.grid_origin) : sample.decode_time;
    begin_fragment(sample.decode_time);
    return std::nullopt;
  }
  if (const char *why = why_fragment(sample, sample.decode_time + early)) {
    auto chunk = drain_since(why);
    if (chunk) chunk->ends_fragment = true;
    begin_fragment(sample.decode_time + early);
    return chunk;
  }
  const char *why = why_chunk(sample);
  return why ? drain_since(why) : std::nullopt;
}

std::optional<Chunk> Fragmenter::add(std::size_t track, const Sample &sample, bool duration_known) {
  pending_[track].push_back(sample);
  pending_bytes_ += sample.size;
  if (track != reference_ || !duration_known || settings_.chunk_duration == 0) return std::nullopt;
  Sample next = sample;
  next.decode_time += sample.duration;
  next.size = 0;
  const char *why = why_chunk(next);
  return why ? drain_since(why) : std::nullopt;
}

} // namespace hull::mux
