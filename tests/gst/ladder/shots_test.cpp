#include "gst/ladder/shots.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <random>

namespace hull::ladder {
namespace {

using Picture = std::vector<std::uint8_t>;
using Painter = std::function<double(double x, double y, int t)>; // 0 … 255

std::vector<std::uint64_t> shots_of(int pictures, const Painter &paint) {
  ShotDetector detector;
  for (int t = 0; t < pictures; ++t) {
    Picture picture;
    for (unsigned y = 0; y < ShotDetector::kHeight; ++y)
      for (unsigned x = 0; x < ShotDetector::kWidth; ++x)
        picture.push_back(static_cast<std::uint8_t>(std::clamp(paint(x, y, t), 0.0, 255.0)));
    detector.add(picture);
  }
  return detector.shots(5);
}

double texture(double x, double y, int seed) {
  return 128 + 90 * std::sin(x * 0.35 + seed * 1.7) * std::cos(y * 0.28 + seed * 2.3);
}

using Starts = std::vector<std::uint64_t>;

TEST(Shots, HardCutsAreFound) {
  EXPECT_EQ(shots_of(60, [](double x, double y, int t) { return texture(x, y, t / 20); }),
            (Starts{0, 20, 40}));
}

TEST(Shots, PansAndShakesAreNoCuts) {
  EXPECT_EQ(shots_of(60, [](double x, double y, int t) { return texture(x + 1.5 * t, y, 1); }), (Starts{0}));
  EXPECT_EQ(shots_of(60, [](double x, double y, int t) { return texture(x + 4 * std::sin(t * 1.9), y, 1); }),
            (Starts{0}));
}

TEST(Shots, ACutInsideMotionIsFound) {
  EXPECT_EQ(shots_of(40, [](double x, double y,
                            int t) { return texture(x + t, y, t / 25 * 3) * (t < 25 ? 1 : 0.4); }),
            (Starts{0, 25}));
}

TEST(Shots, FadesAndFlashesAreNoCuts) {
  // To black and back over a second, to another picture over half a second, one bright picture.
  EXPECT_EQ(
      shots_of(75, [](double x, double y, int t) { return texture(x, y, 1) * std::abs(t - 37) / 38.0; }),
      (Starts{0}));
  EXPECT_EQ(shots_of(60,
                     [](double x, double y, int t) {
                       const double mix = std::clamp((t - 20) / 12.0, 0.0, 1.0);
                       return texture(x, y, 1) * (1 - mix) + texture(x, y, 2) * mix;
                     }),
            (Starts{0}));
  EXPECT_EQ(shots_of(60, [](double x, double y, int t) { return t == 30 ? 240 : texture(x, y, 1); }),
            (Starts{0}));
}

TEST(Shots, StretchesSeenSideBySideAreOneTitle) {
  const Painter paint = [](double x, double y, int t) { return texture(x + 0.5 * t, y, t / 20); };
  for (const int border : {2, 19, 20, 21, 40}) {
    ShotDetector whole, first, second;
    for (int t = 0; t < 60; ++t) {
      Picture picture;
      for (unsigned y = 0; y < ShotDetector::kHeight; ++y)
        for (unsigned x = 0; x < ShotDetector::kWidth; ++x)
          picture.push_back(static_cast<std::uint8_t>(std::clamp(paint(x, y, t), 0.0, 255.0)));
      whole.add(picture);
      if (t < border) first.add(picture);
      if (t >= border - 2) second.add(picture);
    }
    first.append(second, 2);
    EXPECT_EQ(first.shots(5), whole.shots(5)) << border;
    EXPECT_EQ(whole.shots(5), (Starts{0, 20, 40}));
  }
}

TEST(Shots, BlackAndEmptyTitles) {
  EXPECT_EQ(shots_of(50, [](double, double, int) { return 16.0; }), (Starts{0}));
  EXPECT_TRUE(ShotDetector().shots(5).empty());
}

} // namespace
} // namespace hull::ladder
