#include "plugins/mp4/mux_preroll.h"

#include <algorithm>

namespace hull {

namespace {

constexpr gint64 kLookAhead = G_TIME_SPAN_SECOND / 10; // microseconds that an encoder is waited for

// Whether everything in front of `pad` is linked and has changed its state.
bool is_complete_before(GstPad *pad) {
  const auto peer = PadRef::adopt(gst_pad_get_peer(pad));
  if (!peer) return false;
  const auto element = ElementRef::adopt(gst_pad_get_parent_element(peer.get()));
  if (!element) return true; // the edge of a bin
  GST_OBJECT_LOCK(element.get());
  const bool done = GST_STATE(element.get()) >= GST_STATE_PAUSED &&
                    GST_STATE_PENDING(element.get()) == GST_STATE_VOID_PENDING;
  GST_OBJECT_UNLOCK(element.get());
  return done && std::ranges::all_of(sink_pads(element.get()),
                                     [](const PadRef &before) { return is_complete_before(before.get()); });
}

} // namespace

bool MuxPreroll::is_time(const MuxWaiting::Inputs &inputs) {
  if (inputs.empty()) return false;
  // A demuxer that has sent no segment yet puts seeks off, and answers them with wrong stream times.
  const auto has_started = [](const auto &input) { return input->caps && input->has_segment; };
  if (std::ranges::all_of(inputs, has_started)) return true;
  const gint64 now = g_get_monotonic_time();
  if (next_look_ && now < *next_look_) return false;
  const bool waited = next_look_.has_value();
  next_look_ = now + kLookAhead;
  return waited &&
         std::ranges::all_of(inputs, [](const auto &input) { return is_complete_before(input->pad.get()); });
}

void MuxPreroll::set_done() {
  done_ = true;
  next_look_.reset();
}

} // namespace hull
