// gst-hull-1.0 vmaf: table, log, HTML report, gate.

#include "tests/gst/tools/run.h"

#include <fstream>
#include <nlohmann/json.hpp>

namespace hull::tools {
namespace {

class Vmaf : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    if (IsSkipped()) return;
    write_clip("ref.y4m", 160, 96, 40);
    write_clip("small.y4m", 96, 64, 40);
  }
};

TEST_F(Vmaf, PrintsATableAndWritesTheScoresOfEachFile) {
  const Outcome made = run("vmaf " + in("ref.y4m") + " " + in("ref.y4m") + " " + in("small.y4m") +
                           " --models v0.6.1,v0.6.1neg --psnr --progress plain -o " + in("s.json"));
  ASSERT_EQ(made.status, 0) << made.text;
  EXPECT_NE(made.text.find("harmonic"), std::string::npos) << made.text;
  EXPECT_NE(made.text.find(in("small.y4m")), std::string::npos) << made.text;
  const auto same = nlohmann::json::parse(slurp("s.json"), nullptr, false),
             other = nlohmann::json::parse(slurp("s.distorted_1.json"), nullptr, false);
  ASSERT_EQ(same["frames"].size(), 40u);
  EXPECT_EQ(same["frames"][5]["metrics"]["psnr_y"], 60.0);
  EXPECT_EQ(same["frames"][5]["metrics"]["integer_vif_scale0_egl_1"], 1.0);
  EXPECT_LT(other["pooled_metrics"]["vmaf"]["mean"], same["pooled_metrics"]["vmaf"]["mean"]);
  EXPECT_TRUE(other["scaler"].is_string());
}

TEST_F(Vmaf, ReportsAsOnePageWithTheCurveAndTheWorstFramesSideBySide) {
  const Outcome made =
      run("vmaf " + in("ref.y4m") + " " + in("small.y4m") + " --progress none --html " + in("r.html"));
  ASSERT_EQ(made.status, 0) << made.text;
  const std::string page = slurp("r.html");
  EXPECT_NE(page.find("<polyline class=\"curve\""), std::string::npos);
  std::size_t pictures = 0;
  for (std::size_t at = 0; (at = page.find("src=\"data:image/jpeg;base64,/9j/", at)) != std::string::npos;
       ++at)
    ++pictures;
  EXPECT_EQ(pictures, 6u); // three frames, reference and distorted
  EXPECT_EQ(page.find("src=\"\""), std::string::npos);
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org")); // nothing is fetched
}

// Points above the chart would be cut off.
TEST_F(Vmaf, DrawsScoresOfAModelThatPassesAHundred) {
  write_clip("large.y4m", 336, 320, 3);
  const Outcome made = run("vmaf " + in("large.y4m") + " " + in("large.y4m") +
                           " --models 3d0h_2160 --bit-depth 10 --threshold 104 --progress none --html " +
                           in("r.html") + " -o " + in("s.json"));
  ASSERT_EQ(made.status, 0) << made.text;
  const auto result = nlohmann::json::parse(slurp("s.json"), nullptr, false);
  EXPECT_EQ(result["bit_depth"], 10);
  EXPECT_GT(result["frames"][0]["metrics"]["vmaf"], 104.0);
  const std::string page = slurp("r.html");
  EXPECT_NE(page.find("<circle cx="), std::string::npos);
  EXPECT_EQ(page.find("cy=\"-"), std::string::npos);
}

TEST_F(Vmaf, FailsBelowTheThresholdAndForMissingFiles) {
  const Outcome low =
      run("vmaf " + in("ref.y4m") + " " + in("small.y4m") + " --progress none --threshold 99.5");
  EXPECT_EQ(low.status, 1) << low.text;
  EXPECT_NE(low.text.find("below the threshold of 99.5"), std::string::npos) << low.text;
  const Outcome missing = run("vmaf " + in("ref.y4m") + " " + in("nothing.y4m"));
  EXPECT_NE(missing.status, 0);
  EXPECT_NE(missing.text.find("nothing.y4m"), std::string::npos) << missing.text;
}

TEST_F(Vmaf, SaysWhichFileHoldsNoVideo) {
  std::ofstream(in("empty.y4m")).flush();
  const Outcome empty = run("vmaf " + in("ref.y4m") + " " + in("empty.y4m"));
  EXPECT_EQ(empty.status, 1);
  EXPECT_NE(empty.text.find("empty.y4m is empty"), std::string::npos) << empty.text;
  // A second of silence in a WAV file.
  std::string wav(
      "RIFF\x64\x1f\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0\x40\x1f\0\0\x40\x1f\0\0\x01\0\x08\0data\x40\x1f\0\0",
      44);
  std::ofstream(in("sound.wav"), std::ios::binary) << wav << std::string(8000, '\x80');
  const Outcome sound = run("vmaf " + in("ref.y4m") + " " + in("sound.wav"));
  EXPECT_EQ(sound.status, 1);
  EXPECT_NE(sound.text.find("sound.wav holds no video"), std::string::npos) << sound.text;
}

// GStreamer 1.22's y4mdec reads neither more than 8 bits nor a header as long as FFmpeg's.
TEST_F(Vmaf, ReadsDeepY4mWithALongHeader) {
  struct Case {
    const char *format;
    int bits, samples; // of a picture
  };
  const int width = 67, height = 50, frames = 3, luma = width * height;
  for (const Case &c : {Case{"420p10", 10, luma + 2 * 34 * 25},
                        {"422p10", 10, luma + 2 * 34 * 50},
                        {"444p10", 10, 3 * luma},
                        {"420p12", 12, luma + 2 * 34 * 25},
                        {"444p12", 12, 3 * luma}}) {
    SCOPED_TRACE(c.format);
    std::ofstream out(in("deep.y4m"), std::ios::binary);
    out << "YUV4MPEG2 W67 H50 F30000:1001 Ip A1:1 C" << c.format
        << " XCOLORRANGE=LIMITED XCOMMENT=" << std::string(60, 'x') << '\n';
    for (int n = 0; n < frames; ++n) {
      out << "FRAME\n";
      for (int i = 0; i < c.samples; ++i) {
        const int sample = (i * 37 + n * 11) % (1 << c.bits);
        out.put(static_cast<char>(sample & 255)).put(static_cast<char>(sample >> 8));
      }
    }
    out.close();
    const Outcome made =
        run("vmaf " + in("deep.y4m") + " " + in("deep.y4m") + " --psnr --progress none -o " + in("t.json"));
    ASSERT_EQ(made.status, 0) << made.text;
    const auto scores = nlohmann::json::parse(slurp("t.json"), nullptr, false);
    ASSERT_EQ(scores["frames"].size(), static_cast<std::size_t>(frames));
    EXPECT_EQ(scores["frames"][1]["metrics"]["psnr_y"], 6.0 * c.bits + 12); // libvmaf's ceiling
  }
}

TEST_F(Vmaf, RefusesOtherY4mInWords) {
  std::ofstream(in("odd.y4m"), std::ios::binary) << "YUV4MPEG2 W64 H64 F25:1 Ip A1:1 C411\nFRAME\n"
                                                 << std::string(64 * 64 * 3 / 2, 'x');
  const Outcome made = run("vmaf " + in("odd.y4m") + " " + in("odd.y4m") + " --progress none");
  EXPECT_EQ(made.status, 1);
  EXPECT_NE(made.text.find("C411 is not handled"), std::string::npos) << made.text;
}

} // namespace
} // namespace hull::tools
