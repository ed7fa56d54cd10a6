#include "gst/publish/live/dash.h"

#include "gst/core/time.h"
#include "gst/publish/live/parts.h"
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

/// What kind of manifest it is. A finished window whose first segments are gone stays dynamic: its Period's
/// start may not move (DSH-30).
struct Form {
  bool closed, dynamic, low_latency;
  bool chunked() const { return dynamic && low_latency; }
};

using TrackStates = std::vector<const TrackState *>;

/// The longest chunk of these tracks, ns.
std::int64_t chunk_of(const LiveConfig &config, const TrackStates &tracks) {
  std::int64_t longest = 0;
  for (const TrackState *track : tracks)
    longest = std::max(longest, chunk_length(config, track->info.kind, track->info.frame_rate));
  return longest;
}

double in_seconds(std::int64_t ns) {
  return static_cast<double>(ns) / kSecond;
}

// Fixed for the session while it is on air (DSH-30); a finished window begins its Period at its first
// segment.
std::string segment_template(const LiveWindow &window, const TrackStates &tracks, const Form &form) {
  const TrackState &track = *tracks.front();
  const LiveSegment &first = track.segments[track.listed_from];
  const std::int64_t offset = form.dynamic ? 0 : grid(window, track, first.number);
  std::string out =
      fmt::format("      <SegmentTemplate timescale=\"{}\" duration=\"{}\" startNumber=\"{}\"",
                  track.info.timescale, grid(window, track, 1), form.dynamic ? 0 : first.number);
  if (offset) out += fmt::format(" presentationTimeOffset=\"{}\"", offset);
  const LiveConfig &config = window.config;
  if (const std::int64_t chunk = chunk_of(config, tracks); form.chunked() && chunk < config.segment_duration)
    out += fmt::format(" availabilityTimeOffset=\"{:.3f}\" availabilityTimeComplete=\"false\"",
                       std::floor(in_seconds(config.segment_duration - chunk) * 1000) / 1000);
  return out + fmt::format(" initialization=\"$RepresentationID$/init{}.mp4\" "
                           "media=\"$RepresentationID$/$Number$.m4s\"/>\n",
                           first.init ? fmt::format("-{}", first.init) : "");
}

std::string representation(const Track &track) {
  std::string out =
      fmt::format("      <Representation id=\"{}\" bandwidth=\"{}\" codecs=\"{}\"", escape_xml(track.id),
                  std::max<std::uint64_t>(track.peak_bandwidth, 1), escape_xml(track.codecs));
  if (track.kind == Kind::video) out += fmt::format(" width=\"{}\" height=\"{}\"", track.width, track.height);
  if (track.kind == Kind::video && track.frame_rate.numerator)
    out += fmt::format(" frameRate=\"{}/{}\"", track.frame_rate.numerator, track.frame_rate.denominator);
  if (track.kind == Kind::audio && track.sample_rate)
    out += fmt::format(" audioSamplingRate=\"{}\"", track.sample_rate);
  if (track.kind != Kind::audio || !track.channels) return out + "/>\n";
  return out +
         fmt::format(">\n        <AudioChannelConfiguration "
                     "schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{}\"/>\n"
                     "      </Representation>\n",
                     track.channels);
}

// The clock of the set's media, and where one can begin within a segment.
std::string low_latency_notes(const LiveWindow &window, const TrackStates &tracks, std::size_t id) {
  const Track &first = tracks.front()->info;
  const LiveConfig &config = window.config;
  std::string out = fmt::format(
      "      <ProducerReferenceTime id=\"{}\" inband=\"true\" type=\"encoder\" wallClockTime=\"{}\" "
      "presentationTime=\"0\">\n        {}\n      </ProducerReferenceTime>\n",
      id, utc_text(window.epoch_utc), utc_timing(config.utc_timing_url));
  if (const std::int64_t chunk = chunk_of(config, tracks); chunk < config.segment_duration)
    out += fmt::format("      <Resync type=\"{}\" dT=\"{}\"/>\n", first.kind == Kind::video ? 0 : 1,
                       rescale(chunk, first.timescale, kNanoseconds));
  return out;
}

std::string adaptation_set(const LiveWindow &window, std::size_t id, const TrackStates &tracks,
                           const Form &form) {
  const Track &first = tracks.front()->info;
  const char *content = first.kind == Kind::video ? "video" : first.kind == Kind::audio ? "audio" : "text";
  std::string out = fmt::format("    <AdaptationSet id=\"{}\" contentType=\"{}\" mimeType=\"{}/mp4\"", id,
                                content, first.kind == Kind::text ? "application" : content);
  if (!first.language.empty() && first.language != "und")
    out += fmt::format(" lang=\"{}\"", escape_xml(first.language));
  const bool sap =
      std::all_of(tracks.begin(), tracks.end(), [](const TrackState *track) { return independent(*track); });
  out += fmt::format(" segmentAlignment=\"true\"{}>\n", sap ? " startWithSAP=\"1\"" : "");
  if (form.chunked()) out += low_latency_notes(window, tracks, id);
  if (first.kind != Kind::video)
    out += fmt::format("      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"{}\"/>\n",
                       first.kind == Kind::text ? "subtitle" : "main");
  out += segment_template(window, tracks, form);
  for (const Track &measured : on_air(window).tracks)
    for (const TrackState *track : tracks)
      if (track->info.id == measured.id) out += representation(measured);
  return out + "    </AdaptationSet>\n";
}

// One timescale per set: SegmentTemplate stands at the set and dash.js takes one duration for all.
std::vector<TrackStates> adaptation_sets(const LiveWindow &window) {
  std::map<std::tuple<Kind, std::string, std::string, std::uint32_t>, TrackStates> sets;
  for (const TrackState &track : window.tracks) {
    const Track &info = track.info;
    if (!track.segments.empty())
      sets[{info.kind, info.codecs.substr(0, info.codecs.find('.')),
            info.kind == Kind::video ? "" : info.language, info.timescale}]
          .push_back(&track);
  }
  std::vector<TrackStates> ordered; // Kind::video sorts first, so ProducerReferenceTime 1 is the picture's
  for (auto &[key, tracks] : sets)
    ordered.push_back(std::move(tracks));
  return ordered;
}

/// What the listed segments of all tracks cover.
struct Span {
  std::uint64_t first_number = ~std::uint64_t{0};
  std::int64_t first_utc = INT64_MAX, end_utc = 0;
  std::int64_t chunk = 0; ///< ns, the longest
};

Span listed(const LiveWindow &window) {
  Span span;
  for (const TrackState &track : window.tracks) {
    if (track.segments.empty()) continue;
    const LiveSegment &first = track.segments[track.listed_from], &last = track.segments.back();
    span.chunk = std::max(span.chunk, chunk_of(window.config, {&track}));
    span.first_number = std::min(span.first_number, first.number);
    span.first_utc = std::min(span.first_utc, utc(window, track, first.start));
    span.end_utc = std::max(span.end_utc, utc(window, track, last.start + last.duration));
  }
  return span;
}

std::string head(const LiveWindow &window, const Form &form, const Span &span, std::int64_t now, double end) {
  const LiveConfig &config = window.config;
  const double segment = in_seconds(config.segment_duration);
  std::string out =
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
                  "profiles=\"urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019{}\" "
                  "type=\"{}\"",
                  form.low_latency ? ",http://www.dashif.org/guidelines/low-latency-live-v5" : "",
                  form.dynamic ? "dynamic" : "static");
  if (form.dynamic)
    out += fmt::format(" availabilityStartTime=\"{}\" publishTime=\"{}\"", utc_text(window.epoch_utc),
                       utc_text(now));
  if (!form.closed) out += fmt::format(" minimumUpdatePeriod=\"{}\"", iso_duration(2 * segment));
  if (form.dynamic && config.playlist_type == PlaylistType::live)
    out += fmt::format(" timeShiftBufferDepth=\"{}\"",
                       iso_duration(std::clamp(std::floor(in_seconds(now - span.first_utc)), segment,
                                               std::max(segment, in_seconds(config.dvr_window)))));
  if (form.closed) out += fmt::format(" mediaPresentationDuration=\"{}\"", iso_duration(end));
  return out + fmt::format(" maxSegmentDuration=\"{}\" minBufferTime=\"{}\">\n", iso_duration(segment),
                           iso_duration(form.low_latency ? 2 * in_seconds(span.chunk) : segment));
}

std::string service_description(const LiveConfig &config) {
  return fmt::format(
      "  <ServiceDescription id=\"0\">\n    <Latency referenceId=\"1\" target=\"{}\" max=\"{}\"/>\n"
      "    <PlaybackRate min=\"{:.2f}\" max=\"{:.2f}\"/>\n  </ServiceDescription>\n",
      config.target_latency / 1'000'000, 3 * config.target_latency / 1'000'000, config.playback_rate_min,
      config.playback_rate_max);
}

std::string write_mpd(const LiveWindow &window, std::int64_t now, bool low_latency) {
  const LiveConfig &config = window.config;
  const Span span = listed(window);
  const bool closed = all_ended(window);
  const bool dynamic = !closed || (config.playlist_type == PlaylistType::live && span.first_number > 0);
  const Form form{closed, dynamic, low_latency};
  const double end = in_seconds(span.end_utc - (dynamic ? window.epoch_utc : span.first_utc));
  std::string out = head(window, form, span, now, end);
  if (form.chunked()) out += service_description(config);
  out += fmt::format("  <Period id=\"1\" start=\"PT0S\"{}>\n",
                     closed ? fmt::format(" duration=\"{}\"", iso_duration(end)) : "");
  std::size_t id = 0;
  for (const TrackStates &tracks : adaptation_sets(window))
    out += adaptation_set(window, ++id, tracks, form);
  out += "  </Period>\n";
  if (dynamic) out += "  " + utc_timing(config.utc_timing_url) + "\n";
  // Times here are POSIX times, which took in all leap seconds up to now; that no other is known to come is
  // what leaving the next one out says.
  if (dynamic && config.leap_offset)
    out += fmt::format("  <LeapSecondInformation availabilityStartLeapOffset=\"{}\"/>\n", config.leap_offset);
  return out + "</MPD>\n";
}

} // namespace

PlaylistReply live_mpd(const LiveWindow &window, std::int64_t now, Latency latency) {
  const LiveConfig &config = window.config;
  if (!config.dash) return {404, "DASH is not published.\n"};
  if (!started(window) || (config.playlist_type == PlaylistType::vod && !all_ended(window))) return {0, {}};
  return {200, write_mpd(window, now, latency == Latency::low)};
}

} // namespace hull::publish
