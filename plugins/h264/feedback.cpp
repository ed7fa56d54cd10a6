#include "plugins/h264/feedback.h"

#include <utility>

namespace hull::h264 {

bool Feedback::take(GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_UPSTREAM) return false;
  const GstStructure *s = gst_event_get_structure(event);
  if (!s) return false;
  Report report{};
  report.loss = gst_structure_has_name(s, "HullLossRecovery");
  if (!report.loss && !gst_structure_has_name(s, "HullLtrMarked")) return false;
  report.has_idr_pic_id = gst_structure_get_uint(s, "idr-pic-id", &report.idr_pic_id);
  gst_structure_get_int(s, report.loss ? "last-correct-frame-num" : "frame-num", &report.frame_num);
  gst_structure_get_int(s, "current-frame-num", &report.current);
  gboolean success = TRUE;
  gst_structure_get_boolean(s, "success", &success);
  report.success = success;
  const Lock lock(mutex_);
  if (reports_.size() == kMost) reports_.erase(reports_.begin());
  reports_.push_back(report);
  return true;
}

void Feedback::deliver(Codec &codec, unsigned idr_pic_id, unsigned written) {
  std::vector<Report> reports;
  {
    const Lock lock(mutex_);
    reports = std::exchange(reports_, {});
  }
  for (const Report &report : reports) {
    const unsigned id =
        !report.has_idr_pic_id || report.idr_pic_id == written ? idr_pic_id : report.idr_pic_id;
    if (report.loss)
      codec.request_recovery(id, report.frame_num, report.current);
    else
      codec.marking_feedback(id, report.frame_num, report.success);
  }
}

void Feedback::clear() {
  const Lock lock(mutex_);
  reports_.clear();
}

} // namespace hull::h264
