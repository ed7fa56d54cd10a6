#include "gst/core/xml.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/media_facts.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {
namespace {

using namespace isobmff;

void lint_names(const XmlNode &used, const std::string &set, const std::string &where, Findings &out) {
  const std::string media = used.get("media"), header = used.get("initialization");
  if (media.find("$RepresentationID$") == std::string::npos ||
      header.find("$RepresentationID$") == std::string::npos)
    out.add("ING-05", where, set + ": media and initialization need $RepresentationID$");
  if (media.find("$Number") == std::string::npos && media.find("$Time") == std::string::npos)
    out.add("ING-05", where, set + ": media has neither $Number$ nor $Time$");
}

bool has_bit_rate(Bytes init) {
  const auto boxes = parse_boxes(init);
  if (!boxes) return false;
  for (const Node &box : *boxes) {
    const Node *stsd = find(box, "trak/mdia/minf/stbl/stsd");
    if (stsd && !stsd->children.empty()) return stsd->children.front().child("btrt") != nullptr;
  }
  return false;
}

/// What one object of a track holds.
struct Facts {
  double start = 0, duration = 0;
  bool last = false; ///< brand lmsg
};

Facts read_object(Bytes media, const InitFacts &init) {
  Facts facts;
  const auto boxes = parse_boxes(media);
  bool any = false;
  for (std::size_t i = 0; boxes && i < boxes->size(); ++i) {
    const Node &box = (*boxes)[i];
    if (const auto *styp = box.as<SegmentType>())
      facts.last = facts.last || std::count(styp->compatible_brands.begin(), styp->compatible_brands.end(),
                                            FourCC("lmsg")) > 0;
    if (box.type() != FourCC("moof")) continue;
    const auto fragment = read_fragment(box, init.defaults);
    if (!fragment) continue;
    if (!any) facts.start = static_cast<double>(fragment->decode_time) / init.track.timescale;
    any = true;
    facts.duration += static_cast<double>(fragment->duration) / init.track.timescale;
  }
  return facts;
}

} // namespace

void lint_ingest_mpd(std::string_view text, const std::string &where, Findings &out) {
  const auto mpd = parse_xml(text);
  if (!mpd) return;
  const auto start = parse_utc(mpd->get("availabilityStartTime"));
  if (mpd->get("type") == "dynamic" && (!start || *start != 0))
    out.add("DSH-34", where, "availabilityStartTime is " + mpd->get("availabilityStartTime"));
  if (mpd->all("Period").size() != 1)
    out.add("ING-05", where, fmt::format("it has {} Periods", mpd->all("Period").size()));
  bool base = mpd->child("BaseURL");
  std::string first;
  for (const XmlNode *period : mpd->all("Period")) {
    base = base || period->child("BaseURL");
    for (const XmlNode *set : period->all("AdaptationSet")) {
      base = base || set->child("BaseURL");
      const std::string name = "AdaptationSet " + set->get("id");
      for (const XmlNode *representation : set->all("Representation")) {
        base = base || representation->child("BaseURL");
        const XmlNode *own = representation->child("SegmentTemplate");
        const XmlNode *used = own ? own : set->child("SegmentTemplate");
        if (!used) {
          out.add("ING-05", where, name + " has no SegmentTemplate");
          continue;
        }
        lint_names(*used, name, where, out);
        const std::string pattern = used->get("media") + " " + used->get("initialization");
        if (!first.empty() && pattern != first)
          out.add("ING-05", where, name + " has names of another pattern");
        first = pattern;
      }
    }
  }
  if (base) out.add("ING-05", where, "it has a BaseURL");
}

void lint_ingest_track(const IngestTrack &track, Findings &out) {
  const auto init = read_init(track.init);
  if (!init) return;
  if (init->track.kind != Kind::text && !has_bit_rate(track.init))
    out.add("ING-08", track.where, "the sample entry has no btrt");
  std::vector<Facts> all;
  for (const Bytes media : track.segments)
    all.push_back(read_object(media, *init));
  for (std::size_t i = 0; i < all.size(); ++i) {
    const std::string at = fmt::format("{}, object {}", track.where, i);
    if (i && all[i].start <= all[i - 1].start)
      out.add(
          "ING-06", at,
          fmt::format("it begins at {:.3f} s, the one before at {:.3f} s", all[i].start, all[i - 1].start));
    const bool whole = i + 1 < all.size() || !track.ended;
    if (whole && (all[i].duration < 0.99 || all[i].duration > 6.05))
      out.add("ING-08", at, fmt::format("a fragment of {:.3f} s; 1 to 6 s are recommended", all[i].duration));
    if (i && track.segment_duration > 0 && whole) { // a stream may begin anywhere
      const double off = std::remainder(all[i].start, track.segment_duration);
      if (std::abs(off) > track.segment_duration / 4)
        out.add("ING-13", at, fmt::format("it begins {:.3f} s beside the grid from 1970", off));
    }
    if (all[i].last && !(track.ended && i + 1 == all.size()))
      out.add("ING-09", at, "lmsg before the last segment");
  }
  if (track.ended && !all.empty() && !all.back().last)
    out.add("ING-09", track.where, "the last segment does not say lmsg");
}

} // namespace hull::publish
