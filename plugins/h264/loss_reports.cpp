#include "plugins/h264/loss_reports.h"

#include "plugins/h264/log.h"

#define GST_CAT_DEFAULT decoder_category()

namespace hull::h264 {
namespace {

// A report may be lost, and an answer takes its time: more often would only repeat what is under way.
constexpr GstClockTime kRepeat = 100 * GST_MSECOND;
// Longer than any answer takes: then a key unit is asked for.
constexpr GstClockTime kPatience = GST_SECOND;

bool elapsed(GstClockTime since, GstClockTime now, GstClockTime span) {
  return !GST_CLOCK_TIME_IS_VALID(since) || now < since || now - since >= span;
}

bool send(GstPad *pad, GstStructure *structure) {
  return gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, structure));
}

} // namespace

bool LossReports::send_loss(GstPad *pad, const SliceHeader &picture, GstClockTime now) {
  if (!elapsed(sent_, now, kRepeat)) return answered_;
  sent_ = now;
  GST_DEBUG_OBJECT(pad, "report a loss before frame_num %u, last correct %d", picture.frame_num,
                   last_correct_);
  return send(pad, gst_structure_new("HullLossRecovery", "idr-pic-id", G_TYPE_UINT, idr_pic_id_,
                                     "last-correct-frame-num", G_TYPE_INT, last_correct_, "current-frame-num",
                                     G_TYPE_INT, static_cast<int>(picture.frame_num), nullptr));
}

bool LossReports::report(GstPad *pad, const SliceHeader &picture, Trust trust,
                         const std::vector<References::Marked> &marked, GstClockTime now) {
  if (picture.is_idr()) {
    idr_pic_id_ = picture.idr_pic_id;
    last_correct_ = -1;
    has_long_term_ = false;
  }
  for (const auto &one : marked) {
    has_long_term_ |= one.trust != Trust::damaged;
    GST_DEBUG_OBJECT(pad, "long-term reference %u came %s", one.frame_num,
                     one.trust == Trust::damaged ? "damaged" : "whole");
    send(pad, gst_structure_new("HullLtrMarked", "idr-pic-id", G_TYPE_UINT, idr_pic_id_, "frame-num",
                                G_TYPE_INT, static_cast<int>(one.frame_num), "success", G_TYPE_BOOLEAN,
                                static_cast<gboolean>(one.trust != Trust::damaged), nullptr));
  }
  if (trust != Trust::damaged) {
    if (picture.nal_ref_idc != 0) last_correct_ = static_cast<int>(picture.frame_num);
    lost_ = false;
    return false;
  }
  if (!lost_) {
    lost_ = true;
    since_ = now;
    sent_ = GST_CLOCK_TIME_NONE;
  }
  answered_ = send_loss(pad, picture, now);
  return !answered_ || !has_long_term_ || elapsed(since_, now, kPatience);
}

} // namespace hull::h264
