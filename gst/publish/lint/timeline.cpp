#include "gst/publish/lint/timeline.h"

#include "gst/publish/m3u8.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

namespace hull::publish {
namespace {

constexpr std::size_t kMostEntries = 100'000; // a repeat count may claim anything

/// One SegmentTemplate with a SegmentTimeline. Times in its timescale.
struct Timeline {
  std::string name; ///< of its set, and of its Representation where it has one of its own
  double timescale = 1, offset = 0, end = 0, period_start = 0;
  bool open = false;  ///< the last entry repeats until the next update
  bool merged = true; ///< no two neighbours are equal
  bool chunked = false;
  std::map<double, double> entries; ///< duration by start
};

void read_entries(const XmlNode &list, Timeline &line) {
  double at = 0;
  const XmlNode *before = nullptr;
  for (const XmlNode *entry : list.all("S")) {
    const double duration = parse_decimal(entry->get("d")).value_or(0);
    const double repeat = parse_decimal(entry->get("r")).value_or(entry->get("r").starts_with("-") ? -1 : 0);
    at = parse_decimal(entry->get("t")).value_or(at);
    if (before && entry->get("t").empty() && entry->get("d") == before->get("d") &&
        entry->get("k") == before->get("k"))
      line.merged = false;
    before = entry;
    line.open = repeat < 0;
    if (duration <= 0) continue;
    for (double i = 0; i <= std::max(0.0, repeat) && line.entries.size() < kMostEntries; ++i, at += duration)
      line.entries[at] = duration;
  }
  line.end = at;
}

std::vector<Timeline> timelines(const XmlNode &mpd) {
  std::vector<Timeline> all;
  for (const XmlNode *period : mpd.all("Period"))
    for (const XmlNode *set : period->all("AdaptationSet")) {
      const auto read = [&](const XmlNode *used, const std::string &name) {
        const XmlNode *list = used ? used->child("SegmentTimeline") : nullptr;
        if (!list) return;
        Timeline &line = all.emplace_back();
        line.name = name;
        line.timescale = std::max(1.0, parse_decimal(used->get("timescale")).value_or(1));
        line.offset = parse_decimal(used->get("presentationTimeOffset")).value_or(0);
        line.period_start = iso_seconds(period->get("start")).value_or(0);
        line.chunked = !used->get("availabilityTimeOffset").empty();
        read_entries(*list, line);
      };
      const std::string name = "AdaptationSet " + set->get("id");
      read(set->child("SegmentTemplate"), name);
      for (const XmlNode *representation : set->all("Representation"))
        read(representation->child("SegmentTemplate"),
             name + ", Representation " + representation->get("id"));
    }
  return all;
}

bool has_end(const XmlNode &mpd) {
  const auto periods = mpd.all("Period");
  return !mpd.get("mediaPresentationDuration").empty() ||
         (!periods.empty() && !periods.back()->get("duration").empty());
}

} // namespace

std::optional<double> iso_seconds(std::string_view text) {
  if (!text.starts_with("P")) return std::nullopt;
  text.remove_prefix(1);
  double total = 0;
  bool time = false;
  while (!text.empty()) {
    if (text.starts_with("T")) {
      time = true;
      text.remove_prefix(1);
      continue;
    }
    const std::size_t end = text.find_first_not_of("0123456789.");
    const auto value = parse_decimal(text.substr(0, end));
    if (end == std::string_view::npos || !value) return std::nullopt;
    const char unit = text[end];
    const double factor = unit == 'D'           ? 86400
                          : unit == 'H' && time ? 3600
                          : unit == 'M' && time ? 60
                          : unit == 'S' && time ? 1
                                                : -1;
    if (factor < 0) return std::nullopt;
    total += *value * factor;
    text.remove_prefix(end + 1);
  }
  return total;
}

void lint_timelines(const XmlNode &mpd, const std::string &where, Findings &out) {
  const auto start = parse_utc(mpd.get("availabilityStartTime")),
             published = parse_utc(mpd.get("publishTime"));
  const auto update = iso_seconds(mpd.get("minimumUpdatePeriod"));
  const bool promises = mpd.get("type") == "dynamic" && start && published && update && !has_end(mpd);
  for (const Timeline &line : timelines(mpd)) {
    if (!line.merged)
      out.add("DSH-27", where, line.name + ": equal neighbours in the SegmentTimeline are not merged");
    if (!promises || line.open || line.entries.empty()) continue;
    const double listed = line.period_start + (line.end - line.offset) / line.timescale;
    const double wanted = static_cast<double>(*published - *start) / 1e9 + *update;
    if (listed < wanted - 0.001)
      out.add("DSH-29", where,
              fmt::format("{}: the SegmentTimeline ends {:.3f} s before publishTime + minimumUpdatePeriod",
                          line.name, wanted - listed));
  }
}

void lint_timeline_update(const XmlNode &before, const XmlNode &after, const std::string &where,
                          Findings &out) {
  const std::vector<Timeline> old = timelines(before);
  for (const Timeline &now : timelines(after))
    for (const Timeline &was : old) {
      if (was.name != now.name || !was.chunked) continue;
      for (const auto &[start, duration] : was.entries)
        if (const auto found = now.entries.find(start);
            found != now.entries.end() && found->second != duration) {
          out.add(
              "DSH-28", where,
              fmt::format("{}: S@d at {} was {} and became {}", was.name, start, duration, found->second));
          break;
        }
    }
}

} // namespace hull::publish
