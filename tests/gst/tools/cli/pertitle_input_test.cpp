// Titles nobody would wish for: each ends in one clear sentence or in a sane ladder.

#include "tests/gst/tools/run.h"
#include "tests/support/numbers.h"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace hull::tools {
namespace {

class Inputs : public ToolTest {
 protected:
  // What ffmpeg makes of lavfi; false where there is no ffmpeg.
  bool make(const std::string &name, const std::string &arguments) const {
    return shell("ffmpeg -v error -y " + arguments + " " + in(name));
  }
  nlohmann::json ladder(const std::string &name, const std::string &options = "") {
    const Outcome outcome = run("pertitle " + in(name) + " -o " + in("out") + " --progress none " + options);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    return nlohmann::json::parse(slurp("out/ladder.json"), nullptr, false);
  }
  void expect_nothing_whole() {
    for (const char *name : {"ladder.json", "master.m3u8", "manifest.mpd", "report.html"})
      EXPECT_FALSE(std::filesystem::exists(in(std::string("out/") + name))) << name;
  }
};

TEST_F(Inputs, BlackPicturesGetOneCheapRung) {
  if (!make("black.mkv", "-f lavfi -i color=black:s=160x90:r=25:d=2 -c:v ffv1")) GTEST_SKIP() << "no ffmpeg";
  const auto result = ladder("black.mkv");
  ASSERT_EQ(result["ladder"].size(), 1u) << result.dump(1);
  EXPECT_GT(result["ladder"][0]["vmaf"].get<double>(), 90);
  EXPECT_LT(result["ladder"][0]["kbps"].get<double>(), 50);
  // No row of a fixed ladder is as small as this source, so there is nothing to save against.
  EXPECT_TRUE(result["saving"].contains("note")) << result["saving"].dump();
}

// Its cheapest point is above the usual cap: the cap gives way, unless the user set it.
TEST_F(Inputs, NoiseStillGetsALadder) {
  if (!make("noise.mkv", "-f lavfi -i nullsrc=s=160x90:r=25:d=1 -vf 'geq=random(1)*255:128:128' -c:v ffv1"))
    GTEST_SKIP() << "no ffmpeg";
  EXPECT_GE(ladder("noise.mkv")["ladder"].size(), 1u);
  // Also where it is only chosen or drawn again.
  for (const char *again : {"ladder ", "report "}) {
    const Outcome outcome = run(std::string("pertitle ") + again + in("out"));
    EXPECT_EQ(outcome.status, 0) << again << outcome.text;
  }
  const Outcome capped = run("pertitle " + in("noise.mkv") + " -o " + in("out2") + " --cap 50");
  EXPECT_EQ(capped.status, 2);
  EXPECT_NE(capped.text.find("raise --cap"), std::string::npos) << capped.text;
}

TEST_F(Inputs, OnePictureUnderACapSaysWhatItsRateIs) {
  write_clip("one.y4m", 160, 90, 1);
  const Outcome outcome = run("pertitle " + in("one.y4m") + " -o " + in("out") + " --cap 20");
  EXPECT_EQ(outcome.status, 2);
  EXPECT_NE(outcome.text.find("longer clip"), std::string::npos) << outcome.text;
  expect_nothing_whole();
}

// Rows of Y4M are packed, whatever the width.
TEST_F(Inputs, OddAndSmallSizesScoreAsTheSamePicturesInAContainer) {
  for (const std::string size : {"34x34", "101x67"}) {
    if (!make("a.y4m", "-f lavfi -i testsrc2=s=" + size + ":r=25:d=0.5 -pix_fmt yuv420p") ||
        !make("a.mkv", "-i " + in("a.y4m") + " -c:v ffv1"))
      GTEST_SKIP() << "no ffmpeg";
    std::string csv[2];
    for (int i = 0; i < 2; ++i) {
      const std::string out = in(size + (i ? "mkv" : "y4m"));
      const Outcome outcome =
          run("pertitle analyze " + in(i ? "a.mkv" : "a.y4m") + " --qp 30,40 --progress none -o " + out);
      ASSERT_EQ(outcome.status, 0) << size << outcome.text;
      csv[i] = slurp(size + (i ? "mkv" : "y4m") + "/points.csv");
    }
    EXPECT_EQ(csv[0], csv[1]) << size;
    EXPECT_NE(csv[0].find('\n'), std::string::npos);
  }
}

// One begins or ends where the other does not: the package keeps both as they are.
TEST_F(Inputs, SoundAndPicturesOfOtherLengthsAndStarts) {
  const std::string both =
      "-f lavfi -i testsrc2=s=96x64:r=25:d=2 -f lavfi -i sine=d=5 -c:v libx264 -c:a aac ";
  if (!make("long.mp4", both) ||
      !make("late_sound.mov",
            "-i " + in("long.mp4") + " -itsoffset 1.5 -i " + in("long.mp4") + " -map 0:v -map 1:a -c copy") ||
      !make("late.mp4",
            "-itsoffset 0.7 -i " + in("long.mp4") + " -i " + in("long.mp4") + " -map 0:v -map 1:a -c copy"))
    GTEST_SKIP() << "no ffmpeg";
  for (const auto &[name, video, sound] : {std::tuple{"long.mp4", 0.0, 0.0}, std::tuple{"late.mp4", 0.7, 0.0},
                                           std::tuple{"late_sound.mov", 0.0, 1.5}}) {
    std::filesystem::remove_all(in("out"));
    const auto result = ladder(name, "--qp 30");
    ASSERT_FALSE(result["ladder"].empty()) << name;
    for (const auto &[file, wanted] :
         {std::pair{result["ladder"].back()["file"].get<std::string>(), video}, {"audio.mp4", sound}}) {
      ASSERT_TRUE(shell("ffprobe -v error -show_entries stream=start_time -of default=nk=1:nw=1 " +
                        in("out/" + file) + " -o " + in("start")));
      EXPECT_NEAR(number_in(slurp("start")), wanted, 0.05) << name << " " << file;
    }
    const Outcome lint = run("lint " + in("out/master.m3u8") + " " + in("out/manifest.mpd"));
    EXPECT_EQ(lint.status, 0) << name << lint.text;
    EXPECT_NE(slurp("out/report.html").find("data:image"), std::string::npos) << name << ": no pictures";
  }
}

// Decoders ask for buffers also behind the end of what is read of them: two in fourteen runs once waited for
// ever. Sizes that are no multiple of 16 make them ask twice.
TEST_F(Inputs, PicturesOfTheReportAreDrawnWhereverTheyLie) {
  if (!make("wide.webm",
            "-f lavfi -i testsrc2=s=642x642:r=30:d=1 -c:v libvpx-vp9 -deadline realtime -g 10") ||
      !make("small.mp4", "-f lavfi -i testsrc2=s=162x162:r=30:d=1.2 -c:v libx264 -g 10"))
    GTEST_SKIP() << "no ffmpeg with VP9";
  for (const auto &[name, runs] : {std::pair{"wide.webm", 2}, std::pair{"small.mp4", 6}})
    for (int n = 0; n < runs; ++n) {
      std::filesystem::remove_all(in("out"));
      ladder(name, "--qp 34 --res 80");
      EXPECT_NE(slurp("out/report.html").find("data:image"), std::string::npos) << name << ": no pictures";
    }
}

TEST_F(Inputs, AFileCutInTheMiddleIsNamed) {
  if (!make("whole.mp4", "-f lavfi -i testsrc2=s=160x90:r=25:d=8 -c:v libx264 -movflags +faststart"))
    GTEST_SKIP() << "no ffmpeg";
  std::filesystem::resize_file(in("whole.mp4"), std::filesystem::file_size(in("whole.mp4")) / 2);
  const Outcome outcome = run("pertitle " + in("whole.mp4") + " -o " + in("out"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.text.find("is cut"), std::string::npos) << outcome.text;
  expect_nothing_whole();
}

TEST_F(Inputs, AnamorphicPicturesBecomeSquare) {
  if (!make("wide.mp4", "-f lavfi -i testsrc2=s=144x96:r=25:d=0.5 -vf setsar=4/3 -c:v libx264"))
    GTEST_SKIP() << "no ffmpeg";
  const auto result = ladder("wide.mp4", "--qp 30");
  EXPECT_EQ(result["source"]["display"], nlohmann::json({192, 96}));
  EXPECT_EQ(result["ladder"][0]["width"], 192);
}

// ffmpeg turns pictures itself where it decodes: what the top rung shows must be what ffmpeg shows.
TEST_F(Inputs, PicturesOfPhonesStandUpright) {
  if (!make("lying.mp4", "-f lavfi -i testsrc2=s=160x96:r=25:d=0.5 -c:v libx264 -qp 20 -bf 0") ||
      !make("phone.mp4", "-i " + in("lying.mp4") + " -c copy -metadata:s:v:0 rotate=90"))
    GTEST_SKIP() << "no ffmpeg";
  const auto result = ladder("phone.mp4", "--qp 24");
  EXPECT_EQ(result["source"]["display"], nlohmann::json({96, 160}));
  ASSERT_FALSE(result["ladder"].empty());
  EXPECT_EQ(result["ladder"].back()["width"], 96);
  const std::string rung = in("out/" + result["ladder"].back()["file"].get<std::string>());
  ASSERT_TRUE(shell("ffmpeg -v error -i " + in("phone.mp4") + " -i " + rung +
                    " -lavfi psnr=" + in("psnr.txt") + " -f null -"));
  std::ifstream lines(in("psnr.txt"));
  int pictures = 0;
  for (std::string line; std::getline(lines, line); ++pictures)
    EXPECT_GT(number_in(line.substr(line.find("psnr_avg:"))), 30) << line;
  EXPECT_GE(pictures, 12);
}

TEST_F(Inputs, FieldsAndHighRatesBecomePicturesOfTheirOwn) {
  if (!make("fields.mkv",
            "-f lavfi -i testsrc2=s=160x96:r=50:d=1 -vf interlace -c:v mpeg2video -flags +ilme+ildct") ||
      !make("fast.mkv", "-f lavfi -i testsrc2=s=160x96:r=60:d=1 -c:v ffv1"))
    GTEST_SKIP() << "no ffmpeg";
  for (const auto &[name, fps] : {std::pair{"fields.mkv", 50}, std::pair{"fast.mkv", 60}}) {
    std::filesystem::remove_all(in("out"));
    const auto result = ladder(name, "--qp 30");
    EXPECT_EQ(result["source"]["fps"][0].get<int>() / result["source"]["fps"][1].get<int>(), fps) << name;
    EXPECT_NEAR(result["source"]["seconds"].get<double>(), 1, 0.05) << name;
    EXPECT_NEAR(result["source"]["pictures"].get<int>(), fps, 1) << name;
  }
}

TEST_F(Inputs, VaryingRatesKeepTheirTimes) {
  if (!make("vfr.mkv", "-f lavfi -i testsrc2=s=160x96:r=50:d=2 -vf 'select=not(mod(n\\,2))+lt(n\\,30)' "
                       "-vsync vfr -c:v ffv1"))
    GTEST_SKIP() << "no ffmpeg";
  const auto result = ladder("vfr.mkv", "--qp 30");
  EXPECT_TRUE(result["source"]["variable_rate"].get<bool>());
  EXPECT_NEAR(result["source"]["seconds"].get<double>(), 2, 0.1);
}

TEST_F(Inputs, HdrIsRefusedWithAdvice) {
  if (!make("hdr.mp4",
            "-f lavfi -i testsrc2=s=160x96:r=25:d=0.5 -c:v libx264 -color_primaries bt2020 -color_trc "
            "smpte2084 -colorspace bt2020nc"))
    GTEST_SKIP() << "no ffmpeg";
  const Outcome outcome = run("pertitle " + in("hdr.mp4") + " -o " + in("out"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.text.find("tone-map"), std::string::npos) << outcome.text;
}

TEST_F(Inputs, SoundIsCarriedOrEncodedOnce) {
  const std::string both = "-f lavfi -i testsrc2=s=160x96:r=25:d=1 -f lavfi -i sine=d=1 -c:v libx264 ";
  if (!make("aac.mp4", both + "-c:a aac") || !make("pcm.mkv", both + "-c:a pcm_s16le"))
    GTEST_SKIP() << "no ffmpeg";
  for (const auto &[name, carried] : {std::pair{"aac.mp4", true}, std::pair{"pcm.mkv", false}}) {
    std::filesystem::remove_all(in("out"));
    const auto result = ladder(name, "--qp 30");
    EXPECT_EQ(result["source"]["audio_carried"], carried) << name;
    EXPECT_TRUE(std::filesystem::exists(in("out/audio.mp4"))) << name;
    EXPECT_NE(slurp("out/master.m3u8").find("mp4a.40.2"), std::string::npos) << name;
  }
}

// Not the disk is full here, but a file may not grow: the same errors from the same calls.
TEST_F(Inputs, WithoutRoomASentenceSaysSoAndTheNextRunGoesOn) {
  write_clip("clip.y4m", 160, 90, 60);
  const std::string arguments = "pertitle " + in("clip.y4m") + " --res 90 --progress none -o ";
  ASSERT_EQ(run(arguments + in("whole")).status, 0);
  int finished = 0;
  for (const int blocks : {2, 5, 13}) {
    const std::string limited =
        "ulimit -f " + std::to_string(blocks) + "; exec " + tool_ + " " + arguments + in("out");
    const int status = std::system(("bash -c '" + limited + "' >" + in("log") + " 2>&1").c_str());
    if (WEXITSTATUS(status) == 0) {
      ++finished;
      continue;
    }
    EXPECT_EQ(WEXITSTATUS(status), 1) << blocks;
    const std::string said = slurp("log");
    EXPECT_TRUE(said.find("largest size") != std::string::npos || said.find("room") != std::string::npos ||
                said.find("full") != std::string::npos)
        << blocks << ": " << said;
    EXPECT_EQ(std::count(said.begin(), said.end(), '\n'), 1) << said;
    EXPECT_TRUE(finished > 0 || !std::filesystem::exists(in("out/ladder.json"))) << blocks;
  }
  EXPECT_EQ(run(arguments + in("out")).status, 0);
  EXPECT_TRUE(slurp("out/ladder.json") == slurp("whole/ladder.json"));
}

TEST_F(Inputs, ADiskThatIsReallyFull) {
  std::filesystem::create_directories(in("disk"));
  if (!shell("mount -t tmpfs -o size=200k none " + in("disk")))
    GTEST_SKIP() << "a small disk needs the right to mount";
  write_clip("clip.y4m", 320, 180, 100);
  const Outcome outcome = run("pertitle " + in("clip.y4m") +
                              " --res 180 --qp 22 --cap 100000 --progress none -o " + in("disk/out"));
  const bool whole = std::filesystem::exists(in("disk/out/ladder.json"));
  EXPECT_TRUE(shell("umount " + in("disk")));
  EXPECT_EQ(outcome.status, 1) << outcome.text;
  EXPECT_TRUE(outcome.text.find("full") != std::string::npos ||
              outcome.text.find("room") != std::string::npos)
      << outcome.text;
  EXPECT_FALSE(whole);
}

TEST_F(Inputs, ADamagedCacheIsMeasuredAnew) {
  write_clip("clip.y4m", 160, 90, 30);
  const std::string command = "pertitle " + in("clip.y4m") + " --res 90 --progress none -o " + in("out");
  ASSERT_EQ(run(command).status, 0);
  const std::string expected = slurp("out/ladder.json");
  int number = 0;
  for (const auto &entry : std::filesystem::directory_iterator(in("out/cache"))) {
    if (++number % 2)
      std::filesystem::resize_file(entry.path(), entry.file_size() / 2);
    else
      std::ofstream(entry.path()) << "{\"content\":{},\"sha256\":\"0\"}";
  }
  EXPECT_EQ(run(command).status, 0);
  EXPECT_EQ(slurp("out/ladder.json"), expected);
}

TEST_F(Inputs, ShotsKeepUnderTheCap) {
  write_clip("a.y4m", 160, 90, 40);
  const auto result = ladder("a.y4m", "--shots --cap 120");
  for (const auto &rung : result["ladder"])
    EXPECT_LE(rung["kbps"].get<double>(), 120) << result["ladder"].dump();
}

} // namespace
} // namespace hull::tools
