#pragma once

// Pictures without compression: ISO/IEC 23001-17.

#include "gst/isobmff/file/track.h"

#include <optional>
#include <string_view>

namespace hull::isobmff {

/// uncv with cmpd and uncC for a layout that GStreamer calls `name` (I420, NV12, RGB …), whose rows begin at
/// multiples of four bytes. Width and height are the caller's to set, here they tell whether the layout holds them.
/// unsupported: no such layout, or a size that its subsampling does not divide.
Result<SampleFormat> uncompressed_format(std::string_view name, std::uint32_t width, std::uint32_t height);

} // namespace hull::isobmff
