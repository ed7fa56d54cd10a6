#pragma once

#include "gst/ladder/curve.h"

#include <span>
#include <vector>

namespace hull::ladder {

/// One shot of a title: how long it is and what its encodes cost and are worth.
struct Shot {
  double seconds = 0;
  std::vector<Point> points;
};

/// One encode of a whole title with a size and quantizer per shot.
struct ShotPlan {
  Point point;              ///< rate over all shots, quality averaged over time; qp is the plan's number
  std::vector<Point> shots; ///< what each shot uses, its own rate and quality
};

/// The convex hull of all plans whose shots have the size `res`, cheapest first. Between measured quantizers
/// the curves of each shot are interpolated, so every integer quantizer is a choice. Empty when a shot was
/// not measured at this size.
std::vector<ShotPlan> shot_plans(std::span<const Shot> shots, const Resolution &res);

/// The same with the size free per shot.
std::vector<ShotPlan> free_shot_plans(std::span<const Shot> shots);

/// Plans that nobody beats among those of all sizes, cheapest first.
std::vector<ShotPlan> best_plans(std::span<const Shot> shots);

/// At most `most` plans spread evenly over log rate, cheapest and best included.
std::vector<ShotPlan> thinned(const std::vector<ShotPlan> &plans, std::size_t most);

} // namespace hull::ladder
