#include "gst/core/xml.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/lint/timeline.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <set>

namespace hull::publish {
namespace {

class MpdLint {
 public:
  MpdLint(const XmlNode &mpd, const std::string &where, Findings &out) : mpd_(mpd), where_(where), out_(out) {
    dynamic_ = mpd.get("type") == "dynamic";
    low_latency_ = dynamic_ && (mpd.child("ServiceDescription") ||
                                text_of(mpd).find("availabilityTimeComplete") != std::string::npos);
  }

  void run() {
    if (low_latency_) {
      description();
      timing();
    }
    ends();
    if (const auto delay = iso_seconds(mpd_.get("suggestedPresentationDelay")),
        depth = iso_seconds(mpd_.get("timeShiftBufferDepth"));
        delay && depth && *delay >= *depth)
      add("DSH-33", "suggestedPresentationDelay is not below timeShiftBufferDepth");
    std::set<std::string> kinds, chunked;
    for (const XmlNode *period : mpd_.all("Period"))
      for (const XmlNode *set : period->all("AdaptationSet")) {
        const std::string kind =
            set->get("contentType").empty() ? set->get("mimeType") : set->get("contentType");
        kinds.insert(kind);
        if (adaptation_set(*set)) chunked.insert(kind);
      }
    if (!low_latency_) return;
    for (const std::string &kind : kinds)
      if (!chunked.contains(kind)) add("DSH-07", "no low-latency AdaptationSet of " + kind);
    if (!target_id_.empty() && !producer_ids_.contains(target_id_))
      add("DSH-10", "Latency@referenceId " + target_id_ + " is no ProducerReferenceTime");
  }

 private:
  void add(const char *id, std::string text) { out_.add(id, where_, std::move(text)); }

  static std::string text_of(const XmlNode &node) {
    std::string all;
    for (const auto &[key, value] : node.attributes)
      all += key + " ";
    for (const XmlNode &child : node.children)
      all += text_of(child);
    return all;
  }

  void description() {
    if (mpd_.get("profiles").find("http://www.dashif.org/guidelines/low-latency-live-v5") ==
        std::string::npos)
      add("DSH-01", "profiles lacks http://www.dashif.org/guidelines/low-latency-live-v5");
    const XmlNode *service = mpd_.child("ServiceDescription");
    const XmlNode *latency = service ? service->child("Latency") : nullptr;
    const auto target = latency ? parse_decimal(latency->get("target")) : std::nullopt;
    if (!target) add("DSH-02", "there is no ServiceDescription with Latency@target");
    target_ = target.value_or(0) / 1000;
    target_id_ = latency ? latency->get("referenceId") : "";
    const XmlNode *rate = service ? service->child("PlaybackRate") : nullptr;
    if (rate && rate->get("min").empty() && rate->get("max").empty())
      add("DSH-02", "PlaybackRate has neither min nor max");
  }

  void timing() {
    const auto timings = mpd_.all("UTCTiming");
    const auto scheme = [](const XmlNode *node) {
      const std::string uri = node->get("schemeIdUri");
      return uri.substr(uri.rfind("utc:") == std::string::npos ? 0 : uri.rfind("utc:") + 4);
    };
    const bool exact = std::any_of(timings.begin(), timings.end(), [&](const XmlNode *node) {
      const std::string s = scheme(node);
      return s == "http-xsdate:2014" || s == "http-iso:2014" || s == "http-ntp:2014";
    });
    if (!exact) add("DSH-03", "there is no UTCTiming of http-xsdate, http-iso or http-ntp");
    if (!timings.empty() && scheme(timings[0]) != "http-xsdate:2014" && scheme(timings[0]) != "http-iso:2014")
      add("DSH-04", "players know no " + scheme(timings[0]) + " as the first UTCTiming");
    if (!mpd_.child("LeapSecondInformation")) add("DSH-05", "there is no LeapSecondInformation");
  }

  void ends() {
    const bool open_ended =
        mpd_.get("mediaPresentationDuration").empty() &&
        (mpd_.all("Period").empty() || mpd_.all("Period").back()->get("duration").empty());
    if (!dynamic_ && !mpd_.get("minimumUpdatePeriod").empty())
      add("DSH-31", "a static MPD has minimumUpdatePeriod");
    if (!dynamic_ && open_ended) add("DSH-31", "a static MPD says no duration");
    if (dynamic_ && open_ended && mpd_.get("minimumUpdatePeriod").empty())
      add("DSH-31", "an MPD without minimumUpdatePeriod has no end");
  }

  bool adaptation_set(const XmlNode &set) {
    const std::string name = "AdaptationSet " + set.get("id") + ": ";
    if (set.get("segmentAlignment") != "true" && set.get("subsegmentAlignment") != "true")
      add("DSH-32", name + "segmentAlignment is missing");
    for (const char *key : {"startWithSAP", "subsegmentStartsWithSAP"})
      if (const std::string sap = set.get(key); !sap.empty() && sap != "1" && sap != "2")
        add("DSH-32", name + key + " is " + sap);
    const XmlNode *shared = set.child("SegmentTemplate");
    bool has_offset = false, at_representation = false;
    std::set<std::string> offsets;
    for (const XmlNode *representation : set.all("Representation")) {
      if (representation->get("codecs").empty() && set.get("codecs").empty())
        add("DSH-32", name + "Representation " + representation->get("id") + " has no codecs");
      const XmlNode *own = representation->child("SegmentTemplate");
      const XmlNode *used = own ? own : shared;
      const std::string offset = own && !own->get("availabilityTimeOffset").empty()
                                     ? own->get("availabilityTimeOffset")
                                 : shared ? shared->get("availabilityTimeOffset")
                                          : "";
      at_representation = at_representation || (own && !own->get("availabilityTimeOffset").empty());
      has_offset = has_offset || !offset.empty();
      offsets.insert(offset);
      if (used) addressing(*used, name);
      if (low_latency_ && offset.empty())
        add("DSH-16",
            name + "Representation " + representation->get("id") + " has no availabilityTimeOffset");
    }
    for (const XmlNode *event : set.all("InbandEventStream"))
      if (event->get("schemeIdUri") == "urn:mpeg:dash:event:2012" && event->get("value") != "1")
        add("DSH-06", name + "the stream of MPD validity events has value " + event->get("value"));
    if (low_latency_ && !has_offset) whole_segments(shared, name);
    if (!low_latency_ || !has_offset) return false;
    chunked_set(set, shared, offsets, name);
    if (at_representation) add("DSH-13", name + "availabilityTimeOffset stands at a Representation");
    return true;
  }

  // A low-latency set of segments that come whole.
  void whole_segments(const XmlNode *shared, const std::string &name) {
    if (!shared) return;
    const double timescale = parse_decimal(shared->get("timescale")).value_or(1);
    const double duration = parse_decimal(shared->get("duration")).value_or(0) / timescale;
    if (target_ > 0 && duration > target_ / 2)
      add("DSH-17", fmt::format("{}whole segments of {} s with a target of {} s", name, duration, target_));
    if (!shared->get("availabilityTimeComplete").empty())
      add("DSH-17", name + "availabilityTimeComplete without availabilityTimeOffset");
  }

  // What Resync promises, and what option B asks of the lowest Representation.
  void resync_points(const XmlNode &set, double timescale, double duration, const std::string &name) {
    const XmlNode *lowest = nullptr;
    for (const XmlNode *representation : set.all("Representation"))
      if (!lowest || parse_decimal(representation->get("bandwidth")).value_or(0) <
                         parse_decimal(lowest->get("bandwidth")).value_or(0))
        lowest = representation;
    std::vector<const XmlNode *> nodes = set.all("Resync");
    const bool option_b = set.all("Representation").size() > 1 && duration >= target_ && target_ > 0;
    if (lowest)
      for (const XmlNode *node : lowest->all("Resync"))
        nodes.push_back(node);
    for (const XmlNode *node : nodes) {
      const auto type = parse_decimal(node->get("type").empty() ? "0" : node->get("type"));
      const auto distance = parse_decimal(node->get("dT"));
      if (!type || *type < 0 || *type > 3 || !distance || *distance <= 0)
        add("DSH-23",
            name + "Resync of type \"" + node->get("type") + "\" and dT \"" + node->get("dT") + "\"");
      else if (option_b && (*type == 1 || *type == 2) &&
               (*distance / timescale > target_ || node->get("marker") != "true"))
        add("DSH-19", name + "Resync needs a marker and a dT within the target latency");
    }
  }

  void addressing(const XmlNode &used, const std::string &name) {
    const bool number = used.get("media").find("$Number") != std::string::npos;
    const bool time = used.get("media").find("$Time") != std::string::npos;
    const bool timeline = used.child("SegmentTimeline") != nullptr;
    if ((!used.get("duration").empty() && timeline) || (used.get("duration").empty() && !timeline) ||
        (!number && !time) || (time && !timeline))
      add("DSH-11", name + "@media, @duration and SegmentTimeline do not go together");
  }

  void chunked_set(const XmlNode &set, const XmlNode *shared, const std::set<std::string> &offsets,
                   const std::string &name) {
    const double timescale = shared ? parse_decimal(shared->get("timescale")).value_or(1) : 1;
    const double duration = shared ? parse_decimal(shared->get("duration")).value_or(0) / timescale : 0;
    const auto offset = parse_decimal(*offsets.begin());
    if (offsets.size() > 1) add("DSH-12", name + "availabilityTimeOffset differs between Representations");
    if (!offset || *offset <= 0 || (duration > 0 && *offset >= duration))
      add("DSH-12", name + "availabilityTimeOffset " + *offsets.begin() +
                        " is not between 0 and the segment's duration");
    else if (target_ > 0 && duration > 0 && duration - *offset >= target_)
      add("DSH-12", fmt::format("{}a chunk of {:.3f} s is no shorter than the target latency", name,
                                duration - *offset));
    const std::string complete = shared ? shared->get("availabilityTimeComplete") : "";
    if (complete != "false")
      add("DSH-15", name + "availabilityTimeComplete is " + (complete.empty() ? "missing" : complete));
    const auto base_offset = [](const XmlNode &node) {
      return node.child("BaseURL") && !node.child("BaseURL")->get("availabilityTimeOffset").empty();
    };
    bool twice = base_offset(mpd_) || base_offset(set);
    for (const XmlNode *period : mpd_.all("Period"))
      twice = twice || base_offset(*period);
    if (twice) add("DSH-14", name + "availabilityTimeOffset stands at a BaseURL too");
    resync_points(set, timescale, duration, name);
    bool resync = set.child("Resync") != nullptr, sap_resync = false;
    for (const XmlNode *node : set.all("Resync"))
      sap_resync = sap_resync || node->get("type") == "1" || node->get("type") == "2";
    for (const XmlNode *representation : set.all("Representation")) {
      resync = resync || representation->child("Resync");
      for (const XmlNode *node : representation->all("Resync"))
        sap_resync = sap_resync || node->get("type") == "1" || node->get("type") == "2";
    }
    if (!resync) add("DSH-22", name + "there is no Resync");
    if (set.all("Representation").size() > 1 && duration >= target_ && !sap_resync && target_ > 0)
      add("DSH-18", fmt::format("{}segments of {} s with a target of {} s", name, duration, target_));
    producer(set, name);
  }

  void producer(const XmlNode &set, const std::string &name) {
    const XmlNode *time = set.child("ProducerReferenceTime");
    for (const XmlNode *representation : set.all("Representation"))
      if (!time) time = representation->child("ProducerReferenceTime");
    if (!time) return add("DSH-08", name + "there is no ProducerReferenceTime");
    if (!producer_ids_.insert(time->get("id")).second)
      add("DSH-08", name + "the ProducerReferenceTime's id is not unique");
    if (!time->child("UTCTiming")) add("DSH-08", name + "the ProducerReferenceTime has no UTCTiming");
    if (time->get("type") != "encoder" && time->get("type") != "captured")
      add("DSH-08", name + "the ProducerReferenceTime's type is " + time->get("type"));
    const XmlNode *used = set.child("SegmentTemplate");
    const double timescale = used ? parse_decimal(used->get("timescale")).value_or(1) : 1;
    const double offset = used ? parse_decimal(used->get("presentationTimeOffset")).value_or(0) : 0;
    const auto wall = parse_utc(time->get("wallClockTime")),
               start = parse_utc(mpd_.get("availabilityStartTime"));
    const auto media = parse_decimal(time->get("presentationTime"));
    if (!wall || !media)
      return add("DSH-08", name + "the ProducerReferenceTime lacks wallClockTime or presentationTime");
    const auto period =
        mpd_.all("Period").empty() ? 0.0 : iso_seconds(mpd_.all("Period")[0]->get("start")).value_or(0);
    if (start &&
        std::abs(static_cast<double>(*wall - *start) / 1e9 - (*media - offset) / timescale - period) > 0.001)
      add("DSH-09", name + fmt::format("it says {:.3f} s after availabilityStartTime",
                                       static_cast<double>(*wall - *start) / 1e9 -
                                           (*media - offset) / timescale - period));
  }

  const XmlNode &mpd_;
  const std::string &where_;
  Findings &out_;
  bool dynamic_ = false, low_latency_ = false;
  double target_ = 0;
  std::string target_id_;
  std::set<std::string> producer_ids_;
};

/// What may not change between updates, in order.
std::vector<std::string> fixed_parts(const XmlNode &mpd) {
  std::vector<std::string> parts = {mpd.get("availabilityStartTime")};
  for (const XmlNode *period : mpd.all("Period")) {
    parts.push_back("Period " + period->get("id") + period->get("start"));
    for (const XmlNode *set : period->all("AdaptationSet")) {
      const XmlNode *used = set->child("SegmentTemplate");
      parts.push_back("AdaptationSet " + set->get("id") + (used ? used->get("presentationTimeOffset") : ""));
      for (const XmlNode *representation : set->all("Representation"))
        parts.push_back("Representation " + representation->get("id"));
    }
  }
  return parts;
}

} // namespace

void lint_mpd(std::string_view text, const std::string &where, Findings &out) {
  const auto mpd = parse_xml(text);
  if (!mpd || mpd->name != "MPD") {
    out.add("DSH-32", where, "it is no well-formed MPD");
    return;
  }
  MpdLint(*mpd, where, out).run();
  lint_timelines(*mpd, where, out);
}

void lint_mpd_update(std::string_view before, std::string_view after, const std::string &where,
                     Findings &out) {
  const auto old = parse_xml(before), now = parse_xml(after);
  if (old && now) lint_timeline_update(*old, *now, where, out);
  if (!old || !now || now->get("type") == "static") return; // the end is another Period's rule
  if (fixed_parts(*old) != fixed_parts(*now))
    out.add("DSH-30", where, "a start, a set or an id changed in an update");
}

} // namespace hull::publish
