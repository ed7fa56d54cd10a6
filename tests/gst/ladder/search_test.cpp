#include "gst/ladder/bdrate.h"
#include "gst/ladder/equal_slope.h"
#include "gst/ladder/fixed.h"
#include "gst/ladder/hull.h"
#include "gst/ladder/per_shot.h"
#include "gst/ladder/search.h"
#include "tests/gst/ladder/pilot.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace hull::ladder {
namespace {

const Curve *at(const std::vector<Curve> &curves, const Resolution &res) {
  for (const Curve &curve : curves)
    if (curve.res() == res) return &curve;
  return nullptr;
}

double best_quality(const std::vector<Curve> &curves, double bps) {
  double best = 0;
  for (const Curve &curve : curves)
    best = std::max(best, curve.quality_at(std::min(bps, curve.bps_max())).value_or(0));
  return best;
}

class SearchTest : public testing::TestWithParam<const char *> {};

// The pilot's full grid, interpolated, answers the search's questions in place of encodes.
TEST_P(SearchTest, FindsTheLadderOfTheFullGrid) {
  const std::vector<Point> grid = pilot_points(GetParam());
  if (grid.empty()) GTEST_SKIP() << "../shared/research/pertitle_pilot.jsonl is absent";
  const std::vector<Curve> truth = fit_curves(grid);
  std::vector<Resolution> sizes;
  for (const Curve &curve : truth)
    sizes.push_back(curve.res());
  Rules rules;
  rules.cap_bps = 1.5 * apple_top_bps(1080);
  std::vector<Point> measured;
  const auto measure = [&](const std::vector<Probe> &probes) {
    for (const Probe &probe : probes) {
      Point p = at(truth, probe.res)->at(probe.qp);
      p.qp = probe.qp;
      measured.push_back(p);
    }
  };
  measure(first_round(sizes));
  measure(second_round(sizes, measured, rules, sizes.size()));
  EXPECT_LE(measured.size(), sizes.size() * 3); // 60 % of five quantizers
  const std::vector<Curve> found = fit_curves(measured);
  auto ladder = choose(found, rules);
  ASSERT_TRUE(ladder);
  const auto reference = choose(truth, rules);
  ASSERT_TRUE(reference);
  EXPECT_NEAR(ladder->front().point.quality, reference->front().point.quality, 2.0);
  for (const Rung &rung : *ladder) {
    const Point real = at(truth, rung.point.res)->at(rung.point.qp);
    EXPECT_GE(real.quality, best_quality(truth, real.bps) - 0.5)
        << GetParam() << ": " << name_of(rung.point.res) << " QP " << rung.point.qp << " at "
        << real.bps / 1000;
  }
}

INSTANTIATE_TEST_SUITE_P(Clips, SearchTest,
                         testing::Values("cartoon", "action", "drive", "talk", "flower720"),
                         [](const auto &param) { return std::string(param.param); });

TEST(Search, AsksForNothingBeyondTheRules) {
  EXPECT_TRUE(second_round({}, {}, {}, 9).empty());
  const Resolution res{640, 360};
  const std::vector<Point> flat = {{res, 26, 50'000, 99}, {res, 38, 30'000, 98.9}};
  EXPECT_TRUE(second_round(std::vector<Resolution>{res}, flat, {}, 9).empty());
}

// One title of the pilot's four clips, each a shot: what a choice per shot saves.
class ShotsOfThePilot : public testing::Test {
 protected:
  void SetUp() override {
    const std::pair<const char *, double> clips[] = {
        {"talk", 60 / 25.0}, {"action", 60 / 25.0}, {"cartoon", 60 / 25.0}, {"drive", 54 / 25.0}};
    for (const auto &[clip, seconds] : clips) {
      shots_.push_back({seconds, {}});
      for (const Point &p : pilot_points(clip))
        // The four quantizers and four sizes all clips were measured at.
        if ((p.qp - 20) % 6 == 0) shots_.back().points.push_back(p);
      if (shots_.back().points.empty()) GTEST_SKIP() << "../shared/research/pertitle_pilot.jsonl is absent";
    }
    double total = 0;
    for (const Shot &shot : shots_)
      total += shot.seconds;
    for (const Point &p : shots_.front().points) {
      Point sum{p.res, p.qp, 0, 0};
      std::size_t found = 0;
      for (const Shot &shot : shots_)
        for (const Point &q : shot.points)
          if (q.res == p.res && q.qp == p.qp) {
            ++found;
            sum.bps += q.bps * shot.seconds / total;
            sum.quality += q.quality * shot.seconds / total;
          }
      if (found == shots_.size()) title_.push_back(sum);
    }
  }
  double against_constant_1080(const std::vector<RateQuality> &test) const {
    std::vector<RateQuality> anchor;
    for (const Point &p : title_)
      if (p.res.height == 1080) anchor.push_back({p.bps, p.quality});
    const auto bd = bd_rate(anchor, test);
    EXPECT_TRUE(bd);
    return bd ? bd->percent : 0;
  }
  static std::vector<RateQuality> curve_of(const std::vector<ShotPlan> &plans) {
    std::vector<RateQuality> curve;
    for (const ShotPlan &plan : plans)
      curve.push_back({plan.point.bps, plan.point.quality});
    return curve;
  }
  std::vector<Shot> shots_;
  std::vector<Point> title_;
};

// The hull of all combinations of measured encodes, at one size or at any.
std::vector<RateQuality> measured_hull(const std::vector<Shot> &shots, unsigned height) {
  std::vector<std::vector<Choice>> choices;
  double seconds = 0;
  for (const Shot &shot : shots) {
    choices.emplace_back();
    seconds += shot.seconds;
    for (const Point &p : shot.points)
      if (height == 0 || p.res.height == height)
        choices.back().push_back({p.bps * shot.seconds, p.quality * shot.seconds});
  }
  std::vector<RateQuality> curve;
  for (const Combination &c : equal_slope(choices))
    curve.push_back({c.cost / seconds, c.value / seconds});
  return curve;
}

TEST_F(ShotsOfThePilot, EqualSlopeSavesWhatThePilotSaved) {
  std::vector<RateQuality> per_title, one_size;
  for (const std::size_t i : pareto(title_))
    per_title.push_back({title_[i].bps, title_[i].quality});
  for (const unsigned height : {360, 540, 720, 1080})
    for (const RateQuality &p : measured_hull(shots_, height))
      one_size.push_back(p);
  const double title = against_constant_1080(per_title), one = against_constant_1080(one_size);
  const double free = against_constant_1080(measured_hull(shots_, 0));
  RecordProperty("per_title", std::to_string(title));
  RecordProperty("one_size", std::to_string(one));
  RecordProperty("free", std::to_string(free));
  EXPECT_LE(title, -18.1 + 2);
  EXPECT_LE(one, -35.8 + 2);
  EXPECT_LE(free, -42.3 + 2);
  EXPECT_LT(one, title);
  EXPECT_LT(free, one);
  // Quantizers between the measured ones only add choices.
  EXPECT_LE(against_constant_1080(curve_of(best_plans(shots_))), one + 0.5);
  EXPECT_LE(against_constant_1080(curve_of(free_shot_plans(shots_))), free + 0.5);
}

TEST_F(ShotsOfThePilot, APlanIsTheSumOfItsShots) {
  const auto plans = thinned(best_plans(shots_), 12);
  ASSERT_FALSE(plans.empty());
  EXPECT_LE(plans.size(), 12u);
  for (const ShotPlan &plan : plans) {
    double bits = 0, total = 0;
    for (std::size_t s = 0; s < shots_.size(); ++s) {
      bits += plan.shots[s].bps * shots_[s].seconds;
      total += shots_[s].seconds;
      EXPECT_EQ(plan.shots[s].res, plan.point.res);
    }
    EXPECT_NEAR(plan.point.bps, bits / total, 1e-6 * plan.point.bps);
  }
}

} // namespace
} // namespace hull::ladder
