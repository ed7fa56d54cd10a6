#include "plugins/vmaf/messages.h"

#include <cmath>

namespace hull {

StructureRef frame_message(const std::string &pad, const vmaf::FrameScore &score, const FrameTimes &times) {
  GstStructure *fields =
      gst_structure_new("hull-vmaf-frame", "pad", G_TYPE_STRING, pad.c_str(), "index", G_TYPE_UINT64,
                        score.frame, "score", G_TYPE_DOUBLE, score.score(), "pts", G_TYPE_UINT64, times.pts,
                        "running-time", G_TYPE_UINT64, times.running_time, "stream-time", G_TYPE_UINT64,
                        times.stream_time, "duration", G_TYPE_UINT64, times.duration, nullptr);
  for (std::size_t i = 0; i < score.values.size(); ++i)
    if (!std::isnan(score.values[i]))
      gst_structure_set(fields, score.columns->names[i].c_str(), G_TYPE_DOUBLE, score.values[i], nullptr);
  return StructureRef::adopt(fields);
}

StructureRef result_message(const std::string &pad, const vmaf::StreamScores &scores,
                            const vmaf::MatchCounts &counts) {
  const vmaf::Pooled pooled = scores.pooled();
  return StructureRef::adopt(gst_structure_new(
      "hull-vmaf-result", "pad", G_TYPE_STRING, pad.c_str(), "frames", G_TYPE_UINT64, scores.frames(),
      "missing", G_TYPE_UINT64, counts.missing, "unmatched", G_TYPE_UINT64, counts.unmatched, "mean",
      G_TYPE_DOUBLE, pooled.mean, "harmonic-mean", G_TYPE_DOUBLE, pooled.harmonic_mean, "min", G_TYPE_DOUBLE,
      pooled.min, "max", G_TYPE_DOUBLE, pooled.max, "stddev", G_TYPE_DOUBLE, pooled.stddev, "p1",
      G_TYPE_DOUBLE, pooled.p1, "p5", G_TYPE_DOUBLE, pooled.p5, "p10", G_TYPE_DOUBLE, pooled.p10, "p25",
      G_TYPE_DOUBLE, pooled.p25, "p50", G_TYPE_DOUBLE, pooled.p50, nullptr));
}

} // namespace hull
