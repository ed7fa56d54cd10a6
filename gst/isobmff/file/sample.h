#pragma once

#include <cstdint>
#include <vector>

namespace hull::isobmff {

/// A sample as a track run or a sample table describes it. Times in ticks of its track.
struct Sample {
  std::int64_t decode_time = 0;
  std::uint32_t duration = 0;
  std::int32_t composition_offset = 0;
  std::uint32_t size = 0;
  bool sync = true;
  bool disposable = false; ///< no other sample needs it
};

/// One movie fragment box and its data: per track the samples it takes, in decode order. `runs` has one entry
/// per track; some may be empty.
struct Chunk {
  std::vector<std::vector<Sample>> runs;
  bool starts_fragment = false; ///< begins with a sync sample of the reference track
  bool ends_fragment = false;   ///< the next chunk starts one, as far as that is known when this one leaves
};

} // namespace hull::isobmff
