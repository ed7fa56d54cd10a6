#pragma once

#include "plugins/mp4/mux_pad.h"

#include <memory>

namespace hull {

/// Makes the aggregating thread look again after a while although nothing comes.
class SilenceTimer {
 public:
  static std::shared_ptr<SilenceTimer> start(std::shared_ptr<InputQueues> queues, GstClockTime patience) {
    auto timer = std::make_shared<SilenceTimer>();
    timer->queues_ = std::move(queues);
    const auto clock = ObjectRef<GstClock>::adopt(gst_system_clock_obtain());
    timer->end_ = gst_clock_get_time(clock.get()) + patience;
    timer->id_ = gst_clock_new_single_shot_id(clock.get(), timer->end_);
    auto *kept = new std::weak_ptr<SilenceTimer>(timer);
    gst_clock_id_wait_async(
        timer->id_,
        [](GstClock *, GstClockTime, GstClockID, gpointer self) -> gboolean {
          if (const auto alive = static_cast<std::weak_ptr<SilenceTimer> *>(self)->lock())
            alive->queues_->wake();
          return TRUE;
        },
        kept, [](gpointer self) { delete static_cast<std::weak_ptr<SilenceTimer> *>(self); });
    return timer;
  }
  SilenceTimer() = default;
  SilenceTimer(const SilenceTimer &) = delete;
  SilenceTimer &operator=(const SilenceTimer &) = delete;
  ~SilenceTimer() {
    if (!id_) return;
    gst_clock_id_unschedule(id_);
    gst_clock_id_unref(id_);
  }
  bool over() const {
    const auto clock = ObjectRef<GstClock>::adopt(gst_system_clock_obtain());
    return gst_clock_get_time(clock.get()) >= end_;
  }

 private:
  std::shared_ptr<InputQueues> queues_;
  GstClockTime end_ = 0;
  GstClockID id_ = nullptr;
};

} // namespace hull
