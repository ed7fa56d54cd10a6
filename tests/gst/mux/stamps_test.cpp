// Stamps that are out of line, gaps that are true, and times that are not there at all.

#include "gst/core/time.h"
#include "gst/mux/decode_times.h"
#include "gst/mux/stamp_judge.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace hull::mux {
namespace {

constexpr std::int64_t kFrame = 40'000'000;
constexpr std::int64_t kSecond = kNanoseconds;

std::int64_t settled_time(const Stamp &stamp) {
  return stamp.dts.value_or(stamp.pts.value_or(-1));
}

std::vector<std::int64_t> judged(StampJudge &judge, const std::vector<std::int64_t> &times,
                                 bool live = false) {
  std::vector<std::int64_t> out;
  std::int64_t index = 0;
  for (const std::int64_t time : times) {
    judge.add({time, time, kFrame}, live ? std::optional(kSecond + index * kFrame) : std::nullopt);
    ++index;
    while (auto stamp = judge.next())
      out.push_back(settled_time(*stamp));
    EXPECT_TRUE(!live || out.size() == static_cast<std::size_t>(index)) << "a live sample waits";
  }
  judge.end();
  while (auto stamp = judge.next())
    out.push_back(settled_time(*stamp));
  return out;
}

std::vector<std::int64_t> regular(std::size_t count = 150) {
  std::vector<std::int64_t> times(count);
  for (std::size_t i = 0; i < count; ++i)
    times[i] = static_cast<std::int64_t>(i) * kFrame;
  return times;
}

StampJudge make(std::shared_ptr<SharedMoves> shared = std::make_shared<SharedMoves>()) {
  return StampJudge({.nominal = kFrame}, std::move(shared));
}

// A demuxer that joins in the middle of a stream: the first time comes late, and says it for all before.
TEST(StampJudge, SamplesBeforeTheFirstTimeEndWhereItBegins) {
  for (const std::size_t leading : {1, 2, 17, 100, 400})
    for (const bool announced : {true, false})
      for (const bool ends : {false, true}) {
        auto judge = make();
        constexpr std::int64_t kFirst = 120'000'000;
        const std::size_t timed = ends ? 1 : 20;
        std::vector<Stamp> out;
        for (std::size_t i = 0; i < leading + timed; ++i) {
          Stamp stamp;
          if (announced) stamp.duration = kFrame;
          if (i >= leading) stamp.pts = kFirst + static_cast<std::int64_t>(i - leading) * kFrame;
          judge.add(stamp);
          while (auto settled = judge.next())
            out.push_back(*settled);
        }
        judge.end();
        while (auto settled = judge.next())
          out.push_back(*settled);
        ASSERT_EQ(out.size(), leading + timed);
        for (std::size_t i = 0; i < out.size(); ++i)
          ASSERT_EQ(out[i].pts,
                    kFirst + (static_cast<std::int64_t>(i) - static_cast<std::int64_t>(leading)) * kFrame)
              << leading << " " << i;
        EXPECT_EQ(judge.leading(), leading);
        EXPECT_EQ(judge.strays() + judge.restarts(), 0u);
      }
}

// Live samples, and those of a stream that never says a time, wait for nobody or not for ever.
TEST(StampJudge, WithoutAnyTimeSamplesStillLeave) {
  auto live = make();
  live.add({std::nullopt, std::nullopt, kFrame}, kSecond);
  EXPECT_TRUE(live.next());
  auto endless = make();
  std::size_t left = 0;
  for (int i = 0; i < 2000; ++i) {
    endless.add({std::nullopt, std::nullopt, kFrame});
    while (endless.next())
      ++left;
  }
  EXPECT_GE(left, 1400u);
  endless.end();
  while (endless.next())
    ++left;
  EXPECT_EQ(left, 2000u);
}

// Single, in threes, every two seconds; half a second to a day; both directions; first, in between, last.
TEST(StampJudge, StraysStandBehindTheirPredecessor) {
  for (const bool live : {false, true})
    for (const std::int64_t by :
         {kSecond / 2 + 60'000'000, kSecond, 5 * kSecond, 60 * kSecond, 9'800 * kSecond, 86'400 * kSecond})
      for (const std::int64_t sign : {-1, 1})
        for (const std::size_t count : {1, 2, 3})
          for (const std::size_t every : {1'000, 50})
            for (const std::size_t first : {1, 20, 49}) {
              auto times = regular();
              for (std::size_t at = first; at + count < times.size(); at += every)
                for (std::size_t i = 0; i < count; ++i)
                  times[at + i] += sign * by;
              auto judge = make();
              const auto out = judged(judge, times, live);
              ASSERT_EQ(out.size(), times.size());
              for (std::size_t i = 0; i < out.size(); ++i)
                ASSERT_NEAR(static_cast<double>(out[i]), static_cast<double>(i) * kFrame, 2.0 * kFrame)
                    << "sample " << i << ", " << count << " strays by " << sign * by << " at " << first
                    << (live ? ", live" : "");
              EXPECT_GT(judge.strays(), 0u);
              EXPECT_EQ(judge.restarts(), 0u);
            }
}

TEST(StampJudge, AStrayFirstSampleIsPutInFrontOfTheOthers) {
  for (const std::int64_t by : {kSecond, 37'600 * kSecond}) {
    auto times = regular(10);
    times[0] += by;
    auto judge = make();
    EXPECT_EQ(judged(judge, times), regular(10));
  }
}

TEST(StampJudge, AGapThatGoesOnStays) {
  for (const std::int64_t gap : {kSecond / 2, kSecond, 5 * kSecond, 10 * kSecond - kFrame})
    for (const std::size_t left : {4, 3, 1, 100}) {
      auto times = regular(50 + left);
      for (std::size_t i = 50; i < times.size(); ++i)
        times[i] += gap;
      auto judge = make();
      EXPECT_EQ(judged(judge, times), times) << gap << " " << left;
      EXPECT_EQ(judge.strays() + judge.restarts(), 0u);
    }
}

TEST(StampJudge, ALiveGapIsOneIfTheSamplesCameThatMuchLater) {
  auto judge = make();
  std::vector<std::int64_t> out;
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::int64_t time = i * kFrame + (i < 50 ? 0 : 3 * kSecond);
    judge.add({time, time, kFrame}, time + kSecond);
    out.push_back(settled_time(judge.next().value()));
    EXPECT_EQ(out.back(), time);
  }
}

// A queue that drops what came while somebody was busy: the times jump, the arrivals do not.
TEST(StampJudge, ALiveGapThatNoArrivalShowsIsBelievedWithItsFourthSample) {
  auto judge = make();
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::int64_t time = i * kFrame + (i < 50 ? 0 : 3 * kSecond);
    judge.add({time, time, kFrame}, kSecond + i * kFrame);
    const std::int64_t settled = settled_time(judge.next().value());
    if (i < 50 || i >= 53)
      EXPECT_EQ(settled, time);
    else
      EXPECT_EQ(settled, i * kFrame);
  }
  EXPECT_EQ(judge.restarts(), 0u);
}

TEST(StampJudge, ABurstAfterAStallIsNoJump) {
  auto judge = make();
  for (std::int64_t i = 0; i < 100; ++i) {
    const std::int64_t arrival = i < 50 ? i * kFrame : std::max(i * kFrame, 53 * kFrame + 3 * kSecond);
    judge.add({i * kFrame, i * kFrame, kFrame}, arrival);
    EXPECT_EQ(settled_time(judge.next().value()), i * kFrame);
  }
}

TEST(StampJudge, PicturesThatAreFarApartStayWhereTheyAre) {
  std::vector<std::int64_t> times;
  for (std::int64_t i = 0; i < 10; ++i)
    times.push_back(i * 5 * kSecond);
  StampJudge judge({}, std::make_shared<SharedMoves>());
  std::vector<std::int64_t> out;
  for (const std::int64_t time : times) {
    judge.add({time, time, std::nullopt});
    while (auto stamp = judge.next())
      out.push_back(settled_time(*stamp));
  }
  judge.end();
  while (auto stamp = judge.next())
    out.push_back(settled_time(*stamp));
  EXPECT_EQ(out, times);
}

TEST(StampJudge, ANewTimelineGoesOnWhereTheOldOneEndedAndTheTracksStayInStep) {
  for (const std::int64_t to : {std::int64_t{0}, 86'400 * kSecond}) {
    const auto shared = std::make_shared<SharedMoves>();
    auto pictures = make(shared), sounds = make(shared);
    auto times = regular(100), audio = regular(103); // the sound ends 120 ms later
    for (std::int64_t i = 0; i < 100; ++i) {
      times.push_back(to + i * kFrame);
      audio.push_back(to + i * kFrame);
    }
    const auto shown = judged(pictures, times), heard = judged(sounds, audio);
    EXPECT_EQ(shown[100], 100 * kFrame);
    EXPECT_EQ(pictures.restarts(), 1u);
    EXPECT_EQ(sounds.restarts(), 1u);
    // What was together is together, but for the frames of sound that were too many.
    for (std::size_t i = 110; i < 200; ++i)
      EXPECT_NEAR(static_cast<double>(shown[i]), static_cast<double>(heard[i + 3]), 3.0 * kFrame);
    EXPECT_TRUE(std::ranges::is_sorted(heard));
  }
}

TEST(StampJudge, ASegmentSaysWhereItsSamplesStand) {
  auto judge = make();
  for (std::int64_t i = 0; i < 10; ++i)
    judge.add({i * kFrame, i * kFrame, kFrame});
  while (judge.next()) {
  }
  judge.begin_segment();
  judge.add({100 * kSecond, 100 * kSecond, kFrame});
  EXPECT_EQ(settled_time(judge.next().value()), 100 * kSecond);
}

// Decode order and presentation order of a stream with a pyramid of B pictures.
std::vector<std::int64_t> shown_in_decode_order(std::int64_t groups) {
  std::vector<std::int64_t> order{0};
  for (std::int64_t g = 0; g < groups; ++g)
    for (const std::int64_t frame : {4, 2, 1, 3})
      order.push_back(g * 4 + frame);
  return order;
}

TEST(DecodeTimes, AreTheTimesOfPresentationInOrder) {
  for (const auto &[numerator, denominator] : {std::pair{25, 1}, {30'000, 1'001}, {60'000, 1'001}})
    for (const bool rounded : {false, true})
      for (const unsigned reorder : {2u, 4u, 16u}) {
        DecodeTimes times(reorder, numerator, denominator);
        Timeline timeline(video_timescale(numerator, denominator), Pacing::reordered);
        const std::int64_t ticks = timeline.timescale() * denominator / numerator;
        std::int64_t count = 0;
        for (const std::int64_t frame : shown_in_decode_order(500)) {
          std::int64_t pts = rescale(frame * denominator, kNanoseconds, numerator);
          if (rounded) pts = rescale(pts, 1'000, kNanoseconds) * 1'000'000;
          Stamp stamp{pts, std::nullopt, std::nullopt};
          times.complete(stamp);
          ASSERT_LE(*stamp.dts, *stamp.pts);
          const Placed placed = timeline.add(stamp);
          ASSERT_EQ(placed.decode_time, count * ticks) << frame;
          // Shown where it says, whatever it was rounded to.
          ASSERT_EQ(placed.decode_time + placed.composition_offset, frame * ticks);
          ++count;
        }
        EXPECT_EQ(timeline.repairs().total(), 0u);
      }
}

TEST(DecodeTimes, OfAVariableRateGrowAndShowWhatTheySaid) {
  std::mt19937 random(7);
  DecodeTimes times(2, 0, 1);
  Timeline timeline(90'000, Pacing::reordered);
  std::vector<std::int64_t> shown{0};
  for (int i = 0; i < 2'000; ++i)
    shown.push_back(shown.back() + 10'000'000 + static_cast<std::int64_t>(random() % 90'000'000));
  std::int64_t last = -1;
  for (const std::int64_t frame : shown_in_decode_order(400)) {
    Stamp stamp{shown[static_cast<std::size_t>(frame)], std::nullopt, std::nullopt};
    times.complete(stamp);
    const Placed placed = timeline.add(stamp);
    EXPECT_GT(placed.decode_time, last);
    EXPECT_NEAR(static_cast<double>(placed.decode_time + placed.composition_offset),
                static_cast<double>(rescale(shown[static_cast<std::size_t>(frame)], 90'000, kNanoseconds)),
                1.0);
    last = placed.decode_time;
  }
  EXPECT_EQ(timeline.repairs().total(), 0u);
}

TEST(DecodeTimes, LeaveStampsAloneThatHaveOne) {
  DecodeTimes times(2, 25, 1);
  Stamp stamp{3 * kFrame + 500'000, 2 * kFrame, kFrame};
  times.complete(stamp);
  EXPECT_EQ(stamp.dts, 2 * kFrame);
  EXPECT_EQ(stamp.pts, 3 * kFrame + 500'000);
}

} // namespace
} // namespace hull::mux
