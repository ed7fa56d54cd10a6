#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"
#include "plugins/vmaf/frame.h"
#include "plugins/vmaf/pad.h"
#include "plugins/vmaf/sink_settings.h"

#include <deque>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull {

/// What the element's parts share: its inputs, the frames that wait on them, and whether frames may come and
/// be scored. The element's one lock is here. Scoring, files, messages and whatever leaves the element come
/// without it; settings may be read inside.
struct VmafInputs {
  VmafInputs(GstElement *owner, VmafPad *always) : element(owner), reference(always) {}

  void reset(const VmafSinkSettings &settings);
  /// Makes a distorted input known, if it may come.
  Result<void> add(VmafPad &pad);
  /// The name of the next distorted input where none was asked for.
  std::string free_name() const;
  /// No frame of it is taken any more, and nobody waits for one. Whether the element runs.
  bool close(VmafPad &pad);
  /// After close(), when its thread has left. Gives its frames, to let them go.
  std::deque<vmaf::TimedFrame> remove(const VmafPad &pad);

  /// Gives a buffer to the matcher as soon as that has room.
  GstFlowReturn take(VmafPad &pad, BufferRef buffer);
  /// Everything again from the start of what comes next; caps, segments and inputs stay. For the thread that
  /// has set `scoring`.
  std::vector<std::deque<vmaf::TimedFrame>> restart(const VmafSinkSettings &settings);
  /// The waiting frames of a flushed input, to let them go.
  std::deque<vmaf::TimedFrame> flush(VmafPad &pad);
  /// Those of all inputs, when nobody scores any more. Inputs can be added again.
  std::vector<std::deque<vmaf::TimedFrame>> flush();
  /// Posts the error; nothing is taken or scored afterwards.
  GstFlowReturn fail_with(const Error &error);
  /// FLUSHING or ERROR where no frame may come.
  GstFlowReturn flow() const HULL_REQUIRES(mutex);
  GstFlowReturn flow(const VmafInput &input) const HULL_REQUIRES(mutex);

  VmafInput &of(VmafPad &pad) const HULL_REQUIRES(mutex) { return pad.input_; }
  const VmafInput &of(const VmafPad &pad) const HULL_REQUIRES(mutex) { return pad.input_; }
  const vmaf::MatchInput &matched(const VmafPad &pad) const HULL_REQUIRES(mutex) {
    return matcher.input(pad.input_.id);
  }
  std::vector<VmafPad *> pads() const HULL_REQUIRES(mutex);
  /// The distorted input's pad; nullptr where it was released.
  VmafPad *find(vmaf::InputId id) const HULL_REQUIRES(mutex);
  std::string name_of(vmaf::InputId id) const;
  bool is_linked(vmaf::InputId id) const;

  GstElement *const element;
  VmafPad *const reference;

  mutable Mutex mutex;
  Condition changed;
  std::vector<VmafPad *> distorted HULL_GUARDED_BY(mutex);
  vmaf::InputId newest HULL_GUARDED_BY(mutex) = vmaf::kReferenceInput;
  vmaf::FrameMatcher matcher HULL_GUARDED_BY(mutex);
  std::uint64_t progress HULL_GUARDED_BY(mutex) = 0; ///< changes when frames come or go
  std::uint32_t seqnum HULL_GUARDED_BY(mutex) = 0;   ///< of the newest EOS
  bool complete HULL_GUARDED_BY(mutex) = false;      ///< scoring has begun: none can be added
  bool scoring HULL_GUARDED_BY(mutex) = false;       ///< a thread does so; others go back to waiting
  bool paused HULL_GUARDED_BY(mutex) = false;        ///< after playing: nothing needs to come
  bool flushing HULL_GUARDED_BY(mutex) = true;
  bool failed HULL_GUARDED_BY(mutex) = false;
  bool ended HULL_GUARDED_BY(mutex) = false;
  bool seeking HULL_GUARDED_BY(mutex) = false; ///< the next flush begins anew
};

} // namespace hull
