#include "plugins/vmaf/pad.h"

namespace hull {
namespace {

const Property<VmafPadSettings> kProperties[] = {
    property<&VmafPadSettings::offset>("offset",
                                       "Frames this input runs ahead of the reference: its frame n + offset "
                                       "is compared with reference frame n",
                                       Mutable::ready, -100'000, 100'000),
    property<&VmafPadSettings::crop_left>(
        "crop-left", "Columns in pixels cut off on the left before anything else", Mutable::ready, 0, 65535),
    property<&VmafPadSettings::crop_right>("crop-right", "Columns in pixels cut off on the right",
                                           Mutable::ready, 0, 65535),
    property<&VmafPadSettings::crop_top>("crop-top", "Rows in pixels cut off at the top", Mutable::ready, 0,
                                         65535),
    property<&VmafPadSettings::crop_bottom>("crop-bottom", "Rows in pixels cut off at the bottom",
                                            Mutable::ready, 0, 65535),
    computed<&VmafPad::result>(
        "result", "Scores as JSON in libvmaf's layout; complete after EOS, null on the reference"),
    computed<&VmafPad::score>("score", "Mean score so far of the first model; NaN before the first frame"),
};

} // namespace

std::span<const Property<VmafPadSettings>> VmafPad::properties() {
  return kProperties;
}

void VmafPad::class_init(GstPadClass *) {}

std::string VmafPad::result() const {
  return read_result ? read_result() : std::string();
}

double VmafPad::score() const {
  return read_score ? read_score() : 0.0;
}

void VmafPad::hold(VmafSlot held) {
  ++counts.received;
  slot = std::move(held);
}

void VmafPad::next() {
  slot.reset();
  if (waiting.empty()) return;
  hold(std::move(waiting.front()));
  waiting.pop_front();
}

void VmafPad::reset() {
  slot.reset();
  waiting.clear();
  aligned.reset();
  offset = snapshot().offset;
  bars = {};
  info.reset();
  gst_segment_init(&segment, GST_FORMAT_TIME);
  eos = flushing = false;
  last_time = GST_CLOCK_TIME_NONE;
  counts = {};
}

} // namespace hull
