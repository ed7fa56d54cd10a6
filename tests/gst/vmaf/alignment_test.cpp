#include "gst/vmaf/alignment.h"
#include "gst/vmaf/letterbox.h"

#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

TEST(Alignment, FindsTheOffsetOfAMovingScene) {
  std::vector<Thumbnail> reference, distorted;
  for (int n = 0; n < 30; ++n) {
    Thumbnail picture;
    for (std::size_t i = 0; i < picture.size(); ++i)
      picture[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(n) * 13) % 200);
    reference.push_back(picture);
    for (float &value : picture)
      value += 1.5f; // coding
    if (n >= 3) distorted.push_back(picture);
  }
  const Alignment late = find_alignment(reference, distorted, 5),
                  early = find_alignment(distorted, reference, 5);
  EXPECT_EQ(late.offset, -3);
  EXPECT_EQ(early.offset, 3);
  EXPECT_NEAR(late.error, 2.25, 1e-3);
  EXPECT_EQ(find_alignment(reference, distorted, 2).error_at_zero, late.error_at_zero);
  const std::vector<Thumbnail> still(20, reference[0]);
  EXPECT_EQ(find_alignment(still, still, 5).offset, 0);
}

/// Frame `number` of a scene that never shows the same twice.
Thumbnail scene(int number, int speed = 13) {
  Thumbnail picture;
  for (std::size_t i = 0; i < picture.size(); ++i) {
    const auto x = static_cast<int>(i % 32) + number * speed / 13, y = static_cast<int>(i / 32);
    picture[i] = static_cast<float>(40 + (x * x / 9 + y * y / 7 + x * y / 11) % 170);
  }
  return picture;
}

std::vector<Thumbnail> scenes(int first, int count) {
  std::vector<Thumbnail> made;
  for (int n = 0; n < count; ++n)
    made.push_back(scene(first + n));
  return made;
}

TEST(Alignment, KnowsWhenItCannotBeTrusted) {
  using Verdict = Alignment::Verdict;
  for (const int reach : {1, 3, 5, 20}) {
    const auto reference = scenes(50, reach + 12);
    for (const int true_offset : {0, 1, -1, reach, -reach})
      EXPECT_EQ(find_alignment(reference, scenes(50 - true_offset, reach + 12), reach).verdict, Verdict::sure)
          << true_offset << " of " << reach;
    for (const int too_far : {reach + 1, -reach - 1, reach + 2, reach + 9, -3 * reach - 5}) {
      const auto found = find_alignment(reference, scenes(50 - too_far, reach + 12), reach);
      EXPECT_TRUE(found.verdict == Verdict::beyond || found.verdict == Verdict::unlike)
          << too_far << " of " << reach << ": " << name_of(found.verdict);
    }
  }
  const std::vector<Thumbnail> still(20, scene(0));
  EXPECT_EQ(find_alignment(still, still, 5).verdict, Verdict::still);
  std::vector<Thumbnail> period;
  for (int n = 0; n < 24; ++n)
    period.push_back(scene(n % 4));
  EXPECT_EQ(find_alignment(period, period, 6).verdict, Verdict::ambiguous);
  EXPECT_EQ(find_alignment(scenes(0, 20), still, 5).verdict, Verdict::unlike);
}

TEST(LetterboxDetector, SeesBarsThatEveryPictureHas) {
  const auto look = [](LetterboxDetector &detector, int top, int left) {
    std::vector<std::uint8_t> bytes(64 * 48, 16);
    for (int y = top; y < 48; ++y)
      for (int x = left; x < 64; ++x)
        bytes[static_cast<std::size_t>(y * 64 + x)] = 120;
    detector.look({bytes.data(), 64, 64, 48, 8, 0});
  };
  LetterboxDetector detector;
  look(detector, 48, 0); // black all over: nothing to learn
  EXPECT_FALSE(detector.bars().any());
  look(detector, 12, 8);
  look(detector, 10, 20);
  EXPECT_EQ(detector.bars(), (Letterbox{8, 0, 10, 0}));
  look(detector, 0, 0);
  EXPECT_FALSE(detector.bars().any());
}

} // namespace
} // namespace hull::vmaf
