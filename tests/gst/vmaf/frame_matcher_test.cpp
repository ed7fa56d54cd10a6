// Which frames become partners, without a pipeline.

#include "gst/vmaf/frame_matcher.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

constexpr std::int64_t kFrame = 40'000'000; // 25 frames per second

TimedFrame frame(int number, std::optional<std::int64_t> time, std::int64_t duration = kFrame) {
  return {time, duration, std::make_shared<const int>(number)};
}

TimedFrame at(int number) {
  return frame(number, number * kFrame);
}

int number_of(const TimedFrame &frame) {
  return *static_cast<const int *>(frame.picture.get());
}

/// Feeds a matcher with whole streams as pads would: a frame enters where there is room.
class Feed {
 public:
  Feed(const MatchRules &rules, std::vector<std::vector<TimedFrame>> streams,
       std::vector<std::int32_t> offsets = {})
      : matcher_(rules), streams_(std::move(streams)), sent_(streams_.size()) {
    for (InputId id = 1; id < streams_.size(); ++id)
      matcher_.add(id, id <= offsets.size() ? offsets[id - 1] : 0);
  }

  /// Numbers of reference frames and of their partners, -1 where there is none.
  std::vector<std::vector<int>> run() {
    std::vector<std::vector<int>> sets;
    for (bool more = true; more;) {
      more = push_what_fits();
      while (const auto set = matcher_.next()) {
        std::vector<int> numbers(streams_.size(), -1);
        numbers[0] = number_of(set->reference);
        for (const auto &[id, partner] : set->partners)
          numbers[id] = number_of(partner);
        sets.push_back(numbers);
        matcher_.scored();
        more = true;
      }
    }
    EXPECT_TRUE(matcher_.finished());
    return sets;
  }

  const MatchCounts &counts(InputId id) const { return matcher_.input(id).counts; }

 private:
  bool push_what_fits() {
    bool pushed = false;
    for (InputId id = 0; id < streams_.size(); ++id) {
      if (sent_[id] < streams_[id].size() && matcher_.has_room(id)) {
        matcher_.push(id, streams_[id][sent_[id]++]);
        pushed = true;
      }
      matcher_.set_ended(id, sent_[id] == streams_[id].size());
    }
    return pushed;
  }

  FrameMatcher matcher_;
  std::vector<std::vector<TimedFrame>> streams_;
  std::vector<std::size_t> sent_;
};

std::vector<TimedFrame> frames(int count, std::int64_t duration = kFrame, std::int64_t start = 0) {
  std::vector<TimedFrame> made;
  for (int n = 0; n < count; ++n)
    made.push_back(frame(n, start + n * duration, duration));
  return made;
}

TEST(FrameMatcher, PairsEqualTimes) {
  Feed feed({}, {frames(3), frames(3)});
  EXPECT_EQ(feed.run(), (std::vector<std::vector<int>>{{0, 0}, {1, 1}, {2, 2}}));
  EXPECT_EQ(feed.counts(1).matched, 3u);
}

TEST(FrameMatcher, CountsWhatHasNoPartnerOnEitherSide) {
  Feed feed({}, {frames(4), frames(6), {at(1), at(3)}});
  EXPECT_EQ(feed.run(), (std::vector<std::vector<int>>{{0, 0, -1}, {1, 1, 1}, {2, 2, -1}, {3, 3, 3}}));
  EXPECT_EQ(feed.counts(1).unmatched, 2u);
  EXPECT_EQ(feed.counts(2).missing, 2u);
}

TEST(FrameMatcher, CountsRepeatedTimesAndFramesWithout) {
  Feed feed({}, {frames(3), {at(0), at(0), at(1), frame(2, std::nullopt)}});
  feed.run();
  EXPECT_EQ(feed.counts(1).repeated, 1u);
  EXPECT_EQ(feed.counts(1).untimed, 1u);
}

TEST(FrameMatcher, AppliesOffsetsByTimeAndByIndex) {
  for (const bool by_index : {false, true}) {
    Feed feed({by_index, 0, 0}, {frames(4), frames(4), frames(4)}, {1, -2});
    EXPECT_EQ(feed.run(), (std::vector<std::vector<int>>{{0, 1, -1}, {1, 2, -1}, {2, 3, 0}, {3, -1, 1}}))
        << by_index;
  }
}

/// Times of an input with this many frames per second.
std::vector<TimedFrame> at_rate(int count, std::int64_t n, std::int64_t d) {
  std::vector<TimedFrame> made;
  for (int i = 0; i < count; ++i)
    made.push_back(frame(i, i * d * 1'000'000'000 / n, d * 1'000'000'000 / n));
  return made;
}

TEST(FrameMatcher, PairsTheNearestInTimeAtAnyTwoRates) {
  const std::pair<std::int64_t, std::int64_t> rates[] = {
      {12, 1}, {24000, 1001}, {24, 1}, {25, 1}, {30000, 1001}, {30, 1}, {48, 1}, {50, 1}, {60, 1}, {120, 1}};
  for (const auto &[n, d] : rates)
    for (const auto &[other_n, other_d] : rates)
      for (const bool knows_rate : {true, false}) {
        const auto reference = at_rate(60, n, d);
        auto distorted = at_rate(static_cast<int>(60 * other_n * d / other_d / n), other_n, other_d);
        for (TimedFrame &one : distorted)
          if (!knows_rate) one.duration = 0;
        const std::int64_t tolerance = reference[0].duration / 2;
        std::size_t partners = 0;
        for (const auto &set : Feed({}, {reference, distorted}).run()) {
          const auto at = [&](int i) {
            return std::abs(*distorted[static_cast<std::size_t>(i)].time -
                            *reference[static_cast<std::size_t>(set[0])].time);
          };
          if (set[1] < 0) continue;
          ++partners;
          EXPECT_LE(at(set[1]), tolerance);
          for (int i = 0; i < static_cast<int>(distorted.size()); ++i)
            EXPECT_LE(at(set[1]), at(i)) << n << "/" << d << " against " << other_n << "/" << other_d;
        }
        // Of the slower side every frame finds a partner, the last and those just on the tolerance aside.
        EXPECT_GE(partners + 2 + partners / 4, std::min(reference.size(), distorted.size()));
      }
}

TEST(FrameMatcher, TakesOneFrameOfAnInputAtATime) {
  FrameMatcher matcher{MatchRules{}};
  matcher.add(1, 0);
  EXPECT_TRUE(matcher.has_room(kReferenceInput));
  matcher.push(kReferenceInput, at(0));
  EXPECT_FALSE(matcher.has_room(kReferenceInput));
  matcher.push(1, at(0));
  ASSERT_TRUE(matcher.next());
  EXPECT_FALSE(matcher.has_room(1)); // being scored
  matcher.scored();
  EXPECT_TRUE(matcher.has_room(1));
  EXPECT_TRUE(matcher.has_room(kReferenceInput));
}

TEST(FrameMatcher, HoldsMoreFramesOnlyWhenToldAndNamesWhoIsWaitedFor) {
  FrameMatcher matcher{MatchRules{}};
  matcher.add(1, 0);
  matcher.add(2, 0);
  matcher.push(kReferenceInput, at(0));
  matcher.push(1, at(0));
  EXPECT_FALSE(matcher.has_room(kReferenceInput));
  EXPECT_EQ(matcher.starving(), std::vector<InputId>{2});
  EXPECT_TRUE(matcher.grow(6));
  for (int n = 1; n < 4; ++n) {
    EXPECT_TRUE(matcher.has_room(kReferenceInput));
    matcher.push(kReferenceInput, at(n));
  }
  EXPECT_FALSE(matcher.has_room(kReferenceInput));
  EXPECT_TRUE(matcher.grow(6));
  EXPECT_FALSE(matcher.grow(6));
  matcher.push(2, frame(0, -1, 0)); // just before, at no known rate: the next may be nearer
  EXPECT_FALSE(matcher.next());
  EXPECT_EQ(matcher.starving(), std::vector<InputId>{2});
  EXPECT_TRUE(matcher.has_room(2));
  matcher.set_ended(2, true);
  EXPECT_TRUE(matcher.starving().empty());
}

TEST(FrameMatcher, GathersFramesUntilOffsetsAreFound) {
  FrameMatcher matcher({false, 0, 3});
  matcher.add(7, 0);
  const auto picture = [](int n) {
    Thumbnail made;
    for (std::size_t i = 0; i < made.size(); ++i)
      made[i] = static_cast<float>((i * 7 + static_cast<std::size_t>(n) * 13) % 200);
    return made;
  };
  for (int n = 0; matcher.has_room(kReferenceInput) || matcher.has_room(7); ++n) {
    EXPECT_FALSE(matcher.start_search());
    const Thumbnail reference = picture(n), late = picture(n + 2);
    matcher.push(kReferenceInput, at(n), &reference);
    matcher.push(7, at(n), &late);
    EXPECT_FALSE(matcher.next());
  }
  const auto task = matcher.start_search();
  ASSERT_TRUE(task);
  EXPECT_TRUE(matcher.end_search(find_alignments(*task)));
  EXPECT_EQ(matcher.input(7).offset, -2);
  const auto set = matcher.next(); // two reference frames have no partner
  ASSERT_TRUE(set);
  EXPECT_TRUE(set->partners.empty());
}

TEST(FrameMatcher, ForgetsFlushedFramesAndRemovedInputs) {
  FrameMatcher matcher{MatchRules{}};
  matcher.add(1, 0);
  matcher.add(2, 0);
  matcher.push(kReferenceInput, at(0));
  matcher.push(1, at(9));
  matcher.flush(1);
  EXPECT_TRUE(matcher.has_room(1));
  matcher.push(1, at(0));
  EXPECT_FALSE(matcher.next());
  matcher.remove(2);
  EXPECT_FALSE(matcher.has(2));
  EXPECT_TRUE(matcher.next());
}

} // namespace
} // namespace hull::vmaf
