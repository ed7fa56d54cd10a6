#include "gst/ladder/choose.h"

#include "gst/ladder/hull.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::ladder {
namespace {

// Weights of the walk down, in VMAF: chosen so that a ladder first reaches its floor and its start-up rung,
// then closes gaps wider than max_ratio, then prefers points on the frontier, then more rungs.
constexpr double kWideGap = 4.0;     // per octave beyond max_ratio
constexpr double kBelowFront = 0.6;  // per VMAF lost against the best at that rate
constexpr double kCoarseStep = 0.1;  // per VMAF a step is larger than one JND
constexpr double kShortReach = 0.25; // per VMAF between the lowest rung and the lowest possible one
constexpr double kNoStart = 4.0;     // per octave of the lowest rung above start_bps
constexpr double kMostLoss = 3.0;    // candidates further below the best are no choice at all

Point best_at(std::span<const Curve> curves, double bps) {
  Point best;
  best.quality = -1;
  for (const Curve &curve : curves) {
    const double held = std::min(bps, curve.bps_max());
    if (const auto q = curve.quality_at(held); q && *q > best.quality) best = {curve.res(), 0, held, *q};
  }
  return best;
}

bool smaller_is_as_good(std::span<const Curve> curves, const Point &p, double tie) {
  for (const Curve &curve : curves) {
    if (!(curve.res() < p.res)) continue;
    if (const auto q = curve.quality_at(p.bps); q && p.quality - *q < tie) return true;
    // Past its range a smaller picture is still as good as its best point, which costs less.
    if (p.bps > curve.bps_max() && p.quality <= curve.at(curve.qp_min()).quality) return true;
  }
  return false;
}

std::size_t top_of(const std::vector<Candidate> &all, const Rules &rules) {
  std::size_t best = all.size();
  for (std::size_t i = 0; i < all.size(); ++i) {
    if (all[i].point.bps > rules.cap_bps * rules.cap_share) break;
    if (all[i].point.quality >= rules.top_quality) return i;
    if (best == all.size() || all[i].point.quality > all[best].point.quality) best = i;
  }
  return best;
}

bool may_follow(const Candidate &upper, const Candidate &lower, const Rules &rules) {
  return upper.point.bps >= lower.point.bps * rules.min_ratio &&
         upper.point.quality - lower.point.quality >= rules.jnd && !(upper.point.res < lower.point.res);
}

double step_cost(const Candidate &upper, const Candidate &lower, const Rules &rules) {
  const double octaves = std::log2(upper.point.bps / lower.point.bps);
  return kWideGap * std::max(0.0, octaves - std::log2(rules.max_ratio)) + kBelowFront * lower.loss +
         kCoarseStep * (upper.point.quality - lower.point.quality - rules.jnd);
}

// Cost of ending the ladder at `last`.
double end_cost(const Candidate &last, double lowest_quality, double lowest_bps, const Rules &rules) {
  const double start = std::max(rules.start_bps, lowest_bps);
  return kShortReach * (last.point.quality - lowest_quality) +
         kNoStart * std::max(0.0, std::log2(last.point.bps / start));
}

struct Cell {
  double cost = std::numeric_limits<double>::infinity();
  std::size_t upper = 0;
};

// Indexes into `all`, top first. `all` holds the candidates a rung may use and starts the walk at `top`.
std::vector<std::size_t> walk_down(const std::vector<Candidate> &all, std::size_t top, const Rules &rules) {
  const std::size_t n = all.size();
  std::vector<std::size_t> usable;
  for (std::size_t i = 0; i < top; ++i)
    if (all[i].point.quality >= rules.floor_quality && all[i].point.bps >= rules.floor_bps)
      usable.push_back(i);
  double lowest_quality = all[top].point.quality, lowest_bps = all[top].point.bps;
  for (const std::size_t i : usable) {
    lowest_quality = std::min(lowest_quality, all[i].point.quality);
    lowest_bps = std::min(lowest_bps, all[i].point.bps);
  }
  std::vector<std::vector<Cell>> table(rules.max_rungs, std::vector<Cell>(n));
  table[0][top].cost = 0;
  double best = end_cost(all[top], lowest_quality, lowest_bps, rules);
  std::size_t best_row = 0, best_last = top;
  std::vector<std::size_t> uppers{top};
  for (std::size_t row = 1; row < rules.max_rungs; ++row) {
    for (const std::size_t j : usable) {
      Cell &cell = table[row][j];
      for (const std::size_t i : uppers) {
        if (!std::isfinite(table[row - 1][i].cost) || !may_follow(all[i], all[j], rules)) continue;
        const double cost = table[row - 1][i].cost + step_cost(all[i], all[j], rules);
        if (cost < cell.cost) cell = {cost, i};
      }
      const double whole = cell.cost + end_cost(all[j], lowest_quality, lowest_bps, rules);
      if (whole < best) {
        best = whole;
        best_row = row;
        best_last = j;
      }
    }
    uppers = usable;
  }
  std::vector<std::size_t> path(best_row + 1);
  for (std::size_t row = best_row, at = best_last;; --row) {
    path[row] = at;
    if (row == 0) break;
    at = table[row][at].upper;
  }
  return path;
}

// One rung per wanted quality: the cheapest candidate that reaches it without growing the picture.
std::vector<std::size_t> at_targets(const std::vector<Candidate> &all, const Rules &rules) {
  std::vector<double> targets = rules.targets;
  std::sort(targets.rbegin(), targets.rend());
  std::vector<std::size_t> path;
  for (const double target : targets) {
    std::size_t found = all.size(), best = all.size();
    for (std::size_t i = 0; i < all.size() && found == all.size(); ++i) {
      if (all[i].point.bps > rules.cap_bps * rules.cap_share) break;
      if (!path.empty() && (i >= path.back() || all[path.back()].point.res < all[i].point.res)) continue;
      if (best == all.size() || all[i].point.quality > all[best].point.quality) best = i;
      if (all[i].point.quality >= target) found = i;
    }
    // Out of reach is answered by the best there is, once: at the top.
    if (found == all.size() && path.empty()) found = best;
    if (found != all.size()) path.push_back(found);
  }
  return path;
}

std::string reach_reason(const Candidate &c, const Rules &rules) {
  if (c.point.quality >= rules.top_quality)
    return fmt::format("cheapest point with VMAF {:g} or more", rules.top_quality);
  if (std::isfinite(rules.cap_bps))
    return fmt::format("best point under the cap of {:.0f} kb/s; VMAF {:g} is out of reach",
                       rules.cap_bps / 1000, rules.top_quality);
  return fmt::format("best point measured; VMAF {:g} is out of reach", rules.top_quality);
}

// How far the runner-up of another resolution is behind at this rate.
std::string lead_reason(std::span<const Curve> curves, const Point &p) {
  const Curve *second = nullptr;
  double quality = -1;
  for (const Curve &curve : curves) {
    if (curve.res() == p.res) continue;
    if (const auto q = curve.quality_at(p.bps); q && *q > quality) {
      quality = *q;
      second = &curve;
    }
  }
  if (!second) return fmt::format("; only {} was measured at this rate", name_of(p.res));
  const double lead = p.quality - quality;
  if (lead >= 0.05)
    return fmt::format("; {} leads {} by {:.1f} VMAF here", name_of(p.res), name_of(second->res()), lead);
  if (p.res < second->res())
    return fmt::format("; ties with {} ({:+.1f}), the smaller picture decodes cheaper",
                       name_of(second->res()), -lead);
  return fmt::format("; {} is {:.1f} ahead, but a picture never shrinks as the rate rises",
                     name_of(second->res()), -lead);
}

std::string step_reason(const Candidate &upper, const Candidate &lower, const Rules &rules) {
  const double ratio = upper.point.bps / lower.point.bps, lost = upper.point.quality - lower.point.quality;
  std::string why = fmt::format("{:.1f} VMAF below the rung above for 1/{:.2f} of its rate", lost, ratio);
  if (ratio > rules.max_ratio + 0.005)
    why += fmt::format("; the ratio passes {:g}, since quality falls slowly or no point lies between",
                       rules.max_ratio);
  return why;
}

} // namespace

std::vector<Candidate> candidates(std::span<const Curve> curves, double tie) {
  std::vector<Candidate> all;
  for (const Curve &curve : curves)
    for (int qp = curve.qp_min(); qp <= curve.qp_max(); ++qp) {
      const Point p = curve.at(qp);
      const double loss = std::max(0.0, best_at(curves, p.bps).quality - p.quality);
      if (loss > kMostLoss || smaller_is_as_good(curves, p, tie)) continue;
      all.push_back({p, curve.measured(qp), loss});
    }
  std::stable_sort(all.begin(), all.end(),
                   [](const Candidate &a, const Candidate &b) { return a.point.bps < b.point.bps; });
  return all;
}

std::vector<Point> frontier(std::span<const Curve> curves) {
  std::vector<Point> all;
  for (const Curve &curve : curves)
    for (int qp = curve.qp_min(); qp <= curve.qp_max(); ++qp)
      all.push_back(curve.at(qp));
  std::vector<Point> front;
  for (const std::size_t i : pareto(all))
    if (best_at(curves, all[i].bps).quality <= all[i].quality + 1e-6) front.push_back(all[i]);
  return front;
}

Result<std::vector<Rung>> choose(std::span<const Curve> curves, const Rules &rules) {
  const std::vector<Candidate> all = candidates(curves, rules.tie);
  if (all.empty()) return fail(ErrorCode::bad_data, "no point was measured, so there is no ladder to choose");
  if (all.front().point.bps > rules.cap_bps * rules.cap_share)
    return fail(ErrorCode::settings,
                fmt::format("the cheapest point takes {:.0f} kb/s, which is above the cap; "
                            "raise --cap or allow a smaller resolution",
                            all.front().point.bps / 1000));
  const bool by_targets = !rules.targets.empty();
  const std::vector<std::size_t> path =
      by_targets ? at_targets(all, rules) : walk_down(all, top_of(all, rules), rules);
  std::vector<Rung> ladder;
  for (std::size_t k = 0; k < path.size(); ++k) {
    const Candidate &c = all[path[k]];
    Rung rung{c.point, c.measured, {}};
    if (by_targets)
      rung.why = "cheapest point that reaches a wanted quality";
    else
      rung.why = k == 0 ? reach_reason(c, rules) : step_reason(all[path[k - 1]], c, rules);
    rung.why += lead_reason(curves, c.point);
    ladder.push_back(std::move(rung));
  }
  return ladder;
}

} // namespace hull::ladder
