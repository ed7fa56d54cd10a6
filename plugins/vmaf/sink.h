#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"
#include "gst/glue/shell.h"
#include "gst/vmaf/result_notes.h"
#include "gst/vmaf/score_files.h"
#include "plugins/vmaf/pad.h"
#include "plugins/vmaf/scorer.h"
#include "plugins/vmaf/sink_settings.h"
#include "plugins/vmaf/ticker.h"

#include <memory>
#include <string>
#include <variant>
#include <vector>

#include <gst/gst.h>

namespace hull {

/// hullvmafsink: one reference, any number of distorted inputs, scores out. The matcher holds one frame of
/// each input, more where a branch holds its own back; the thread whose frame completes a set of partners
/// scores it while the others wait for room.
class VmafSink : public Configured<VmafSinkSettings> {
 public:
  using Base = GstElement;
  using BaseClass = GstElementClass;
  static constexpr char kTypeName[] = "HullVmafSink";
  static constexpr char kCategory[] = "hullvmafsink", kDescription[] = "VMAF measurement";
  static GType parent_type() { return GST_TYPE_ELEMENT; }
  static std::span<const Property<VmafSinkSettings>> properties();
  static void class_init(GstElementClass *klass);
  static void add_interfaces(GType type);
  explicit VmafSink(GstElement *self);
  ~VmafSink();

  GstPad *request_new_pad(GstPadTemplate *templ, const gchar *name, const GstCaps *caps);
  void release_pad(GstPad *pad);
  GstStateChangeReturn change_state(GstStateChange transition);
  StructureRef stats() const;

  GstFlowReturn chain(VmafPad &pad, BufferRef buffer);
  bool event(VmafPad &pad, EventRef event);
  std::string result_of(const VmafPad &pad) const;
  double score_of(const VmafPad &pad) const;

 private:
  /// What scoring needs. A thread that scores has taken it out; others find none and go back to waiting.
  struct Scoring {
    Scorer scorer;
    vmaf::ScoreFiles files;
  };
  struct End {};
  struct Work {
    std::unique_ptr<Scoring> scoring;
    std::variant<End, vmaf::AlignmentTask, vmaf::FrameSet> what;
  };

  void add_pad(GstPad *pad);
  std::string free_name() const;
  Result<void> register_input(VmafPad &pad);
  void reset();
  void clear();
  void update_caps(VmafPad &pad, GstCaps *caps);
  void flush(VmafPad &pad);
  GstFlowReturn take_frame(VmafPad &pad, BufferRef buffer);

  // Called four times a second: sees when no frame comes or goes any more.
  void watch();
  bool stands_still() HULL_REQUIRES(mutex_);
  bool make_room() HULL_REQUIRES(mutex_);
  std::vector<VmafPad *> pads() const HULL_REQUIRES(mutex_);
  Error silence() const HULL_REQUIRES(mutex_);
  VmafInput &input(VmafPad &pad) const HULL_REQUIRES(mutex_) { return pad.input_; }
  const VmafInput &input(const VmafPad &pad) const HULL_REQUIRES(mutex_) { return pad.input_; }
  GstFlowReturn flow(const VmafInput &input) const HULL_REQUIRES(mutex_);

  GstFlowReturn fail_with(const Error &error);

  // The thread that has work runs these without a lock.
  GstFlowReturn advance();
  std::optional<Work> take_work();
  std::optional<Work> choose_work() HULL_REQUIRES(mutex_);
  Result<void> run(Work &work);
  void put_back(Work work, bool succeeded);
  Result<void> align(const vmaf::AlignmentTask &task);
  Result<void> accept(const vmaf::Alignment &alignment, const std::string &pad, unsigned searched);
  Result<void> score(Scoring &scoring, const vmaf::FrameSet &set);
  Result<void> start(Scoring &scoring, const vmaf::FrameSet &first);
  Result<void> record(Scoring &scoring, const ScoredFrame &frame);
  Result<void> finish(Scoring &scoring);
  Result<void> post_result(std::size_t stream);
  Result<void> finish_file(vmaf::ScoreFiles &files, std::size_t stream);
  Result<void> check_threshold(std::size_t stream) const;
  std::uint32_t last_seqnum() const;
  void post(StructureRef message);
  void log_first(const VmafPad &pad, const VmafFrame &frame) const;
  void log_choices(const ScorerState &state) const;
  std::string name_of(vmaf::InputId id) const;

  // What other threads may read of the scores.
  VmafPad *pad_of(vmaf::InputId id) const HULL_REQUIRES(mutex_);
  std::optional<std::size_t> stream_of(const VmafPad &pad) const HULL_REQUIRES(mutex_);
  vmaf::ResultFacts facts_of(std::size_t stream, const VmafPad &pad) const HULL_REQUIRES(mutex_);
  vmaf::ReportHead head_of(std::size_t stream, const VmafPad &pad) const HULL_REQUIRES(mutex_);

  GstElement *self_;
  VmafPad *reference_;
  Ticker ticker_;

  // The element's lock. Scoring, files, messages and whatever leaves the element come without it; settings
  // may be read inside.
  mutable Mutex mutex_;
  Condition changed_;
  std::vector<VmafPad *> distorted_ HULL_GUARDED_BY(mutex_);
  vmaf::InputId newest_input_ HULL_GUARDED_BY(mutex_) = vmaf::kReferenceInput;
  VmafSinkSettings active_ HULL_GUARDED_BY(mutex_); ///< as they were when the stream started
  vmaf::FrameMatcher matcher_ HULL_GUARDED_BY(mutex_);
  std::unique_ptr<Scoring> scoring_ HULL_GUARDED_BY(mutex_); ///< empty while a thread scores
  ScorerState state_ HULL_GUARDED_BY(mutex_);
  std::vector<vmaf::StreamScores> scores_ HULL_GUARDED_BY(mutex_); ///< by stream; empty before scoring
  std::uint64_t progress_ HULL_GUARDED_BY(mutex_) = 0;             ///< changes when frames come or go
  std::uint64_t seen_progress_ HULL_GUARDED_BY(mutex_) = 0;
  unsigned still_ticks_ HULL_GUARDED_BY(mutex_) = 0; ///< of watch() since then
  bool warned_ HULL_GUARDED_BY(mutex_) = false;
  bool paused_ HULL_GUARDED_BY(mutex_) = false; ///< after playing: nothing needs to come
  bool flushing_ HULL_GUARDED_BY(mutex_) = true;
  bool failed_ HULL_GUARDED_BY(mutex_) = false;
  bool ended_ HULL_GUARDED_BY(mutex_) = false;
  std::uint32_t seqnum_ HULL_GUARDED_BY(mutex_) = 0;
};

} // namespace hull
