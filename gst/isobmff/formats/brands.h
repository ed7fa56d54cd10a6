#pragma once

#include "gst/core/result.h"
#include "gst/isobmff/boxes/fourcc.h"

#include <string>
#include <string_view>
#include <vector>

namespace hull::isobmff {

/// Adds the brands of a list such as "dash,iso9" that are not there yet: one to four ASCII characters each, filled
/// with blanks, between commas. settings: another length or character, with nothing added.
Result<void> add_brands(std::vector<FourCC> &brands, std::string_view list);

} // namespace hull::isobmff
