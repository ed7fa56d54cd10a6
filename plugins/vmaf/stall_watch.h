#pragma once

#include "plugins/vmaf/inputs.h"

namespace hull {

/// Sees when no frame comes or goes any more. Room comes when partners do. Where they do not, since a branch
/// holds more pictures than the queue of the other lets through, more frames are taken in; where that does
/// not help either, it is said.
class StallWatch {
 public:
  static constexpr GstClockTime kTick = GST_SECOND / 4;
  explicit StallWatch(VmafInputs &inputs) : inputs_(inputs) {}
  /// To be called once in kTick.
  void tick();

 private:
  bool stands_still() HULL_REQUIRES(inputs_.mutex);
  bool make_room() HULL_REQUIRES(inputs_.mutex);
  Error silence() const HULL_REQUIRES(inputs_.mutex);

  VmafInputs &inputs_;
  std::uint64_t seen_progress_ HULL_GUARDED_BY(inputs_.mutex) = 0;
  unsigned still_ticks_ HULL_GUARDED_BY(inputs_.mutex) = 0; ///< since then
  bool warned_ HULL_GUARDED_BY(inputs_.mutex) = false;
};

} // namespace hull
