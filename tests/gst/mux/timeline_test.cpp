#include "gst/core/time.h"
#include "gst/mux/fragmenter.h"
#include "gst/mux/timeline.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace hull::mux {
using namespace isobmff;
namespace {

constexpr std::int64_t kFrame = kNanoseconds / 30;

TEST(Timeline, TicksOfThirtyFramesPerSecondNeverDrift) {
  // 30000/1001: nanoseconds are rounded, ticks are not.
  Timeline timeline(video_timescale(30'000, 1'001), Pacing::reordered);
  for (std::int64_t i = 0; i < 100'000; ++i) {
    const std::int64_t time = rescale(i * 1'001, kNanoseconds, 30'000);
    const Placed placed = timeline.add({time, time, 33'366'666});
    ASSERT_EQ(placed.decode_time, i * 1'001);
    ASSERT_EQ(placed.duration, 1'001u);
  }
  EXPECT_EQ(timeline.repairs().total(), 0u);
}

TEST(Timeline, ReorderedPicturesStartAtTheirFirstPresentation) {
  Timeline timeline(30, Pacing::reordered);
  // I P B B: decoded two frames ahead of what is shown.
  const std::int64_t shown[] = {0, 3, 1, 2, 6, 4, 5};
  const std::int64_t offsets[] = {0, 2, -1, -1, 2, -1, -1};
  for (std::int64_t i = 0; i < 7; ++i) {
    const Placed placed = timeline.add({shown[i] * kFrame, (i - 2) * kFrame, kFrame});
    EXPECT_EQ(placed.decode_time, i);
    EXPECT_EQ(placed.composition_offset, offsets[i]) << i;
  }
  EXPECT_EQ(timeline.reorder_shift(), 2);
}

TEST(Timeline, AFrozenSampleEndsWhereItSaidAndTheNextMakesUpForIt) {
  Timeline timeline(1'000, Pacing::reordered);
  timeline.add({0, 0, 40'000'000});
  timeline.freeze();
  const Placed late = timeline.add({50'000'000, 50'000'000, 40'000'000}); // 10 ms later than announced
  EXPECT_EQ(late.decode_time, 40);
  EXPECT_EQ(late.decode_time + late.composition_offset, 50);
  EXPECT_EQ(late.duration, 50u); // so that the one after starts at 90
}

// A full chunk has left with the duration its last picture announced; then nothing came for a while, and the
// key picture for the next fragment stands in the file where the chunk ended.
TEST(Fragmenter, AKeyPictureAfterAHoleStartsItsFragment) {
  for (const std::int64_t hole : {2, 5, 10, 24}) { // pictures that are missing
    Timeline timeline(25, Pacing::reordered);
    Fragmenter fragmenter(
        {.fragment_duration = kNanoseconds, .chunk_duration = kNanoseconds / 5, .grid_origin = 0},
        {{25, false}}, 0);
    std::size_t keyless = 0, fragments = 0;
    const auto count = [&](const std::optional<Chunk> &chunk) {
      if (!chunk) return;
      if (chunk->starts_fragment) {
        ++fragments;
        keyless += !chunk->runs[0].front().sync;
      }
      timeline.freeze();
    };
    for (std::int64_t i = 0; i < 150; ++i) {
      if (i >= 75 - hole && i < 75) continue;
      const Placed placed = timeline.add({i * kNanoseconds / 25, i * kNanoseconds / 25, kNanoseconds / 25});
      const Sample sample{
          placed.decode_time, placed.duration, placed.composition_offset, 100, i % 25 == 0, false};
      count(fragmenter.before(0, sample, placed.early));
      count(fragmenter.add(0, sample, placed.duration_known));
    }
    count(fragmenter.drain());
    EXPECT_EQ(keyless, 0u) << hole;
    EXPECT_EQ(fragments, 6u) << hole;
  }
}

TEST(Timeline, AudioWithinHalfAFrameIsContiguous) {
  Timeline timeline(48'000, Pacing::contiguous);
  std::mt19937 random(1);
  std::int64_t expected = 0;
  for (int i = 0; i < 1'000; ++i) {
    const std::int64_t jitter = static_cast<std::int64_t>(random() % 4'000'000) - 2'000'000; // below 2 ms
    const std::int64_t time = rescale(expected, kNanoseconds, 48'000) + (i ? jitter : 0);
    const Placed placed = timeline.add({time, {}, 21'333'333});
    ASSERT_EQ(placed.decode_time, expected);
    expected += 1'024;
  }
}

TEST(Timeline, RepairsWhatCannotBeTrue) {
  Timeline timeline(1'000, Pacing::reordered);
  timeline.add({0, 0, 40'000'000});
  timeline.add({40'000'000, 40'000'000, 40'000'000});
  const Placed backward = timeline.add({80'000'000, 20'000'000, 40'000'000});
  EXPECT_EQ(backward.decode_time, 41); // at least one tick on
  EXPECT_EQ(timeline.repairs().backward_dts, 1u);
  const Placed blank = timeline.add({{}, {}, 40'000'000});
  EXPECT_GT(blank.decode_time, 41);
  EXPECT_EQ(timeline.repairs().missing_pts, 1u);
  const std::int64_t before = blank.decode_time;
  const Placed restarted = timeline.add({-90 * kNanoseconds, -90 * kNanoseconds, 40'000'000});
  EXPECT_GT(restarted.decode_time, before); // a stream that starts again goes on
  EXPECT_LT(restarted.decode_time, before + 200);
  EXPECT_EQ(timeline.repairs().jumps, 1u);
}

TEST(Timeline, AnyTimestampsGiveARisingTimeline) {
  for (unsigned seed = 0; seed < 50; ++seed) {
    std::mt19937_64 random(seed);
    Timeline timeline(90'000, seed % 2 ? Pacing::reordered : Pacing::contiguous);
    std::int64_t last = -1;
    for (int i = 0; i < 500; ++i) {
      Stamp stamp;
      const auto value = [&] { return static_cast<std::int64_t>(random() >> (random() % 62 + 2)); };
      if (random() % 8) stamp.pts = value();
      if (random() % 3) stamp.dts = value();
      if (random() % 3) stamp.duration = value();
      const Placed placed = timeline.add(stamp);
      ASSERT_GT(placed.decode_time, last) << "seed " << seed << " sample " << i;
      ASSERT_GE(placed.duration, 1u);
      last = placed.decode_time;
      if (random() % 5 == 0) {
        timeline.freeze();
        last = placed.decode_time + placed.duration - 1;
      }
    }
  }
}

Sample picture(std::int64_t index, bool sync, std::uint32_t size = 100) {
  return {index * 512, 512, 0, size, sync, false};
}

TEST(Fragmenter, CutsAtTheFirstSyncSampleAfterTheTarget) {
  Fragmenter fragmenter({}, {{15'360, false}}, 0);
  std::vector<std::size_t> lengths;
  for (std::int64_t i = 0; i < 300; ++i) {
    const Sample sample = picture(i, i % 60 == 0);
    if (auto chunk = fragmenter.before(0, sample)) lengths.push_back(chunk->runs[0].size());
    EXPECT_FALSE(fragmenter.add(0, sample, true));
  }
  EXPECT_EQ(lengths, (std::vector<std::size_t>{60, 60, 60, 60}));
  EXPECT_EQ(fragmenter.drain()->runs[0].size(), 60u);
  EXPECT_FALSE(fragmenter.drain());
}

TEST(Fragmenter, ClosesAChunkWithTheSampleThatFillsIt) {
  Fragmenter::Settings settings;
  settings.chunk_duration = 200'000'000;
  Fragmenter fragmenter(settings, {{15'360, false}}, 0);
  int starts = 0;
  for (std::int64_t i = 0; i < 120; ++i) {
    const Sample sample = picture(i, i % 60 == 0);
    EXPECT_FALSE(fragmenter.before(0, sample));
    auto chunk = fragmenter.add(0, sample, true);
    EXPECT_EQ(chunk.has_value(), i % 6 == 5) << i; // six frames are 200 ms
    if (!chunk) continue;
    EXPECT_EQ(chunk->runs[0].size(), 6u);
    EXPECT_EQ(chunk->starts_fragment, i % 60 == 5);
    starts += chunk->starts_fragment;
  }
  EXPECT_EQ(starts, 2);
}

TEST(Fragmenter, AudioStaysWithinHalfAFrameOfThePictures) {
  Fragmenter fragmenter({}, {{48'000, true}}, 0);
  std::int64_t boundary = 0;
  for (std::int64_t i = 0; i < 50'000; ++i) {
    const Sample sample{i * 1'024, 1'024, 0, 10, true, false};
    if (fragmenter.before(0, sample)) {
      boundary += 96'000;
      ASSERT_LE(std::abs(sample.decode_time - boundary), 512) << "after " << i << " frames";
    }
    fragmenter.add(0, sample, true);
  }
  EXPECT_GT(boundary, 500 * 96'000);
}

TEST(Fragmenter, WithoutSyncSamplesMemoryIsBounded) {
  Fragmenter fragmenter({}, {{15'360, false}}, 0);
  std::size_t most = 0;
  int chunks = 0, starts = 0;
  for (std::int64_t i = 0; i < 3'000; ++i) {
    const Sample sample = picture(i, i == 0, 1 << 20);
    if (auto chunk = fragmenter.before(0, sample)) {
      ++chunks;
      starts += chunk->starts_fragment;
    }
    fragmenter.add(0, sample, true);
    most = std::max(most, fragmenter.pending(0));
  }
  EXPECT_LE(most, 64u); // 64 MiB
  EXPECT_GT(chunks, 40);
  EXPECT_EQ(starts, 1);
}

TEST(Fragmenter, ManualSplitsAreTheOnlyOnes) {
  Fragmenter::Settings settings;
  settings.manual = true;
  Fragmenter fragmenter(settings, {{15'360, false}}, 0);
  fragmenter.split(3 * kNanoseconds);
  std::vector<std::int64_t> cuts;
  for (std::int64_t i = 0; i < 300; ++i) {
    const Sample sample = picture(i, i % 30 == 0);
    if (fragmenter.before(0, sample)) cuts.push_back(i);
    fragmenter.add(0, sample, true);
  }
  EXPECT_EQ(cuts, std::vector<std::int64_t>{90});
}

} // namespace
} // namespace hull::mux
