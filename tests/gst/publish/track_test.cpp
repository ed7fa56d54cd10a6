#include "gst/publish/mpd.h"
#include "gst/publish/playlist.h"

#include <array>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <memory>

namespace hull::publish {
namespace {

std::string output_of(const std::string &command) {
  std::string text;
  const std::unique_ptr<FILE, int (*)(FILE *)> pipe(popen((command + " 2>&1").c_str(), "r"), pclose);
  std::array<char, 4096> buffer{};
  while (pipe && std::fgets(buffer.data(), buffer.size(), pipe.get()))
    text += buffer.data();
  return text;
}

void write(const std::filesystem::path &path, const std::string &text) {
  std::ofstream(path) << text;
}

/// Two pictures sizes and a sound, made by ffmpeg: read back with ours, played back with theirs.
class TrackFiles : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    if (std::system("ffmpeg -version >/dev/null 2>&1") != 0) return;
    folder_ = std::filesystem::temp_directory_path() / ("hull-tracks-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    const std::string to = folder_.string();
    const std::string video =
        "ffmpeg -loglevel error -y -f lavfi -i testsrc2=size=%s:rate=25:duration=6 -c:v libx264 "
        "-preset ultrafast -b:v 300k -bf 2 -g 50 -keyint_min 50 -sc_threshold 0 -pix_fmt yuv420p "
        "-movflags ";
    const auto make = [&](std::string size, const std::string &rest) {
      std::string command = video;
      command.replace(command.find("%s"), 2, size);
      ok_ = ok_ && std::system((command + rest).c_str()) == 0;
    };
    ok_ = true;
    make("320x180", "cmaf+global_sidx -f mp4 " + to + "/low.mp4");
    make("640x360", "cmaf+global_sidx -f mp4 " + to + "/high.mp4");
    make("320x180", "cmaf -f mp4 " + to + "/plain.mp4");
    ok_ = ok_ &&
          std::system(("ffmpeg -loglevel error -y -f lavfi -i sine=440:duration=6:sample_rate=48000 -c:a aac "
                       "-metadata:s:a:0 language=deu -movflags cmaf -frag_duration 200000 -f mp4 " +
                       to + "/sound.mp4")
                          .c_str()) == 0;
    ok_ = ok_ &&
          std::system(("ffmpeg -loglevel error -y -f lavfi -i sine=440:duration=6:sample_rate=48000 -c:a aac "
                       "-movflags cmaf+global_sidx -frag_duration 2000000 -f mp4 " +
                       to + "/indexed.mp4")
                          .c_str()) == 0;
  }
  static void TearDownTestSuite() { std::filesystem::remove_all(folder_); }
  void SetUp() override {
    if (!ok_) GTEST_SKIP() << "ffmpeg with libx264 is not installed";
  }
  static std::string at(const std::string &name) { return (folder_ / name).string(); }

  static inline std::filesystem::path folder_;
  static inline bool ok_ = false;
};

TEST_F(TrackFiles, AVideoTrackSaysWhatItHolds) {
  const auto track = read_track(at("high.mp4"));
  ASSERT_TRUE(track) << track.error().text;
  EXPECT_EQ(track->kind, Kind::video);
  EXPECT_EQ(track->codecs.substr(0, 5), "avc1.");
  EXPECT_EQ(track->width, 640u);
  EXPECT_EQ(track->height, 360u);
  EXPECT_EQ(track->frame_rate.numerator, 25u);
  EXPECT_EQ(track->frame_rate.denominator, 1u);
  ASSERT_EQ(track->segments.size(), 3u);
  for (const Segment &segment : track->segments) {
    EXPECT_EQ(segment.duration, 2 * static_cast<std::int64_t>(track->timescale));
    EXPECT_TRUE(segment.starts_with_sap);
  }
  std::uint64_t next = track->index.offset + track->index.size;
  for (const Segment &segment : track->segments) { // nothing between them, and at the end only ffmpeg's mfra
    EXPECT_EQ(segment.range.offset, next);
    next += segment.range.size;
  }
  EXPECT_LE(next, std::filesystem::file_size(at("high.mp4")));
  EXPECT_GE(next + 200, std::filesystem::file_size(at("high.mp4")));
  EXPECT_GE(track->peak_bandwidth, track->average_bandwidth);
  EXPECT_NEAR(static_cast<double>(track->average_bandwidth), 300'000, 150'000);
}

TEST_F(TrackFiles, WithoutAnIndexTheFragmentsAreTheSegments) {
  const auto with = read_track(at("low.mp4")), without = read_track(at("plain.mp4"));
  ASSERT_TRUE(with && without);
  EXPECT_EQ(without->index.size, 0u);
  ASSERT_EQ(with->segments.size(), without->segments.size());
  for (std::size_t i = 0; i < with->segments.size(); ++i) {
    EXPECT_EQ(with->segments[i].range.size, without->segments[i].range.size) << i;
    EXPECT_EQ(with->segments[i].duration, without->segments[i].duration) << i;
  }
}

TEST_F(TrackFiles, ShortAudioFragmentsAreGathered) {
  const auto track = read_track(at("sound.mp4"));
  ASSERT_TRUE(track) << track.error().text;
  EXPECT_EQ(track->codecs, "mp4a.40.2");
  EXPECT_EQ(track->language, "de");
  EXPECT_LE(track->segments.size(), 6u);
  std::int64_t next = track->segments.front().start;
  for (const Segment &segment : track->segments) {
    EXPECT_EQ(segment.start, next);
    next += segment.duration;
  }
  EXPECT_NEAR(track->seconds(), 6, 0.1);
}

TEST_F(TrackFiles, OthersPlayWhatTheManifestsName) {
  Presentation show;
  for (const char *name : {"low.mp4", "high.mp4", "indexed.mp4"}) {
    auto track = read_track(at(name));
    ASSERT_TRUE(track) << track.error().text;
    show.tracks.push_back(std::move(*track));
  }
  assign_ids(show);
  EXPECT_EQ(show.tracks[1].id, "v1");
  write(folder_ / "master.m3u8", hls_multivariant(show));
  for (const Track &track : show.tracks)
    write(folder_ / playlist_name(track), hls_media(track));
  write(folder_ / "manifest.mpd", dash_mpd(show));
  for (const char *manifest : {"master.m3u8", "manifest.mpd"}) {
    const bool hls = manifest == std::string("master.m3u8");
    const std::string text = output_of("timeout 30 ffprobe -v error -count_packets -show_entries "
                                       "stream=codec_type,height,nb_read_packets -of csv=p=0 " +
                                       std::string(hls ? "-allowed_extensions ALL " : "") + at(manifest));
    EXPECT_NE(text.find("video,180,150"), std::string::npos) << manifest << text;
    EXPECT_NE(text.find("video,360,150"), std::string::npos) << manifest << text;
    EXPECT_NE(text.find("audio,"), std::string::npos) << manifest << text;
    EXPECT_EQ(text.find("rror"), std::string::npos) << manifest << text;
  }
}

TEST_F(TrackFiles, CutAndStrangeFilesAreNamed) {
  EXPECT_EQ(read_track(at("nothing.mp4")).error().code, ErrorCode::not_found);
  write(folder_ / "empty.mp4", "");
  EXPECT_FALSE(read_track(at("empty.mp4")));
  write(folder_ / "text.mp4", "this is no media file at all, and long enough to hold a header");
  EXPECT_FALSE(read_track(at("text.mp4")));
  std::filesystem::copy_file(at("high.mp4"), at("cut.mp4"));
  const auto whole = std::filesystem::file_size(at("cut.mp4"));
  for (const double share : {0.9, 0.5, 0.1, 0.02, 0.001}) {
    std::filesystem::resize_file(at("cut.mp4"),
                                 static_cast<std::uintmax_t>(static_cast<double>(whole) * share));
    const auto track = read_track(at("cut.mp4"));
    if (track)
      for (const Segment &segment : track->segments)
        EXPECT_LE(segment.range.offset + segment.range.size, std::filesystem::file_size(at("cut.mp4")))
            << share;
    else
      EXPECT_NE(track.error().text.find("cut.mp4"), std::string::npos);
  }
}

TEST(Escapes, UrisAndXml) {
  EXPECT_EQ(escape_uri("low rung#1.mp4"), "low%20rung%231.mp4");
  EXPECT_EQ(escape_uri("a/b?c%"), "a/b%3Fc%25");
  EXPECT_EQ(escape_xml("<a&\"b\">\x01"), "&lt;a&amp;&quot;b&quot;&gt;?");
}

TEST(Bandwidth, ThePeakIsOverSetsNearTheTargetDuration) {
  Track track;
  track.timescale = 10;
  // 2 s at 8 Mbit/s, 2 s at 4, and a rest of 0.1 s that alone would be 80 Mbit/s but is no set by itself.
  track.segments = {{"", {0, 2'000'000}, 0, 20, true},
                    {"", {0, 1'000'000}, 20, 20, true},
                    {"", {0, 1'000'000}, 40, 1, true}};
  measure_bandwidth(track);
  EXPECT_EQ(track.peak_bandwidth, 8'000'000u);
  EXPECT_EQ(track.average_bandwidth, 7'804'879u);
}

} // namespace
} // namespace hull::publish
