#pragma once

#include "gst/h264/references.h"

#include <gst/gst.h>

namespace hull::h264 {

/// What hullh264dec tells the encoder, as custom upstream events whose numbers are those of the slice
/// headers:
///
///   HullLtrMarked     idr-pic-id (uint), frame-num (int), success (boolean): a long-term reference came
///   whole HullLossRecovery  idr-pic-id (uint), last-correct-frame-num (int, -1: none), current-frame-num
///   (int)
class LossReports {
 public:
  /// A picture was decoded. Sends what is to be said to `pad`'s peer, at `now`.
  /// True when pictures are damaged and nobody upstream seems able to mend it without a key unit.
  bool report(GstPad *pad, const SliceHeader &picture, Trust trust,
              const std::vector<References::Marked> &marked, GstClockTime now);
  void reset() { *this = LossReports(); }

 private:
  bool send_loss(GstPad *pad, const SliceHeader &picture, GstClockTime now);

  unsigned idr_pic_id_ = 0;
  int last_correct_ = -1;
  bool has_long_term_ = false; // one that came whole
  bool lost_ = false, answered_ = false;
  GstClockTime since_ = GST_CLOCK_TIME_NONE, sent_ = GST_CLOCK_TIME_NONE;
};

} // namespace hull::h264
