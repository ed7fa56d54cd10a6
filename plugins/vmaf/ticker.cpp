#include "plugins/vmaf/ticker.h"

namespace hull {

void Ticker::start(GstElement *element, GstClockTime interval, GstClockCallback call) {
  stop();
  const auto clock = ObjectRef<GstClock>::adopt(gst_system_clock_obtain());
  id_ = gst_clock_new_periodic_id(clock.get(), gst_clock_get_time(clock.get()) + interval, interval);
  gst_clock_id_wait_async(id_, call, gst_object_ref(element), gst_object_unref);
}

void Ticker::stop() {
  if (!id_) return;
  gst_clock_id_unschedule(id_);
  gst_clock_id_unref(id_);
  id_ = nullptr;
}

} // namespace hull
