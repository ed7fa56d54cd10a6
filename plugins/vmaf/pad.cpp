#include "plugins/vmaf/pad.h"

#include "plugins/vmaf/sink.h"

#include <limits>

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
    property<&VmafPadSettings::enc_width>(
        "enc-width",
        "Columns in pixels that were coded, where pictures were scaled before this pad: banding is measured "
        "at that size; 0 = the caps'",
        Mutable::ready, 0, 16384),
    property<&VmafPadSettings::enc_height>("enc-height", "Rows in pixels that were coded; 0 = the caps'",
                                           Mutable::ready, 0, 16384),
    property<&VmafPadSettings::enc_bitdepth>(
        "enc-bitdepth", "Bits per sample that were coded, which banding goes by; 0 = the caps'",
        Mutable::ready, 0, 16),
    computed<&VmafPad::result>(
        "result", "Scores as JSON in libvmaf's layout; complete after EOS, null on the reference"),
    computed<&VmafPad::score>("score", "Mean score so far of the first model; NaN before the first frame"),
};

} // namespace

std::span<const Property<VmafPadSettings>> VmafPad::properties() {
  return kProperties;
}

void VmafPad::class_init(GstPadClass *) {}

// The element is asked through the pad's parent: a pad that was released has none.
std::string VmafPad::result() const {
  const auto parent = ElementRef::adopt(gst_pad_get_parent_element(self_));
  return parent ? Shell<VmafSink>::of(parent.get()).results().json_of(*this) : std::string();
}

double VmafPad::score() const {
  const auto parent = ElementRef::adopt(gst_pad_get_parent_element(self_));
  return parent ? Shell<VmafSink>::of(parent.get()).results().mean_of(*this)
                : std::numeric_limits<double>::quiet_NaN();
}

void VmafInput::reset() {
  info.reset();
  caps_changes = 0;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  eos = flushing = false;
}

} // namespace hull
