#pragma once

#include "gst/isobmff/boxes/fourcc.h"

namespace hull::isobmff {

/// A type for people: its four characters as UTF-8, or 0x and its number where they cannot be printed.
std::string shown(FourCC type);

} // namespace hull::isobmff
