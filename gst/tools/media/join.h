#pragma once

#include "gst/core/result.h"

#include <cstdint>
#include <string>
#include <vector>

namespace hull::tools {

/// CMAF track files that follow each other in time become one, with a segment index: the fragments are
/// copied, numbered through, and timed so that the first begins at `start_ns` and each other one where the one
/// before ended. `path` is written
/// whole or not at all; the parts stay. Fails with bad_data when a part has another header than the first,
/// with io or no_space.
Result<void> join_tracks(const std::vector<std::string> &parts, const std::string &path,
                         std::uint64_t start_ns = 0);

} // namespace hull::tools
