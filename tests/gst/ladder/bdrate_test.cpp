#include "gst/ladder/bdrate.h"

#include <cmath>
#include <gtest/gtest.h>
#include <vector>

namespace hull::ladder {
namespace {

using Curve = std::vector<RateQuality>;

struct Vector {
  const char *name;
  Curve anchor, test;
  double pchip, akima, cubic; // percent; NaN: not defined for so few points
};

const Curve kFive = {{500, 45}, {1000, 65}, {2000, 80}, {4000, 90}, {8000, 96}};
const double kNone = std::nan("");

// Percentages from scipy 1.10 and from an independent closed form.
const Vector kVectors[] = {
    {"T1",
     {{9487.76, 40.037}, {4593.60, 38.615}, {2486.44, 36.845}, {1358.24, 34.851}},
     {{9787.80, 40.121}, {4469.00, 38.651}, {2451.52, 36.970}, {1356.24, 34.987}},
     -4.417485,
     -4.425245,
     -4.420463},
    {"T2",
     {{82472.76, 43.825}, {26875.24, 41.404}, {9487.76, 40.037}, {4593.6, 38.615}},
     {{99896.96, 44.731}, {33952.04, 41.875}, {9787.8, 40.121}, {4469.0, 38.651}},
     -4.472182,
     -4.085761,
     -4.699438},
    {"T3", kFive, {{400, 45}, {800, 65}, {1600, 80}, {3200, 90}, {6400, 96}}, -20, -20, -20},
    {"T4",
     kFive,
     {{600, 55}, {1100, 70}, {1900, 82}, {3300, 91}, {9000, 97.5}},
     -15.053414,
     -15.045015,
     -13.631292},
    {"T5", {{1000, 60}, {2000, 80}}, {{900, 62}, {2100, 78}}, -2.788890, kNone, kNone},
};

TEST(BdRate, EqualsTheReferenceToSixDecimals) {
  for (const Vector &v : kVectors) {
    const std::pair<BdMethod, double> expected[] = {
        {BdMethod::pchip, v.pchip}, {BdMethod::akima, v.akima}, {BdMethod::cubic, v.cubic}};
    for (const auto &[method, percent] : expected) {
      if (std::isnan(percent)) continue;
      const auto bd = bd_rate(v.anchor, v.test, method);
      ASSERT_TRUE(bd) << v.name << ": " << bd.error().text;
      EXPECT_NEAR(bd->percent, percent, 5.1e-7) << v.name << " method " << static_cast<int>(method);
    }
  }
}

TEST(BdRate, ReportsTheSharedRange) {
  const auto bd = bd_rate(kVectors[4].anchor, kVectors[4].test);
  ASSERT_TRUE(bd);
  EXPECT_DOUBLE_EQ(bd->quality_low, 62);
  EXPECT_DOUBLE_EQ(bd->quality_high, 78);
  EXPECT_DOUBLE_EQ(bd->overlap, 0.8);
}

TEST(BdRate, DropsPointsThatAnotherOneBeats) {
  Curve jagged = kFive;
  jagged.push_back({3000, 70}); // worse than 2000 at 80
  const auto bd = bd_rate(kFive, jagged);
  ASSERT_TRUE(bd);
  EXPECT_NEAR(bd->percent, 0, 1e-12);
}

TEST(BdRate, RefusesWhatCannotBeCompared) {
  EXPECT_FALSE(bd_rate(Curve{{1000, 60}}, kFive));
  EXPECT_FALSE(bd_rate(kFive, Curve{}));
  EXPECT_FALSE(bd_rate(kFive, Curve{{100, 10}, {200, 20}}));
  EXPECT_FALSE(bd_rate(kFive, Curve{{-100, 50}, {std::nan(""), 60}, {1000, std::nan("")}}));
  EXPECT_FALSE(bd_rate(kVectors[4].anchor, kVectors[4].test, BdMethod::cubic));
}

} // namespace
} // namespace hull::ladder
