#include "gst/ladder/choose.h"
#include "gst/ladder/fixed.h"
#include "tests/gst/ladder/pilot.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>

namespace hull::ladder {
namespace {

class PilotTest : public testing::TestWithParam<const char *> {
 protected:
  void SetUp() override {
    points_ = pilot_points(GetParam());
    if (points_.empty())
      GTEST_SKIP() << "the measured points of ../shared/research/pertitle_pilot.jsonl are absent";
    curves_ = fit_curves(points_);
  }
  std::vector<Point> points_;
  std::vector<Curve> curves_;
};

TEST_P(PilotTest, TheLadderKeepsItsRules) {
  Rules rules;
  rules.cap_bps = 1.5 * apple_top_bps(1080);
  const auto ladder = choose(curves_, rules);
  ASSERT_TRUE(ladder) << ladder.error().text;
  ASSERT_GE(ladder->size(), 2u);
  EXPECT_LE(ladder->size(), rules.max_rungs);
  EXPECT_LE(ladder->front().point.bps, rules.cap_bps);
  double lowest = INFINITY;
  for (const Point &p : points_)
    if (p.quality >= rules.floor_quality && p.bps >= rules.floor_bps) lowest = std::min(lowest, p.bps);
  if (lowest < 400'000) {
    EXPECT_LE(ladder->back().point.bps, rules.start_bps);
  }
  for (std::size_t k = 0; k < ladder->size(); ++k) {
    const Rung &rung = ladder->at(k);
    EXPECT_FALSE(rung.why.empty());
    if (k == 0) continue;
    const Rung &above = ladder->at(k - 1);
    EXPECT_GE(above.point.quality - rung.point.quality, rules.jnd);
    EXPECT_GE(above.point.bps / rung.point.bps, rules.min_ratio);
    if (above.point.bps / rung.point.bps > rules.max_ratio + 0.005) {
      EXPECT_NE(rung.why.find("ratio passes"), std::string::npos);
    }
    EXPECT_LE(rung.point.res, above.point.res) << "the picture grew as the rate fell";
    EXPECT_GE(rung.point.quality, rules.floor_quality);
    EXPECT_GE(rung.point.bps, rules.floor_bps);
  }
}

TEST_P(PilotTest, TheFrontierIsNowhereBelowAResolution) {
  const std::vector<Point> front = frontier(curves_);
  ASSERT_FALSE(front.empty());
  for (std::size_t i = 0; i < front.size(); ++i) {
    if (i) {
      EXPECT_GT(front[i].quality, front[i - 1].quality);
    }
    for (const Curve &curve : curves_)
      EXPECT_LE(curve.quality_at(front[i].bps).value_or(0), front[i].quality + 1e-6);
  }
}

INSTANTIATE_TEST_SUITE_P(Clips, PilotTest, testing::Values("cartoon", "action", "drive", "talk", "flower720"),
                         [](const auto &param) { return std::string(param.param); });

struct Cross {
  const char *clip;
  unsigned smaller, larger;
  double kbps, quality;
};
// Cross-overs of the pilot's table, rounded there to three or four digits.
const Cross kCrosses[] = {
    {"talk", 360, 540, 42, 59},        {"talk", 540, 720, 131, 79},     {"cartoon", 360, 540, 272, 47},
    {"cartoon", 540, 720, 753, 82},    {"cartoon", 720, 1080, 881, 85}, {"flower720", 360, 540, 496, 62},
    {"flower720", 540, 720, 1266, 83}, {"drive", 360, 540, 758, 42},    {"drive", 540, 720, 2046, 72},
    {"drive", 720, 1080, 10030, 99},   {"action", 540, 720, 2970, 53},
};

TEST(CrossOver, LiesWhereThePilotFoundIt) {
  for (const Cross &c : kCrosses) {
    const std::vector<Point> points = pilot_points(c.clip);
    if (points.empty()) GTEST_SKIP() << "../shared/research/pertitle_pilot.jsonl is absent";
    const std::vector<Curve> curves = fit_curves(points);
    const Curve *a = nullptr, *b = nullptr;
    for (const Curve &curve : curves) {
      if (curve.res().height == c.smaller) a = &curve;
      if (curve.res().height == c.larger) b = &curve;
    }
    ASSERT_TRUE(a && b) << c.clip;
    const CrossOver found = cross_over(*a, *b, 0.0);
    ASSERT_EQ(found.kind, CrossKind::found) << c.clip << ' ' << c.smaller;
    EXPECT_NEAR(found.use.bps / 1000, c.kbps, c.kbps * 0.12) << c.clip << ' ' << c.smaller;
    EXPECT_NEAR(found.use.quality, c.quality, 3) << c.clip << ' ' << c.smaller;
  }
}

// Straight curves over the quantizer: rate halves every 6 steps.
std::vector<Point> line(unsigned height, double kbps, double top, double step, int qp_low = 20,
                        int qp_high = 44) {
  std::vector<Point> points;
  for (int qp = qp_low; qp <= qp_high; qp += 6)
    points.push_back({{height * 16 / 9, height},
                      qp,
                      kbps * 1000 * std::exp2((20 - qp) / 6.0),
                      top - step * (qp - 20) / 6.0});
  return points;
}

std::vector<Curve> curves_of(std::initializer_list<std::vector<Point>> sets) {
  std::vector<Point> all;
  for (const auto &set : sets)
    all.insert(all.end(), set.begin(), set.end());
  return fit_curves(all);
}

TEST(CrossOver, OfParallelCurvesIsNone) {
  const auto curves = curves_of({line(360, 4000, 80, 8), line(720, 4000, 85, 8)});
  EXPECT_EQ(cross_over(curves[0], curves[1]).kind, CrossKind::below_range);
  const auto reversed = curves_of({line(360, 4000, 85, 8), line(720, 4000, 80, 8)});
  EXPECT_EQ(cross_over(reversed[0], reversed[1]).kind, CrossKind::above_range);
  const auto near = curves_of({line(360, 4000, 85, 8), line(720, 4000, 85.5, 8)});
  EXPECT_EQ(cross_over(near[0], near[1]).kind, CrossKind::tie);
  const auto apart = curves_of({line(360, 100, 85, 8), line(720, 9000, 85, 8)});
  EXPECT_EQ(cross_over(apart[0], apart[1]).kind, CrossKind::no_common_range);
}

TEST(CrossOver, OfLinesIsWhereTheyMeet) {
  // Equal at 1000 kb/s (two octaves down): 80 - 2*5 = 90 - 2*10.
  const auto curves = curves_of({line(360, 4000, 80, 5), line(720, 4000, 90, 10)});
  const CrossOver found = cross_over(curves[0], curves[1]);
  ASSERT_EQ(found.kind, CrossKind::found);
  ASSERT_EQ(found.all.size(), 1u);
  EXPECT_NEAR(found.use.bps, 1e6, 1);
  EXPECT_NEAR(found.use.quality, 70, 1e-6);
}

// What flower does at 720p: the larger picture leads by 0.9 and more with every bit, but the smaller one was
// measured no higher.
TEST(CrossOver, CountsWhereTheMeasuredRatesEndBeforeTheLeadIsATie) {
  const auto curves = curves_of({line(540, 4000, 80, 5), line(720, 4000, 80.9, 6)});
  const CrossOver found = cross_over(curves[0], curves[1]);
  ASSERT_EQ(found.kind, CrossKind::found);
  EXPECT_NEAR(found.use.bps, 4e6 * std::exp2(-0.9), 1e3);
}

TEST(Curve, LeavesAQuantizerOutThatSpendsMoreForLess) {
  std::vector<Point> points = line(1080, 16000, 96, 9);
  points.back().bps = points[3].bps * 1.15;
  const auto curve = Curve::fit(points.front().res, points);
  ASSERT_TRUE(curve);
  EXPECT_EQ(curve->qp_max(), 38);
  EXPECT_FALSE(curve->quality_at(curve->bps_max() * 1.01));
  EXPECT_FALSE(curve->quality_at(curve->bps_min() * 0.99));
}

TEST(Choose, ATieGoesToTheSmallerPicture) {
  const auto ladder = choose(curves_of({line(360, 4000, 97, 8), line(720, 4000, 97.6, 8)}), {});
  ASSERT_TRUE(ladder);
  for (const Rung &rung : *ladder)
    EXPECT_EQ(rung.point.res.height, 360u);
}

TEST(Choose, AFlatTitleGetsOneRung) {
  std::vector<Point> flat = line(720, 800, 99, 0.1);
  const auto ladder = choose(fit_curves(flat), {});
  ASSERT_TRUE(ladder) << ladder.error().text;
  ASSERT_EQ(ladder->size(), 1u);
  EXPECT_EQ(ladder->front().point.qp, 44);
}

TEST(Choose, ACapBelowEverythingIsSaid) {
  Rules rules;
  rules.cap_bps = 10'000;
  const auto ladder = choose(curves_of({line(720, 8000, 99, 8)}), rules);
  ASSERT_FALSE(ladder);
  EXPECT_EQ(ladder.error().code, ErrorCode::settings);
  EXPECT_FALSE(choose({}, {}));
}

TEST(Choose, TargetsBecomeRungs) {
  Rules rules;
  rules.targets = {60, 90, 75};
  const auto ladder = choose(curves_of({line(360, 4000, 80, 5), line(720, 8000, 96, 9)}), rules);
  ASSERT_TRUE(ladder);
  ASSERT_EQ(ladder->size(), 3u);
  const double wanted[] = {90, 75, 60};
  for (int k = 0; k < 3; ++k) {
    EXPECT_GE(ladder->at(k).point.quality, wanted[k]);
    EXPECT_LT(ladder->at(k).point.quality, wanted[k] + 3);
  }
}

TEST(Fixed, RowsThatATitleCannotUseAreMarked) {
  const auto curves = curves_of({line(360, 1500, 70, 8), line(720, 5000, 90, 8), line(1080, 6000, 96, 8)});
  const auto rows = compare_fixed(curves, apple_rows());
  ASSERT_EQ(rows.size(), 9u);
  EXPECT_TRUE(rows.back().past_range); // 7.8 Mb/s, but 6 Mb/s already spend the lowest quantizer
  EXPECT_EQ(rows.back().res.height, 1080u);
  for (const FixedResult &row : rows)
    EXPECT_LE(row.needed_bps, row.row.bps * 1.0001);
  EXPECT_FALSE(compare_fixed(curves_of({line(720, 9000, 90, 8)}), apple_rows()).front().reachable);
}

} // namespace
} // namespace hull::ladder
