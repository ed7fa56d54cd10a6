#pragma once

#include "gst/ladder/point.h"

#include <span>
#include <vector>

namespace hull::ladder {

/// The rate axis a hull is convex in. Bits add up over shots, so `linear` serves equal slope; rungs are
/// spaced by ratio, so `log` serves drawing and choosing. A point on the log hull is always on the linear
/// one.
enum class Axis { linear, log };

/// Indexes of the points nobody beats, by rising rate: each has more quality than every cheaper one. Of equal
/// rates the best stays, of equal points the first. Points with a rate that is not positive or a number that
/// is not finite are left out.
std::vector<std::size_t> pareto(std::span<const Point> points);

/// Indexes of the upper convex hull of the Pareto set, by rising rate. Collinear points stay: slopes are
/// compared with a relative tolerance of 1e-9.
std::vector<std::size_t> upper_hull(std::span<const Point> points, Axis axis);

} // namespace hull::ladder
