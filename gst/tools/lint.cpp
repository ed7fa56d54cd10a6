#include "gst/publish/lint.h"

#include "gst/publish/lint_server.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/utc.h"
#include "gst/publish/xml.h"
#include "gst/tools/command.h"
#include "gst/tools/commands.h"
#include "gst/tools/fetch.h"

#include <cmath>
#include <fmt/format.h>
#include <memory>

#include <gst/gst.h>

namespace hull::tools {
namespace {

using namespace publish;

struct Options {
  std::vector<std::string> inputs;
  bool rules = false, media = true;
};

Bytes bytes_of(const std::string &text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

/// Lints one input and whatever it names.
class Linter {
 public:
  explicit Linter(bool media) : media_(media) {}

  Result<void> input(const std::string &location) {
    auto reply = fetch(location);
    if (!reply) return tl::unexpected(reply.error());
    const std::string &body = reply->body;
    if (body.find("#EXTM3U") < 8) {
      check_reply(*reply, location);
      return hls(location, body);
    }
    if (body.find("<MPD") < 4096) return dash(location, body);
    if (body.size() > 8 && (body.substr(4, 4) == "ftyp" || body.substr(4, 4) == "styp")) {
      lint_init(bytes_of(body), location, found);
      return {};
    }
    return fail(ErrorCode::unsupported, location + " is no HLS playlist, no MPD and no CMAF file.");
  }

  Findings found;
  unsigned looked_at = 0;

 private:
  void check_reply(const HttpReply &reply, const std::string &location) {
    ++looked_at;
    if (is_url(location)) lint_playlist_reply(reply, location, found);
  }

  Result<void> hls(const std::string &location, const std::string &text) {
    lint_playlist(text, location, found);
    const Playlist list = parse_playlist(text);
    if (!list.find("EXT-X-STREAM-INF")) return media_playlist(location, text);
    std::vector<std::string> names;
    for (std::size_t i = 0; i < list.tags.size(); ++i) {
      const Tag &tag = list.tags[i];
      if (tag.name == "EXT-X-MEDIA" && !tag.get("URI").empty()) names.push_back(tag.get("URI"));
      if (tag.name.empty()) names.push_back(tag.value);
    }
    std::vector<std::pair<std::string, std::string>> media;
    for (const std::string &name : names) {
      const std::string at = resolve(location, name);
      auto reply = fetch(at);
      if (!reply) return tl::unexpected(reply.error());
      check_reply(*reply, at);
      lint_playlist(reply->body, at, found);
      if (auto done = media_playlist(at, reply->body); !done) return done;
      media.emplace_back(at, reply->body);
    }
    lint_presentation(text, media, location, found);
    if (is_url(location) && !names.empty()) {
      std::vector<std::string> urls;
      for (const auto &[at, body] : media)
        urls.push_back(at);
      lint_renditions(asker(), urls, found);
    }
    return {};
  }

  /// A server that cannot be reached at all answers with status 0.
  Ask asker() {
    return [this](const std::string &url) {
      ++looked_at;
      return ask(url).value_or(HttpReply{});
    };
  }

  /// The next version by a blocking reload, a delta, and the newest whole segment.
  Result<void> media_playlist(const std::string &location, const std::string &text) {
    const Playlist list = parse_playlist(text);
    const Tag *control = list.find("EXT-X-SERVER-CONTROL");
    const bool open = !list.find("EXT-X-ENDLIST") && is_url(location);
    if (open && control && control->get("CAN-BLOCK-RELOAD") == "YES") {
      const auto first = list.number("EXT-X-MEDIA-SEQUENCE").value_or(0);
      const auto next = static_cast<std::uint64_t>(first) + list.segments.size();
      if (auto reply = fetch(fmt::format("{}?_HLS_msn={}&_HLS_part=0", location, next))) {
        check_reply(*reply, location);
        lint_reload(text, reply->body, location, found);
        lint_playlist(reply->body, location, found);
      }
      if (auto delta = fetch(location + "?_HLS_skip=YES"))
        if (auto full = fetch(location); full && full->body.find("#EXT-X-SKIP") == std::string::npos)
          lint_delta(full->body, delta->body, location, found);
    }
    if (is_url(location)) lint_hls_server(asker(), location, found);
    if (!media_) return {};
    const Tag *map = list.find("EXT-X-MAP");
    const ListedSegment *last = nullptr;
    for (const ListedSegment &segment : list.segments)
      if (segment.uri && !segment.has("EXT-X-GAP") && !segment.has("EXT-X-BYTERANGE")) last = &segment;
    if (!map || !map->get("BYTERANGE").empty() || !last) return {};
    return segment(resolve(location, map->get("URI")), resolve(location, last->uri->value));
  }

  Result<void> segment(const std::string &init_at, const std::string &segment_at) {
    const auto init = fetch(init_at), media = fetch(segment_at);
    if (!init) return tl::unexpected(init.error());
    if (!media) return tl::unexpected(media.error());
    ++looked_at;
    lint_segment(bytes_of(init->body), bytes_of(media->body), segment_at, found);
    return {};
  }

  Result<void> dash(const std::string &location, const std::string &text) {
    ++looked_at;
    lint_mpd(text, location, found);
    const auto mpd = parse_xml(text);
    if (!mpd) return {};
    if (is_url(location)) {
      if (const auto again = fetch(location)) lint_mpd_update(text, again->body, location, found);
      for (const XmlNode *timing : mpd->all("UTCTiming"))
        if (timing->get("schemeIdUri").find("http-") != std::string::npos)
          if (const auto reply = fetch(resolve(location, timing->get("value"))))
            lint_time_reply(*reply, resolve(location, timing->get("value")), found);
    }
    return media_ ? templates(location, *mpd) : Result<void>{};
  }

  /// The newest whole segment of each Representation addressed by $Number$ and @duration.
  Result<void> templates(const std::string &location, const XmlNode &mpd) {
    const auto start = parse_utc(mpd.get("availabilityStartTime"));
    for (const XmlNode *period : mpd.all("Period"))
      for (const XmlNode *set : period->all("AdaptationSet"))
        for (const XmlNode *representation : set->all("Representation")) {
          const XmlNode *used = representation->child("SegmentTemplate");
          if (!used) used = set->child("SegmentTemplate");
          const auto duration = used ? parse_decimal(used->get("duration")) : std::nullopt;
          if (!duration || *duration <= 0) continue;
          if (auto done = numbered(location, mpd, *representation, *used, start); !done) return done;
        }
    return {};
  }

  Result<void> numbered(const std::string &location, const XmlNode &mpd, const XmlNode &representation,
                        const XmlNode &used, std::optional<std::int64_t> start) {
    NumberedTrack track;
    track.duration =
        parse_decimal(used.get("duration")).value_or(1) / parse_decimal(used.get("timescale")).value_or(1);
    track.offset = parse_decimal(used.get("presentationTimeOffset")).value_or(0) /
                   parse_decimal(used.get("timescale")).value_or(1);
    track.start_number = static_cast<std::int64_t>(parse_decimal(used.get("startNumber")).value_or(1));
    track.chunked = used.get("availabilityTimeComplete") == "false";
    track.timescale = parse_decimal(used.get("timescale")).value_or(1);
    track.newest = track.start_number;
    const bool live = start && mpd.get("type") == "dynamic" && is_url(location);
    if (live) // what ended more than half a second ago
      track.newest += static_cast<std::int64_t>(std::floor(
                          (static_cast<double>(utc_now() - *start) / 1e9 - 0.5) / track.duration)) -
                      1;
    const std::string media = used.get("media"), header = used.get("initialization"),
                      id = representation.get("id");
    const auto named = [location, id](std::string pattern, std::int64_t number) {
      for (const auto &[key, value] : {std::pair<std::string, std::string>{"$RepresentationID$", id},
                                       {"$Number$", fmt::to_string(number)}})
        if (const std::size_t at = pattern.find(key); at != std::string::npos)
          pattern.replace(at, key.size(), value);
      return resolve(location, pattern);
    };
    track.url = [named, media](std::int64_t number) { return named(media, number); };
    const std::string header_at = named(header, 0);
    if (live) {
      lint_dash_server(asker(), track, found);
      if (found.has("DSH-50")) return {};
    }
    return segment(header_at, track.url(track.newest));
  }

  bool media_;
};

int print_rules() {
  for (const Rule &rule : lint_rules())
    fmt::print("{:7} {} ({})\n", rule.id, rule.title, rule.source);
  return kDone;
}

int run(const Options &options) {
  if (options.rules) return print_rules();
  if (options.inputs.empty())
    return report(Error{ErrorCode::settings, "Name a URL or a file: a playlist, an MPD or a CMAF file."});
  gst_init(nullptr, nullptr);
  Linter linter(options.media);
  for (const std::string &input : options.inputs)
    if (const auto done = linter.input(input); !done) return report(done.error());
  for (const Finding &finding : linter.found.all())
    fmt::print("{}\n", to_text(finding));
  fmt::print("{} documents, {} findings, {} of them break a MUST\n", std::max(1u, linter.looked_at),
             linter.found.all().size(), linter.found.violations());
  return linter.found.violations() ? kFailed : kDone;
}

} // namespace

void add_lint(Command &program) {
  auto options = std::make_shared<Options>();
  Command command = program.command("lint", "Hold playlists, MPDs and CMAF media against numbered rules");
  command.option("input", options->inputs,
                 "URL or file: playlist, MPD or CMAF file; what they name is read too");
  command.flag("--rules", options->rules, "List the rules");
  command.flag("--media,!--no-media", options->media, "Also check the newest segment of each track");
  command.does([options] { return run(*options); });
}

} // namespace hull::tools
