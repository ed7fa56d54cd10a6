#pragma once

#include "gst/vmaf/result_notes.h"
#include "gst/vmaf/score_files.h"
#include "plugins/vmaf/inputs.h"
#include "plugins/vmaf/scorer.h"

#include <optional>
#include <string>
#include <vector>

namespace hull {

/// The scores so far and what is known about them. Any thread may ask at any time; results stay until the
/// next reset().
class VmafResults {
 public:
  /// A stream at the end, for the bus and the log.
  struct Figures {
    std::string pad;
    vmaf::StreamScores scores;
    vmaf::MatchCounts counts;
  };
  /// What is written of a stream, as text or as file.
  struct Report {
    vmaf::ReportHead head;
    vmaf::ScoreLog log;
  };

  explicit VmafResults(const VmafInputs &inputs) : inputs_(inputs) {}
  /// `settings` hold until the next reset.
  void reset(const VmafSinkSettings &settings);

  // For the thread that scores. Streams count as in ScorerState.
  void begin(ScorerState state);
  /// Gives the names of the streams' pads, empty where one was released.
  std::vector<std::string> add(const std::vector<vmaf::FrameScore> &scores, ScorerState state);
  std::optional<Figures> figures(std::size_t stream) const; ///< none where the pad was released
  std::optional<Report> report(std::size_t stream) const;   ///< none where the pad was released
  Result<void> check_threshold(std::size_t stream) const;

  // For properties.
  std::string json_of(const VmafPad &pad) const;
  double mean_of(const VmafPad &pad) const;
  StructureRef stats() const;

 private:
  std::optional<std::size_t> stream_of(const VmafPad &pad) const HULL_REQUIRES(inputs_.mutex);
  vmaf::ResultFacts facts_of(std::size_t stream, const VmafPad &pad) const HULL_REQUIRES(inputs_.mutex);
  Report report_of(std::size_t stream, const VmafPad &pad) const HULL_REQUIRES(inputs_.mutex);

  const VmafInputs &inputs_;
  VmafSinkSettings settings_ HULL_GUARDED_BY(inputs_.mutex);
  ScorerState state_ HULL_GUARDED_BY(inputs_.mutex);
  std::vector<vmaf::StreamScores> scores_ HULL_GUARDED_BY(inputs_.mutex); ///< empty before scoring
};

} // namespace hull
