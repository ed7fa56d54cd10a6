#include "gst/publish/lint/lint.h"

#include "gst/core/xml.h"
#include "gst/publish/lint/server.h"
#include "gst/publish/lint/timeline.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/utc.h"
#include "gst/tools/cli/commands.h"
#include "gst/tools/support/command.h"
#include "gst/tools/support/fetch.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <map>
#include <memory>

#include <gst/gst.h>

namespace hull::tools {
namespace {

using namespace publish;

struct Options {
  std::vector<std::string> inputs;
  bool rules = false, media = true, ingest = false;
};

Bytes bytes_of(const std::string &text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

/// Lints one input and whatever it names.
class Linter {
 public:
  explicit Linter(const Options &options) : media_(options.media), ingest_(options.ingest) {}

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
  void check_reply(HttpReply reply, const std::string &location) {
    ++looked_at;
    if (!is_url(location)) return;
    const std::string host = location.substr(0, location.find('/', 8));
    if (!protocols_.contains(host)) protocols_[host] = negotiated_protocol(location);
    reply.protocol = protocols_[host];
    lint_playlist_reply(reply, location, found);
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
    const ListedSegment *first = nullptr, *last = nullptr;
    for (const ListedSegment &segment : list.segments)
      if (segment.uri && !segment.has("EXT-X-GAP") && !segment.has("EXT-X-BYTERANGE")) {
        if (!first) first = &segment;
        last = &segment;
      }
    if (!map || !map->get("BYTERANGE").empty() || !last) return {};
    const std::string init_at = resolve(location, map->get("URI"));
    auto newest = segment(init_at, resolve(location, last->uri->value));
    if (!newest) return tl::unexpected(newest.error());
    if (first != last && list.count("EXT-X-MAP") == 1)
      drift(init_at, resolve(location, first->uri->value), *newest);
    return {};
  }

  /// A segment as it was read.
  struct Read {
    std::string where, init, media;
    MediaSegment view() const { return {where, bytes_of(init), bytes_of(media)}; }
  };

  Result<Read> segment(const std::string &init_at, const std::string &segment_at) {
    const auto init = fetch(init_at), media = fetch(segment_at);
    if (!init) return tl::unexpected(init.error());
    if (!media) return tl::unexpected(media.error());
    ++looked_at;
    lint_segment(bytes_of(init->body), bytes_of(media->body), segment_at, found);
    return Read{segment_at, init->body, media->body};
  }

  /// The clock of an older segment beside that of `late`; one that is gone by now says nothing.
  void drift(const std::string &init_at, const std::string &early_at, const Read &late) {
    const auto init = fetch(init_at), early = fetch(early_at);
    if (!init || !early) return;
    lint_drift({early_at, bytes_of(init->body), bytes_of(early->body)}, late.view(), found);
  }

  Result<void> dash(const std::string &location, const std::string &text) {
    ++looked_at;
    lint_mpd(text, location, found);
    if (ingest_) lint_ingest_mpd(text, location, found);
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
    for (const XmlNode *period : mpd.all("Period"))
      for (const XmlNode *set : period->all("AdaptationSet")) {
        std::vector<Read> rungs;
        for (const XmlNode *representation : set->all("Representation")) {
          const XmlNode *used = representation->child("SegmentTemplate");
          if (!used) used = set->child("SegmentTemplate");
          const auto duration = used ? parse_decimal(used->get("duration")) : std::nullopt;
          if (!duration || *duration <= 0) continue;
          auto newest = numbered(location, mpd, *representation, *used);
          if (!newest) return tl::unexpected(newest.error());
          if (!newest->media.empty()) rungs.push_back(std::move(*newest));
        }
        if (leads_into_segments(*set)) chunks(rungs);
      }
    return {};
  }

  /// Whether Resync says that chunks can be joined at.
  static bool leads_into_segments(const XmlNode &set) {
    std::vector<const XmlNode *> all = set.all("Resync");
    for (const XmlNode *representation : set.all("Representation"))
      for (const XmlNode *node : representation->all("Resync"))
        all.push_back(node);
    return std::any_of(all.begin(), all.end(), [](const XmlNode *node) {
      return node->get("type") == "1" || node->get("type") == "2";
    });
  }

  void chunks(const std::vector<Read> &rungs) {
    std::vector<MediaSegment> views;
    for (const Read &rung : rungs) {
      views.push_back(rung.view());
      lint_chunk_times(views.back(), found);
    }
    lint_chunk_alignment(views, found);
  }

  /// Empty where the server's rules have said that there is nothing.
  Result<Read> numbered(const std::string &location, const XmlNode &mpd, const XmlNode &representation,
                        const XmlNode &used) {
    const auto start = parse_utc(mpd.get("availabilityStartTime"));
    NumberedTrack track;
    track.timescale = parse_decimal(used.get("timescale")).value_or(1);
    track.duration = parse_decimal(used.get("duration")).value_or(1) / track.timescale;
    track.offset = parse_decimal(used.get("presentationTimeOffset")).value_or(0) / track.timescale;
    track.start_number = static_cast<std::int64_t>(parse_decimal(used.get("startNumber")).value_or(1));
    track.chunked = used.get("availabilityTimeComplete") == "false";
    track.newest = track.start_number;
    const bool live = start && mpd.get("type") == "dynamic" && is_url(location);
    const auto total = iso_seconds(mpd.get("mediaPresentationDuration"));
    if (live) // what ended more than half a second ago
      track.newest += static_cast<std::int64_t>(std::floor(
                          (static_cast<double>(utc_now() - *start) / 1e9 - 0.5) / track.duration)) -
                      1;
    else if (ingest_ && total)
      track.newest +=
          std::max<std::int64_t>(0, static_cast<std::int64_t>(std::ceil(*total / track.duration)) - 1);
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
      if (found.has("DSH-50")) return Read{};
    }
    auto newest = segment(header_at, track.url(track.newest));
    if (!newest) return newest;
    const double depth = iso_seconds(mpd.get("timeShiftBufferDepth")).value_or(0);
    const auto back = static_cast<std::int64_t>(depth / track.duration) - 2;
    if (live && back > 0) drift(header_at, track.url(track.newest - back), *newest);
    if (ingest_) ingested(track, *newest, !live && total);
    return newest;
  }

  /// The last two objects of a track as its source sent them.
  void ingested(const NumberedTrack &track, const Read &newest, bool ended) {
    std::string before;
    if (track.newest > track.start_number)
      if (const auto reply = fetch(track.url(track.newest - 1))) before = reply->body;
    IngestTrack sent{newest.where, bytes_of(newest.init), {}, track.duration, ended};
    if (!before.empty()) sent.segments.push_back(bytes_of(before));
    sent.segments.push_back(bytes_of(newest.media));
    lint_ingest_track(sent, found);
  }

  const bool media_, ingest_;
  std::map<std::string, std::string> protocols_; ///< by scheme and host
};

int print_rules() {
  for (const Rule &rule : lint_rules())
    fmt::print("{:7} {} ({})\n", rule.id, rule.title, rule.source);
  fmt::print("\nNot checked, since no URL and no file can show it:\n");
  for (const UncheckedRule &rule : lint_unchecked())
    fmt::print("{:7} {}: {}\n", rule.id, rule.title, rule.why);
  return kDone;
}

int run(const Options &options) {
  if (options.rules) return print_rules();
  if (options.inputs.empty())
    return report(Error{ErrorCode::settings, "Name a URL or a file: a playlist, an MPD or a CMAF file."});
  gst_init(nullptr, nullptr);
  Linter linter(options);
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
  command.flag("--ingest", options->ingest,
               "Also hold an MPD and its media against the rules for who pushes to an ingest server");
  command.flag("--media,!--no-media", options->media, "Also check the newest segment of each track");
  command.does([options] { return run(*options); });
}

} // namespace hull::tools
