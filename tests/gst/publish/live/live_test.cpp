#include "gst/publish/live/live.h"
#include "gst/publish/utc.h"
#include "tests/support/numbers.h"

#include <gtest/gtest.h>

namespace hull::publish {
namespace {

constexpr std::int64_t kEpoch = 1'700'000'000'000'000'000; // 2023-11-14T22:13:20Z

Chunk bytes(std::size_t size) {
  return std::make_shared<const ByteVector>(size, std::uint8_t{7});
}

/// Video at 25/s in a timescale of 12800 and AAC at 48 kHz, segments of 2 s, chunks of 0.2 s.
class OnAir : public testing::Test {
 protected:
  explicit OnAir(LiveConfig config = {}) : live_(config) {
    live_.set_epoch(kEpoch);
    Track video;
    video.id = "v1";
    video_ = live_.add_track(video);
    Track audio;
    audio.id = "a1";
    audio.kind = Kind::audio;
    audio_ = live_.add_track(audio);
    video.codecs = "avc1.42c01e";
    video.timescale = 12800;
    video.width = 640;
    video.height = 360;
    video.frame_rate = {25, 1};
    live_.set_init(video_, video, bytes(700));
    audio.codecs = "mp4a.40.2";
    audio.timescale = 48000;
    audio.sample_rate = 48000;
    audio.channels = 2;
    audio.language = "en";
    live_.set_init(audio_, audio, bytes(600));
  }
  /// Pushes `count` video chunks of five pictures.
  void push_video(int count) {
    for (int i = 0; i < count; ++i, ++video_chunks_) {
      ChunkInfo chunk{bytes(40'000), video_chunks_ * 2560,   2560, 512, video_chunks_ % 10 == 0,
                      false,         video_chunks_ % 10 == 0};
      ASSERT_TRUE(live_.add_chunk(video_, chunk));
    }
  }
  /// Pushes audio to `seconds`, cut as a muxer does: chunks of nine frames, segments at the frame nearest to
  /// 2 s.
  void push_audio(double seconds) {
    while (static_cast<double>(audio_time_) < seconds * 48000) {
      const std::int64_t boundary = (audio_time_ + 512) / 96000 * 96000 + 96000;
      std::int64_t frames = 0;
      while (frames < 9 && audio_time_ + frames * 1024 < boundary - 512)
        ++frames;
      const bool starts = (audio_time_ + 512) % 96000 < 1024;
      ASSERT_TRUE(
          live_.add_chunk(audio_, {bytes(2400), audio_time_, frames * 1024, 1024, starts, false, true}));
      audio_time_ += frames * 1024;
    }
  }
  std::string playlist(const char *id = "v1", PlaylistQuery query = {}) const {
    return live_.playlist(id, query).text;
  }

  Live live_;
  std::size_t video_ = 0, audio_ = 0;
  std::int64_t video_chunks_ = 0, audio_time_ = 0;
};

std::size_t count(const std::string &text, const std::string &what) {
  std::size_t n = 0;
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1))
    ++n;
  return n;
}

TEST_F(OnAir, DatesNeverPutSoundBehindItsPlaceBesidePictures) {
  ASSERT_TRUE(live_.add_chunk(video_, {bytes(9), 10, 2560, 512, true, true, true}));  // 0.78 ms
  ASSERT_TRUE(live_.add_chunk(audio_, {bytes(9), 40, 9216, 1024, true, true, true})); // 0.83 ms
  EXPECT_NE(playlist("v1").find("22:13:20.001Z"), std::string::npos) << playlist("v1");
  EXPECT_NE(playlist("a1").find("22:13:20.000Z"), std::string::npos) << playlist("a1");
}

TEST_F(OnAir, PlaylistsWaitForTheFirstWholeSegment) {
  push_video(9);
  EXPECT_EQ(live_.playlist("v1", {}).status, 0);
  push_video(1);
  EXPECT_EQ(live_.playlist("v1", {}).status, 200);
  EXPECT_EQ(live_.playlist("v9", {}).status, 404);
}

TEST_F(OnAir, TheHintNamesThePartThatComesNext) {
  push_video(13);
  EXPECT_NE(playlist().find("PRELOAD-HINT:TYPE=PART,URI=\"v1/1.3.m4s\""), std::string::npos) << playlist();
  push_video(7); // the second segment is full on the grid, and known to be before its successor exists
  EXPECT_NE(playlist().find("PRELOAD-HINT:TYPE=PART,URI=\"v1/2.0.m4s\""), std::string::npos) << playlist();
  EXPECT_EQ(live_.object("v1/2.0.m4s").found, Found::hold);
  push_video(1);
  EXPECT_EQ(live_.object("v1/2.0.m4s").found, Found::ready);
}

TEST_F(OnAir, AudioHintsComeTrueToo) {
  for (double t = 0; t < 8; t += 0.2) {
    push_audio(t);
    const std::string text = playlist("a1");
    const std::size_t at = text.find("PRELOAD-HINT:TYPE=PART,URI=\"");
    if (at == std::string::npos) continue;
    const std::string hinted = text.substr(at + 28, text.find('"', at + 28) - at - 28);
    EXPECT_EQ(live_.object(hinted).found, Found::hold) << hinted;
    push_audio(t + 0.4);
    EXPECT_EQ(live_.object(hinted).found, Found::ready) << hinted << text;
  }
}

TEST_F(OnAir, PartsHoldTheBytesOfTheirSegment) {
  push_video(20);
  const ObjectView whole = live_.object("v1/1.m4s");
  ASSERT_EQ(whole.found, Found::ready);
  std::uint64_t sum = 0;
  for (int part = 0; part < 10; ++part)
    sum += live_.object("v1/1." + std::to_string(part) + ".m4s").bytes;
  EXPECT_EQ(sum, whole.bytes);
  EXPECT_EQ(whole.chunks.size(), 10u);
}

TEST_F(OnAir, BlockingReloadFollowsTheRules) {
  push_video(13); // segment 0 whole, segment 1 with parts 0..2
  EXPECT_EQ(live_.playlist("v1", {1, 2, false}).status, 200);
  EXPECT_EQ(live_.playlist("v1", {1, 3, false}).status, 0);
  EXPECT_EQ(live_.playlist("v1", {0, 10, false}).status, 200) << "past the last part of 0 is part 0 of 1";
  EXPECT_EQ(live_.playlist("v1", {2, std::nullopt, false}).status, 0);
  EXPECT_EQ(live_.playlist("v1", {4, std::nullopt, false}).status, 400);
  EXPECT_EQ(live_.playlist("v1", {1, 3 + 16, false}).status, 400);
  EXPECT_EQ(live_.playlist("v1", {std::nullopt, 1, false}).status, 400);
}

TEST_F(OnAir, AnOldNumberGetsTheCurrentPlaylist) {
  push_video(400);
  const PlaylistReply reply = live_.playlist("v1", {0, 0, false});
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.text, playlist());
}

TEST_F(OnAir, TheWindowSlidesAndMemoryIsBounded) {
  push_video(10 * 1000);
  EXPECT_LE(count(playlist(), "#EXTINF"), 31u);
  EXPECT_GE(count(playlist(), "#EXTINF"), 30u);
  EXPECT_LE(live_.stats().bytes_held, 60u * 10 * 40'000);
  EXPECT_EQ(live_.object("v1/3.m4s").found, Found::gone);
  EXPECT_NE(playlist().find("#EXT-X-MEDIA-SEQUENCE:969"), std::string::npos) << playlist().substr(0, 300);
}

TEST_F(OnAir, ADeltaSkipsOnlyWhatLiesBehindTheBoundary) {
  push_video(200); // 20 segments of 2 s; the boundary is 12 s
  const std::string delta = playlist("v1", {std::nullopt, std::nullopt, true});
  EXPECT_NE(delta.find("#EXT-X-SKIP:SKIPPED-SEGMENTS=14"), std::string::npos) << delta;
  EXPECT_EQ(count(delta, "#EXTINF"), 6u);
  EXPECT_EQ(count(playlist(), "#EXTINF"), 20u);
  push_video(9); // parts that come move no boundary
  EXPECT_NE(playlist("v1", {std::nullopt, std::nullopt, true}).find("SKIPPED-SEGMENTS=14"),
            std::string::npos);
}

TEST_F(OnAir, LostInputBecomesGapsAndKeepsTheNumbers) {
  push_video(20);
  video_chunks_ += 30; // three segments never come
  push_video(10);
  const std::string text = playlist();
  EXPECT_EQ(count(text, "#EXT-X-GAP"), 3u);
  EXPECT_NE(text.find("v1/5.m4s"), std::string::npos) << text;
  EXPECT_EQ(live_.object("v1/3.m4s").found, Found::gone);
}

TEST_F(OnAir, ALateKeyframeStaysInTheSegmentThatWaitedForIt) {
  push_video(20);
  EXPECT_NE(playlist().find("#EXT-X-INDEPENDENT-SEGMENTS"), std::string::npos);
  // The third segment begins without: five more chunks before its keyframe.
  for (int i = 20; i < 25; ++i)
    ASSERT_TRUE(live_.add_chunk(video_, {bytes(10), i * 2560, 2560, 512, false, false, false}));
  video_chunks_ = 25;
  ASSERT_TRUE(live_.add_chunk(video_, {bytes(10), video_chunks_++ * 2560, 2560, 512, true, false, true}));
  EXPECT_EQ(live_.object("v1/2.m4s").found, Found::growing) << playlist();
  EXPECT_EQ(live_.stats().late_segments, 1u);
  EXPECT_EQ(playlist().find("#EXT-X-INDEPENDENT-SEGMENTS"), std::string::npos) << "segment 2 is not";
  video_chunks_ = 30;
  for (int i = 26; i < 30; ++i)
    ASSERT_TRUE(live_.add_chunk(video_, {bytes(10), i * 2560, 2560, 512, false, false, false}));
  push_video(10);
  EXPECT_EQ(live_.object("v1/3.m4s").bytes, 400'000u) << "the next one comes in time";
}

// Files whose key frames are five segments apart: every number is where DASH looks for it, none is a gap, and
// no segment is longer than HLS allows.
TEST_F(OnAir, KeyframesFarApartDoNotMakeLongSegments) {
  for (std::int64_t i = 0; i < 110; ++i)
    ASSERT_TRUE(live_.add_chunk(video_, {bytes(10), i * 2560, 2560, 512, i % 50 == 0, false, i % 50 == 0}));
  const std::string text = playlist();
  EXPECT_EQ(text.find("#EXT-X-GAP"), std::string::npos) << text;
  for (std::size_t at = text.find("#EXTINF:"); at != std::string::npos; at = text.find("#EXTINF:", at + 1))
    EXPECT_LT(number_in(text.substr(at)), 2.5) << text;
  for (int number = 0; number < 10; ++number)
    EXPECT_EQ(live_.object("v1/" + std::to_string(number) + ".m4s").found, Found::ready) << number << text;
  EXPECT_EQ(live_.object("v1/5.m4s").chunks.size(), 12u) << "it begins with the second keyframe, in time";
  EXPECT_EQ(live_.mpd(kEpoch).text.find("startWithSAP"), std::string::npos);
}

TEST_F(OnAir, ChunksOutOfOrderAreRefused) {
  push_video(2);
  EXPECT_FALSE(live_.add_chunk(video_, {bytes(10), 0, 2560, 512, false, false, false}));
  EXPECT_FALSE(live_.add_chunk(video_, {bytes(0), 5120, 2560, 512, false, false, false}));
  EXPECT_FALSE(live_.add_chunk(video_, {bytes(1), 5120, 0, 512, false, false, false}));
}

TEST_F(OnAir, TheEndClosesEverything) {
  push_video(14);
  push_audio(2.8);
  live_.end_track(video_);
  EXPECT_EQ(playlist().find("ENDLIST"), std::string::npos);
  live_.end_track(audio_);
  EXPECT_NE(playlist("v1", {99, 99, true}).find("#EXT-X-ENDLIST"), std::string::npos);
  EXPECT_EQ(playlist().find("PRELOAD-HINT"), std::string::npos);
  const std::string mpd = live_.mpd(kEpoch + 3'000'000'000).text;
  EXPECT_NE(mpd.find("type=\"static\""), std::string::npos) << mpd;
  EXPECT_EQ(mpd.find("minimumUpdatePeriod"), std::string::npos);
  EXPECT_EQ(live_.object("v1/2.m4s").found, Found::unknown);
}

TEST_F(OnAir, TheClockIsOne) {
  push_video(10);
  push_audio(2.2);
  const std::string mpd = live_.mpd(kEpoch + 2'000'000'000).text;
  EXPECT_NE(mpd.find("availabilityStartTime=\"2023-11-14T22:13:20.000Z\""), std::string::npos) << mpd;
  EXPECT_NE(mpd.find("availabilityTimeOffset=\"1.800\" availabilityTimeComplete=\"false\""),
            std::string::npos);
  EXPECT_NE(playlist().find("#EXT-X-PROGRAM-DATE-TIME:2023-11-14T22:13:20.000Z"), std::string::npos);
}

TEST_F(OnAir, AnObjectIsOnlyWhatWasPublished) {
  push_video(12);
  for (const char *name :
       {"v1/..", "../v1/0.m4s", "v1/0.m4s/", "v1/-1.m4s", "v1/0.0.0.m4s", "v1/99999999999999999999.m4s",
        "v1/init-1.mp4", "v1/init-.mp4", "v1/initx.mp4", "v1/", "/0.m4s", "", "v1/0.m4s\n", "v1/5.m4s"})
    EXPECT_EQ(live_.object(name).found, Found::unknown) << name;
  EXPECT_EQ(live_.object("v1/init.mp4").found, Found::ready);
}

class TinyChunks : public OnAir {
 protected:
  static LiveConfig config() {
    LiveConfig config;
    config.chunk_duration = 40'000'000;
    return config;
  }
  TinyChunks() : OnAir(config()) {}
};

TEST_F(TinyChunks, SeveralChunksMakeAPartThatNeverExceedsItsTarget) {
  for (int i = 0; i < 60; ++i)
    ASSERT_TRUE(live_.add_chunk(video_, {bytes(1000), i * 512, 512, 512, i % 50 == 0, false, i % 50 == 0}));
  EXPECT_EQ(count(playlist(), "#EXT-X-PART:DURATION=0.200000"), 12u) << playlist();
  EXPECT_EQ(live_.object("v1/1.m4s").chunks.size(), 10u);
  EXPECT_EQ(live_.object("v1/1.m4s").found, Found::growing);
}

TEST(Utc, TextAndBackAgain) {
  EXPECT_EQ(utc_text(1'582'934'400'123'999'999), "2020-02-29T00:00:00.123Z");
  EXPECT_EQ(parse_utc("2020-02-29T00:00:00.123Z"), 1'582'934'400'123'000'000);
  EXPECT_EQ(parse_utc("2020-02-29T01:00:00+01:00"), 1'582'934'400'000'000'000);
  EXPECT_FALSE(parse_utc("2020-02-30T00:00:00Z"));
  EXPECT_FALSE(parse_utc("yesterday"));
}

} // namespace
} // namespace hull::publish
