#pragma once

#include "gst/glue/ref.h"

#include <mutex>

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
  std::mutex mutex_; // leaf
  PadRef muxer_;
  GstSegment segment_{};
  bool open_ = false, timed_ = false, end_held_ = false, leader_ended_ = false;
};

} // namespace hull::cmaf
