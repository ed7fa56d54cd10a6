#include "gst/core/time.h"
#include "gst/mux/fragmenter.h"
#include "gst/publish/lint/lint.h"
#include "gst/publish/live/live.h"
#include "gst/publish/live/parts.h"
#include "tests/support/numbers.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

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

/// A presentation of pictures as our muxer cuts them.
class CutByTheMuxer : public testing::TestWithParam<Case> {
 protected:
  CutByTheMuxer() : live_(config()) {
    track_.id = "v1";
    live_.add_track(track_);
    track_.codecs = "avc1.42c01e";
    track_.timescale = std::max(12'800u, rate().numerator * (rate().numerator < 1000 ? 512 : 1));
    track_.frame_rate = rate();
    live_.set_init(0, track_, std::make_shared<const ByteVector>(9));
    mux::Fragmenter::Settings cut;
    cut.fragment_duration = live_.config().segment_duration;
    cut.chunk_duration = longest_chunk(live_.config(), Kind::video, rate());
    cut.grid_origin = 0;
    muxer_.emplace(cut, std::vector<mux::Fragmenter::Track>{{track_.timescale, false}}, 0);
  }
  static FrameRate rate() { return GetParam().rate; }
  static LiveConfig config() {
    LiveConfig config;
    config.chunk_duration = GetParam().chunk * 1'000'000;
    config.part_duration = GetParam().part * 1'000'000;
    return config;
  }
  std::int64_t time_of(std::int64_t picture) const {
    return rescale(picture * rate().denominator, track_.timescale, rate().numerator);
  }
  void publish(const std::optional<isobmff::Chunk> &cut) {
    if (!cut) return;
    const auto &samples = cut->runs[0];
    const isobmff::Sample &last = samples.back();
    const std::int64_t start = samples.front().decode_time;
    ASSERT_TRUE(live_.add_chunk(0, {std::make_shared<const ByteVector>(9), start,
                                    last.decode_time + last.duration - start, last.duration,
                                    cut->starts_fragment, false, samples.front().sync}));
  }
  /// Ten seconds, with a key picture where each segment is due.
  void play() {
    for (std::int64_t i = 0, due = 0; time_of(i) < 10 * std::int64_t{track_.timescale}; ++i) {
      isobmff::Sample sample;
      sample.decode_time = time_of(i);
      sample.duration = static_cast<std::uint32_t>(time_of(i + 1) - sample.decode_time);
      sample.size = 9;
      sample.sync = 2 * sample.decode_time + sample.duration >= due * 4 * track_.timescale;
      due += sample.sync;
      publish(muxer_->before(0, sample));
      publish(muxer_->add(0, sample, true));
    }
  }

  Live live_;
  Track track_;
  std::optional<mux::Fragmenter> muxer_;
};

double after(const std::string &text, std::size_t from, std::string_view key) {
  return number_in(text.substr(text.find(key, from) + key.size()));
}

// RFC 8216bis 4.4.4.9, without its exceptions for independent parts. The players' hold-back rests on it.
TEST_P(CutByTheMuxer, PartTargetIsTheTruth) {
  play();
  const std::string text = live_.playlist("v1", {}).text;
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
