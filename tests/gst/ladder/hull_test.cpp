#include "gst/ladder/equal_slope.h"
#include "gst/ladder/hull.h"
#include "gst/ladder/spline.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>

namespace hull::ladder {
namespace {

Point point(double kbps, double quality, unsigned height = 720) {
  return {{height * 16 / 9, height}, 0, kbps * 1000, quality};
}

std::vector<std::pair<double, double>> at(const std::vector<Point> &points,
                                          const std::vector<std::size_t> &indexes) {
  std::vector<std::pair<double, double>> found;
  for (const std::size_t i : indexes)
    found.emplace_back(points[i].bps / 1000, points[i].quality);
  return found;
}

using Pairs = std::vector<std::pair<double, double>>;

const std::vector<Point> kThreeSizes = {
    point(300, 40, 360),   point(600, 55, 360),   point(1200, 62, 360),  point(600, 50),
    point(1200, 70),       point(2400, 82),       point(1200, 60, 1080), point(2400, 80, 1080),
    point(4800, 92, 1080), point(9600, 95, 1080),
};
const Pairs kFront = {{300, 40}, {600, 55}, {1200, 70}, {2400, 82}, {4800, 92}, {9600, 95}};

TEST(Hull, OfThreeResolutionsIsTheirEnvelope) {
  EXPECT_EQ(at(kThreeSizes, pareto(kThreeSizes)), kFront);
  EXPECT_EQ(at(kThreeSizes, upper_hull(kThreeSizes, Axis::linear)), kFront);
  // (600, 55) lies on the line of 15 VMAF an octave and stays.
  EXPECT_EQ(at(kThreeSizes, upper_hull(kThreeSizes, Axis::log)), kFront);
}

TEST(Hull, CutsADentOff) {
  const std::vector<Point> points = {point(100, 20), point(200, 22), point(300, 60)};
  EXPECT_EQ(at(points, pareto(points)).size(), 3u);
  EXPECT_EQ(at(points, upper_hull(points, Axis::linear)), (Pairs{{100, 20}, {300, 60}}));
}

TEST(Hull, ParetoIgnoresWhatIsNoPoint) {
  const double nan = std::nan("");
  const std::vector<Point> points = {point(500, 50),  point(500, 60), point(500, 60), point(nan, 90),
                                     point(400, nan), point(0, 99),   point(-5, 99),  point(600, 60)};
  EXPECT_EQ(pareto(points), (std::vector<std::size_t>{1}));
  EXPECT_TRUE(pareto({}).empty());
  EXPECT_TRUE(upper_hull({}, Axis::log).empty());
}

TEST(Hull, OfTheLogAxisIsPartOfTheLinearOne) {
  std::mt19937 random(7);
  std::uniform_real_distribution<double> rate(100, 9000), quality(10, 99);
  for (int round = 0; round < 200; ++round) {
    std::vector<Point> points;
    for (int i = 0; i < 25; ++i)
      points.push_back(point(rate(random), quality(random)));
    const auto linear = upper_hull(points, Axis::linear);
    for (const std::size_t i : upper_hull(points, Axis::log))
      EXPECT_NE(std::find(linear.begin(), linear.end(), i), linear.end()) << "round " << round;
  }
}

TEST(EqualSlope, TakesTheStepsOfAllShotsBySlope) {
  const std::vector<std::vector<Choice>> shots = {{{1, 10}, {2, 30}, {4, 40}}, {{2, 20}, {3, 26}, {6, 32}}};
  Pairs sums;
  for (const Combination &c : equal_slope(shots))
    sums.emplace_back(c.cost, c.value);
  EXPECT_EQ(sums, (Pairs{{3, 30}, {4, 50}, {5, 56}, {7, 66}, {10, 72}}));
}

TEST(EqualSlope, IsTheHullOfAllCombinations) {
  std::mt19937 random(11);
  std::uniform_real_distribution<double> cost(1, 50), value(0, 100);
  for (int round = 0; round < 20; ++round) {
    std::vector<std::vector<Choice>> shots(4);
    for (auto &shot : shots)
      for (int i = 0; i < 6; ++i)
        shot.push_back({cost(random), value(random)});
    std::vector<Point> all; // 6^4 combinations
    for (int code = 0; code < 6 * 6 * 6 * 6; ++code) {
      double c = 0, v = 0;
      for (int s = 0, rest = code; s < 4; ++s, rest /= 6) {
        c += shots[s][rest % 6].cost;
        v += shots[s][rest % 6].value;
      }
      all.push_back(point(c, v));
    }
    Pairs expected = at(all, upper_hull(all, Axis::linear)), found;
    for (const Combination &c : equal_slope(shots))
      found.emplace_back(c.cost, c.value);
    ASSERT_EQ(found.size(), expected.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      EXPECT_NEAR(found[i].first, expected[i].first, 1e-9);
      EXPECT_NEAR(found[i].second, expected[i].second, 1e-9);
    }
  }
}

TEST(EqualSlope, NeedsAChoiceForEveryShot) {
  EXPECT_TRUE(equal_slope({}).empty());
  const std::vector<std::vector<Choice>> shots = {{{1, 10}}, {}};
  EXPECT_TRUE(equal_slope(shots).empty());
}

TEST(Spline, PchipNeverOvershoots) {
  const auto spline = Spline::pchip({0, 1, 2, 3, 10}, {0, 0, 5, 5, 6});
  ASSERT_TRUE(spline);
  for (double t = -1; t < 11; t += 0.01) {
    EXPECT_GE(spline->at(t), 0);
    EXPECT_LE(spline->at(t), 6);
    EXPECT_TRUE(t > 1 || spline->at(t) == 0) << t;
  }
  EXPECT_EQ(spline->at(2), 5);
}

TEST(Spline, IntegralIsTheSumOfItsParts) {
  const auto spline = Spline::akima({0, 1, 2.5, 3, 10}, {0, 3, 5, 4, 6});
  ASSERT_TRUE(spline);
  double sum = 0;
  constexpr int kSteps = 200'000;
  for (int i = 0; i < kSteps; ++i)
    sum += spline->at(0.5 + 9 * (i + 0.5) / kSteps) * 9 / kSteps;
  EXPECT_NEAR(spline->integral(0.5, 9.5), sum, 1e-7);
}

TEST(Spline, RefusesKnotsThatDoNotRise) {
  EXPECT_FALSE(Spline::pchip({0, 0}, {1, 2}));
  EXPECT_FALSE(Spline::pchip({}, {}));
  EXPECT_FALSE(Spline::akima({0, 1, 2}, {0, std::nan(""), 2}));
}

} // namespace
} // namespace hull::ladder
