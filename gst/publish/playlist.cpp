#include "gst/publish/playlist.h"

#include <algorithm>
#include <fmt/format.h>
#include <iterator>
#include <map>

namespace hull::publish {
namespace {

/// A quoted-string of RFC 8216bis 4.2: it cannot hold a line feed, a carriage return or a double quote.
std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text)
    out += c == '"' ? '\'' : static_cast<unsigned char>(c) < 0x20 ? ' ' : c;
  return out + '"';
}

std::string rendition_name(const Track &track) {
  if (!track.name.empty()) return track.name;
  if (!track.language.empty() && track.language != "und") return track.language;
  return track.id;
}

/// Audio renditions of one codec form a group, since CODECS of a variant names each of its group's codecs.
std::string group_of(const Track &track) {
  const char *prefix = track.kind == Kind::text ? "text" : "audio";
  return fmt::format("{}-{}", prefix, track.codecs.substr(0, track.codecs.find('.')));
}

struct Group {
  std::uint64_t peak = 0, average = 0;
  std::string codecs;
};

void write_renditions(std::string &out, const Presentation &presentation, Kind kind,
                      std::map<std::string, Group> &groups) {
  std::map<std::string, std::map<std::string, int>> names; // a NAME is unique in its group
  for (const Track &track : presentation.tracks) {
    if (track.kind != kind) continue;
    const std::string id = group_of(track);
    const bool first = !groups.contains(id);
    Group &group = groups[id];
    group.peak = std::max(group.peak, track.peak_bandwidth);
    group.average = std::max(group.average, track.average_bandwidth);
    if (group.codecs.find(track.codecs) == std::string::npos)
      group.codecs += (group.codecs.empty() ? "" : ",") + track.codecs;
    std::string name = rendition_name(track);
    if (const int seen = ++names[id][name]; seen > 1) name += fmt::format(" {}", seen);
    out += fmt::format("#EXT-X-MEDIA:TYPE={},GROUP-ID={},NAME={}",
                       kind == Kind::audio ? "AUDIO" : "SUBTITLES", quoted(id), quoted(name));
    if (!track.language.empty() && track.language != "und") out += ",LANGUAGE=" + quoted(track.language);
    out += fmt::format(",DEFAULT={},AUTOSELECT=YES", first ? "YES" : "NO");
    if (kind == Kind::audio && track.channels) out += fmt::format(",CHANNELS=\"{}\"", track.channels);
    out += ",URI=" + quoted(escape_uri(playlist_name(track))) + "\n";
  }
}

void write_variant(std::string &out, const Track &track, const std::string &audio_id, const Group &audio,
                   const std::string &text_id, const Group &text) {
  std::string codecs = track.codecs;
  for (const std::string &more : {audio.codecs, text.codecs})
    if (!more.empty()) codecs += "," + more;
  out += fmt::format("#EXT-X-STREAM-INF:BANDWIDTH={},AVERAGE-BANDWIDTH={},CODECS={}",
                     std::max<std::uint64_t>(1, track.peak_bandwidth + audio.peak + text.peak),
                     std::max<std::uint64_t>(1, track.average_bandwidth + audio.average + text.average),
                     quoted(codecs));
  if (track.kind == Kind::video) {
    out += fmt::format(",RESOLUTION={}x{}", track.width, track.height);
    if (track.frame_rate.numerator)
      out += fmt::format(",FRAME-RATE={:.3f}",
                         static_cast<double>(track.frame_rate.numerator) / track.frame_rate.denominator);
  }
  if (!audio_id.empty()) out += ",AUDIO=" + quoted(audio_id);
  if (!text_id.empty()) out += ",SUBTITLES=" + quoted(text_id);
  out += "\n" + escape_uri(playlist_name(track)) + "\n";
}

} // namespace

std::string playlist_name(const Track &track) {
  return track.id + ".m3u8";
}

std::string hls_multivariant(const Presentation &presentation) {
  const auto &tracks = presentation.tracks;
  const bool independent = std::all_of(tracks.begin(), tracks.end(), [](const Track &track) {
    return std::all_of(track.segments.begin(), track.segments.end(),
                       [](const Segment &segment) { return segment.starts_with_sap; });
  });
  std::string out = "#EXTM3U\n#EXT-X-VERSION:7\n";
  if (independent) out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  const bool has_video =
      std::any_of(tracks.begin(), tracks.end(), [](const Track &track) { return track.kind == Kind::video; });
  std::map<std::string, Group> audio, text;
  if (has_video) write_renditions(out, presentation, Kind::audio, audio);
  write_renditions(out, presentation, Kind::text, text);
  if (audio.empty()) audio[""];
  if (text.empty()) text[""];
  for (const auto &[audio_id, audio_group] : audio)
    for (const Track &track : tracks)
      if (track.kind == (has_video ? Kind::video : Kind::audio))
        write_variant(out, track, audio_id, audio_group, text.begin()->first, text.begin()->second);
  return out;
}

std::string hls_media(const Track &track) {
  std::string out = fmt::format("#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:{}\n"
                                "#EXT-X-MEDIA-SEQUENCE:0\n#EXT-X-PLAYLIST-TYPE:VOD\n",
                                target_duration(track));
  if (std::all_of(track.segments.begin(), track.segments.end(),
                  [](const Segment &segment) { return segment.starts_with_sap; }))
    out += "#EXT-X-INDEPENDENT-SEGMENTS\n";
  const std::string file = escape_uri(track.uri);
  out += fmt::format("#EXT-X-MAP:URI=\"{}\"", file);
  const bool own_file = !track.segments.empty() && !track.segments.front().uri.empty();
  if (!own_file && track.init.size)
    out += fmt::format(",BYTERANGE=\"{}@{}\"", track.init.size, track.init.offset);
  out += "\n";
  for (const Segment &segment : track.segments) {
    out += fmt::format("#EXTINF:{:.6f},\n", static_cast<double>(segment.duration) / track.timescale);
    if (segment.uri.empty())
      out += fmt::format("#EXT-X-BYTERANGE:{}@{}\n{}\n", segment.range.size, segment.range.offset, file);
    else
      out += escape_uri(segment.uri) + "\n";
  }
  return out + "#EXT-X-ENDLIST\n";
}

} // namespace hull::publish
