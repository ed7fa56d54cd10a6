#include "gst/publish/lint/lint.h"
#include "tests/gst/publish/live/muxed_pictures.h"
#include "tests/support/numbers.h"

#include <algorithm>

namespace hull::publish {
namespace {

struct Case {
  FrameRate rate;
  std::int64_t chunk, part; // ms
};

std::vector<Case> all_cases() {
  std::vector<Case> all;
  for (const FrameRate rate : {FrameRate{1, 1},
                               {3, 1},
                               {5, 1},
                               {12, 1},
                               {15, 1},
                               {24000, 1001},
                               {24, 1},
                               {25, 1},
                               {30000, 1001},
                               {30, 1},
                               {48, 1},
                               {50, 1},
                               {60000, 1001},
                               {60, 1},
                               {100, 1},
                               {120000, 1001},
                               {120, 1}})
    for (const std::int64_t part : {100, 200, 333, 500, 1000})
      for (const std::int64_t chunk : {10, 40, 100, 200, 333, 500, 1000})
        if (chunk <= part) all.push_back({rate, chunk, part});
  return all;
}

LiveConfig config_of(const Case &is) {
  LiveConfig config;
  config.chunk_duration = is.chunk * 1'000'000;
  config.part_duration = is.part * 1'000'000;
  return config;
}

class CutByTheMuxer : public testing::TestWithParam<Case> {};

double after(const std::string &text, std::size_t from, std::string_view key) {
  return number_in(text.substr(text.find(key, from) + key.size()));
}

// RFC 8216bis 4.4.4.9, without its exceptions for independent parts. The players' hold-back rests on it.
TEST_P(CutByTheMuxer, PartTargetIsTheTruth) {
  MuxedPictures pictures(config_of(GetParam()), GetParam().rate);
  pictures.play(0, 10);
  const std::string text = pictures.live.playlist("v1", {}).text;
  const double target = after(text, 0, "PART-TARGET=");
  const std::string_view key = "#EXT-X-PART:DURATION=";
  std::size_t parts = 0;
  double longest = 0;
  for (std::size_t at = text.find(key); at != std::string::npos; ++parts) {
    const double length = after(text, at, key);
    longest = std::max(longest, length);
    const std::size_t next = text.find('#', at + 1);
    const bool last_of_segment = text.compare(next, key.size(), key) != 0;
    EXPECT_LE(length, target) << text;
    if (!last_of_segment) {
      EXPECT_GE(length, 0.85 * target) << text;
    }
    at = text.find(key, at + 1);
  }
  EXPECT_GT(parts, 0u) << text;
  EXPECT_GE(longest * 1000, std::min<double>(static_cast<double>(GetParam().part), 2000) - 1) << "as asked";
  EXPECT_GE(after(text, 0, "PART-HOLD-BACK="), 3 * target - 1e-9) << text;
  Findings found;
  lint_playlist(text, "v1.m3u8", found);
  for (const Finding &finding : found.all())
    EXPECT_NE(finding.rule->level, Level::must) << to_text(finding) << text;
}

INSTANTIATE_TEST_SUITE_P(RatesAndLengths, CutByTheMuxer, testing::ValuesIn(all_cases()),
                         [](const auto &info) {
                           return fmt::format("{}_{}_chunk{}_part{}", info.param.rate.numerator,
                                              info.param.rate.denominator, info.param.chunk, info.param.part);
                         });

// A rung of 50/s beside one of 25/s, and sound: one hold-back for all, from the longest part.
TEST(PartTarget, HoldBackIsOneForAllTracks) {
  LiveConfig config;
  Live live{config};
  for (const auto &[id, rate] : {std::pair{"v1", FrameRate{24000, 1001}}, {"v2", FrameRate{50, 1}}}) {
    Track track;
    track.id = id;
    live.add_track(track);
    track.timescale = 24000;
    track.frame_rate = rate;
    live.set_init(live.tracks().size() - 1, track, std::make_shared<const ByteVector>(9));
  }
  for (std::int64_t i = 0; i < 30; ++i)
    for (std::size_t track = 0; track < 2; ++track) {
      const std::int64_t length = track ? 4800 : 5005;
      ASSERT_TRUE(live.add_chunk(track, {std::make_shared<const ByteVector>(9), i * length, length,
                                         track ? 480 : 1001, i % 10 == 0, false, i % 10 == 0}));
    }
  const double slow = after(live.playlist("v1", {}).text, 0, "PART-HOLD-BACK=");
  EXPECT_EQ(slow, after(live.playlist("v2", {}).text, 0, "PART-HOLD-BACK="));
  EXPECT_GE(slow, 3 * after(live.playlist("v1", {}).text, 0, "PART-TARGET="));
}

} // namespace
} // namespace hull::publish
