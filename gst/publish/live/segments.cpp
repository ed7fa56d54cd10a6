#include "gst/publish/live/segments.h"

#include "gst/core/time.h"
#include "gst/publish/live/parts.h"
#include "gst/publish/text_segment.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::publish {
namespace {

/// A segment stays served this many segment durations after it left the manifests: a player that read an old
/// manifest still finds it (RFC 8216bis 6.2.2 asks for its duration plus that of the playlist; parts for 3
/// target durations).
constexpr std::size_t kGraceSegments = 5;
constexpr std::size_t kLeastListed = 4; // complete ones, so that never less than three durations are listed
/// A hole longer than this many segments starts afresh with a discontinuity instead of one gap entry each.
constexpr std::uint64_t kLongestGap = 30;

/// One track of the window, and what happens to it.
struct Change {
  LiveWindow &window;
  TrackState &track;
  std::size_t index;
  Changes &changes;
};

// A text with the place where it stands, as no default parameter can follow a pack.
template <class... Values> struct Placed {
  template <class Text> consteval Placed(const Text &text, Place at = Place::here()) : form(text), at(at) {}
  fmt::format_string<Values...> form;
  Place at;
};

// A line for whoever looks for a reason; it begins with the track's name.
template <class... Values>
void say(const Change &on, LogLevel level, Placed<std::type_identity_t<Values>...> text, Values &&...values) {
  const LogSink &log = on.window.config.log;
  if (log.wanted && log.wanted(level))
    on.changes.lines.push_back(
        {level, on.track.info.id + ": " + fmt::format(text.form, std::forward<Values>(values)...), text.at});
}

std::string shown(const FrameRate &rate) {
  if (rate.numerator == 0) return "no rate";
  return fmt::format("{}/{} per second", rate.numerator, rate.denominator);
}

LiveEvent event_of(const Change &on, LiveEvent::Kind kind, std::uint64_t number) {
  return {kind, on.index, segment_name(on.track.info, number), number, nullptr, 0, 0};
}

// wvtt is a fragment for DASH and a text for HLS.
void tell_text_too(const Change &on) {
  if (!is_webvtt(on.track.info) || !on.window.config.hls) return;
  LiveEvent text = on.changes.events.back();
  text.name = text_name(on.track.info, text.number);
  on.changes.events.push_back(std::move(text));
}

// Drops segments from the list once the window holds without them, and from the store a grace later.
void slide(const Change &on) {
  const LiveConfig &config = on.window.config;
  TrackState &track = on.track;
  if (config.playlist_type != PlaylistType::live) return;
  const auto wanted = std::max<std::size_t>(
      kLeastListed,
      static_cast<std::size_t>((config.dvr_window + config.segment_duration - 1) / config.segment_duration));
  while (track.segments.size() - track.listed_from > wanted + 1) {
    if (track.segments[track.listed_from].discontinuity) ++track.discontinuities_removed;
    say(on, LogLevel::debug, "segment {} leaves the lists", track.segments[track.listed_from].number);
    ++track.listed_from;
  }
  while (track.listed_from > kGraceSegments + wanted / 2) {
    const LiveSegment &oldest = track.segments.front();
    on.window.stats.bytes_held -= oldest.bytes;
    if (!oldest.gap) {
      on.changes.events.push_back(event_of(on, LiveEvent::Kind::removed, oldest.number));
      tell_text_too(on);
    }
    track.segments.pop_front();
    --track.listed_from;
  }
}

void complete_segment(const Change &on) {
  TrackState &track = on.track;
  LiveSegment &segment = track.segments.back();
  close_part(segment);
  segment.complete = true;
  if (on.window.part_hold_back == 0) on.window.part_hold_back = part_hold_back(on.window);
  ++on.window.stats.segments;
  if (segment.duration > 0) {
    const double rate = static_cast<double>(segment.bytes) * 8 / track.seconds(segment.duration);
    track.peak_bandwidth = std::max(track.peak_bandwidth, static_cast<std::uint64_t>(rate));
  }
  say(on, LogLevel::debug, "segment {} is whole: {:.3f} s in {} chunks and {} parts, {} bytes",
      segment.number, track.seconds(segment.duration), segment.chunks.size(), segment.parts.size(),
      segment.bytes);
  LiveEvent event = event_of(on, LiveEvent::Kind::segment, segment.number);
  event.seconds = track.seconds(segment.duration);
  event.start_utc = utc(on.window, track, segment.start);
  on.changes.events.push_back(std::move(event));
  tell_text_too(on);
  slide(on);
}

// Lost input leaves numbers unused. HLS counts without holes, so each gets a gap entry (HLS-38), unless they
// are very many.
void name_lost_segments(const Change &on, std::uint64_t from, std::uint64_t to) {
  if (from < to) say(on, LogLevel::debug, "segments {} to {} never came", from, to - 1);
  for (std::uint64_t lost = std::max(from, to - std::min(to - from, kLongestGap)); lost < to; ++lost) {
    LiveSegment gap;
    gap.number = lost;
    gap.start = grid(on.window, on.track, lost);
    gap.duration = grid(on.window, on.track, lost + 1) - gap.start;
    gap.complete = gap.gap = true;
    gap.init = on.track.inits.size() - 1;
    on.track.segments.push_back(std::move(gap));
    ++on.window.stats.gaps;
  }
}

void open_segment(const Change &on, const ChunkInfo &chunk) {
  TrackState &track = on.track;
  if (track.open_segment()) complete_segment(on);
  LiveSegment segment;
  segment.number = number_for(on.window, track, chunk.start);
  if (!track.segments.empty()) {
    const std::uint64_t next = track.segments.back().number + 1;
    segment.number = std::max(segment.number, next);
    segment.discontinuity = segment.number - next > kLongestGap;
    name_lost_segments(on, next, segment.number);
  }
  segment.start = chunk.start;
  segment.starts_with_sap = chunk.independent;
  segment.discontinuity = segment.discontinuity || track.next_is_discontinuity;
  segment.init = track.inits.size() - 1;
  track.next_is_discontinuity = false;
  track.segments.push_back(std::move(segment));
  if (!chunk.independent) ++on.window.stats.late_segments, ++track.late_segments;
  const LiveSegment &begun = track.segments.back();
  say(on, LogLevel::debug, "segment {} begins at {:.3f} s {}{}", begun.number, track.seconds(chunk.start),
      chunk.independent ? "with a key unit" : "without the key unit that was due",
      begun.discontinuity ? ", after a discontinuity" : "");
}

// A segment that waits for a key unit ends at the latest here: EXTINF may not round to more than
// TARGETDURATION (HLS-13), and DASH looks for each number where the grid has it.
std::int64_t latest_end(const LiveWindow &window, const TrackState &track, const LiveSegment &segment) {
  constexpr std::int64_t kMost = 400'000'000, kRounds = 499'000'000;
  const std::int64_t grace = std::min(window.config.segment_duration / 4, kMost);
  const std::int64_t by_grid =
      grid(window, track, segment.number + 1) + rescale(grace, track.info.timescale, kNanoseconds);
  const std::int64_t longest = target_seconds(window.config) * kNanoseconds + kRounds;
  return std::min(by_grid, segment.start + rescale(longest, track.info.timescale, kNanoseconds));
}

Result<void> check(const TrackState &track, const ChunkInfo &chunk) {
  const std::string &id = track.info.id;
  if (track.inits.empty())
    return fail(ErrorCode::state, "A chunk came before the initialisation segment of " + id + ".");
  if (!chunk.bytes || chunk.bytes->empty() || chunk.duration <= 0 || chunk.start < 0)
    return fail(ErrorCode::bad_data, fmt::format("A chunk of {} is empty or has no duration.", id));
  if (track.next_start >= 0 && chunk.start < track.next_start)
    return fail(ErrorCode::bad_data,
                fmt::format("A chunk of {} starts {:.3f} s before the end of the one before it.", id,
                            track.seconds(track.next_start - chunk.start)));
  return {};
}

bool begins_segment(const LiveWindow &window, TrackState &track, const ChunkInfo &chunk, bool after_hole) {
  const LiveSegment *open = track.open_segment();
  // Past its end on the grid the prediction was wrong once, and is not made again for this track.
  if (!open && !track.segments.empty() && !chunk.starts_segment) track.trusts_grid = false;
  if (!open) return true;
  const std::uint64_t number = number_for(window, track, chunk.start);
  // The key unit that was waited for; its segment has begun without it.
  const bool came_late = !open->starts_with_sap && number <= open->number;
  const bool overdue = chunk.start + usual_duration(track.info, chunk) > latest_end(window, track, *open);
  return (chunk.starts_segment && !came_late) || overdue ||
         (after_hole && chunk.independent && number != open->number);
}

} // namespace

void set_init(LiveWindow &window, std::size_t index, Track description, Chunk bytes, Changes &changes) {
  TrackState &track = window.tracks.at(index);
  if (!track.inits.empty() && *track.inits.back() == *bytes) return;
  description.id = track.info.id;
  if (description.language.empty()) description.language = track.info.language;
  if (description.name.empty()) description.name = track.info.name;
  if (!track.inits.empty()) {
    if (track.open_segment()) track.trusts_grid = false;
    track.next_is_discontinuity = true;
  }
  track.info = std::move(description);
  track.inits.push_back(bytes);
  track.ended = false;
  const std::size_t number = track.inits.size() - 1;
  const Change on{window, track, index, changes};
  say(on, LogLevel::info, "initialisation segment {}: {} {}x{}, {}, timescale {}, language {}", number,
      track.info.codecs, track.info.width, track.info.height, shown(track.info.frame_rate),
      track.info.timescale, track.info.language);
  changes.events.push_back(
      {LiveEvent::Kind::init, index, init_name(track.info, number), number, std::move(bytes), 0, 0});
  ++window.version;
}

Result<void> append_chunk(LiveWindow &window, std::size_t index, ChunkInfo chunk, Changes &changes) {
  const Change on{window, window.tracks.at(index), index, changes};
  TrackState &track = on.track;
  if (const auto good = check(track, chunk); !good) return good;
  const std::int64_t hole = track.listed_end >= 0 ? chunk.start - track.listed_end : 0;
  track.next_start = chunk.start + chunk.duration;
  if (track.part_target == 0) {
    track.part_target = first_part_target(window.config, track.info, chunk);
    const std::int64_t full = chunk_length(window.config, track.info.kind, track.info.frame_rate);
    track.full_chunk = rescale(full, track.info.timescale, kNanoseconds);
    say(on, LogLevel::info, "first chunk at {:.3f} s; a full one lasts {:.6f} s, PART-TARGET is {:.6f} s",
        track.seconds(chunk.start), track.seconds(track.full_chunk), track.seconds(track.part_target));
  }
  if (hole > 0)
    say(on, LogLevel::debug, "nothing came for {:.3f} s before {:.3f} s: the sample before stays",
        track.seconds(hole), track.seconds(chunk.start));
  if (LiveSegment *open = track.open_segment())
    bridge_hole(track, *open, std::min(hole, grid(window, track, open->number + 1) - track.listed_end));
  if (begins_segment(window, track, chunk, hole > 0)) open_segment(on, chunk);
  LiveSegment &segment = track.segments.back();
  const std::int64_t due = grid(window, track, segment.number + 1);
  end_with_part(track, segment, due, chunk);
  append_to_parts(track, segment, chunk);
  track.listed_end = chunk.start + chunk.duration;
  say(on, LogLevel::log, "chunk of {} bytes at {:.3f} s, {:.3f} s, in segment {}{}", chunk.bytes->size(),
      track.seconds(chunk.start), track.seconds(chunk.duration), segment.number,
      chunk.independent ? ", with a key unit" : "");
  ++window.stats.chunks;
  window.stats.bytes_held += chunk.bytes->size();
  LiveEvent event = event_of(on, LiveEvent::Kind::chunk, segment.number);
  event.chunk = chunk.bytes;
  event.seconds = track.seconds(chunk.duration);
  event.start_utc = utc(window, track, chunk.start);
  changes.events.push_back(std::move(event));
  // The muxer begins a segment at the sample nearest to the grid, so the next sample begins one if this is
  // true.
  const bool full = chunk.start + chunk.duration >= due - chunk.sample_duration / 2;
  if (chunk.ends_segment || (track.trusts_grid && full)) complete_segment(on);
  ++window.version;
  return {};
}

void end_track(LiveWindow &window, std::size_t index, Changes &changes) {
  const Change on{window, window.tracks.at(index), index, changes};
  if (on.track.ended) return;
  if (on.track.open_segment()) complete_segment(on);
  on.track.ended = true;
  say(on, LogLevel::info, "ends at {:.3f} s",
      on.track.seconds(std::max<std::int64_t>(on.track.listed_end, 0)));
  ++window.version;
  if (all_ended(window)) changes.events.push_back({LiveEvent::Kind::ended, index, {}, 0, nullptr, 0, 0});
}

} // namespace hull::publish
