#include "gst/isobmff/rules/cmaf_support.h"

#include "gst/isobmff/boxes/fragment.h"

#include <algorithm>

namespace hull::isobmff::cmaf {

void report_as(Findings &out, const char *id, Level level, const Node *where, std::string text) {
  out.push_back({rule(id).id, level, std::move(text), where ? where->offset : 0});
}

void report(Findings &out, const char *id, const Node *where, std::string text) {
  report_as(out, id, rule(id).level, where, std::move(text));
}

void check_order(const Node &parent, const char *id, std::span<const Place> places, Findings &out,
                 bool once) {
  const std::string in = parent.type().text();
  std::vector<unsigned> seen(places.size());
  std::size_t last = 0;
  for (const Node &child : parent.children) {
    const auto place = std::ranges::find_if(
        places, [&](const Place &p) { return std::ranges::find(p.types, child.type()) != p.types.end(); });
    if (place == places.end()) continue;
    const auto index = static_cast<std::size_t>(place - places.begin());
    if (index < last) report(out, id, &child, child.type().text() + " stands too late in " + in);
    last = std::max(last, index);
    if (++seen[index] == 2 && place->needed && once)
      report(out, id, &child, in + " has more than one " + child.type().text());
  }
  for (std::size_t i = 0; i < places.size(); ++i)
    if (places[i].needed && seen[i] == 0)
      report(out, id, &parent, in + " has no " + places[i].types[0].text());
}

const Node *only_trak(const Node &moov) {
  return moov.child("trak");
}

ChunkSums sums_of(const Track &track, const Node &moof) {
  ChunkSums sums;
  const Node *traf = moof.child("traf");
  if (!traf) return sums;
  if (const auto *tfdt = traf->get<TrackFragmentDecodeTime>())
    sums.decode_time = tfdt->base_media_decode_time;
  std::uint32_t duration = track.defaults.default_sample_duration, size = track.defaults.default_sample_size,
                flags = track.defaults.default_sample_flags;
  if (const auto *tfhd = traf->get<TrackFragmentHeader>()) {
    if (tfhd->flags & TrackFragmentHeader::kDefaultDuration) duration = tfhd->default_sample_duration;
    if (tfhd->flags & TrackFragmentHeader::kDefaultSize) size = tfhd->default_sample_size;
    if (tfhd->flags & TrackFragmentHeader::kDefaultFlags) flags = tfhd->default_sample_flags;
  }
  std::int64_t time = static_cast<std::int64_t>(sums.decode_time);
  std::int64_t earliest = INT64_MAX, latest = INT64_MIN;
  bool first = true;
  for (const Node &node : traf->children) {
    const auto *run = node.as<TrackRun>();
    if (!run || run->sample_count == 0) continue;
    if (first)
      sums.first_flags = run->flags & TrackRun::kFirstSampleFlags ? run->first_sample_flags
                         : run->flags & TrackRun::kFlags          ? run->samples[0].flags
                                                                  : flags;
    first = false;
    sums.samples += run->sample_count;
    if (!run->has_samples()) { // all alike: never walked, a hostile count costs nothing
      sums.bytes += std::uint64_t{size} * run->sample_count;
      earliest = std::min(earliest, time);
      time += static_cast<std::int64_t>(std::uint64_t{duration} * run->sample_count);
      latest = std::max(latest, time - duration);
    }
    for (const TrackRun::Sample &s : run->samples) {
      const std::int64_t shown = time + (run->flags & TrackRun::kCompositionOffset ? run->offset_of(s) : 0);
      earliest = std::min(earliest, shown);
      latest = std::max(latest, shown);
      sums.bytes += run->flags & TrackRun::kSize ? s.size : size;
      time += run->flags & TrackRun::kDuration ? s.duration : duration;
    }
  }
  sums.duration = static_cast<std::uint64_t>(time) - sums.decode_time;
  if (sums.samples > 0) {
    sums.earliest_presentation = earliest;
    sums.latest_presentation = latest;
  }
  return sums;
}

} // namespace hull::isobmff::cmaf
