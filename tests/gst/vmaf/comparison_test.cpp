// Pictures of any size and depth brought to one format.

#include "gst/vmaf/comparison.h"

#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

/// A grey picture with texture, in 8 or 10 bits.
class Grey {
 public:
  Grey(int width, int height, int bits = 8) : bytes_(static_cast<std::size_t>(2 * width * height)) {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const int value = 40 + (x * x / 9 + y * y / 7 + x * y / 11) % 170;
        const auto at = static_cast<std::size_t>(y * width + x);
        if (bits == 8)
          bytes_[at] = static_cast<std::uint8_t>(value);
        else
          reinterpret_cast<std::uint16_t *>(bytes_.data())[at] =
              static_cast<std::uint16_t>(value << (bits - 8));
      }
    picture_.y = {bytes_.data(), (bits > 8 ? 2 : 1) * width, width, height, bits, 0};
  }
  const Picture &picture() const { return picture_; }

 private:
  std::vector<std::uint8_t> bytes_;
  Picture picture_;
};

Result<std::vector<FrameScore>> scores(Comparison &comparison, const Picture &reference,
                                       const Picture &distorted) {
  const Picture *const pictures[] = {&distorted};
  return comparison.push(reference, pictures);
}

TEST(Comparison, ScoresAtTheReferencesSizeAndTheDeepestDepth) {
  const Grey reference(96, 64), small(48, 32), deep(96, 64, 10);
  auto made = Comparison::start({}, reference.picture(), 10, {"a", "b"});
  ASSERT_TRUE(made) << made.error().text;
  const Picture *const pictures[] = {&small.picture(), &deep.picture()};
  ASSERT_TRUE((*made)->push(reference.picture(), pictures));
  const auto last = (*made)->finish();
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ((*made)->format().width, 96);
  EXPECT_EQ((*made)->format().bits, 10);
  EXPECT_TRUE((*made)->scaled(0));
  EXPECT_FALSE((*made)->promoted(0)); // as deep as the reference
  EXPECT_TRUE((*made)->promoted(1));
  EXPECT_FALSE((*made)->scaled(1));
  EXPECT_LT(last[0].score(), last[1].score());
}

TEST(Comparison, ScalesBothSidesToAnAskedHeight) {
  const Grey reference(96, 64), larger(120, 80);
  ComparisonOptions options;
  options.height = 48;
  auto made = Comparison::start(options, reference.picture(), 8, {"a"});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ((*made)->format().width, 72);
  ASSERT_TRUE(scores(**made, reference.picture(), reference.picture()));
  EXPECT_TRUE(scores(**made, larger.picture(), larger.picture())); // another size is none at that height
}

TEST(Comparison, ScoresAtADepthThatIsAskedFor) {
  const Grey reference(96, 64), small(72, 48), deep(96, 64, 10);
  ComparisonOptions options;
  options.bits = 10;
  auto made = Comparison::start(options, reference.picture(), 8, {"a", "b"});
  ASSERT_TRUE(made) << made.error().text;
  EXPECT_EQ((*made)->format().bits, 10);
  const Picture *const pictures[] = {&small.picture(), &deep.picture()};
  ASSERT_TRUE((*made)->push(reference.picture(), pictures));
  EXPECT_FALSE((*made)->promoted(0)); // as the reference was
  EXPECT_TRUE((*made)->promoted(1));
  EXPECT_FALSE((*made)->banding(0)); // v0.6.1 does not look at it
  options.bits = 9;
  EXPECT_FALSE(Comparison::start(options, reference.picture(), 8, {"a"}));
}

// Scaled samples keep the bits that are there.
TEST(Fitter, DeepensBeforeItScales) {
  const Grey small(48, 32), large(96, 64, 10);
  Fitter fitter;
  const Plane fitted = fitter.fit(small.picture(), large.picture(), false).y;
  ASSERT_EQ(fitted.bits, 10);
  int between = 0;
  for (int y = 0; y < fitted.height; ++y)
    for (int x = 0; x < fitted.width; ++x)
      between += fitted.sample(x, y) % 4 != 0;
  EXPECT_GT(between, fitted.width * fitted.height / 4);
  EXPECT_EQ(fitter.fit(small.picture(), large.picture(), false).coding, (Coding{48, 32, 8}));
  Picture named = small.picture();
  named.coding = {24, 16, 0};
  EXPECT_EQ(fitter.fit(named, large.picture(), false).coding, (Coding{24, 16, 8}));
}

TEST(Comparison, SaysWhichInputChangedAndHow) {
  const Grey reference(96, 64), larger(120, 80), deep(96, 64, 10);
  auto made = Comparison::start({}, reference.picture(), 8, {"left"});
  ASSERT_TRUE(made) << made.error().text;
  ASSERT_TRUE(scores(**made, reference.picture(), reference.picture()));
  const auto grown = scores(**made, larger.picture(), reference.picture());
  ASSERT_FALSE(grown);
  EXPECT_NE(grown.error().text.find("changed from 96x64 to 120x80"), std::string::npos) << grown.error().text;
  const auto deeper = scores(**made, reference.picture(), deep.picture());
  ASSERT_FALSE(deeper);
  EXPECT_NE(deeper.error().text.find("Pad left went from 8 to 10 bits"), std::string::npos)
      << deeper.error().text;
}

TEST(Comparison, RefusesWhatCannotBeScored) {
  const Grey tiny(32, 32), reference(96, 64);
  EXPECT_FALSE(Comparison::start({}, tiny.picture(), 8, {"a"}));
  EXPECT_FALSE(Comparison::start({}, reference.picture(), 8, {}));
  ComparisonOptions unknown;
  unknown.models = "v9";
  EXPECT_FALSE(Comparison::start(unknown, reference.picture(), 8, {"a"}));
}

TEST(Comparison, SkipsFramesButNotTheirMotion) {
  const Grey reference(96, 64);
  ComparisonOptions options;
  options.subsample = 3;
  auto made = Comparison::start(options, reference.picture(), 8, {"a"});
  ASSERT_TRUE(made) << made.error().text;
  std::vector<std::uint64_t> frames;
  for (int n = 0; n < 7; ++n) {
    const auto made_now = scores(**made, reference.picture(), reference.picture());
    ASSERT_TRUE(made_now);
    for (const FrameScore &score : *made_now)
      frames.push_back(score.frame);
  }
  for (const FrameScore &score : (*made)->finish())
    frames.push_back(score.frame);
  EXPECT_EQ(frames, (std::vector<std::uint64_t>{0, 3, 6}));
}

} // namespace
} // namespace hull::vmaf
