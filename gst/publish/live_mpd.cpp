#include "gst/core/time.h"
#include "gst/publish/live.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <tuple>

namespace hull::publish {
namespace {

constexpr double kSecond = 1e9;

std::string iso_duration(double seconds) {
  return fmt::format("PT{:.3f}S", std::max(0.0, seconds));
}

std::string utc_timing(const std::string &url) {
  return fmt::format("<UTCTiming schemeIdUri=\"urn:mpeg:dash:utc:http-xsdate:2014\" value=\"{}\"/>",
                     escape_xml(url));
}

} // namespace

std::string Live::write_live_template(const Row &row, bool dynamic, bool low_latency) const {
  // Fixed for the session while it is on air (DSH-30); a finished window begins its Period at its first
  // segment.
  const LiveSegment &first = row.segments[row.listed_from];
  const std::int64_t offset = dynamic ? 0 : grid(row, first.number);
  std::string out = fmt::format("      <SegmentTemplate timescale=\"{}\" duration=\"{}\" startNumber=\"{}\"",
                                row.info.timescale, grid(row, 1), dynamic ? 0 : first.number);
  if (offset) out += fmt::format(" presentationTimeOffset=\"{}\"", offset);
  if (dynamic && low_latency && config_.chunk_duration < config_.segment_duration)
    out += fmt::format(" availabilityTimeOffset=\"{:.3f}\" availabilityTimeComplete=\"false\"",
                       static_cast<double>(config_.segment_duration - config_.chunk_duration) / kSecond);
  const std::size_t init = first.init;
  out += fmt::format(
      " initialization=\"$RepresentationID$/init{}.mp4\" media=\"$RepresentationID$/$Number$.m4s\"/>\n",
      init ? fmt::format("-{}", init) : "");
  return out;
}

std::string Live::write_adaptation_set(std::size_t id, const std::vector<const Row *> &rows, bool dynamic,
                                       bool low_latency) const {
  const Track &first = rows.front()->info;
  const char *content = first.kind == Kind::video ? "video" : first.kind == Kind::audio ? "audio" : "text";
  std::string out = fmt::format("    <AdaptationSet id=\"{}\" contentType=\"{}\" mimeType=\"{}/mp4\"", id,
                                content, first.kind == Kind::text ? "application" : content);
  if (!first.language.empty() && first.language != "und")
    out += fmt::format(" lang=\"{}\"", escape_xml(first.language));
  const bool sap =
      std::all_of(rows.begin(), rows.end(), [this](const Row *row) { return independent(*row); });
  out += fmt::format(" segmentAlignment=\"true\"{}>\n", sap ? " startWithSAP=\"1\"" : "");
  const bool chunked = dynamic && low_latency;
  if (chunked)
    out += fmt::format(
        "      <ProducerReferenceTime id=\"{}\" inband=\"true\" type=\"encoder\" wallClockTime=\"{}\" "
        "presentationTime=\"0\">\n        {}\n      </ProducerReferenceTime>\n",
        id, utc_text(epoch_utc_), utc_timing(config_.utc_timing_url));
  if (chunked && config_.chunk_duration < config_.segment_duration)
    out += fmt::format("      <Resync type=\"{}\" dT=\"{}\"/>\n", first.kind == Kind::video ? 0 : 1,
                       rescale(config_.chunk_duration, first.timescale, kNanoseconds));
  if (first.kind != Kind::video)
    out += fmt::format("      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{}\"/>\n",
                       first.kind == Kind::text ? "subtitle" : "main");
  out += write_live_template(*rows.front(), dynamic, low_latency);
  const Presentation measured = on_air();
  for (const Row *row : rows) {
    const auto found = std::find_if(measured.tracks.begin(), measured.tracks.end(),
                                    [row](const Track &track) { return track.id == row->info.id; });
    const Track &track = *found;
    out += fmt::format("      <Representation id=\"{}\" bandwidth=\"{}\" codecs=\"{}\"", escape_xml(track.id),
                       std::max<std::uint64_t>(track.peak_bandwidth, 1), escape_xml(track.codecs));
    if (track.kind == Kind::video) {
      out += fmt::format(" width=\"{}\" height=\"{}\"", track.width, track.height);
      if (track.frame_rate.numerator)
        out += fmt::format(" frameRate=\"{}/{}\"", track.frame_rate.numerator, track.frame_rate.denominator);
    }
    if (track.kind == Kind::audio && track.sample_rate)
      out += fmt::format(" audioSamplingRate=\"{}\"", track.sample_rate);
    if (track.kind == Kind::audio && track.channels)
      out += fmt::format(
          ">\n        <AudioChannelConfiguration "
          "schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{}\"/>\n"
          "      </Representation>\n",
          track.channels);
    else
      out += "/>\n";
  }
  return out + "    </AdaptationSet>\n";
}

std::string Live::write_mpd(std::int64_t now, bool low_latency) const {
  // One timescale per set: SegmentTemplate stands at the set and dash.js takes one duration for all.
  std::map<std::tuple<Kind, std::string, std::string, std::uint32_t>, std::vector<const Row *>> sets;
  std::uint64_t first_number = ~std::uint64_t{0}, last_number = 0;
  std::int64_t first_utc = INT64_MAX, end_utc = 0;
  for (const Row &row : rows_) {
    if (row.segments.empty()) continue;
    sets[{row.info.kind, row.info.codecs.substr(0, row.info.codecs.find('.')),
          row.info.kind == Kind::video ? "" : row.info.language, row.info.timescale}]
        .push_back(&row);
    const LiveSegment &first = row.segments[row.listed_from], &last = row.segments.back();
    first_number = std::min(first_number, first.number);
    last_number = std::max(last_number, last.number);
    first_utc = std::min(first_utc, utc(row, first.start));
    end_utc = std::max(end_utc, utc(row, last.start + last.duration));
  }
  const bool closed = all_ended();
  const double segment = static_cast<double>(config_.segment_duration) / kSecond;
  // A finished window whose first segments are gone stays dynamic: its Period's start may not move (DSH-30).
  const bool dynamic = !closed || (config_.playlist_type == PlaylistType::live && first_number > 0);
  const double end = static_cast<double>(end_utc - (dynamic ? epoch_utc_ : first_utc)) / kSecond;
  std::string out =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                  "profiles=\"urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019{}\" "
                  "type=\"{}\"",
                  low_latency ? ",http://www.dashif.org/guidelines/low-latency-live-v5" : "",
                  dynamic ? "dynamic" : "static");
  if (dynamic) {
    out +=
        fmt::format(" availabilityStartTime=\"{}\" publishTime=\"{}\"", utc_text(epoch_utc_), utc_text(now));
    if (!closed) out += fmt::format(" minimumUpdatePeriod=\"{}\"", iso_duration(2 * segment));
    if (config_.playlist_type == PlaylistType::live)
      out += fmt::format(
          " timeShiftBufferDepth=\"{}\"",
          iso_duration(std::clamp(std::floor(static_cast<double>(now - first_utc) / kSecond), segment,
                                  std::max(segment, static_cast<double>(config_.dvr_window) / kSecond))));
  }
  if (closed) out += fmt::format(" mediaPresentationDuration=\"{}\"", iso_duration(end));
  const double chunk = static_cast<double>(config_.chunk_duration) / kSecond;
  out += fmt::format(" maxSegmentDuration=\"{}\" minBufferTime=\"{}\">\n", iso_duration(segment),
                     iso_duration(low_latency ? 2 * chunk : segment));
  if (dynamic && low_latency)
    out += fmt::format(
        "  <ServiceDescription id=\"0\">\n    <Latency referenceId=\"1\" target=\"{}\" max=\"{}\"/>\n"
        "    <PlaybackRate min=\"{:.2f}\" max=\"{:.2f}\"/>\n  </ServiceDescription>\n",
        config_.target_latency / 1'000'000, 3 * config_.target_latency / 1'000'000, config_.playback_rate_min,
        config_.playback_rate_max);
  out += "  <Period id=\"1\" start=\"PT0S\"";
  if (closed) out += fmt::format(" duration=\"{}\"", iso_duration(end));
  out += ">\n";
  std::size_t id = 0;
  for (const auto &[key, rows] : sets) // Kind::video sorts first, so PRT 1 is the picture's
    out += write_adaptation_set(++id, rows, dynamic, low_latency);
  out += "  </Period>\n";
  if (dynamic) out += "  " + utc_timing(config_.utc_timing_url) + "\n";
  // Times here are POSIX times, which took in all leap seconds up to now; that no other is known to come is
  // what leaving the next one out says.
  if (dynamic && config_.leap_offset)
    out +=
        fmt::format("  <LeapSecondInformation availabilityStartLeapOffset=\"{}\"/>\n", config_.leap_offset);
  return out + "</MPD>\n";
}

PlaylistReply Live::mpd(std::int64_t now) const {
  const Lock lock(mutex_);
  if (!config_.dash) return {404, "DASH is not published.\n"};
  if (!started() || (config_.playlist_type == PlaylistType::vod && !all_ended())) return {0, {}};
  return {200, write_mpd(now, true)};
}

PlaylistReply Live::plain_mpd(std::int64_t now) const {
  const Lock lock(mutex_);
  if (!config_.dash) return {404, {}};
  if (!started() || (config_.playlist_type == PlaylistType::vod && !all_ended())) return {0, {}};
  return {200, write_mpd(now, false)};
}

} // namespace hull::publish
