#pragma once

// What to do about a file whose samples are named by fragments.

#include "gst/isobmff/file/recover_candidate.h"
#include "gst/isobmff/file/recover_ranges.h"

namespace hull::isobmff {

/// Reads the fragments into the plan and chooses a remedy; the movie box may be moved into it. `borrowed`: the
/// movie box is that of `options.like`.
Result<void> plan_fragments(Source &source, const RecoverOptions &options, RecoveryPlan &plan,
                            MediaRanges &ranges, Movie &movie, bool borrowed);

} // namespace hull::isobmff
