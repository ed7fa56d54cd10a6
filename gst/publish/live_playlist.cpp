#include "gst/publish/live.h"
#include "gst/publish/playlist.h"
#include "gst/publish/text_segment.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <iterator>

namespace hull::publish {
namespace {

constexpr double kSecond = 1e9;
/// Parts are listed for segments that end less than this many target durations from the end (HLS-21).
constexpr double kPartTargets = 3;
constexpr double kSkipTargets = 6; // HLS-07

std::string map_uri(const Track &track, std::size_t init) {
  return init == 0 ? fmt::format("{}/init.mp4", track.id) : fmt::format("{}/init-{}.mp4", track.id, init);
}

// HLS has WebVTT as files of its own; their bytes are made from the fragments.
const char *suffix(const Track &track) {
  return is_webvtt(track) ? "vtt" : "m4s";
}

} // namespace

unsigned Live::target_seconds() const {
  return std::max(
      1u, static_cast<unsigned>(std::lround(static_cast<double>(config_.segment_duration) / kSecond)));
}

double Live::listed_seconds(const Row &row) const {
  double total = 0;
  for (std::size_t i = row.listed_from; i < row.segments.size(); ++i)
    if (row.segments[i].complete) total += seconds(row, row.segments[i].duration);
  return total;
}

/// Whether every listed segment begins with a key frame.
bool Live::independent(const Row &row) const {
  return std::all_of(row.segments.begin() + static_cast<std::ptrdiff_t>(row.listed_from), row.segments.end(),
                     [](const LiveSegment &segment) { return segment.gap || segment.starts_with_sap; });
}

// How many of the oldest listed segments lie wholly behind the skip boundary (HLS-35).
std::size_t Live::skippable(const Row &row) const {
  double behind = listed_seconds(row); // to the end of the list, with the parts of the open segment
  if (!row.segments.back().complete)
    for (const Part &part : row.segments.back().parts)
      behind += seconds(row, part.duration);
  std::size_t count = 0;
  for (std::size_t i = row.listed_from; i < row.segments.size() && row.segments[i].complete; ++i) {
    behind -= seconds(row, row.segments[i].duration);
    if (behind < kSkipTargets * target_seconds() - 1e-6) break;
    ++count;
  }
  return count;
}

void Live::write_segment(std::string &out, const Row &row, const LiveSegment &segment,
                         bool with_parts) const {
  if ((segment.parts.empty() || !with_parts) && !segment.complete) return; // nothing to name yet
  if (segment.discontinuity) out += "#EXT-X-DISCONTINUITY\n";
  if (segment.discontinuity && !is_webvtt(row.info))
    out += fmt::format("#EXT-X-MAP:URI=\"{}\"\n", map_uri(row.info, segment.init));
  // hls.js lays sound out beside pictures by these milliseconds. Where the list then says that a segment of
  // sound begins later than its media does, hls.js takes the one before for unfinished and asks for nothing
  // (7 s of silence, until its parts leave the list); so pictures round up and the rest down.
  const std::int64_t up = row.info.kind == Kind::video ? 999'999 : 0;
  out += fmt::format("#EXT-X-PROGRAM-DATE-TIME:{}\n", utc_text(utc(row, segment.start) + up));
  if (with_parts)
    for (std::size_t i = 0; i < segment.parts.size(); ++i)
      out += fmt::format("#EXT-X-PART:DURATION={:.6f},URI=\"{}/{}.{}.{}\"{}\n",
                         seconds(row, segment.parts[i].duration), row.info.id, segment.number, i,
                         suffix(row.info),
                         segment.parts[i].independent ? ",INDEPENDENT=YES"
                         : segment.parts[i].gap       ? ",GAP=YES"
                                                      : "");
  if (!segment.complete) return;
  if (segment.gap) out += "#EXT-X-GAP\n";
  out += fmt::format("#EXTINF:{:.6f},\n{}/{}.{}\n", seconds(row, segment.duration), row.info.id,
                     segment.number, suffix(row.info));
}

void Live::write_tail(std::string &out, const Row &row) const {
  const LiveSegment &last = row.segments.back();
  if (row.ended) return;
  if (last.complete)
    out += fmt::format("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}/{}.0.{}\"\n", row.info.id, last.number + 1,
                       suffix(row.info));
  else
    out += fmt::format("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}/{}.{}.{}\"\n", row.info.id, last.number,
                       last.parts.size(), suffix(row.info));
  for (const Row &other : rows_) {
    if (&other == &row) continue;
    for (auto segment = other.segments.rbegin(); segment != other.segments.rend(); ++segment) {
      if (segment->parts.empty()) continue;
      out += fmt::format("#EXT-X-RENDITION-REPORT:URI=\"{}.m3u8\",LAST-MSN={},LAST-PART={}\n", other.info.id,
                         segment->number, segment->parts.size() - 1);
      break;
    }
  }
}

std::string Live::write_playlist(const Row &row, bool skip, bool low_latency) const {
  const unsigned target = target_seconds();
  const bool closed = all_ended();
  const std::size_t skipped = skip && low_latency && !closed ? skippable(row) : 0;
  std::string out =
      fmt::format("#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n", low_latency ? 9 : 8, target);
  if (low_latency) {
    out += fmt::format("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={:.1f},HOLD-BACK={:.1f},"
                       "PART-HOLD-BACK={:.3f}\n#EXT-X-PART-INF:PART-TARGET={:.6f}\n",
                       kSkipTargets * target, 3.0 * target,
                       static_cast<double>(config_.part_hold_back) / kSecond, seconds(row, row.part_target));
  }
  out += fmt::format("#EXT-X-MEDIA-SEQUENCE:{}\n", row.segments[row.listed_from].number);
  out += fmt::format("#EXT-X-DISCONTINUITY-SEQUENCE:{}\n", row.discontinuities_removed);
  if (config_.playlist_type == PlaylistType::vod && closed)
    out += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  else if (config_.playlist_type != PlaylistType::live)
    out += "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  if (independent(row)) out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  if (skipped) out += fmt::format("#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n", skipped);
  const std::size_t first = row.listed_from + skipped;
  if (!skipped && !row.segments[first].discontinuity && !is_webvtt(row.info))
    out += fmt::format("#EXT-X-MAP:URI=\"{}\"\n", map_uri(row.info, row.segments[first].init));
  double behind = listed_seconds(row);
  for (std::size_t i = row.listed_from; i < row.segments.size(); ++i) {
    const LiveSegment &segment = row.segments[i];
    if (segment.complete) behind -= seconds(row, segment.duration);
    const bool with_parts = low_latency && !closed && behind < kPartTargets * target;
    if (i >= first) write_segment(out, row, segment, with_parts);
  }
  if (closed)
    out += "#EXT-X-ENDLIST\n";
  else if (low_latency)
    write_tail(out, row);
  return out;
}

// Whether the request must wait. The part that follows the last of a complete segment is part 0 of the next
// (HLS-52); msn alone is answered with part 0 of that segment, as Safari expects (HLS-50 asks for all of it).
bool Live::holds(const Row &row, const PlaylistQuery &query) const {
  if (!query.msn) return false;
  std::uint64_t msn = *query.msn, part = query.part.value_or(0);
  const auto found = std::lower_bound(row.segments.begin(), row.segments.end(), msn,
                                      [](const LiveSegment &s, std::uint64_t n) { return s.number < n; });
  if (found != row.segments.end() && found->number == msn && found->complete && part >= found->parts.size() &&
      query.part && !found->gap) {
    ++msn;
    part = 0;
  }
  const LiveSegment &last = row.segments.back();
  if (last.number > msn) return false;
  if (last.number < msn) return true;
  if (last.complete) return false;
  return last.parts.size() <= part;
}

PlaylistReply Live::playlist(std::string_view track_id, const PlaylistQuery &query) const {
  const Lock lock(mutex_);
  const Row *row = find_row(track_id);
  if (!row || !config_.hls) return {404, "There is no such playlist.\n"};
  const bool closed = all_ended();
  if (query.part && !query.msn && !closed) return {400, "_HLS_part needs _HLS_msn.\n"};
  if (config_.playlist_type == PlaylistType::vod && !closed) return {0, {}};
  const bool any = !row->segments.empty() && (row->segments.front().complete || row->segments.size() > 1);
  if (!any) return closed ? PlaylistReply{404, "Nothing was published.\n"} : PlaylistReply{0, {}};
  if (closed || !query.msn) return {200, write_playlist(*row, query.skip && !closed, true)};
  const LiveSegment &last = row->segments.back();
  if (*query.msn > last.number + 2) return {400, "_HLS_msn is too far ahead.\n"};
  if (query.part && *query.msn >= last.number) {
    const double part_target = seconds(*row, row->part_target);
    const auto limit = static_cast<std::uint64_t>(part_target < 1 ? std::ceil(3 / part_target) : 3);
    const std::uint64_t base = *query.msn == last.number ? last.parts.size() : 0;
    if (*query.part > base + limit) return {400, "_HLS_part is too far ahead.\n"};
  }
  if (!row->ended && holds(*row, query)) return {0, {}};
  return {200, write_playlist(*row, query.skip, true)};
}

PlaylistReply Live::plain_playlist(std::string_view track_id) const {
  const Lock lock(mutex_);
  const Row *row = find_row(track_id);
  const bool any =
      row && !row->segments.empty() && (row->segments.front().complete || row->segments.size() > 1);
  if (!any || !config_.hls) return {404, {}};
  if (config_.playlist_type == PlaylistType::vod && !all_ended()) return {0, {}};
  return {200, write_playlist(*row, false, false)};
}

// Tracks without a picture or sound yet keep everyone waiting only until the others have two segments.
bool Live::started() const {
  bool all = !rows_.empty(), some = false;
  for (const Row &row : rows_) {
    if (row.info.kind == Kind::text && rows_.size() > 1 && row.inits.empty())
      continue; // nothing was said yet
    all = all && !row.segments.empty();
    some = some || row.segments.size() > 2;
  }
  return all || some;
}

/// The tracks on air with what was measured of them.
Presentation Live::on_air() const {
  Presentation show;
  for (const Row &row : rows_) {
    if (row.segments.empty()) continue;
    Track track = row.info;
    std::uint64_t bits = 0;
    double time = 0;
    for (const LiveSegment &segment : row.segments) {
      bits += segment.bytes * 8;
      time += segment.gap ? 0 : seconds(row, segment.duration);
    }
    const auto average = time > 0 ? static_cast<std::uint64_t>(static_cast<double>(bits) / time) : 0;
    // A tenth above the greatest segment seen, in steps of 10 kbit/s, so that the figure seldom changes.
    const std::uint64_t peak = std::max({row.peak_bandwidth, average, track.peak_bandwidth});
    track.peak_bandwidth = (peak * 11 / 10 / 10'000 + 1) * 10'000;
    track.average_bandwidth = std::max(average, track.average_bandwidth);
    show.tracks.push_back(std::move(track));
  }
  return show;
}

PlaylistReply Live::multivariant() const {
  const Lock lock(mutex_);
  if (!config_.hls) return {404, "HLS is not published.\n"};
  if (!started() || (config_.playlist_type == PlaylistType::vod && !all_ended())) return {0, {}};
  return {200, hls_multivariant(on_air())};
}

} // namespace hull::publish
