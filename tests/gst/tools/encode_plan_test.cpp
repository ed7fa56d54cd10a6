#include "gst/tools/encode_plan.h"

#include <cmath>
#include <gtest/gtest.h>

namespace hull::tools {
namespace {

TEST(GroupStarts, ShotsBeginGroupsAndNoneIsTooLong) {
  EXPECT_EQ(group_starts({0, 7, 30}, 50, 10), (std::vector<std::uint64_t>{0, 7, 17, 27, 30, 40}));
  EXPECT_EQ(group_starts({}, 5, 10), (std::vector<std::uint64_t>{0}));
  EXPECT_EQ(group_starts({0, 60}, 20, 10), (std::vector<std::uint64_t>{0, 10}));
}

// Sizes halve every six quantizers, as they nearly do; the second group costs three times the first.
Measured trial(int quantizer, bool scored) {
  Measured made;
  for (int n = 0; n < 20; ++n) {
    made.sizes.push_back(
        static_cast<std::uint32_t>(std::lround((n < 10 ? 1e5 : 3e5) * std::exp2(-quantizer / 6.0))));
    if (scored) made.vmaf.push_back(100 - quantizer);
  }
  return made;
}

GroupCurves curves(bool scored) {
  return GroupCurves({0, 10}, 20, {22, 28, 34}, {trial(22, scored), trial(28, scored), trial(34, scored)});
}

TEST(GroupCurves, FindTheQuantizerBetweenAndBeyondTheTrials) {
  const GroupCurves c = curves(false);
  for (const double wanted : {16.0, 25.5, 31.0, 40.0})
    EXPECT_NEAR(c.quantizer_for_bytes(4e6 * std::exp2(-wanted / 6)), wanted, 0.05);
  EXPECT_NEAR(c.quantizer_for_bytes(1e12), 0, 0.01);
  EXPECT_NEAR(c.quantizer_for_bytes(0), 51, 0.01);
  EXPECT_TRUE(std::isnan(c.score_at(25)));
  EXPECT_NEAR(curves(true).quantizer_for_score(71.5), 28.5, 0.01);
}

TEST(GroupCurves, TheScheduleAveragesTheQuantizerAskedFor) {
  const GroupCurves c = curves(false);
  for (const double x : {0.0, 26.0, 26.3, 26.5, 30.95, 51.0}) {
    const auto changes = c.schedule(x);
    ASSERT_FALSE(changes.empty());
    EXPECT_EQ(changes.front().picture, 0u);
    double sum = 0;
    for (std::uint64_t n = 0; n < 20; ++n) {
      int qp = -1;
      for (const QpChange &change : changes)
        if (change.picture <= n) qp = change.qp;
      EXPECT_LE(qp, 51);
      sum += qp;
    }
    EXPECT_NEAR(sum / 20, x, 0.5 / 20 + 1e-9);
  }
}

} // namespace
} // namespace hull::tools
