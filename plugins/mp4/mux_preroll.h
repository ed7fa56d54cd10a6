#pragma once

#include "plugins/mp4/mux_waiting.h"

namespace hull {

/// When what follows the muxer may preroll: as soon as all inputs have told their caps, or a while after the
/// run began where an encoder looks ahead. Not before what stands in front is complete: the element that
/// completes a pipeline's PAUSED last should be its sink. A demuxing bin that is last may make the pipeline
/// miss its EOS (GstBin forgets that it plays when PAUSED is said in one thread while another one goes on to
/// PLAYING, which a sink's lock prevents). Muxing thread.
class MuxPreroll {
 public:
  /// Whether it is time, for an element that does not play yet.
  bool is_time(const MuxWaiting::Inputs &inputs);
  bool done() const { return done_; }
  void set_done();
  /// When to ask is_time() again, microseconds of g_get_monotonic_time().
  std::optional<gint64> next_look() const { return next_look_; }

 private:
  bool done_ = false;
  std::optional<gint64> next_look_;
};

} // namespace hull
