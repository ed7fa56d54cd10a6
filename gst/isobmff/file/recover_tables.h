#pragma once

// What to do about a file whose samples are named by the tables of its movie box.

#include "gst/isobmff/file/recover_candidate.h"
#include "gst/isobmff/file/recover_ranges.h"

namespace hull::isobmff {

class TablePlanner {
 public:
  /// `hidden`: the movie box was found inside of an mdat.
  TablePlanner(RecoveryPlan &plan, MediaRanges &ranges, Movie &movie, bool hidden)
      : plan_(plan), ranges_(ranges), movie_(movie), hidden_(hidden) {}

  /// Reads the tracks and their ranges into the plan.
  void read();
  /// Then: which remedy. The movie box may be moved into the plan.
  Result<void> decide();

 private:
  void swallow_recording();
  bool reachable() const;
  bool mend_headers();

  RecoveryPlan &plan_;
  MediaRanges &ranges_;
  Movie &movie_;
  bool hidden_;
  bool changed_ = false; ///< the tables have to be
};

} // namespace hull::isobmff
