// auto-align: the first frames of every input are held until it is known which belong together.

#include "gst/glue/raise.h"
#include "plugins/vmaf/held.h"
#include "plugins/vmaf/sink.h"

#include <algorithm>
#include <cmath>

namespace hull {
namespace {

Result<std::vector<vmaf::Thumbnail>> thumbnails(const VmafPad &pad) {
  std::vector<vmaf::Thumbnail> made;
  for (const VmafSlot &slot : pad.waiting) {
    MappedFrame frame(slot.info, slot.buffer.get(), GST_MAP_READ);
    if (!frame)
      return fail(ErrorCode::bad_data, std::string("A buffer on pad ") + GST_OBJECT_NAME(pad.self()) +
                                           " cannot be mapped for reading.");
    auto picture = picture_of(frame, pad.snapshot());
    if (!picture) return tl::unexpected(picture.error());
    made.push_back(vmaf::thumbnail(picture->y));
  }
  return made;
}

/// A found distance in frames as `offset` counts it: where times pair frames, by their times.
std::int32_t in_frames(const VmafPad &reference, const VmafPad &pad, int found, bool timed) {
  const auto at = static_cast<std::size_t>(std::max(0, -found)),
             there = static_cast<std::size_t>(std::max(0, found));
  if (!timed || at >= reference.waiting.size() || there >= pad.waiting.size()) return found;
  const VmafSlot &r = reference.waiting[at], &d = pad.waiting[there];
  const GstVideoInfo &info = r.info;
  if (!GST_CLOCK_TIME_IS_VALID(r.running_time) || !GST_CLOCK_TIME_IS_VALID(d.running_time) ||
      GST_VIDEO_INFO_FPS_N(&info) <= 0)
    return found;
  const double frame = 1e9 * GST_VIDEO_INFO_FPS_D(&info) / GST_VIDEO_INFO_FPS_N(&info);
  const double apart = static_cast<double>(d.running_time) - static_cast<double>(r.running_time);
  return static_cast<std::int32_t>(std::lround(apart / frame));
}

} // namespace

Result<void> VmafSink::align() {
  auto reference = thumbnails(*reference_);
  if (!reference) return tl::unexpected(reference.error());
  for (VmafPad *pad : distorted_) {
    auto mine = thumbnails(*pad);
    if (!mine) return tl::unexpected(mine.error());
    if (reference->empty() || mine->empty()) continue;
    pad->aligned = vmaf::find_alignment(*reference, *mine, static_cast<int>(active_.auto_align));
    pad->offset =
        in_frames(*reference_, *pad, pad->aligned->offset, active_.alignment == VmafAlignment::timestamp);
  }
  return {};
}

/// Whether inputs are paired by now; looks for their offsets once enough frames of each are there.
bool VmafSink::search(Lock &lock) {
  const auto enough = [this](const VmafPad *pad) {
    return pad->eos || !gst_pad_is_linked(pad->self()) || pad->waiting.size() >= search_frames();
  };
  if (busy_ || failed_ || flushing_ || distorted_.empty() || !enough(reference_) ||
      !std::all_of(distorted_.begin(), distorted_.end(), enough))
    return false;
  busy_ = true;
  lock.unlock();
  const Result<void> found = align();
  if (!found) raise(self_, found.error());
  lock.lock();
  busy_ = false;
  failed_ |= !found;
  searching_ = false;
  reference_->next();
  for (VmafPad *pad : distorted_)
    pad->next();
  changed_.notify_all();
  return found.has_value();
}

std::size_t VmafSink::search_frames() const {
  return active_.auto_align + 12;
}

} // namespace hull
