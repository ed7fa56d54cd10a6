#include "gst/core/time.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/media_facts.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {
namespace {

using namespace isobmff;

constexpr double kDrift = 0.001, kJitter = 0.1; // share of the distance, and seconds a clock may be read late

/// The chunks of a segment, in seconds.
struct ChunkTimes {
  double start = 0, shown_from = 0, shown_until = 0;
};

struct SegmentTimes {
  std::vector<ChunkTimes> chunks;
  bool stamped = false;
  double clock = 0; ///< what its prft says, seconds since 1900, at media time `at`
  double at = 0;
};

/// Empty where the boxes cannot be read: other rules say so.
SegmentTimes read_times(const MediaSegment &segment) {
  SegmentTimes times;
  const auto init = read_init(segment.init);
  const auto boxes = parse_boxes(segment.media);
  if (!init || !boxes) return times;
  const double timescale = init->track.timescale;
  for (const Node &box : *boxes) {
    if (const auto *prft = box.as<ProducerReferenceTime>(); prft && !times.stamped) {
      times.stamped = true;
      times.clock = static_cast<double>(prft->ntp_timestamp) / 4294967296.0;
      times.at = static_cast<double>(prft->media_time) / timescale;
    }
    if (box.type() != FourCC("moof")) continue;
    const auto facts = read_fragment(box, init->defaults);
    if (!facts) continue;
    times.chunks.push_back({static_cast<double>(facts->decode_time) / timescale,
                            static_cast<double>(facts->first_presentation) / timescale,
                            static_cast<double>(facts->end_presentation) / timescale});
  }
  return times;
}

} // namespace

void lint_chunk_times(const MediaSegment &segment, Findings &out) {
  const SegmentTimes times = read_times(segment);
  for (std::size_t i = 1; i < times.chunks.size(); ++i)
    if (times.chunks[i].shown_from < times.chunks[i - 1].shown_until - 1e-6)
      return out.add("DSH-20", segment.where,
                     fmt::format("chunk {} is shown from {:.3f} s, the one before until {:.3f} s", i,
                                 times.chunks[i].shown_from, times.chunks[i - 1].shown_until));
}

void lint_chunk_alignment(std::span<const MediaSegment> rungs, Findings &out) {
  if (rungs.empty()) return;
  const SegmentTimes first = read_times(rungs.front());
  for (const MediaSegment &rung : rungs.subspan(1)) {
    const SegmentTimes other = read_times(rung);
    const bool aligned = std::equal(first.chunks.begin(), first.chunks.end(), other.chunks.begin(),
                                    other.chunks.end(), [](const ChunkTimes &a, const ChunkTimes &b) {
                                      return std::abs(a.start - b.start) < 0.001 &&
                                             std::abs(a.shown_from - b.shown_from) < 0.001;
                                    });
    if (!aligned)
      out.add("DSH-21", rung.where, "its chunks begin at other times than those of " + rungs[0].where);
  }
}

void lint_drift(const MediaSegment &early, const MediaSegment &late, Findings &out) {
  const SegmentTimes from = read_times(early), to = read_times(late);
  const double media = to.at - from.at, clock = to.clock - from.clock;
  if (!from.stamped || !to.stamped || media <= 0) return;
  if (std::abs(clock - media) > kJitter + kDrift * media)
    out.add("DSH-26", late.where,
            fmt::format("{:.3f} s of media since {} took {:.3f} s", media, early.where, clock));
}

} // namespace hull::publish
