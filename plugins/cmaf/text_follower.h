#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"

namespace hull::cmaf {

/// A text pad that follows another pad's time: text that says nothing does not tell the time either, and its
/// segments go on, empty, as long as there are pictures. Two threads meet here, the text's and the leader's.
class TextFollower {
 public:
  /// `muxer` is told the time; before data flows.
  void start(PadRef muxer);
  /// The text's own segment; a null one: its data do not go to the muxer.
  void open(const GstSegment *segment);
  /// Whether the text's end of stream has to wait for the leader's.
  bool hold_end();

  // The leader's thread.
  void reach(std::int64_t running_time);
  void end();

 private:
  Mutex mutex_; // leaf
  PadRef muxer_ HULL_GUARDED_BY(mutex_);
  GstSegment segment_ HULL_GUARDED_BY(mutex_){};
  bool open_ HULL_GUARDED_BY(mutex_) = false;
  bool timed_ HULL_GUARDED_BY(mutex_) = false;
  bool end_held_ HULL_GUARDED_BY(mutex_) = false;
  bool leader_ended_ HULL_GUARDED_BY(mutex_) = false;
};

} // namespace hull::cmaf
