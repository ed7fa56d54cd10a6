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
