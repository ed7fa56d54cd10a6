#include "gst/ladder/per_shot.h"

#include "gst/ladder/equal_slope.h"
#include "gst/ladder/hull.h"

#include <algorithm>
#include <cmath>

namespace hull::ladder {
namespace {

std::vector<Point> choices_of(const Shot &shot, const Resolution *only) {
  std::vector<Point> choices;
  for (const Curve &curve : fit_curves(shot.points)) {
    if (only && curve.res() != *only) continue;
    for (int qp = curve.qp_min(); qp <= curve.qp_max(); ++qp)
      choices.push_back(curve.at(qp));
  }
  return choices;
}

std::vector<ShotPlan> plans(std::span<const Shot> shots, const Resolution *only) {
  std::vector<std::vector<Point>> points;
  std::vector<std::vector<Choice>> choices;
  double seconds = 0;
  for (const Shot &shot : shots) {
    points.push_back(choices_of(shot, only));
    choices.emplace_back();
    for (const Point &p : points.back())
      choices.back().push_back({p.bps * shot.seconds, p.quality * shot.seconds});
    seconds += shot.seconds;
  }
  std::vector<ShotPlan> result;
  for (const Combination &c : equal_slope(choices)) {
    ShotPlan plan{{only ? *only : Resolution{}, 0, c.cost / seconds, c.value / seconds}, {}};
    for (std::size_t s = 0; s < points.size(); ++s)
      plan.shots.push_back(points[s][c.choice[s]]);
    result.push_back(std::move(plan));
  }
  return result;
}

} // namespace

std::vector<ShotPlan> shot_plans(std::span<const Shot> shots, const Resolution &res) {
  return plans(shots, &res);
}

std::vector<ShotPlan> free_shot_plans(std::span<const Shot> shots) {
  return plans(shots, nullptr);
}

std::vector<ShotPlan> best_plans(std::span<const Shot> shots) {
  std::vector<ShotPlan> all;
  if (shots.empty()) return all;
  for (const Curve &curve : fit_curves(shots.front().points))
    for (ShotPlan &plan : plans(shots, &curve.res()))
      all.push_back(std::move(plan));
  std::vector<Point> points;
  for (const ShotPlan &plan : all)
    points.push_back(plan.point);
  std::vector<ShotPlan> best;
  for (const std::size_t i : pareto(points))
    best.push_back(all[i]);
  return best;
}

std::vector<ShotPlan> thinned(const std::vector<ShotPlan> &plans, std::size_t most) {
  if (plans.size() <= most || most < 2) return plans;
  const double low = std::log2(plans.front().point.bps), high = std::log2(plans.back().point.bps);
  std::vector<ShotPlan> kept{plans.front()};
  for (std::size_t i = 1; i + 1 < plans.size(); ++i) {
    const double step = low + (high - low) * static_cast<double>(kept.size()) / static_cast<double>(most - 1);
    if (std::log2(plans[i].point.bps) >= step && kept.size() + 1 < most) kept.push_back(plans[i]);
  }
  kept.push_back(plans.back());
  return kept;
}

} // namespace hull::ladder
