#pragma once

#include "gst/core/bytes.h"

#include <cstdint>

namespace hull::isobmff {

/// Samples at 48 kHz that an Opus packet lasts, 120 to 5760; 0: it is none. RFC 6716 3.1, 3.2.
std::uint32_t opus_packet_samples(Bytes packet);

/// Packets of so many samples that a decoder needs before it is right, negative as in the group "roll": those of 80 ms. Opus
/// in ISO BMFF 4.3.6.2.
std::int16_t opus_roll_distance(std::uint32_t packet_samples);

} // namespace hull::isobmff
