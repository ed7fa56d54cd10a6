#include "gst/core/time.h"

#include <gtest/gtest.h>

namespace hull {
namespace {

TEST(Rescale, RoundsToTheNearest) {
  EXPECT_EQ(rescale(33'333'333, 90'000, kNanoseconds), 3000);
  EXPECT_EQ(rescale(1, 1, 2), 1);
  EXPECT_EQ(rescale(-1, 1, 2), -1);
  EXPECT_EQ(rescale(-1, 1, 3), 0);
}

TEST(Rescale, KeepsCenturiesExactly) {
  const std::int64_t century = 3'155'760'000ll * kNanoseconds;
  EXPECT_EQ(rescale(century, 90'000, kNanoseconds), 3'155'760'000ll * 90'000);
}

TEST(RescaleFloor, GoesDownForNegativeTimesToo) {
  EXPECT_EQ(rescale_floor(-1, 1, 3), -1);
  EXPECT_EQ(rescale_floor(5, 1, 3), 1);
}

// Durations as differences of rounded times: no drift over a day of 29.97 Hz frames.
TEST(Rescale, DifferencesAddUpWithoutDrift) {
  std::int64_t sum = 0, last = 0;
  const std::int64_t frames = 24 * 3600 * 30;
  for (std::int64_t n = 1; n <= frames; ++n) {
    const std::int64_t now = rescale(n * 1001 * kNanoseconds / 30000, 90'000, kNanoseconds);
    sum += now - last;
    last = now;
  }
  EXPECT_EQ(sum, frames * 3003);
}

} // namespace
} // namespace hull
