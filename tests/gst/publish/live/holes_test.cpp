#include "gst/publish/lint/lint.h"
#include "tests/gst/publish/live/muxed_pictures.h"
#include "tests/support/numbers.h"

namespace hull::publish {
namespace {

struct Hole {
  FrameRate rate;
  std::int64_t chunk; // ms; parts last 200 ms
  double from, length;
};

std::vector<Hole> all_holes() {
  std::vector<Hole> all;
  for (const FrameRate rate : {FrameRate{1, 1}, {5, 1}, {24000, 1001}, {25, 1}, {30000, 1001}, {60, 1}})
    for (const std::int64_t chunk : {40, 200})
      for (const double from : {6.0, 6.1, 6.46, 6.72, 7.3, 7.64, 7.8, 7.92, 8.04})
        for (const double length : {0.04, 0.1, 0.2, 0.3, 0.5, 1.0, 2.0, 2.5, 5.0})
          all.push_back({rate, chunk, from, length});
  return all;
}

std::string playlist_of(const Hole &hole) {
  LiveConfig config;
  config.chunk_duration = hole.chunk * 1'000'000;
  MuxedPictures pictures(config, hole.rate);
  pictures.play(0, hole.from);
  pictures.play(hole.from + hole.length, hole.from + hole.length + 4);
  return pictures.live.playlist("v1", {}).text;
}

// Whatever was lost, and wherever: the list keeps the rules. Nor does it name parts of nothing: hls.js 1.7
// asks for the parts of a segment one after the other, and gives up at one that says GAP=YES.
TEST(InputWithAHole, LeavesAListThatKeepsTheRules) {
  for (const Hole &hole : all_holes()) {
    const std::string text = playlist_of(hole);
    const std::string about = fmt::format("{}/{} chunks of {} ms, {} s lost at {}\n{}", hole.rate.numerator,
                                          hole.rate.denominator, hole.chunk, hole.length, hole.from, text);
    EXPECT_EQ(text.find("GAP=YES"), std::string::npos) << about;
    Findings found;
    lint_playlist(text, "v1.m3u8", found);
    for (const Finding &finding : found.all())
      EXPECT_NE(finding.rule->level, Level::must) << to_text(finding) << about;
  }
}

// The date of a segment is its media's, whatever was lost before it.
TEST(InputWithAHole, LeavesTheDatesTrue) {
  MuxedPictures pictures(LiveConfig{}, {25, 1});
  pictures.live.set_epoch(1'700'000'000'000'000'000); // 22:13:20
  pictures.play(0, 5);
  pictures.play(5.5, 12);
  const std::string text = pictures.live.playlist("v1", {}).text;
  for (const char *date : {"22:13:24.000Z", "22:13:26.000Z", "22:13:28.000Z"})
    EXPECT_NE(text.find(date), std::string::npos) << date << text;
}

// 24/s that nobody announced, as over RTP: chunks of four pictures, which are listed as long as they are.
TEST(InputWithoutARate, IsListedAsItComes) {
  Live live{LiveConfig{}};
  Track track;
  track.id = "v1";
  live.add_track(track);
  track.timescale = 24000;
  live.set_init(0, track, std::make_shared<const ByteVector>(9));
  for (std::int64_t i = 0; i < 60; ++i)
    ASSERT_TRUE(live.add_chunk(
        0, {std::make_shared<const ByteVector>(9), i * 4000, 4000, 1000, i % 12 == 0, false, i % 12 == 0}));
  const std::string text = live.playlist("v1", {}).text;
  EXPECT_NE(text.find("#EXTINF:2.000000"), std::string::npos) << text;
  EXPECT_EQ(text.find("#EXTINF:1."), std::string::npos) << text;
}

// The picture before a hole stays: as much of it as PART-TARGET allows is its part's.
TEST(InputWithAHole, StretchesTheOpenPart) {
  LiveConfig config;
  config.chunk_duration = 40'000'000;
  MuxedPictures pictures(config, {25, 1});
  pictures.play(0, 6.08);
  pictures.play(6.16, 8);
  EXPECT_NE(
      pictures.live.playlist("v1", {}).text.find("DURATION=0.200000,URI=\"v1/3.0.m4s\",INDEPENDENT=YES"),
      std::string::npos)
      << pictures.live.playlist("v1", {}).text;
}

} // namespace
} // namespace hull::publish
