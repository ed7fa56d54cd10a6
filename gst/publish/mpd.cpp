#include "gst/publish/mpd.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <tuple>

namespace hull::publish {
namespace {

std::string iso_duration(double seconds) {
  return fmt::format("PT{:.3f}S", seconds);
}

const char *mime_type(Kind kind) {
  return kind == Kind::video ? "video/mp4" : kind == Kind::audio ? "audio/mp4" : "application/mp4";
}

const char *content_type(Kind kind) {
  return kind == Kind::video ? "video" : kind == Kind::audio ? "audio" : "text";
}

bool has_files(const Track &track) {
  return !track.segments.empty() && !track.segments.front().uri.empty();
}

std::string range(const ByteRange &bytes) {
  return fmt::format("{}-{}", bytes.offset, bytes.offset + bytes.size - 1);
}

/// S elements; equal neighbours are merged with @r. Each segment without a hole before it needs no @t.
std::string timeline(const Track &track, const char *indent) {
  std::string out = fmt::format("{}<SegmentTimeline>\n", indent);
  std::int64_t expected = -1;
  for (std::size_t i = 0; i < track.segments.size();) {
    const Segment &first = track.segments[i];
    std::size_t n = 1;
    while (i + n < track.segments.size() && track.segments[i + n].duration == first.duration &&
           track.segments[i + n].start == first.start + static_cast<std::int64_t>(n) * first.duration)
      ++n;
    out += fmt::format("{}  <S", indent);
    if (first.start != expected) out += fmt::format(" t=\"{}\"", first.start);
    out += fmt::format(" d=\"{}\"", first.duration);
    if (n > 1) out += fmt::format(" r=\"{}\"", n - 1);
    out += "/>\n";
    expected = first.start + static_cast<std::int64_t>(n) * first.duration;
    i += n;
  }
  return out + fmt::format("{}</SegmentTimeline>\n", indent);
}

/// The presentation time of the Period's start in this track.
std::int64_t offset_of(const Track &track) {
  return track.segments.empty() ? 0 : track.segments.front().start;
}

std::string addressing(const Track &track) {
  const std::string pto =
      offset_of(track) ? fmt::format(" presentationTimeOffset=\"{}\"", offset_of(track)) : "";
  const std::string uri = escape_xml(escape_uri(track.uri));
  if (has_files(track))
    return fmt::format("        <SegmentTemplate timescale=\"{}\"{} startNumber=\"{}\" initialization=\"{}\" "
                       "media=\"{}\">\n{}        </SegmentTemplate>\n",
                       track.timescale, pto, track.start_number, uri,
                       escape_xml(escape_uri(track.media_template)), timeline(track, "          "));
  std::string out = fmt::format("        <BaseURL>{}</BaseURL>\n", uri);
  const std::string init = fmt::format("          <Initialization range=\"{}\"/>\n", range(track.init));
  if (track.index.size)
    return out + fmt::format(
                     "        <SegmentBase timescale=\"{}\"{} indexRange=\"{}\">\n{}        </SegmentBase>\n",
                     track.timescale, pto, range(track.index), init);
  out += fmt::format("        <SegmentList timescale=\"{}\"{}>\n{}", track.timescale, pto, init);
  out += timeline(track, "          ");
  for (const Segment &segment : track.segments)
    out += fmt::format("          <SegmentURL mediaRange=\"{}\"/>\n", range(segment.range));
  return out + "        </SegmentList>\n";
}

std::string representation(const Track &track) {
  std::string out =
      fmt::format("      <Representation id=\"{}\" bandwidth=\"{}\" codecs=\"{}\"", escape_xml(track.id),
                  std::max<std::uint64_t>(1, track.peak_bandwidth), escape_xml(track.codecs));
  if (track.kind == Kind::video) {
    out += fmt::format(" width=\"{}\" height=\"{}\" sar=\"{}:{}\"", track.width, track.height,
                       track.sar_width, track.sar_height);
    if (track.frame_rate.numerator)
      out += fmt::format(" frameRate=\"{}/{}\"", track.frame_rate.numerator, track.frame_rate.denominator);
  }
  if (track.kind == Kind::audio && track.sample_rate)
    out += fmt::format(" audioSamplingRate=\"{}\"", track.sample_rate);
  out += ">\n";
  if (track.kind == Kind::audio && track.channels)
    out +=
        fmt::format("        <AudioChannelConfiguration "
                    "schemeIdUri=\"urn:mpeg:dash:23003:3:audio_channel_configuration:2011\" value=\"{}\"/>\n",
                    track.channels);
  return out + addressing(track) + "      </Representation>\n";
}

std::string adaptation_set(std::size_t id, const std::vector<const Track *> &tracks) {
  const Track &first = *tracks.front();
  const bool all_sap = std::all_of(tracks.begin(), tracks.end(), [](const Track *track) {
    return std::all_of(track->segments.begin(), track->segments.end(),
                       [](const Segment &segment) { return segment.starts_with_sap; });
  });
  const bool by_index = std::all_of(tracks.begin(), tracks.end(), [](const Track *track) {
    return track->index.size != 0 && !has_files(*track);
  });
  const char *prefix = by_index ? "subsegment" : "segment";
  std::string out = fmt::format("    <AdaptationSet id=\"{}\" contentType=\"{}\" mimeType=\"{}\"", id,
                                content_type(first.kind), mime_type(first.kind));
  if (!first.language.empty() && first.language != "und")
    out += fmt::format(" lang=\"{}\"", escape_xml(first.language));
  out += fmt::format(" {}Alignment=\"true\"", prefix);
  if (all_sap) out += by_index ? " subsegmentStartsWithSAP=\"1\"" : " startWithSAP=\"1\"";
  out += ">\n";
  if (first.kind != Kind::video)
    out += "      <Role schemeIdUri=\"urn:mpeg:dash:role:2011\" value=\"" +
           std::string(first.kind == Kind::text ? "subtitle" : "main") + "\"/>\n";
  for (const Track *track : tracks)
    out += representation(*track);
  return out + "    </AdaptationSet>\n";
}

} // namespace

std::string dash_mpd(const Presentation &presentation) {
  // Players switch inside an AdaptationSet without a new decoder, so a set holds one codec family.
  std::map<std::tuple<Kind, std::string, std::string>, std::vector<const Track *>> sets;
  double longest = 0, longest_segment = 0;
  bool on_demand = true;
  for (const Track &track : presentation.tracks) {
    sets[{track.kind, track.codecs.substr(0, track.codecs.find('.')),
          track.kind == Kind::video ? "" : track.language}]
        .push_back(&track);
    longest = std::max(longest, track.seconds());
    for (const Segment &segment : track.segments)
      longest_segment = std::max(longest_segment, static_cast<double>(segment.duration) / track.timescale);
    on_demand = on_demand && track.index.size && !has_files(track);
  }
  const bool live_profile = std::all_of(presentation.tracks.begin(), presentation.tracks.end(), has_files);
  std::string out = fmt::format(
      "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\" "
      "profiles=\"urn:mpeg:dash:profile:{}:2011,urn:mpeg:dash:profile:cmaf:2019\" type=\"static\" "
      "mediaPresentationDuration=\"{}\" maxSegmentDuration=\"{}\" minBufferTime=\"PT2S\">\n"
      "  <Period id=\"1\" start=\"PT0S\" duration=\"{}\">\n",
      on_demand      ? "isoff-on-demand"
      : live_profile ? "isoff-live"
                     : "isoff-main",
      iso_duration(longest), iso_duration(longest_segment), iso_duration(longest));
  std::size_t id = 0;
  for (const auto &[key, tracks] : sets)
    out += adaptation_set(++id, tracks);
  return out + "  </Period>\n</MPD>\n";
}

} // namespace hull::publish
