#include "gst/publish/live.h"

#include "gst/core/time.h"
#include "gst/publish/text_segment.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <charconv>
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

bool parse_number(std::string_view text, std::uint64_t &value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() && !text.empty();
}

// The view's fragments as one WebVTT text.
void rewrite_as_text(ObjectView &view, std::uint32_t timescale, std::int64_t start, std::size_t from_chunk) {
  const auto text = webvtt_segment(view.chunks, timescale, start);
  view.chunks.clear();
  view.bytes = 0;
  view.content_type = "text/vtt";
  if (!text) view.found = Found::gone;
  if (!text || from_chunk > 0) return;
  view.chunks.push_back(std::make_shared<const ByteVector>(text->begin(), text->end()));
  view.bytes = text->size();
}

} // namespace

Live::Live(LiveConfig config)
    : config_([&config] {
        config.segment_duration = std::max<std::int64_t>(config.segment_duration, 100'000'000);
        config.chunk_duration =
            std::clamp<std::int64_t>(config.chunk_duration, 1'000'000, config.segment_duration);
        config.part_duration =
            std::clamp<std::int64_t>(config.part_duration, config.chunk_duration, config.segment_duration);
        const std::int64_t longest = config.part_duration + config.part_duration / kGraceShare;
        // PART-TARGET is rounded up to the track's ticks, which are whole at every 5 ms; HLS-04 means that.
        const std::int64_t ticks = longest % 5'000'000 ? 1'000'000 : 0;
        config.part_hold_back = config.part_hold_back ? std::max(config.part_hold_back, 2 * longest + ticks)
                                                      : 3 * longest + ticks;
        return config;
      }()) {}

void Live::set_epoch(std::int64_t utc_ns) {
  const Lock lock(mutex_);
  epoch_utc_ = utc_ns / 1'000'000 * 1'000'000; // what the manifests can say exactly
}

std::int64_t Live::epoch() const {
  const Lock lock(mutex_);
  return epoch_utc_;
}

std::int64_t Live::grid(const Row &row, std::uint64_t number) const {
  const auto ns = static_cast<Int128>(number) * config_.segment_duration;
  return static_cast<std::int64_t>((ns * row.info.timescale + kNanoseconds / 2) / kNanoseconds);
}

// A quarter of a segment early still counts as the next one: audio is cut at the frame nearest to the grid,
// and DASH allows half a segment (DSH-25).
std::uint64_t Live::number_for(const Row &row, std::int64_t start) const {
  const std::int64_t duration = grid(row, 1);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, start + duration / 4) / duration);
}

double Live::seconds(const Row &row, std::int64_t ticks) const {
  return static_cast<double>(ticks) / row.info.timescale;
}

std::int64_t Live::utc(const Row &row, std::int64_t ticks) const {
  return epoch_utc_ + rescale(ticks, kNanoseconds, row.info.timescale);
}

std::string Live::segment_name(const Row &row, std::uint64_t number) const {
  return fmt::format("{}/{}.m4s", row.info.id, number);
}

std::string Live::text_name(const Row &row, std::uint64_t number) const {
  return fmt::format("{}/{}.vtt", row.info.id, number);
}

std::size_t Live::add_track(Track track) {
  const Lock lock(mutex_);
  rows_.emplace_back().info = std::move(track);
  ++version_;
  return rows_.size() - 1;
}

void Live::set_init(std::size_t track, Track description, Chunk bytes) {
  LiveEvent event{LiveEvent::Kind::init, track, {}, 0, bytes, 0, 0};
  {
    const Lock lock(mutex_);
    Row &row = rows_.at(track);
    if (!row.inits.empty() && *row.inits.back() == *bytes) return;
    description.id = row.info.id;
    if (description.language.empty()) description.language = row.info.language;
    if (description.name.empty()) description.name = row.info.name;
    if (!row.inits.empty()) {
      if (!row.segments.empty() && !row.segments.back().complete) row.trusts_grid = false;
      row.next_is_discontinuity = true;
    }
    row.info = std::move(description);
    row.inits.push_back(std::move(bytes));
    row.ended = false;
    event.number = row.inits.size() - 1;
    event.name = row.inits.size() == 1 ? row.info.id + "/init.mp4"
                                       : fmt::format("{}/init-{}.mp4", row.info.id, row.inits.size() - 1);
    ++version_;
  }
  if (observer_) observer_(event);
}

void Live::open_segment(Row &row, const ChunkInfo &chunk, std::vector<LiveEvent> &events, std::size_t index) {
  if (!row.segments.empty() && !row.segments.back().complete) {
    fill_hole(row, row.segments.back(), chunk.start);
    complete_segment(row, events, index);
  }
  std::uint64_t number = number_for(row, chunk.start);
  LiveSegment segment;
  if (!row.segments.empty()) {
    const std::uint64_t next = row.segments.back().number + 1;
    number = std::max(number, next);
    // Lost input leaves numbers unused. HLS counts without holes, so each gets a gap entry (HLS-38).
    if (number - next > kLongestGap) segment.discontinuity = true;
    for (std::uint64_t missing = std::max(next, number - std::min(number - next, kLongestGap));
         missing < number; ++missing) {
      LiveSegment gap;
      gap.number = missing;
      gap.start = grid(row, missing);
      gap.duration = grid(row, missing + 1) - gap.start;
      gap.complete = gap.gap = true;
      gap.init = row.inits.size() - 1;
      row.segments.push_back(std::move(gap));
      ++stats_.gaps;
    }
  }
  segment.number = number;
  segment.start = chunk.start;
  segment.starts_with_sap = chunk.independent;
  segment.discontinuity = segment.discontinuity || row.next_is_discontinuity;
  segment.init = row.inits.size() - 1;
  row.next_is_discontinuity = false;
  row.segments.push_back(std::move(segment));
}

// A segment that waits for a key frame ends at the latest here: EXTINF may not round to more than
// TARGETDURATION (HLS-13), and DASH looks for each number where the grid has it.
std::int64_t Live::latest_end(const Row &row, std::uint64_t number) const {
  constexpr std::int64_t kMost = 400'000'000;
  const std::int64_t grace = std::min(config_.segment_duration / 4, kMost);
  return grid(row, number + 1) + rescale(grace, row.info.timescale, kNanoseconds);
}

void Live::complete_segment(Row &row, std::vector<LiveEvent> &events, std::size_t index) {
  LiveSegment &segment = row.segments.back();
  close_part(segment);
  segment.complete = true;
  ++stats_.segments;
  if (segment.duration > 0) {
    const double rate = static_cast<double>(segment.bytes) * 8 / seconds(row, segment.duration);
    row.peak_bandwidth = std::max(row.peak_bandwidth, static_cast<std::uint64_t>(rate));
  }
  events.push_back({LiveEvent::Kind::segment, index, segment_name(row, segment.number), segment.number,
                    nullptr, seconds(row, segment.duration), utc(row, segment.start)});
  if (is_webvtt(row.info) && config_.hls) {
    LiveEvent text = events.back();
    text.name = text_name(row, segment.number);
    events.push_back(std::move(text));
  }
  slide(row, events, index);
}

// Drops segments from the list once the window holds without them, and from the store a grace later.
void Live::slide(Row &row, std::vector<LiveEvent> &events, std::size_t index) {
  if (config_.playlist_type != PlaylistType::live) return;
  const auto wanted = std::max<std::size_t>(
      kLeastListed, static_cast<std::size_t>((config_.dvr_window + config_.segment_duration - 1) /
                                             config_.segment_duration));
  while (row.segments.size() - row.listed_from > wanted + 1) {
    if (row.segments[row.listed_from].discontinuity) ++row.discontinuities_removed;
    ++row.listed_from;
  }
  while (row.listed_from > kGraceSegments + wanted / 2) {
    stats_.bytes_held -= row.segments.front().bytes;
    const std::uint64_t number = row.segments.front().number;
    if (!row.segments.front().gap)
      events.push_back({LiveEvent::Kind::removed, index, segment_name(row, number), number, nullptr, 0, 0});
    if (!row.segments.front().gap && is_webvtt(row.info) && config_.hls)
      events.push_back({LiveEvent::Kind::removed, index, text_name(row, number), number, nullptr, 0, 0});
    row.segments.pop_front();
    --row.listed_from;
  }
}

Result<void> Live::add_chunk(std::size_t index, ChunkInfo chunk) {
  std::vector<LiveEvent> events;
  {
    const Lock lock(mutex_);
    Row &row = rows_.at(index);
    if (row.inits.empty())
      return fail(ErrorCode::state, "A chunk came before the initialisation segment of " + row.info.id + ".");
    if (!chunk.bytes || chunk.bytes->empty() || chunk.duration <= 0 || chunk.start < 0)
      return fail(ErrorCode::bad_data,
                  fmt::format("A chunk of {} is empty or has no duration.", row.info.id));
    if (row.next_start >= 0 && chunk.start < row.next_start)
      return fail(ErrorCode::bad_data,
                  fmt::format("A chunk of {} starts {:.3f} s before the end of the one before it.",
                              row.info.id, seconds(row, row.next_start - chunk.start)));
    const bool hole = row.next_start >= 0 && chunk.start > row.next_start;
    row.next_start = chunk.start + chunk.duration;
    if (row.part_target == 0) row.part_target = part_target(row);
    // A pause of the input: the muxer holds the last sample until the next. The lists end it at once and name
    // what follows lost, for no part and no segment may last that long (HLS-09, HLS-13).
    const bool steady = row.info.kind == Kind::audio || row.info.frame_rate.numerator != 0;
    if (steady && chunk.sample_duration > row.part_target)
      chunk.duration = std::min(chunk.duration - chunk.sample_duration + one_sample(row), row.part_target);
    LiveSegment *open = row.segments.empty() || row.segments.back().complete ? nullptr : &row.segments.back();
    // Past its end on the grid the prediction was wrong once, and is not made again for this track.
    if (!open && !row.segments.empty() && !chunk.starts_segment) row.trusts_grid = false;
    const bool overdue = open && chunk.start + chunk.duration > latest_end(row, open->number);
    // The key frame that was waited for; its segment has begun without it.
    const bool came_late = open && !open->starts_with_sap && number_for(row, chunk.start) <= open->number;
    if (!open || (chunk.starts_segment && !came_late) || overdue ||
        (hole && chunk.independent && number_for(row, chunk.start) != open->number)) {
      open_segment(row, chunk, events, index);
      if (!chunk.independent) ++stats_.late_segments;
    }
    LiveSegment &segment = row.segments.back();
    fill_hole(row, segment, chunk.start);
    append_parts(row, segment, chunk);
    ++stats_.chunks;
    stats_.bytes_held += chunk.bytes->size();
    events.push_back({LiveEvent::Kind::chunk, index, segment_name(row, segment.number), segment.number,
                      chunk.bytes, seconds(row, chunk.duration), utc(row, chunk.start)});
    const std::int64_t end = grid(row, segment.number + 1);
    // The muxer begins a segment at the sample nearest to the grid, so the next sample begins one if this is
    // true.
    const bool full = row.next_start >= end - chunk.sample_duration / 2;
    if (chunk.ends_segment || (row.trusts_grid && full)) complete_segment(row, events, index);
    ++version_;
  }
  if (observer_)
    for (const LiveEvent &event : events)
      observer_(event);
  return {};
}

void Live::end_track(std::size_t index) {
  std::vector<LiveEvent> events;
  {
    const Lock lock(mutex_);
    Row &row = rows_.at(index);
    if (row.ended) return;
    if (!row.segments.empty() && !row.segments.back().complete) complete_segment(row, events, index);
    row.ended = true;
    ++version_;
    if (all_ended()) events.push_back({LiveEvent::Kind::ended, index, {}, 0, nullptr, 0, 0});
  }
  if (observer_)
    for (const LiveEvent &event : events)
      observer_(event);
}

bool Live::all_ended() const {
  return config_.enable_endlist && !rows_.empty() &&
         std::all_of(rows_.begin(), rows_.end(), [](const Row &row) { return row.ended; });
}

bool Live::ended() const {
  const Lock lock(mutex_);
  return all_ended();
}

std::uint64_t Live::version() const {
  const Lock lock(mutex_);
  return version_;
}

Live::Stats Live::stats() const {
  const Lock lock(mutex_);
  return stats_;
}

std::vector<Track> Live::tracks() const {
  const Lock lock(mutex_);
  std::vector<Track> all;
  for (const Row &row : rows_)
    all.push_back(row.info);
  return all;
}

const Live::Row *Live::find_row(std::string_view id) const {
  for (const Row &row : rows_)
    if (row.info.id == id) return &row;
  return nullptr;
}

std::int64_t Live::now() const {
  return config_.clock ? config_.clock() : utc_now();
}

ObjectView Live::object(std::string_view name, std::size_t from_chunk) const {
  ObjectView view;
  const std::size_t slash = name.find('/');
  if (slash == std::string_view::npos) return view;
  const Lock lock(mutex_);
  const Row *row = find_row(name.substr(0, slash));
  if (!row) return view;
  std::string_view file = name.substr(slash + 1);
  view.content_type = row->info.kind == Kind::video   ? "video/mp4"
                      : row->info.kind == Kind::audio ? "audio/mp4"
                                                      : "application/mp4";
  std::uint64_t number = 0, part = 0;
  const auto ready = [&view, from_chunk](Found found, const Chunk *first, std::size_t count) {
    view.found = found;
    view.chunks.assign(first + std::min(from_chunk, count), first + count);
    for (const Chunk &chunk : view.chunks)
      view.bytes += chunk->size();
  };
  if (file.ends_with(".mp4") && file.starts_with("init")) {
    std::string_view which = file.substr(4, file.size() - 8);
    const bool numbered = which.starts_with("-") && parse_number(which.substr(1), number) && number > 0;
    if (!which.empty() && !numbered) return view;
    if (row->inits.empty() && number == 0)
      view.found = Found::hold;
    else if (number < row->inits.size())
      ready(Found::ready, &row->inits[number], 1);
    return view;
  }
  const bool as_text = is_webvtt(row->info) && file.ends_with(".vtt");
  if (!as_text && !file.ends_with(".m4s")) return view;
  file.remove_suffix(4);
  const std::size_t dot = file.find('.');
  const bool is_part = dot != std::string_view::npos;
  if (!parse_number(file.substr(0, dot), number) || (is_part && !parse_number(file.substr(dot + 1), part)))
    return view;
  if (row->segments.empty()) {
    view.found = row->ended ? Found::unknown : number <= 1 ? Found::hold : Found::unknown;
    return view;
  }
  const LiveSegment &last = row->segments.back();
  if (number < row->segments.front().number) {
    view.found = Found::gone;
    return view;
  }
  if (number > last.number) {
    // One segment ahead may be asked for early and is held; further ahead nobody was promised anything.
    const bool next = number == last.number + 1 && (!is_part || part == 0);
    view.found = next && !row->ended ? Found::hold : Found::unknown;
    return view;
  }
  const auto found = std::lower_bound(row->segments.begin(), row->segments.end(), number,
                                      [](const LiveSegment &s, std::uint64_t n) { return s.number < n; });
  if (found == row->segments.end() || found->number != number || found->gap) {
    view.found = Found::gone;
    return view;
  }
  if (as_text && !is_part && !found->complete) {
    view.found = Found::hold; // a text is made of all its chunks
  } else if (!is_part) {
    ready(found->complete ? Found::ready : Found::growing, found->chunks.data(), found->chunks.size());
  } else if (part < found->parts.size()) {
    const Part &p = found->parts[part];
    if (p.gap)
      view.found = Found::gone;
    else
      ready(Found::ready, &found->chunks[p.first_chunk], p.chunk_count);
  } else if (!found->complete && part == found->parts.size()) {
    view.found = Found::hold;
  }
  if (as_text && view.found == Found::ready)
    rewrite_as_text(view, row->info.timescale, found->start, from_chunk);
  return view;
}

} // namespace hull::publish
