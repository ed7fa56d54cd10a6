#include "gst/tools/title/encode_plan.h"

#include <algorithm>
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

std::vector<int> quantizers(const std::vector<QpChange> &changes, std::size_t pictures) {
  std::vector<int> qp(pictures, -1);
  for (const QpChange &change : changes)
    std::fill(qp.begin() + static_cast<std::ptrdiff_t>(change.picture), qp.end(), change.qp);
  return qp;
}

TEST(GroupCurves, TheScheduleAveragesTheQuantizerAskedFor) {
  const GroupCurves c = curves(false);
  for (const double x : {0.0, 26.0, 26.3, 26.5, 30.95, 51.0}) {
    const std::vector<int> qp = quantizers(c.schedule(x, x), 20);
    double sum = 0;
    for (std::size_t n = 0; n < 20; ++n) {
      EXPECT_GE(qp[n], 0);
      EXPECT_LE(qp[n], 51);
      if (n % 10) sum += qp[n];
    }
    EXPECT_NEAR(sum / 18, x, 1.0 / 18 + 1e-9) << x;
  }
}

TEST(GroupCurves, QuantizersRiseThroughEveryGroupFromABetterKeyPicture) {
  const Measured flat{std::vector<std::uint32_t>(120, 1000), {}, {}, {}};
  const GroupCurves c({0, 60}, 120, {22, 28}, {flat, flat});
  const std::vector<int> qp = quantizers(c.schedule(30.4, 30.4), 120);
  for (const std::size_t start : {0, 60}) {
    EXPECT_LT(qp[start], qp[start + 1]);
    for (std::size_t n = start + 2; n < start + 60; ++n)
      EXPECT_GE(qp[n], qp[n - 1]) << n;
    EXPECT_GE(qp[start + 59], qp[start + 1] + 2);
  }
}

TEST(GroupCurves, WithItsKeysHeldAScheduleChangesOnePictureAtATime) {
  const Measured flat{std::vector<std::uint32_t>(120, 1000), {}, {}, {}};
  const GroupCurves c({0, 60}, 120, {22, 28}, {flat, flat});
  std::vector<int> before = quantizers(c.schedule(30, 30), 120);
  for (double x = 30; x < 31; x += 0.002) {
    const std::vector<int> now = quantizers(c.schedule(x, 30), 120);
    int changed = 0;
    for (std::size_t n = 0; n < 120; ++n)
      changed += std::abs(now[n] - before[n]);
    EXPECT_LE(changed, 2) << x;
    before = now;
  }
}

} // namespace
} // namespace hull::tools
