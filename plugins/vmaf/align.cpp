// Which buffers belong together, and what happens to those without a partner.

#include "gst/glue/raise.h"
#include "plugins/vmaf/held.h"
#include "plugins/vmaf/sink.h"

#include <algorithm>
#include <cstdlib>

namespace hull {
namespace {

GstClockTime frame_duration(const GstVideoInfo &info) {
  if (GST_VIDEO_INFO_FPS_N(&info) <= 0 || GST_VIDEO_INFO_FPS_D(&info) <= 0) return GST_CLOCK_TIME_NONE;
  return gst_util_uint64_scale(GST_SECOND, static_cast<guint64>(GST_VIDEO_INFO_FPS_D(&info)),
                               static_cast<guint64>(GST_VIDEO_INFO_FPS_N(&info)));
}

} // namespace

GstClockTime VmafSink::tolerance() const {
  if (active_.tolerance) return active_.tolerance;
  const GstClockTime duration = reference_->info ? frame_duration(*reference_->info) : GST_CLOCK_TIME_NONE;
  return GST_CLOCK_TIME_IS_VALID(duration) ? duration / 2 : 10 * GST_MSECOND;
}

/// Frames that running time puts between two slots, in nanoseconds less the input's offset; none where a time
/// is missing or frames are counted.
std::optional<gint64> VmafSink::distance(const VmafPad &pad, const VmafSlot &reference) const {
  if (active_.alignment != VmafAlignment::timestamp || !GST_CLOCK_TIME_IS_VALID(reference.running_time) ||
      !GST_CLOCK_TIME_IS_VALID(pad.slot->running_time))
    return std::nullopt;
  GstClockTime duration = frame_duration(reference.info);
  if (!GST_CLOCK_TIME_IS_VALID(duration)) duration = 0;
  return static_cast<gint64>(pad.slot->running_time) - static_cast<gint64>(reference.running_time) -
         pad.offset * static_cast<gint64>(duration);
}

/// Decides about one input's buffers for the reference's; true when nothing more is needed from it.
bool VmafSink::settle_pad(VmafPad &pad, const VmafSlot &reference, bool &matched) {
  matched = false;
  while (pad.slot) {
    const auto apart = distance(pad, reference);
    if (!apart) {
      // The first |offset| frames of one side have no partner.
      const auto index = static_cast<std::int64_t>(pad.counts.received) - 1;
      const auto wanted = static_cast<std::int64_t>(reference_->counts.received) - 1 + pad.offset;
      matched = index == wanted;
      if (index >= wanted) return true;
      ++pad.counts.unmatched;
    } else if (pad.slot->running_time == pad.last_time) {
      ++pad.counts.repeated;
    } else {
      const auto limit = static_cast<gint64>(tolerance());
      matched = std::abs(*apart) <= limit;
      if (*apart >= -limit) return true;
      pad.last_time = pad.slot->running_time;
      ++pad.counts.unmatched;
    }
    pad.next();
  }
  return pad.eos || !gst_pad_is_linked(pad.self());
}

void VmafSink::drain_after_reference() {
  for (VmafPad *pad : distorted_)
    for (; pad->slot; pad->next())
      ++pad->counts.unmatched;
}

VmafSink::Turn VmafSink::settle() {
  const auto finished = [](const VmafPad *pad) {
    return !pad->slot && (pad->eos || !gst_pad_is_linked(pad->self()));
  };
  if (!reference_->slot) {
    if (!reference_->eos) return Turn::wait;
    drain_after_reference();
    changed_.notify_all();
    return std::all_of(distorted_.begin(), distorted_.end(), finished) ? Turn::ended : Turn::wait;
  }
  if (distorted_.empty()) return Turn::wait;
  bool all = true;
  for (VmafPad *pad : distorted_) {
    bool matched = false;
    all &= settle_pad(*pad, *reference_->slot, matched);
  }
  changed_.notify_all(); // dropped buffers made room
  return all ? Turn::score : Turn::wait;
}

/// Scores every complete set. One thread at a time; the others go back to waiting for room.
GstFlowReturn VmafSink::advance(Lock &lock) {
  if (searching_ && !search(lock))
    return flushing_ ? GST_FLOW_FLUSHING : failed_ ? GST_FLOW_ERROR : GST_FLOW_OK;
  while (!busy_ && !failed_ && !flushing_ && !ended_) {
    const Turn turn = settle();
    if (turn == Turn::wait) break;
    if (turn == Turn::ended) {
      complete(lock);
      break;
    }
    std::vector<VmafPad *> partners;
    for (VmafPad *pad : distorted_) {
      bool matched = false;
      settle_pad(*pad, *reference_->slot, matched);
      if (matched) {
        partners.push_back(pad);
        ++pad->counts.matched;
        pad->last_time = pad->slot->running_time;
      } else {
        ++pad->counts.missing;
      }
    }
    busy_ = true;
    lock.unlock();
    Result<void> scored;
    try {
      scored = score_set(partners);
    } catch (const std::exception &error) {
      scored = fail(ErrorCode::state, std::string("Scoring stopped: ") + error.what() + ".");
    }
    if (!scored) raise(self_, scored.error());
    lock.lock();
    busy_ = false;
    failed_ |= !scored;
    reference_->next();
    for (VmafPad *pad : partners)
      pad->next();
    changed_.notify_all();
  }
  if (flushing_) return GST_FLOW_FLUSHING;
  return failed_ ? GST_FLOW_ERROR : GST_FLOW_OK;
}

/// All inputs have ended: last frame, log, messages, EOS.
bool VmafSink::complete(Lock &lock) {
  ended_ = true;
  busy_ = true;
  lock.unlock();
  const Result<void> finished = finish();
  if (!finished) raise(self_, finished.error());
  lock.lock();
  busy_ = false;
  failed_ |= !finished;
  changed_.notify_all();
  const std::uint32_t seqnum = seqnum_;
  lock.unlock();
  if (finished) {
    GstMessage *message = gst_message_new_eos(GST_OBJECT(self_));
    if (seqnum) gst_message_set_seqnum(message, seqnum);
    gst_element_post_message(self_, message);
  }
  lock.lock();
  return finished.has_value();
}

} // namespace hull
