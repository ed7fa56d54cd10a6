#include "plugins/cmaf/text_follower.h"

namespace hull::cmaf {

void TextFollower::start(PadRef muxer) {
  const Lock lock(mutex_);
  muxer_ = std::move(muxer);
  open_ = end_held_ = leader_ended_ = false;
}

void TextFollower::open(const GstSegment *segment) {
  const Lock lock(mutex_);
  open_ = segment != nullptr;
  timed_ = open_ && segment->format == GST_FORMAT_TIME;
  if (timed_) gst_segment_copy_into(segment, &segment_);
}

bool TextFollower::hold_end() {
  PadRef muxer;
  {
    const Lock lock(mutex_);
    end_held_ = open_ && !leader_ended_;
    if (!end_held_ || timed_) return end_held_;
    muxer = muxer_;
  }
  // A file's last cue may lack the blank line that ends it.
  constexpr char kBlank[] = "\n\n";
  gst_pad_chain(muxer.get(), gst_buffer_new_memdup(kBlank, 2));
  return true;
}

void TextFollower::reach(std::int64_t running_time) {
  PadRef muxer;
  guint64 position = 0;
  {
    const Lock lock(mutex_);
    if (!open_) return;
    muxer = muxer_;
    position = static_cast<guint64>(running_time); // a file's own time
    if (timed_) position = gst_segment_position_from_running_time(&segment_, GST_FORMAT_TIME, position);
  }
  if (GST_CLOCK_TIME_IS_VALID(position))
    gst_pad_send_event(muxer.get(), gst_event_new_gap(position, GST_CLOCK_TIME_NONE));
}

void TextFollower::end() {
  PadRef muxer;
  {
    const Lock lock(mutex_);
    leader_ended_ = true;
    if (!end_held_) return;
    muxer = muxer_;
  }
  gst_pad_send_event(muxer.get(), gst_event_new_eos());
}

} // namespace hull::cmaf
