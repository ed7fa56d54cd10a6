#pragma once

#include "gst/core/bytes.h"

#include <cstdint>

namespace hull::isobmff {

/// Samples that a FLAC frame lasts, by its header; 0: it is none, or says it another way. RFC 9639 9.1.
std::uint32_t flac_frame_samples(Bytes frame);

} // namespace hull::isobmff
