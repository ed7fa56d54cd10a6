#pragma once

#include "gst/isobmff/file/sample_table.h"

namespace hull::isobmff {

/// Adds to a finished movie of one AAC-LC track the tag iTunSMPB, by which players that do not go by edit lists cut what
/// an encoder put in front and behind: `priming` ticks, and what the last of `table`'s samples lacks of a frame. Movies of
/// other media, with other tracks of sound or pictures, without priming, or with that tag are left alone.
void add_itunes_gapless(Node &moov, const SampleTable &table, std::int64_t priming);

} // namespace hull::isobmff
