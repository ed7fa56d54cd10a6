#include "plugins/mp4/mux_pad.h"

namespace hull {
namespace {

const Property<MuxPadSettings> kProperties[] = {
    property<&MuxPadSettings::timescale>(
        "timescale", "Ticks per second of the track; 0 = from the frame rate or sample rate"),
};

} // namespace

std::span<const Property<MuxPadSettings>> MuxPad::properties() {
  return kProperties;
}

} // namespace hull
