#pragma once

#include "gst/isobmff/boxes/tree.h"

namespace hull::isobmff {

/// sgpd of group "roll": a decoder that starts at a sample is right only `distance` samples behind it; negative: it starts
/// that many in front. AudioRollRecoveryEntry, ISO/IEC 14496-12 10.1.
Node roll_description(std::int16_t distance);

/// sbgp: the next `samples` samples are of the one group that the track's sgpd describes.
Node roll_group(std::uint64_t samples);

/// The track's sgpd of group "roll" with one entry, which then is no child of `stbl` any more; nullopt: there is none.
std::optional<Node> take_roll_description(Node &stbl);

} // namespace hull::isobmff
