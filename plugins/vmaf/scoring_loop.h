#pragma once

#include "gst/glue/properties.h"
#include "plugins/vmaf/results.h"

#include <memory>
#include <variant>

namespace hull {

/// Scores what the matcher has put together, then writes and posts it. The thread whose frame completes a set
/// of partners does so, without a lock, while the others wait for room.
class ScoringLoop {
 public:
  ScoringLoop(VmafInputs &inputs, VmafResults &results, const Configured<VmafSinkSettings> &settings)
      : inputs_(inputs), results_(results), settings_(settings) {}
  /// Before frames may come.
  void reset(const VmafSinkSettings &settings);
  /// Does whatever there is to do by now. One thread at a time; the others go back to waiting for room.
  GstFlowReturn advance();
  /// When no frame may come any more: waits for the thread that scores. Hands the last buffer over, to let it
  /// go.
  HeldPictures release();

 private:
  struct End {};
  using Work = std::variant<End, vmaf::AlignmentTask, vmaf::FrameSet>;

  std::optional<Work> take_work();
  std::optional<Work> choose_work() HULL_REQUIRES(inputs_.mutex);
  void log(const std::vector<vmaf::LeftOut> &left_out) const;
  void give_back(Work work, bool succeeded);
  Result<void> run(const Work &work);
  Result<void> align(const vmaf::AlignmentTask &task);
  Result<void> accept(const vmaf::Alignment &alignment, const std::string &pad, unsigned searched);
  Result<void> score(const vmaf::FrameSet &set);
  Result<void> start(const vmaf::FrameSet &first);
  std::vector<ScoredInput> choose_inputs();
  Result<void> record(const ScoredFrames &frames);
  Result<void> record(const ScoredFrame &frame);
  Result<void> finish();
  Error lack_of_frames() const;
  Result<void> post_result(std::size_t stream);
  void post(StructureRef fields);
  void post_eos();
  void log_choices(const ScorerState &state) const;

  VmafInputs &inputs_;
  VmafResults &results_;
  const Configured<VmafSinkSettings> &settings_;
  // Of the thread that has set inputs_.scoring.
  std::optional<Scorer> scorer_;
  vmaf::ScoreFiles files_;
};

} // namespace hull
