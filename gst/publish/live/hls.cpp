#include "gst/publish/live/hls.h"

#include "gst/publish/playlist.h"
#include "gst/publish/text_segment.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {
namespace {

constexpr double kSecond = 1e9;
/// Parts are listed for segments that end less than this many target durations from the end (HLS-21).
constexpr double kPartTargets = 3;
constexpr double kSkipTargets = 6; // HLS-07

// HLS has WebVTT as files of its own; their bytes are made from the fragments.
const char *suffix(const Track &track) {
  return is_webvtt(track) ? "vtt" : "m4s";
}

double listed_seconds(const TrackState &track) {
  double total = 0;
  for (std::size_t i = track.listed_from; i < track.segments.size(); ++i)
    if (track.segments[i].complete) total += track.seconds(track.segments[i].duration);
  return total;
}

// How many of the oldest listed segments lie wholly behind the skip boundary (HLS-35).
std::size_t skippable(const LiveWindow &window, const TrackState &track) {
  double behind =
      listed_seconds(track); // to the end of the last whole segment: parts that come change nothing
  std::size_t count = 0;
  for (std::size_t i = track.listed_from; i < track.segments.size() && track.segments[i].complete; ++i) {
    behind -= track.seconds(track.segments[i].duration);
    if (behind < kSkipTargets * target_seconds(window.config) - 1e-6) break;
    ++count;
  }
  return count;
}

std::string part_line(const TrackState &track, const LiveSegment &segment, std::size_t index) {
  const Part &part = segment.parts[index];
  return fmt::format("#EXT-X-PART:DURATION={:.6f},URI=\"{}/{}.{}.{}\"{}\n", track.seconds(part.duration),
                     track.info.id, segment.number, index, suffix(track.info),
                     part.independent ? ",INDEPENDENT=YES" : "");
}

void write_segment(std::string &out, const LiveWindow &window, const TrackState &track,
                   const LiveSegment &segment, bool with_parts) {
  if ((segment.parts.empty() || !with_parts) && !segment.complete) return; // nothing to name yet
  if (segment.discontinuity) out += "#EXT-X-DISCONTINUITY\n";
  if (segment.discontinuity && !is_webvtt(track.info))
    out += fmt::format("#EXT-X-MAP:URI=\"{}\"\n", init_name(track.info, segment.init));
  // hls.js lays sound out beside pictures by these milliseconds. Where the list then says that a segment of
  // sound begins later than its media does, hls.js takes the one before for unfinished and asks for nothing
  // (7 s of silence, until its parts leave the list); so pictures round up and the rest down.
  const std::int64_t up = track.info.kind == Kind::video ? 999'999 : 0;
  out += fmt::format("#EXT-X-PROGRAM-DATE-TIME:{}\n", utc_text(utc(window, track, segment.start) + up));
  for (std::size_t i = 0; with_parts && i < segment.parts.size(); ++i)
    out += part_line(track, segment, i);
  if (!segment.complete) return;
  if (segment.gap) out += "#EXT-X-GAP\n";
  out += fmt::format("#EXTINF:{:.6f},\n{}/{}.{}\n", track.seconds(segment.duration), track.info.id,
                     segment.number, suffix(track.info));
}

std::string rendition_report(const TrackState &track) {
  for (auto segment = track.segments.rbegin(); segment != track.segments.rend(); ++segment)
    if (!segment->parts.empty())
      return fmt::format("#EXT-X-RENDITION-REPORT:URI=\"{}.m3u8\",LAST-MSN={},LAST-PART={}\n", track.info.id,
                         segment->number, segment->parts.size() - 1);
  return {};
}

// What comes next, and how far the other tracks are.
void write_tail(std::string &out, const LiveWindow &window, const TrackState &track) {
  if (track.ended) return;
  const LiveSegment &last = track.segments.back();
  const std::size_t part = last.complete ? 0 : last.parts.size();
  out += fmt::format("#EXT-X-PRELOAD-HINT:TYPE=PART,URI=\"{}/{}.{}.{}\"\n", track.info.id,
                     last.complete ? last.number + 1 : last.number, part, suffix(track.info));
  for (const TrackState &other : window.tracks)
    if (&other != &track) out += rendition_report(other);
}

std::string write_head(const LiveWindow &window, const TrackState &track, bool low_latency) {
  const LiveConfig &config = window.config;
  const unsigned target = target_seconds(config);
  std::string out =
      fmt::format("#EXTM3U\n#EXT-X-VERSION:{}\n#EXT-X-TARGETDURATION:{}\n", low_latency ? 9 : 8, target);
  if (low_latency)
    out +=
        fmt::format("#EXT-X-SERVER-CONTROL:CAN-BLOCK-RELOAD=YES,CAN-SKIP-UNTIL={:.1f},HOLD-BACK={:.1f},"
                    "PART-HOLD-BACK={:.3f}\n#EXT-X-PART-INF:PART-TARGET={:.6f}\n",
                    kSkipTargets * target, 3.0 * target, static_cast<double>(window.part_hold_back) / kSecond,
                    track.seconds(track.part_target));
  out += fmt::format("#EXT-X-MEDIA-SEQUENCE:{}\n", track.segments[track.listed_from].number);
  out += fmt::format("#EXT-X-DISCONTINUITY-SEQUENCE:{}\n", track.discontinuities_removed);
  if (config.playlist_type == PlaylistType::vod && all_ended(window))
    out += "#EXT-X-PLAYLIST-TYPE:VOD\n";
  else if (config.playlist_type != PlaylistType::live)
    out += "#EXT-X-PLAYLIST-TYPE:EVENT\n";
  if (independent(track)) out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  return out;
}

std::string write_playlist(const LiveWindow &window, const TrackState &track, bool skip, bool low_latency) {
  const bool closed = all_ended(window);
  const std::size_t skipped = skip && low_latency && !closed ? skippable(window, track) : 0;
  const std::size_t first = track.listed_from + skipped;
  std::string out = write_head(window, track, low_latency);
  if (skipped) out += fmt::format("#EXT-X-SKIP:SKIPPED-SEGMENTS={}\n", skipped);
  if (!skipped && !track.segments[first].discontinuity && !is_webvtt(track.info))
    out += fmt::format("#EXT-X-MAP:URI=\"{}\"\n", init_name(track.info, track.segments[first].init));
  double behind = listed_seconds(track);
  for (std::size_t i = track.listed_from; i < track.segments.size(); ++i) {
    const LiveSegment &segment = track.segments[i];
    if (segment.complete) behind -= track.seconds(segment.duration);
    const bool with_parts = low_latency && !closed && behind < kPartTargets * target_seconds(window.config);
    if (i >= first) write_segment(out, window, track, segment, with_parts);
  }
  if (closed)
    out += "#EXT-X-ENDLIST\n";
  else if (low_latency)
    write_tail(out, window, track);
  return out;
}

// Parts of the next three seconds may be asked for.
bool too_far_ahead(const TrackState &track, const PlaylistQuery &query) {
  const LiveSegment &last = track.segments.back();
  if (!query.part || *query.msn < last.number) return false;
  const double target = track.seconds(track.part_target);
  const auto limit = static_cast<std::uint64_t>(target < 1 ? std::ceil(3 / target) : 3);
  return *query.part > (*query.msn == last.number ? last.parts.size() : 0) + limit;
}

// Whether the request must wait. The part that follows the last of a complete segment is part 0 of the next
// (HLS-52); msn alone is answered with part 0 of that segment, as Safari expects (HLS-50 asks for all of it).
bool holds(const TrackState &track, const PlaylistQuery &query) {
  if (!query.msn) return false;
  std::uint64_t msn = *query.msn, part = query.part.value_or(0);
  const LiveSegment *found = find_segment(track, msn);
  if (found && found->complete && part >= found->parts.size() && query.part && !found->gap) {
    ++msn;
    part = 0;
  }
  const LiveSegment &last = track.segments.back();
  if (last.number > msn) return false;
  if (last.number < msn) return true;
  if (last.complete) return false;
  return last.parts.size() <= part;
}

} // namespace

PlaylistReply live_playlist(const LiveWindow &window, std::string_view track_id, const PlaylistQuery &query) {
  const TrackState *track = find_track(window, track_id);
  if (!track || !window.config.hls) return {404, "There is no such playlist.\n"};
  const bool closed = all_ended(window);
  if (query.part && !query.msn && !closed) return {400, "_HLS_part needs _HLS_msn.\n"};
  if (window.config.playlist_type == PlaylistType::vod && !closed) return {0, {}};
  const bool any =
      !track->segments.empty() && (track->segments.front().complete || track->segments.size() > 1);
  if (!any) return closed ? PlaylistReply{404, "Nothing was published.\n"} : PlaylistReply{0, {}};
  if (closed || !query.msn) return {200, write_playlist(window, *track, query.skip && !closed, true)};
  const LiveSegment &last = track->segments.back();
  if (*query.msn > last.number + 2) return {400, "_HLS_msn is too far ahead.\n"};
  if (too_far_ahead(*track, query)) return {400, "_HLS_part is too far ahead.\n"};
  if (!track->ended && holds(*track, query)) return {0, {}};
  return {200, write_playlist(window, *track, query.skip, true)};
}

PlaylistReply live_plain_playlist(const LiveWindow &window, std::string_view track_id) {
  const TrackState *track = find_track(window, track_id);
  const bool any =
      track && !track->segments.empty() && (track->segments.front().complete || track->segments.size() > 1);
  if (!any || !window.config.hls) return {404, {}};
  if (window.config.playlist_type == PlaylistType::vod && !all_ended(window)) return {0, {}};
  return {200, write_playlist(window, *track, false, false)};
}

PlaylistReply live_multivariant(const LiveWindow &window) {
  if (!window.config.hls) return {404, "HLS is not published.\n"};
  if (!started(window) || (window.config.playlist_type == PlaylistType::vod && !all_ended(window)))
    return {0, {}};
  return {200, hls_multivariant(on_air(window))};
}

} // namespace hull::publish
