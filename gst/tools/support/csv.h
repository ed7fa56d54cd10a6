#pragma once

#include "gst/ladder/bdrate.h"

#include <string>
#include <string_view>
#include <vector>

namespace hull::tools {

/// Rates and qualities of a CSV text. With a header the columns are found by name (kbps or rate or bitrate;
/// one of `second`), without one they are the first two. Commas, semicolons or tabs. Fails with the number of
/// the line that holds no two numbers.
Result<std::vector<ladder::RateQuality>> parse_curve(std::string_view text, const std::string &name,
                                                     const std::vector<std::string> &second = {
                                                         "vmaf", "vmaf_mean", "quality", "score"});

} // namespace hull::tools
