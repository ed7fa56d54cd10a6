#include "tests/gst/tools/run.h"
#include "tests/support/numbers.h"

#include <cmath>

namespace hull::tools {
namespace {

class EncodeCommand : public ToolTest {
 protected:
  // Average of the coded pictures in kbit/s as ffprobe counts them; 25 pictures a second.
  double kbps(const std::string &name) const {
    if (!shell("ffprobe -v error -select_streams v -show_entries packet=size -of default=nk=1:nw=1 " +
               in(name) + " -o " + in("sizes")))
      return std::nan("");
    std::istringstream sizes(slurp("sizes"));
    double bytes = 0, size = 0;
    int count = 0;
    for (; sizes >> size; ++count)
      bytes += size;
    return bytes * 8 * 25 / 1000 / count;
  }
  std::string codecs(const std::string &name) const {
    if (!shell("ffprobe -v error -show_entries stream=codec_name -of default=nk=1:nw=1 " + in(name) + " -o " +
               in("codecs")))
      return "unreadable";
    return slurp("codecs");
  }
  // When the first sample of a stream is shown, in seconds as ffprobe says.
  double start(const std::string &name, const std::string &stream) const {
    if (!shell("ffprobe -v error -select_streams " + stream +
               " -show_entries stream=start_time -of default=nk=1:nw=1 " + in(name) + " -o " + in("start")))
      return std::nan("");
    return number_in(slurp("start"));
  }
  // In a file with both, `late` ("v" or "a") comes so many seconds after the other.
  bool make_late(const std::string &name, const std::string &late, const std::string &seconds,
                 const std::string &options = "") const {
    const std::string make = "ffmpeg -v error -y -f lavfi -i testsrc2=s=96x64:r=25:d=3 -f lavfi -i sine=d=3 "
                             "-c:v libx264 -bf 2 -c:a aac ";
    return shell(make + in("both.mkv")) &&
           shell("ffmpeg -v error -y -i " + in("both.mkv") + " -itsoffset " + seconds + " -i " +
                 in("both.mkv") + (late == "v" ? " -map 1:v -map 0:a" : " -map 0:v -map 1:a") + " -c copy " +
                 options + in(name));
  }
  static bool has_ffmpeg() { return shell("ffmpeg -version") && shell("ffprobe -version"); }
};

// Too small for VMAF, which a rate does not need.
TEST_F(EncodeCommand, SmallPicturesReachABitrateButNoScore) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  write_clip("small.y4m", 32, 32, 75);
  const Outcome rate = run("encode " + in("small.y4m") + " -o " + in("out.mp4") + " --bitrate 60");
  ASSERT_EQ(rate.status, 0) << rate.text;
  EXPECT_NEAR(kbps("out.mp4"), 60, 1.2);
  const Outcome score = run("encode " + in("small.y4m") + " -o " + in("out.mkv") + " --vmaf 80");
  EXPECT_EQ(score.status, 1);
  EXPECT_NE(score.text.find("cannot be scored"), std::string::npos) << score.text;
}

TEST_F(EncodeCommand, HitsTheAverageBitrateAndCarriesTheSound) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  ASSERT_TRUE(
      shell("ffmpeg -v error -f lavfi -i testsrc2=s=160x96:r=25:d=3 -f lavfi -i sine=d=3 -c:v mpeg4 -q:v 2 "
            "-c:a aac " +
            in("in.mp4")));
  for (const char *out : {"out.mp4", "out.mkv"}) {
    const Outcome outcome = run("encode " + in("in.mp4") + " -o " + in(out) + " --bitrate 150");
    ASSERT_EQ(outcome.status, 0) << outcome.text;
    EXPECT_NEAR(kbps(out), 150, 3) << out;
    EXPECT_EQ(codecs(out), "h264\naac\n") << out;
  }
  const Outcome silent =
      run("encode " + in("in.mp4") + " -o " + in("silent.mp4") + " --bitrate 150 --no-audio");
  ASSERT_EQ(silent.status, 0) << silent.text;
  EXPECT_EQ(codecs("silent.mp4"), "h264\n");
  for (const auto &entry : std::filesystem::directory_iterator(path_))
    EXPECT_EQ(entry.path().string().find(".part"), std::string::npos) << entry.path();
}

TEST_F(EncodeCommand, ReachesTheMeanVmafThatTheVmafCommandConfirms) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  ASSERT_TRUE(
      shell("ffmpeg -v error -f lavfi -i testsrc2=s=192x112:r=25 -t 3 -pix_fmt yuv420p " + in("in.y4m")));
  const Outcome outcome = run("encode " + in("in.y4m") + " -o " + in("out.264") + " --vmaf 85");
  ASSERT_EQ(outcome.status, 0) << outcome.text;
  const Outcome scored = run("vmaf " + in("in.y4m") + " " + in("out.264") +
                             " --models vmaf_v0.6.1 --progress none -o " + in("s.csv") + " --format csv");
  ASSERT_EQ(scored.status, 0) << scored.text;
  const std::size_t row = scored.text.find("out.264");
  ASSERT_NE(row, std::string::npos) << scored.text;
  EXPECT_NEAR(number_in(scored.text.substr(row + 7)), 85, 0.5) << scored.text;
}

// One stream may begin after the other: between the two everything stays as it was.
TEST_F(EncodeCommand, WhatComesLateStaysLate) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  for (const std::string from : {"in.mp4", "in.mkv", "in.ts", "in.mov"})
    for (const std::string late : {"v", "a"}) {
      if (!make_late(from, late, "0.7")) GTEST_SKIP() << "ffmpeg has no " << from;
      const double wanted = start(from, "v") - start(from, "a");
      ASSERT_NEAR(std::abs(wanted), 0.7, 0.1);
      for (const char *to : {"out.mp4", "out.mkv"}) {
        const Outcome outcome = run("encode " + in(from) + " -o " + in(to) + " --bitrate 100");
        ASSERT_EQ(outcome.status, 0) << from << to << outcome.text;
        EXPECT_NEAR(start(to, "v") - start(to, "a"), wanted, 0.05) << from << " " << to << " late " << late;
      }
    }
}

TEST_F(EncodeCommand, SoundThatOutlastsThePicturesIsNoDamage) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  for (const std::string name : {"in.mp4", "in.mkv", "in.flv", "in.ts"}) {
    ASSERT_TRUE(
        shell("ffmpeg -v error -f lavfi -i testsrc2=s=96x64:r=25:d=2 -f lavfi -i sine=d=5 -c:v libx264 "
              "-c:a aac " +
              in(name)));
    const Outcome outcome = run("encode " + in(name) + " -o " + in("out.mp4") + " --bitrate 100");
    EXPECT_EQ(outcome.status, 0) << name << outcome.text;
    EXPECT_EQ(codecs("out.mp4"), "h264\naac\n") << name;
  }
}

// "zzzz" is no sample entry that anybody knows.
TEST_F(EncodeCommand, SoundThatNobodyDecodesIsLeftOutWithANote) {
  if (!has_ffmpeg()) GTEST_SKIP() << "ffmpeg is not installed";
  ASSERT_TRUE(shell("ffmpeg -v error -f lavfi -i testsrc2=s=96x64:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 "
                    "-c:a aac " +
                    in("whole.mp4")));
  std::string bytes = slurp("whole.mp4");
  const std::size_t entry = bytes.find("mp4a");
  ASSERT_NE(entry, std::string::npos);
  std::ofstream(in("in.mp4"), std::ios::binary) << bytes.replace(entry, 4, "ac-4");
  const Outcome outcome = run("encode " + in("in.mp4") + " -o " + in("out.mp4") + " --bitrate 100");
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_NE(outcome.text.find("left out"), std::string::npos) << outcome.text;
  EXPECT_EQ(codecs("out.mp4"), "h264\n");
}

// A name is a name, not a pattern of numbers, an URI or a value in quotes.
TEST_F(EncodeCommand, AnyNameOfAFileWillDo) {
  write_clip("in.y4m", 64, 64, 10);
  for (const std::string name : {"a%20b", "c%d", "%s%n", "\"q", "#x?y", "inv\xff", "[v]", "a:b", "-d"}) {
    const std::string folder = in(name);
    std::filesystem::create_directories(folder);
    const Outcome outcome =
        run("encode " + in("in.y4m") + " -o '" + folder + "/" + name + ".mp4' --bitrate 100");
    EXPECT_EQ(outcome.status, 0) << name << outcome.text;
    EXPECT_TRUE(std::filesystem::exists(folder + "/" + name + ".mp4")) << name;
    const Outcome title = run("pertitle " + in("in.y4m") + " -o '" + folder + "' --qp 30 --progress none");
    EXPECT_EQ(title.status, 0) << name << title.text;
  }
}

TEST_F(EncodeCommand, SaysWhatItCannotDo) {
  write_clip("in.y4m", 64, 64, 20);
  const auto refuse = [this](const std::string &options, const std::string &words) {
    const Outcome outcome = run("encode " + in("in.y4m") + " " + options);
    EXPECT_NE(outcome.status, 0) << options;
    EXPECT_NE(outcome.text.find(words), std::string::npos) << outcome.text;
  };
  refuse("-o " + in("out.mp4"), "--bitrate");
  refuse("-o " + in("out.mp4") + " --bitrate 100 --vmaf 90", "either");
  refuse("-o " + in("out.avi") + " --bitrate 100", ".mkv");
  refuse("-o " + in("out.mp4") + " --bitrate 1000000", "out of reach");
  refuse("-o " + in("out.mp4") + " --vmaf 1", "out of reach");
  EXPECT_FALSE(std::filesystem::exists(in("out.mp4")));
}

} // namespace
} // namespace hull::tools
