#include "gst/ladder/equal_slope.h"

#include "gst/ladder/hull.h"

#include <algorithm>

namespace hull::ladder {
namespace {

struct Step {
  std::size_t shot;
  std::size_t from, to; // choices of that shot
  double slope;
};

} // namespace

std::vector<Combination> equal_slope(std::span<const std::vector<Choice>> shots) {
  Combination now;
  std::vector<Step> steps;
  for (std::size_t s = 0; s < shots.size(); ++s) {
    std::vector<Point> points;
    for (const Choice &c : shots[s])
      points.push_back({{}, 0, c.cost, c.value});
    const std::vector<std::size_t> hull = upper_hull(points, Axis::linear);
    if (hull.empty()) return {};
    now.choice.push_back(hull.front());
    now.cost += shots[s][hull.front()].cost;
    now.value += shots[s][hull.front()].value;
    for (std::size_t k = 1; k < hull.size(); ++k) {
      const Choice &a = shots[s][hull[k - 1]], &b = shots[s][hull[k]];
      double slope = (b.value - a.value) / (b.cost - a.cost);
      // Collinear vertices may rise by rounding; a step must never overtake the one before it.
      if (k > 1) slope = std::min(slope, steps.back().slope);
      steps.push_back({s, hull[k - 1], hull[k], slope});
    }
  }
  if (now.choice.empty()) return {};
  // Stable, so that steps of one shot with equal slopes keep their order.
  std::stable_sort(steps.begin(), steps.end(),
                   [](const Step &a, const Step &b) { return a.slope > b.slope; });
  std::vector<Combination> result{now};
  for (const Step &step : steps) {
    now.choice[step.shot] = step.to;
    now.cost += shots[step.shot][step.to].cost - shots[step.shot][step.from].cost;
    now.value += shots[step.shot][step.to].value - shots[step.shot][step.from].value;
    result.push_back(now);
  }
  return result;
}

} // namespace hull::ladder
