#pragma once

#include "gst/ladder/point.h"

#include <span>
#include <string>
#include <vector>

namespace hull::ladder {

/// What a packaged rung really is, for the authoring checks.
struct RungFacts {
  Resolution res;
  double average_bps = 0;        ///< bytes over duration
  double peak_bps = 0;           ///< highest rate of about a target duration
  double declared_bandwidth = 0; ///< BANDWIDTH
  double declared_average = 0;   ///< AVERAGE-BANDWIDTH
  double longest_gop = 0;        ///< seconds
  bool high_profile = false;
  unsigned level = 0; ///< level_idc
  double fps = 0;
  std::vector<double> segment_starts; ///< seconds
};

struct Check {
  std::string rule;
  bool must = true; ///< false: a recommendation
  bool passed = false;
  std::string detail;
};

/// The rules of Apple's HLS Authoring Specification that a ladder of VOD rungs can break, each with what was
/// measured. Rungs are given highest rate first.
std::vector<Check> authoring_checks(std::span<const RungFacts> rungs);

} // namespace hull::ladder
