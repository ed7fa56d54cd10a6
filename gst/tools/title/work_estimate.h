#pragma once

#include "gst/tools/title/cost_probe.h"
#include "gst/tools/title/cut_title.h"

namespace hull::tools {

/// What a title still takes, so that the time left can be told from the start; in units of work_of().
struct WorkEstimate {
  const TitleOptions &options;
  const CostProbe &probe;

  /// All of the title's sizes `encodes` times, as the search does it; before and after the title is cut.
  double search(const Source &source, std::size_t encodes) const;
  double search(const CutTitle &title, std::size_t encodes) const;
  /// The rungs before they are chosen: those of the probe or, without one, one of each size and half as many
  /// again.
  double rungs(const Source &source) const;
};

} // namespace hull::tools
