#pragma once

#include "gst/core/mutex.h"
#include "plugins/h264/codec.h"

#include <vector>

#include <gst/gst.h>

namespace hull::h264 {

/// What receivers report for ltr=true, kept from the thread of the event to the streaming thread. Two custom
/// upstream events:
///
///   HullLossRecovery   idr-pic-id (uint), last-correct-frame-num (int), current-frame-num (int)
///   HullLtrMarked      idr-pic-id (uint), frame-num (int), success (boolean)
///
/// All numbers are those of the slice headers. idr-pic-id may be left out: the running sequence is meant.
class Feedback {
 public:
  /// Takes the event's report; false when it is another event.
  bool take(GstEvent *event);
  /// Hands what has come to the encoder. `idr_pic_id` is the library's for the running sequence, `written`
  /// the one in the stream.
  void deliver(Codec &codec, unsigned idr_pic_id, unsigned written);
  void clear();

 private:
  struct Report {
    bool loss;
    bool has_idr_pic_id;
    unsigned idr_pic_id;
    int frame_num, current;
    bool success;
  };
  Mutex mutex_;                                         // leaf
  std::vector<Report> reports_ HULL_GUARDED_BY(mutex_); // at most kMost; older ones no longer matter
  static constexpr std::size_t kMost = 64;
};

} // namespace hull::h264
