#pragma once

#include "plugins/mp4/mux_input.h"

#include <memory>
#include <optional>
#include <vector>

namespace hull {

/// The sink pads of `element` now; `cookie` gets the number of that state.
std::vector<PadRef> sink_pads(GstElement *element, guint32 *cookie = nullptr);

/// Which inputs of a run are waited for, and until when: files as long as it takes, live inputs until the
/// latency has passed. Muxing thread.
class MuxWaiting {
 public:
  using Inputs = std::vector<std::unique_ptr<MuxInput>>;
  /// `inputs` are the run's, which owns this.
  MuxWaiting(GstElement *element, InputQueues &queues, const Inputs &inputs)
      : element_(element), queues_(queues), inputs_(inputs) {}

  /// Asks upstream whether it is live, and what it needs; look_at_clock() goes by the answer.
  void refresh_latency();
  bool is_live() const { return latency_.has_value(); }
  /// What has become late. `own_latency`: nanoseconds that the muxer adds; `time_passed`: limit() has been
  /// reached.
  void look_at_clock(GstClockTime own_latency, bool time_passed);
  /// The header has been written.
  void note_start() { started_ = true; }

  /// The head of the input waits for nobody.
  bool is_late(const MuxInput &input) const;
  /// The header waits no longer for others, since the input's head has waited for long.
  bool header_is_late(const MuxInput &input) const;
  /// The header must wait for what this input may still tell.
  bool header_needs(const MuxInput &input) const;
  /// An input may still have a sample that comes before decode time `time`, nanoseconds.
  bool anything_before(std::int64_t time) const;

  // What the muxing thread sleeps for next.
  void wait_to_start();
  void wait_for_samples_before(std::int64_t time);
  void wait_for_anything();
  /// Until when, if nothing comes.
  InputQueues::Limit limit() const;

  /// Inputs that never had anything are not waited for when all others have ended, or can hold no more.
  void give_up_silent_inputs();

 private:
  bool may_have_before(const MuxInput &input, std::int64_t time) const;
  std::int64_t next_deadline() const;
  template <class Predicate> void wait_where(Predicate waits);
  void give_up_what_starves();
  void give_up(MuxInput &input, const char *why);

  GstElement *element_;
  InputQueues &queues_;
  const Inputs &inputs_;
  bool started_ = false;
  std::optional<GstClockTime> upstream_latency_;
  std::optional<GstClockTime> latency_;         // of a live pipeline, with the muxer's own
  std::int64_t late_ = MuxInput::kNotIdle;      // samples up to this running time wait for nobody
  std::int64_t next_time_ = MuxInput::kNotIdle; // running time of the sample that waits
  std::optional<gint64> silent_until_;          // monotonic: then inputs that never had data are given up
};

} // namespace hull
