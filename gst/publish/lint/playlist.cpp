#include "gst/publish/lint/lint.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace hull::publish {
namespace {

constexpr double kPrint = 0.002; // what printing decimals may cost a comparison of sums
constexpr const char *kPart = "EXT-X-PART", *kMap = "EXT-X-MAP", *kPdt = "EXT-X-PROGRAM-DATE-TIME";

/// One media playlist and the numbers its rules refer to.
class MediaLint {
 public:
  MediaLint(const Playlist &list, const std::string &where, Findings &out)
      : list_(list), where_(where), out_(out) {
    target_ = list.number("EXT-X-TARGETDURATION").value_or(0);
    if (const Tag *info = list.find("EXT-X-PART-INF")) part_target_ = info->number("PART-TARGET").value_or(0);
    control_ = list.find("EXT-X-SERVER-CONTROL");
    ended_ = list.find("EXT-X-ENDLIST") != nullptr;
    live_ = !ended_ && !list.find("EXT-X-PLAYLIST-TYPE");
    has_parts_ = list.find(kPart) != nullptr;
    for (const ListedSegment &segment : list.segments)
      total_ += std::max(0.0, segment.uri ? segment.duration : 0);
  }

  void run() {
    once();
    control();
    parts();
    segments();
    order();
    hints();
    dates();
    version();
    window();
  }

 private:
  void add(const char *id, const Tag *tag, std::string text) {
    out_.add(id, tag ? fmt::format("{}:{}", where_, tag->line) : where_, std::move(text));
  }

  void once() {
    const Tag *target = list_.find("EXT-X-TARGETDURATION");
    if (!target || target_ < 1 || target_ != std::floor(target_) ||
        target->value.find('.') != std::string::npos)
      add("HLS-12", target, target ? "TARGETDURATION is " + target->value : "there is no TARGETDURATION");
    for (const char *name : {"EXT-X-SERVER-CONTROL", "EXT-X-PART-INF", "EXT-X-MEDIA-SEQUENCE",
                             "EXT-X-TARGETDURATION", "EXT-X-SKIP", "EXT-X-VERSION"})
      if (list_.count(name) > 1)
        add("HLS-19", nullptr, fmt::format("{} comes {} times", name, list_.count(name)));
  }

  void control() {
    const Tag *info = list_.find("EXT-X-PART-INF");
    if (has_parts_ && part_target_ <= 0) add("HLS-01", info, "there are parts but no PART-TARGET");
    const auto hold = control_ ? control_->number("PART-HOLD-BACK") : std::nullopt;
    if (info && !hold) add("HLS-02", control_, "there is no PART-HOLD-BACK");
    if (hold && *hold < 2 * part_target_ - 1e-6)
      add("HLS-03", control_, fmt::format("PART-HOLD-BACK {} is below 2 x {}", *hold, part_target_));
    if (hold && *hold < 3 * part_target_ - 1e-6)
      add("HLS-04", control_, fmt::format("PART-HOLD-BACK {} is below 3 x {}", *hold, part_target_));
    if (const auto back = control_ ? control_->number("HOLD-BACK") : std::nullopt;
        back && *back < 3 * target_ - 1e-6)
      add("HLS-05", control_, fmt::format("HOLD-BACK {} is below 3 x {}", *back, target_));
    const auto skip = control_ ? control_->number("CAN-SKIP-UNTIL") : std::nullopt;
    if (skip && *skip < 6 * target_ - 1e-6)
      add("HLS-07", control_, fmt::format("CAN-SKIP-UNTIL {} is below 6 x {}", *skip, target_));
    if (control_ && !skip && !control_->get("CAN-SKIP-DATERANGES").empty())
      add("HLS-07", control_, "CAN-SKIP-DATERANGES without CAN-SKIP-UNTIL");
    const std::string block = control_ ? control_->get("CAN-BLOCK-RELOAD") : "";
    if ((has_parts_ && !ended_ && block != "YES") || block == "NO")
      add("HLS-08", control_, "CAN-BLOCK-RELOAD is " + (block.empty() ? "missing" : block));
    if (part_target_ > 0 && part_target_ < 0.16)
      add("HLS-42", info, fmt::format("PART-TARGET {} needs round trips below that", part_target_));
    if (live_ && total_ > 120 && has_parts_ && !skip && !list_.find("EXT-X-SKIP"))
      add("HLS-43", control_, fmt::format("{:.0f} s are listed each time", total_));
  }

  void parts() {
    double behind = total_;
    for (const ListedSegment &segment : list_.segments) {
      if (segment.uri) behind -= segment.duration;
      double sum = 0;
      for (std::size_t i = 0; i < segment.parts.size(); ++i) {
        const ListedPart &part = segment.parts[i];
        sum += part.duration;
        if (part.duration > part_target_ + 1e-6 && part_target_ > 0)
          add("HLS-09", part.tag,
              fmt::format("a part of {} s; PART-TARGET is {}", part.duration, part_target_));
        const bool last = segment.uri && i + 1 == segment.parts.size();
        const bool before_gap = i + 1 < segment.parts.size() && segment.parts[i + 1].gap;
        if (part.duration < 0.85 * part_target_ - 1e-6 && !part.independent && !part.gap && !before_gap &&
            !last)
          add("HLS-10", part.tag,
              fmt::format("a part of {} s; 85 % of PART-TARGET are {:.3f}", part.duration,
                          0.85 * part_target_));
      }
      if (segment.parts.empty()) continue;
      if (list_.find("EXT-X-INDEPENDENT-SEGMENTS") && !segment.parts[0].independent && !segment.parts[0].gap)
        add("HLS-20", segment.parts[0].tag, "the segment's first part does not say INDEPENDENT=YES");
      if (!segment.uri) continue;
      if (std::abs(sum - segment.duration) > kPrint)
        add("HLS-16", segment.inf,
            fmt::format("EXTINF {} but its parts sum to {:.6f}", segment.duration, sum));
      if (behind > 3 * target_ + target_)
        add("HLS-21", segment.parts[0].tag, fmt::format("a part {:.0f} s from the end", behind));
    }
  }

  void segments() {
    const bool mp4 = std::any_of(list_.segments.begin(), list_.segments.end(), [](const ListedSegment &s) {
      return s.uri && (s.uri->value.find(".m4s") != std::string::npos ||
                       s.uri->value.find(".mp4") != std::string::npos);
    });
    if (mp4 && !list_.find(kMap) && !list_.find("EXT-X-SKIP"))
      add("HLS-34", nullptr, "there is no EXT-X-MAP");
    for (const ListedSegment &segment : list_.segments)
      if (segment.inf && (segment.duration < 0 || std::round(segment.duration) > target_))
        add("HLS-13", segment.inf,
            fmt::format("EXTINF {} with TARGETDURATION {}", segment.inf->value, target_));
    if (!list_.find("EXT-X-INDEPENDENT-SEGMENTS"))
      add("HLS-41", nullptr, "EXT-X-INDEPENDENT-SEGMENTS is missing");
    if (live_ && list_.find("EXT-X-DISCONTINUITY") && !list_.find("EXT-X-DISCONTINUITY-SEQUENCE"))
      add("HLS-37", list_.find("EXT-X-DISCONTINUITY"), "DISCONTINUITY-SEQUENCE is missing");
    if (const Tag *start = list_.find("EXT-X-START"); start && live_) {
      const auto offset = start->number("TIME-OFFSET");
      if (offset && *offset < 0 && *offset > -3 * target_)
        add("HLS-44", start, "it lies within 3 target durations");
    }
  }

  void order() {
    const Tag *inf = nullptr, *part = nullptr;
    for (const Tag &tag : list_.tags) {
      if (tag.name == kPart && inf) add("HLS-17", &tag, "a part between EXTINF and its URI");
      if (tag.name == kPart) part = &tag;
      if (tag.name == "EXTINF") inf = &tag;
      if (tag.name.empty()) inf = part = nullptr;
      const bool early = tag.name == kPdt || tag.name == kMap || tag.name == "EXT-X-DISCONTINUITY" ||
                         tag.name == "EXT-X-KEY";
      // With the segment open the tag would belong to the part's own segment.
      if (early && part) add("HLS-18", &tag, tag.name + " after the segment's first part");
    }
    const Tag *skip = list_.find("EXT-X-SKIP"), *sequence = list_.find("EXT-X-MEDIA-SEQUENCE");
    if (skip && sequence && sequence->line > skip->line)
      add("HLS-36", skip, "SKIP stands before MEDIA-SEQUENCE");
    // Parts after the URI of the segment they continue to name: the next segment's parts never carry its
    // number.
    std::set<std::string> named;
    for (const ListedSegment &segment : list_.segments)
      for (const ListedPart &p : segment.parts)
        if (!named.insert(p.tag->get("URI") + p.tag->get("BYTERANGE")).second)
          add("HLS-17", p.tag, "the part is named twice");
  }

  void hints() {
    std::set<std::string> types;
    for (const Tag &tag : list_.tags) {
      if (tag.name != "EXT-X-PRELOAD-HINT") continue;
      if (ended_) add("HLS-28", &tag, "a hint although the playlist has ended");
      if (!types.insert(tag.get("TYPE")).second)
        add("HLS-26", &tag, "a second hint of TYPE " + tag.get("TYPE"));
      if (!tag.get("BYTERANGE-START").empty() && !tag.get("BYTERANGE-LENGTH").empty())
        add("HLS-29", &tag, "BYTERANGE-LENGTH of a part that is still growing");
      for (const ListedSegment &segment : list_.segments)
        for (const ListedPart &part : segment.parts)
          if (part.tag->get("URI") == tag.get("URI") && tag.get("BYTERANGE-START").empty())
            add("HLS-27", &tag, "the hinted part is listed already");
    }
    if (has_parts_ && !ended_ && !types.contains("PART")) add("HLS-26", nullptr, "no hint at the next part");
  }

  void dates() {
    if (!ended_ && !list_.find(kPdt)) add("HLS-31", nullptr, "there is no PROGRAM-DATE-TIME");
    std::optional<double> expected;
    for (const ListedSegment &segment : list_.segments) {
      for (const Tag *tag : segment.tags) {
        if (tag->name != kPdt) continue;
        const auto utc = parse_utc(tag->value);
        const bool zone =
            !tag->value.empty() && (tag->value.back() == 'Z' || tag->value.find('+') != std::string::npos ||
                                    tag->value.rfind('-') > 10);
        if (!utc || !zone || tag->value.find('.') == std::string::npos)
          add("HLS-31", tag, "it has no zone or no milliseconds: " + tag->value);
        if (!utc) continue;
        const double now = static_cast<double>(*utc) / 1e9;
        if (expected && !segment.has("EXT-X-DISCONTINUITY")) {
          if (*expected - now >= 1)
            add("HLS-32", tag, fmt::format("the time steps by {:.3f} s", now - *expected));
          else if (now - *expected > 0.05)
            add("HLS-38", tag, fmt::format("a hole of {:.3f} s without EXT-X-GAP", now - *expected));
        }
        expected = now;
      }
      if (expected) *expected += segment.uri ? segment.duration : 0;
    }
  }

  void version() {
    const double version = list_.number("EXT-X-VERSION").value_or(1);
    const bool skip = list_.find("EXT-X-SKIP") != nullptr;
    double needed = 1;
    if (list_.find(kMap)) needed = 6;
    if (list_.find("EXT-X-GAP")) needed = 8;
    if (skip) needed = 9;
    if (skip && !list_.find("EXT-X-SKIP")->get("RECENTLY-REMOVED-DATERANGES").empty()) needed = 10;
    if (version < needed)
      add("HLS-33", list_.find("EXT-X-VERSION"),
          fmt::format("VERSION {} but the tags need {}", version, needed));
  }

  void window() {
    if (!live_ || list_.find("EXT-X-SKIP")) return;
    const auto complete = std::count_if(list_.segments.begin(), list_.segments.end(),
                                        [](const ListedSegment &segment) { return segment.uri != nullptr; });
    if (complete < 6) add("HLS-24", nullptr, fmt::format("{} segments", complete));
    // While the stream is younger than the window nothing was removed yet.
    if (list_.number("EXT-X-MEDIA-SEQUENCE").value_or(0) > 0 && total_ < 3 * target_ - 1e-6)
      add("HLS-23", nullptr, fmt::format("{:.1f} s are listed", total_));
  }

  const Playlist &list_;
  const std::string &where_;
  Findings &out_;
  double target_ = 0, part_target_ = 0, total_ = 0;
  const Tag *control_ = nullptr;
  bool ended_ = false, live_ = false, has_parts_ = false;
};

void lint_variants(const Playlist &list, const std::string &where, Findings &out) {
  for (const Tag &tag : list.tags) {
    if (tag.name != "EXT-X-STREAM-INF") continue;
    const std::string at = fmt::format("{}:{}", where, tag.line);
    const auto peak = tag.number("BANDWIDTH"), average = tag.number("AVERAGE-BANDWIDTH");
    if (!peak || *peak <= 0)
      out.add("HLS-39", at, "there is no BANDWIDTH");
    else if (average && *average > *peak)
      out.add("HLS-39", at, "AVERAGE-BANDWIDTH is above BANDWIDTH");
    std::string missing;
    for (const char *key : {"CODECS", "AVERAGE-BANDWIDTH"})
      if (tag.get(key).empty()) missing += std::string(" ") + key;
    const std::string codecs = tag.get("CODECS");
    const bool video = codecs.empty() || codecs.find("avc") != std::string::npos ||
                       codecs.find("hvc") != std::string::npos || codecs.find("hev") != std::string::npos ||
                       codecs.find("av01") != std::string::npos || codecs.find("vp09") != std::string::npos;
    for (const char *key : {"RESOLUTION", "FRAME-RATE"})
      if (video && tag.get(key).empty()) missing += std::string(" ") + key;
    if (!missing.empty()) out.add("HLS-40", at, "missing:" + missing);
  }
  if (!list.find("EXT-X-INDEPENDENT-SEGMENTS"))
    out.add("HLS-41", where, "EXT-X-INDEPENDENT-SEGMENTS is missing");
}

bool is_utf8(std::string_view text) {
  for (std::size_t i = 0; i < text.size();) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const std::size_t more = byte < 0x80       ? 0
                             : byte >> 5 == 6  ? 1
                             : byte >> 4 == 14 ? 2
                             : byte >> 3 == 30 ? 3
                                               : 9;
    if (more == 9 || i + more >= text.size() + (more == 0)) return false;
    for (std::size_t k = 1; k <= more; ++k)
      if (i + k >= text.size() || (static_cast<unsigned char>(text[i + k]) & 0xc0) != 0x80) return false;
    i += more + 1;
  }
  return true;
}

} // namespace

void lint_playlist(std::string_view text, const std::string &where, Findings &out) {
  if (text.starts_with("\xef\xbb\xbf")) out.add("HLS-45", where, "it begins with a byte order mark");
  if (!is_utf8(text)) out.add("HLS-45", where, "it is not UTF-8");
  const Playlist list = parse_playlist(text);
  if (!list.starts_right && !text.starts_with("\xef\xbb\xbf"))
    out.add("HLS-45", where, "it does not begin with #EXTM3U");
  if (list.find("EXT-X-STREAM-INF"))
    lint_variants(list, where, out);
  else
    MediaLint(list, where, out).run();
}

void lint_reload(std::string_view before, std::string_view after, const std::string &where, Findings &out) {
  const Playlist old = parse_playlist(before), now = parse_playlist(after);
  const auto attribute = [](const Playlist &list, const char *tag, const char *key) {
    const Tag *found = list.find(tag);
    return found ? found->get(key) : std::string();
  };
  if (old.number("EXT-X-TARGETDURATION") != now.number("EXT-X-TARGETDURATION"))
    out.add("HLS-14", where, "TARGETDURATION changed");
  if (attribute(old, "EXT-X-PART-INF", "PART-TARGET") != attribute(now, "EXT-X-PART-INF", "PART-TARGET") ||
      attribute(old, "EXT-X-SERVER-CONTROL", "PART-HOLD-BACK") !=
          attribute(now, "EXT-X-SERVER-CONTROL", "PART-HOLD-BACK"))
    out.add("HLS-11", where, "PART-TARGET or PART-HOLD-BACK changed");
  const double first_old = old.number("EXT-X-MEDIA-SEQUENCE").value_or(0),
               first_now = now.number("EXT-X-MEDIA-SEQUENCE").value_or(0);
  if (old.find("EXT-X-PLAYLIST-TYPE") && first_now != first_old)
    out.add("HLS-25", where, "segments were removed");
  if (first_now < first_old) out.add("HLS-22", where, "MEDIA-SEQUENCE fell");
  if (now.find("EXT-X-SKIP") || old.find("EXT-X-SKIP")) return;
  for (std::size_t i = 0; i < now.segments.size(); ++i) {
    const double index = first_now + static_cast<double>(i) - first_old;
    if (index < 0 || index >= static_cast<double>(old.segments.size())) continue;
    const ListedSegment &was = old.segments[static_cast<std::size_t>(index)];
    if (was.uri && now.segments[i].uri && was.uri->value != now.segments[i].uri->value) {
      out.add("HLS-22", fmt::format("{}:{}", where, now.segments[i].uri->line),
              "another segment stands at this number");
      return;
    }
  }
  // A hint comes true: if parts were added, the first of them is the hinted one.
  const Tag *hint = old.find("EXT-X-PRELOAD-HINT");
  const ListedPart *last = nullptr;
  for (const ListedSegment &segment : old.segments)
    if (!segment.parts.empty()) last = &segment.parts.back();
  if (!hint || !last || hint->get("TYPE") != "PART") return;
  bool seen = false;
  for (const ListedSegment &segment : now.segments)
    for (const ListedPart &part : segment.parts) {
      if (seen) {
        if (part.tag->get("URI") != hint->get("URI"))
          out.add("HLS-27", fmt::format("{}:{}", where, part.tag->line),
                  "the hint was " + hint->get("URI") + ", the part is " + part.tag->get("URI"));
        return;
      }
      seen = part.tag->get("URI") == last->tag->get("URI") &&
             part.tag->get("BYTERANGE") == last->tag->get("BYTERANGE");
    }
}

void lint_presentation(std::string_view, const std::vector<std::pair<std::string, std::string>> &media,
                       const std::string &where, Findings &out) {
  std::vector<Playlist> lists;
  double longest_part = 0;
  for (const auto &[name, text] : media) {
    lists.push_back(parse_playlist(text));
    if (const Tag *info = lists.back().find("EXT-X-PART-INF"))
      longest_part = std::max(longest_part, info->number("PART-TARGET").value_or(0));
  }
  std::size_t dated = 0;
  for (std::size_t i = 0; i < lists.size(); ++i) {
    const Playlist &list = lists[i];
    dated += list.find(kPdt) != nullptr;
    const Tag *control = list.find("EXT-X-SERVER-CONTROL"), *first = lists[0].find("EXT-X-SERVER-CONTROL");
    if ((control ? control->attributes : std::map<std::string, std::string>()) !=
        (first ? first->attributes : std::map<std::string, std::string>()))
      out.add("HLS-06", media[i].first, "SERVER-CONTROL differs from that of " + media[0].first);
    if (control && control->number("PART-HOLD-BACK").value_or(1e9) < 3 * longest_part - 1e-6)
      out.add("HLS-04", media[i].first,
              fmt::format("PART-HOLD-BACK is below 3 x {}, the longest PART-TARGET", longest_part));
    if (list.number("EXT-X-TARGETDURATION") != lists[0].number("EXT-X-TARGETDURATION"))
      out.add("HLS-15", media[i].first, "TARGETDURATION differs from that of " + media[0].first);
    if (!list.find(kPart) || list.find("EXT-X-ENDLIST")) continue;
    if (list.count("EXT-X-RENDITION-REPORT") + 1 != lists.size())
      out.add("HLS-30", media[i].first,
              fmt::format("{} reports for {} other playlists", list.count("EXT-X-RENDITION-REPORT"),
                          lists.size() - 1));
    for (const Tag &tag : list.tags)
      if (tag.name == "EXT-X-RENDITION-REPORT" && (!tag.number("LAST-MSN") || !tag.number("LAST-PART") ||
                                                   tag.get("URI").find("://") != std::string::npos))
        out.add("HLS-30", fmt::format("{}:{}", media[i].first, tag.line),
                "it needs a relative URI, LAST-MSN and LAST-PART");
  }
  if (dated != 0 && dated != lists.size())
    out.add("HLS-31", where, "some playlists have PROGRAM-DATE-TIME, others not");
}

void lint_delta(std::string_view full, std::string_view delta, const std::string &where, Findings &out) {
  const Playlist whole = parse_playlist(full), part = parse_playlist(delta);
  const Tag *skip = part.find("EXT-X-SKIP");
  if (!skip) return;
  const Tag *control = whole.find("EXT-X-SERVER-CONTROL");
  const double boundary = control ? control->number("CAN-SKIP-UNTIL").value_or(0) : 0;
  double behind = 0;
  for (const ListedSegment &segment : whole.segments)
    behind += segment.uri ? segment.duration : 0;
  double expected = 0;
  for (const ListedSegment &segment : whole.segments) {
    behind -= segment.duration;
    if (!segment.uri || behind < boundary - 1e-6) break;
    ++expected;
  }
  if (skip->number("SKIPPED-SEGMENTS").value_or(-1) != expected)
    out.add("HLS-35", fmt::format("{}:{}", where, skip->line),
            fmt::format("{} segments are skipped, {} lie behind the boundary", skip->get("SKIPPED-SEGMENTS"),
                        expected));
  if (whole.number("EXT-X-DISCONTINUITY-SEQUENCE") != part.number("EXT-X-DISCONTINUITY-SEQUENCE"))
    out.add("HLS-35", where, "DISCONTINUITY-SEQUENCE differs from the full playlist's");
}

} // namespace hull::publish
