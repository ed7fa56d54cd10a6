#pragma once

// Runs of chunks as stsc has them (14496-12, 8.7.4), put right where they were damaged.

#include "gst/isobmff/boxes/sample.h"

#include <cstddef>
#include <cstdint>
#include <vector>

namespace hull::isobmff {

using ChunkRun = SampleToChunk::Entry;

/// Where runs of chunks have to fit in: so many chunks, samples and sample entries.
struct RunBounds {
  std::uint64_t chunks = 0, samples = 0;
  std::size_t descriptions = 1;
};

/// Runs of chunks whose numbers rise from 1 to at most bounds.chunks. One that does not rise was damaged: it gets the
/// place at which the runs hold as many samples as there are.
std::vector<ChunkRun> ordered_runs(const std::vector<ChunkRun> &entries, const RunBounds &bounds);

/// With more than one damaged run nobody can tell; a common reader (libavformat) goes from the last to the first and
/// lets a bad run begin right in front of the next.
std::vector<ChunkRun> runs_as_read(std::vector<ChunkRun> runs, const RunBounds &bounds);

bool same_runs(const std::vector<ChunkRun> &one, const std::vector<ChunkRun> &other);

} // namespace hull::isobmff
