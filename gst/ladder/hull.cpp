#include "gst/ladder/hull.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hull::ladder {

std::vector<std::size_t> pareto(std::span<const Point> points) {
  std::vector<std::size_t> order;
  for (std::size_t i = 0; i < points.size(); ++i)
    if (std::isfinite(points[i].bps) && std::isfinite(points[i].quality) && points[i].bps > 0)
      order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    if (points[a].bps != points[b].bps) return points[a].bps < points[b].bps;
    return points[a].quality > points[b].quality;
  });
  std::vector<std::size_t> kept;
  double best = -std::numeric_limits<double>::infinity();
  for (const std::size_t i : order) {
    if (points[i].quality <= best) continue;
    best = points[i].quality;
    kept.push_back(i);
  }
  return kept;
}

std::vector<std::size_t> upper_hull(std::span<const Point> points, Axis axis) {
  const auto x = [&](std::size_t i) { return axis == Axis::log ? std::log2(points[i].bps) : points[i].bps; };
  const auto slope = [&](std::size_t a, std::size_t b) {
    return (points[b].quality - points[a].quality) / (x(b) - x(a));
  };
  std::vector<std::size_t> hull;
  for (const std::size_t c : pareto(points)) {
    while (hull.size() >= 2) {
      const double before = slope(hull[hull.size() - 2], hull.back()), after = slope(hull.back(), c);
      if (before >= after - 1e-9 * std::abs(after)) break;
      hull.pop_back();
    }
    hull.push_back(c);
  }
  return hull;
}

} // namespace hull::ladder
