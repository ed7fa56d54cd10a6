#include "gst/publish/lint/server.h"

#include "gst/core/number.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/media_facts.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {
namespace {

constexpr double kNetwork = 0.35; // seconds a busy network or machine may add to what the origin holds

std::string beside(const std::string &url, const std::string &reference) {
  if (reference.find("://") != std::string::npos) return reference;
  return url.substr(0, url.rfind('/') + 1) + reference;
}

/// UTC in seconds of the end of what a playlist lists; 0 without dates.
double live_edge(const Playlist &list) {
  double at = 0;
  for (const ListedSegment &segment : list.segments) {
    for (const Tag *tag : segment.tags)
      if (tag->name == "EXT-X-PROGRAM-DATE-TIME")
        if (const auto utc = parse_utc(tag->value)) at = static_cast<double>(*utc) / 1e9;
    if (segment.uri)
      at += segment.duration;
    else
      for (const ListedPart &part : segment.parts)
        at += part.duration;
  }
  return at;
}

class HlsServerLint {
 public:
  HlsServerLint(const Ask &ask, const std::string &url, Findings &out) : ask_(ask), url_(url), out_(out) {}

  void run() {
    const std::string text = ask_(url_).body;
    const Playlist list = parse_playlist(text);
    if (list.segments.empty()) return;
    if (list.find("EXT-X-ENDLIST")) {
      if (ask_(url_ + "?_HLS_msn=999999999&_HLS_part=0").status != 200)
        add("HLS-59", "an ended playlist answers _HLS_msn with an error");
      return;
    }
    const Tag *control = list.find("EXT-X-SERVER-CONTROL");
    if (!control || control->get("CAN-BLOCK-RELOAD") != "YES") return;
    read(list);
    refusals();
    named(list);
    hints(list);
    deltas(*control);
    reloads();
    if (oldest_part_.empty()) return;
    if (const HttpReply late = ask_(oldest_part_); late.status != 200)
      add("HLS-65", fmt::format("{} answers {} so soon after it was listed", oldest_part_, late.status));
  }

 private:
  void add(const char *id, std::string text) { out_.add(id, url_, std::move(text)); }
  std::string at(std::int64_t msn, std::int64_t part = -1) const {
    return part < 0 ? fmt::format("{}?_HLS_msn={}", url_, msn)
                    : fmt::format("{}?_HLS_msn={}&_HLS_part={}", url_, msn, part);
  }

  void read(const Playlist &list) {
    target_ = list.number("EXT-X-TARGETDURATION").value_or(1);
    if (const Tag *info = list.find("EXT-X-PART-INF")) part_target_ = info->number("PART-TARGET").value_or(0);
    first_ = static_cast<std::int64_t>(list.number("EXT-X-MEDIA-SEQUENCE").value_or(0));
    last_ = first_ + static_cast<std::int64_t>(list.segments.size()) - 1;
    parts_ = static_cast<std::int64_t>(list.segments.back().parts.size());
    if (list.segments.back().uri) ++last_, parts_ = 0;
  }

  // What must be refused at once, and what never.
  void refusals() {
    if (ask_(at(last_ + 20)).status != 400) add("HLS-54", "a segment far ahead is not answered with 400");
    if (ask_(at(last_, parts_ + 200)).status != 400)
      add("HLS-55", "a part far ahead is not answered with 400");
    if (ask_(url_ + "?_HLS_part=1").status != 400)
      add("HLS-56", "_HLS_part without _HLS_msn is not answered with 400");
    const HttpReply old = ask_(at(std::max<std::int64_t>(0, first_ - 1), 0));
    if (old.status != 200 || old.body.find("#EXT-X-TARGETDURATION") == std::string::npos)
      add("HLS-53",
          fmt::format("a segment that is gone is answered with {}, not with the playlist", old.status));
  }

  void named(const Playlist &list) {
    for (std::size_t i = 0; i < list.segments.size(); ++i) {
      const ListedSegment &segment = list.segments[i];
      const bool edge = i == 0 || i + 3 > list.segments.size();
      if (edge && segment.uri && !segment.has("EXT-X-GAP") && !fetched(segment.uri->value)) return;
      for (const ListedPart &part : segment.parts) {
        if (part.gap || part.tag->get("URI").empty()) continue;
        if (oldest_part_.empty()) oldest_part_ = beside(url_, part.tag->get("URI"));
        if (edge && !fetched(part.tag->get("URI"))) return;
      }
    }
  }
  bool fetched(const std::string &name) {
    const HttpReply reply = ask_(beside(url_, name));
    if (reply.status == 200 && !reply.body.empty()) return true;
    add("HLS-62", fmt::format("{} is listed and answers {}", name, reply.status));
    return false;
  }

  void hints(const Playlist &list) {
    const HttpReply now = ask_(url_);
    const Playlist fresh = parse_playlist(now.body);
    const Tag *hint = fresh.find("EXT-X-PRELOAD-HINT");
    if (hint && hint->get("TYPE") == "PART") {
      const HttpReply part = ask_(beside(url_, hint->get("URI")));
      if (part.status != 200)
        add("HLS-64", fmt::format("the hinted {} answers {}", hint->get("URI"), part.status));
      if (part.total_seconds - part.seconds > std::max(0.1, part_target_ / 2))
        add("HLS-63",
            fmt::format("the hinted part trickles for {:.2f} s", part.total_seconds - part.seconds));
    }
    const ListedSegment &any = list.segments.front();
    const std::string name = any.uri ? any.uri->value : "x.m4s";
    if (ask_(beside(url_, name.substr(0, name.rfind('/') + 1) + "never-published.m4s")).status != 404)
      add("HLS-64", "a name nobody published is not answered with 404");
  }

  void deltas(const Tag &control) {
    const bool offered = control.number("CAN-SKIP-UNTIL").has_value();
    const HttpReply reply = ask_(url_ + "?_HLS_skip=YES");
    const bool delta = reply.body.find("#EXT-X-SKIP:") != std::string::npos;
    double behind = 0;
    for (const ListedSegment &segment : parse_playlist(ask_(url_).body).segments)
      behind += segment.uri ? segment.duration : 0;
    if (offered && !delta && behind > control.number("CAN-SKIP-UNTIL").value_or(0) + 2 * target_)
      add("HLS-60", "_HLS_skip=YES gets no delta although CAN-SKIP-UNTIL is offered");
    if (!offered && delta) add("HLS-60", "a delta although CAN-SKIP-UNTIL is not offered");
  }

  /// Whether `text` lists part `part` of segment `msn` or something later.
  static bool reaches(const std::string &text, std::int64_t msn, std::int64_t part) {
    const Playlist list = parse_playlist(text);
    std::int64_t last = static_cast<std::int64_t>(list.number("EXT-X-MEDIA-SEQUENCE").value_or(0)) +
                        static_cast<std::int64_t>(list.segments.size()) - 1;
    if (const Tag *skip = list.find("EXT-X-SKIP"))
      last += static_cast<std::int64_t>(skip->number("SKIPPED-SEGMENTS").value_or(0));
    if (list.segments.empty() || last < msn) return false;
    return last > msn || list.segments.back().uri ||
           static_cast<std::int64_t>(list.segments.back().parts.size()) > part;
  }

  // Follows the stream part by part through one segment's end.
  void reloads() {
    read(parse_playlist(ask_(url_).body));
    const HttpReply whole = ask_(at(last_ + 1));
    if (whole.status != 200 || !reaches(whole.body, last_ + 1, 0))
      add("HLS-50", fmt::format("_HLS_msn={} is answered before that segment has a part ({})", last_ + 1,
                                whole.status));
    const double longest = std::max(3 * part_target_, 0.8 * target_);
    for (int step = 0; step < 4; ++step) {
      read(parse_playlist(ask_(url_).body));
      const HttpReply next = ask_(at(last_, parts_));
      if (next.status != 200 || !reaches(next.body, last_, parts_))
        add("HLS-51", fmt::format("part {} of {} is answered without it ({})", parts_, last_, next.status));
      if (next.seconds > longest + kNetwork)
        add("HLS-58", fmt::format("a reload was held for {:.2f} s; hls.js gives up after {:.2f} s",
                                  next.seconds, longest));
      if (part_target_ > 0 && next.seconds > 2 * part_target_ + kNetwork)
        add("HLS-61",
            fmt::format("the next part took {:.2f} s with a PART-TARGET of {}", next.seconds, part_target_));
    }
    const std::int64_t complete = last_ - 1;
    const HttpReply past =
        ask_(at(complete, 12 + static_cast<std::int64_t>(std::ceil(target_ / std::max(0.05, part_target_)))));
    if (past.status != 200)
      add("HLS-52", fmt::format("a part past the end of segment {} answers {}", complete, past.status));
  }

  const Ask &ask_;
  const std::string &url_;
  Findings &out_;
  double target_ = 1, part_target_ = 0;
  std::int64_t first_ = 0, last_ = 0, parts_ = 0;
  std::string oldest_part_;
};

} // namespace

void lint_hls_server(const Ask &ask, const std::string &url, Findings &out) {
  HlsServerLint(ask, url, out).run();
}

void lint_renditions(const Ask &ask, const std::vector<std::string> &urls, Findings &out) {
  double least = 0, most = 0, part = 0;
  for (const std::string &url : urls) {
    const Playlist list = parse_playlist(ask(url).body);
    if (list.find("EXT-X-ENDLIST")) return;
    if (const Tag *info = list.find("EXT-X-PART-INF"))
      part = std::max(part, info->number("PART-TARGET").value_or(0));
    const double edge = live_edge(list);
    if (edge == 0) return;
    least = least == 0 ? edge : std::min(least, edge);
    most = std::max(most, edge);
  }
  // One part is the rule; another may come between two of our requests.
  if (part > 0 && most - least > 2 * part + kNetwork)
    out.add("HLS-70", urls.front(),
            fmt::format("renditions end {:.2f} s apart; PART-TARGET is {}", most - least, part));
}

void lint_dash_server(const Ask &ask, const NumberedTrack &track, Findings &out) {
  const std::string url = track.url(track.newest);
  const HttpReply whole = ask(url);
  if (whole.status != 200)
    return out.add("DSH-50", url, fmt::format("it must be there by now and answers {}", whole.status));
  const Bytes bytes(reinterpret_cast<const std::uint8_t *>(whole.body.data()), whole.body.size());
  const auto boxes = isobmff::parse_boxes(bytes);
  std::size_t chunks = 0;
  for (std::size_t i = 0; boxes && i < boxes->size(); ++i) {
    if ((*boxes)[i].type() != isobmff::FourCC("moof")) continue;
    const auto facts = read_fragment((*boxes)[i], {});
    if (facts && chunks == 0) {
      const double start = static_cast<double>(facts->decode_time) / track.timescale - track.offset;
      const double nominal = static_cast<double>(track.newest - track.start_number) * track.duration;
      if (std::abs(start - nominal) > track.duration / 2)
        out.add("DSH-25", url, fmt::format("it starts {:.3f} s from its nominal place", start - nominal));
    }
    ++chunks;
  }
  if (track.chunked && chunks == 1) out.add("DSH-24", url, "the segment of a chunked set is one chunk");
  const std::string growing_url = track.url(track.newest + 1);
  const HttpReply growing = ask(growing_url);
  if (growing.status == 200 && track.chunked && growing.content_length &&
      growing.total_seconds < track.duration / 4 && growing.body.size() < bytes.size() / 8)
    out.add("DSH-52", growing_url, "a growing segment has a Content-Length and ends early");
  else if (growing.status >= 400 && growing.status != 404 && growing.status != 425)
    out.add("DSH-51", growing_url, fmt::format("an early request is answered with {}", growing.status));
  const std::string far_url = track.url(track.newest + 1000);
  const HttpReply far = ask(far_url);
  if (far.status == 200) out.add("DSH-51", far_url, "a segment of the future is there");
  constexpr std::string_view kMaxAge = "max-age=";
  const std::size_t age = far.cache_control.find(kMaxAge);
  std::string_view digits = far.cache_control;
  digits.remove_prefix(age == std::string::npos ? digits.size() : age + kMaxAge.size());
  const double seconds = take_number<double>(digits).value_or(0);
  if (far.status >= 400 && seconds > std::max(1.0, track.duration / 2))
    out.add("DSH-53", far_url, "the error may be cached: " + far.cache_control);
}

} // namespace hull::publish
