// hullvmafsink with the models of v1: which are chosen, what is said of them, what they need.

#include "tests/plugins/vmaf_support.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull {
namespace {

using namespace vmaf_test;

std::string caps(const std::string &format, int width, int height, int rate) {
  return "format=" + format + ",width=" + std::to_string(width) + ",height=" + std::to_string(height) +
         ",framerate=" + std::to_string(rate) + "/1";
}

TEST(VmafSinkV1, ChoosesByTheReferenceAndSaysWhat) {
  struct Case {
    int rate;
    const char *model;
  };
  for (const Case &c : {Case{25, "vmaf_v1.0.16_3d0h"}, {50, "vmaf_v1.0.16_hfr_3d0h"}}) {
    const std::string clip = source(4, caps("I420", 256, 216, c.rate), "ball");
    Playback run("hullvmafsink name=v models=auto-v1,v0.6.1" + clip + "v.reference" + clip + "v.distorted_0");
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << ended.error;
    const json result = run.result();
    EXPECT_EQ(result["models"], (json{{"vmaf", c.model}, {"vmaf_v0.6.1", "vmaf_v0.6.1"}}));
    EXPECT_EQ(result["generations"], (json{{"vmaf", "v1"}, {"vmaf_v0.6.1", "v0.6"}}));
    EXPECT_EQ(result["equals"], "libvmaf v3.2.0-13-gf85a8536, C path");
    ASSERT_EQ(result["frames"].size(), 4u);
    EXPECT_EQ(result["frames"][2]["metrics"]["vmaf"], 100.0);
  }
}

TEST(VmafSinkV1, GivesEachFrameItsOwnTimesWhereTheFirstOnesWait) {
  for (const int frames : {1, 2, 3, 6}) {
    const std::string clip = source(frames, caps("I420", 256, 216, 50), "ball");
    Playback run("hullvmafsink name=v models=hfr_3d0h" + clip + "v.reference" + clip + "v.distorted_0");
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << ended.error;
    guint64 expected = 0;
    for (const auto &message : ended.messages) {
      if (!gst_structure_has_name(message.get(), "hull-vmaf-frame")) continue;
      guint64 index = 0, pts = 0;
      ASSERT_TRUE(gst_structure_get_uint64(message.get(), "index", &index));
      ASSERT_TRUE(gst_structure_get_uint64(message.get(), "pts", &pts));
      EXPECT_EQ(index, expected);
      EXPECT_EQ(pts, expected * 20 * GST_MSECOND);
      ++expected;
    }
    EXPECT_EQ(expected, static_cast<guint64>(frames));
  }
}

TEST(VmafSinkV1, ReadsInterleavedChromaAsThePlanarOne) {
  const auto frames = [](const std::string &format) {
    const std::string convert = "videoconvert ! video/x-raw,format=" + format + " ! ";
    const std::string clip = source(3, caps("I420", 576, 324, 25), "smpte");
    Playback run("hullvmafsink name=v models=3d0h" + clip + convert + "v.reference" + clip +
                 "videobalance hue=0.2 saturation=0.8 ! " + convert + "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result()["frames"];
  };
  const json planar = frames("I420");
  EXPECT_LT(planar[1]["metrics"]["vmaf"], 99.9);
  EXPECT_EQ(frames("NV12"), planar);
  EXPECT_EQ(frames("NV21"), planar);
}

TEST(VmafSinkV1, MeasuresBandingAtTheSizeAndDepthOfEachInput) {
  const std::string large = source(2, caps("I420", 640, 480, 25), "smpte");
  Playback run("hullvmafsink name=v models=3d0h distorted_2::enc-width=400 distorted_2::enc-height=300 "
               "distorted_2::enc-bitdepth=10 distorted_4::crop-left=40 distorted_4::crop-right=40" +
               large + "v.reference" + large + "v.distorted_0" +
               source(2, caps("I420", 480, 360, 25), "smpte") + "v.distorted_1" + large + "v.distorted_2" +
               source(2, caps("I420", 160, 120, 25), "smpte") + "v.distorted_3" + large + "v.distorted_4");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  const auto taken = [&run](const char *pad) { return run.result(pad)["cambi"]; };
  const auto coding = [](int width, int height, int bits) {
    return json{{"enc_width", width}, {"enc_height", height}, {"enc_bitdepth", bits}};
  };
  EXPECT_EQ(taken("distorted_0"), coding(640, 480, 8));
  EXPECT_EQ(taken("distorted_1"), coding(480, 360, 8));
  EXPECT_EQ(taken("distorted_2"), coding(400, 300, 10));
  EXPECT_EQ(taken("distorted_3"), coding(640, 480, 8));
  const std::string warnings = run.result("distorted_3")["warnings"].dump();
  EXPECT_NE(warnings.find("not defined for the 160x120"), std::string::npos) << warnings;
  EXPECT_EQ(taken("distorted_4"), coding(560, 480, 8)); // what the crop leaves
}

TEST(VmafSinkV1, ScoresEightBitsAtTenWhereThatIsAskedFor) {
  const auto result = [](const std::string &settings) {
    const std::string clip = source(2, caps("I420", 576, 324, 25), "smpte");
    Playback run("hullvmafsink name=v models=3d0h " + settings + clip + "v.reference" + clip +
                 "videobalance contrast=0.9 ! v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result();
  };
  const json eight = result(""), ten = result("bit-depth=10"),
             named = result("bit-depth=10 distorted_0::enc-bitdepth=10");
  EXPECT_EQ(eight["bit_depth"], 8);
  EXPECT_EQ(ten["bit_depth"], 10);
  EXPECT_TRUE(ten["warnings"].empty()) << ten["warnings"];
  EXPECT_EQ(ten["frames"], eight["frames"]); // banding goes by the eight bits that were coded
  EXPECT_EQ(ten["cambi"]["enc_bitdepth"], 8);
  EXPECT_EQ(named["cambi"]["enc_bitdepth"], 10);
}

TEST(VmafSinkV1, TellsWhatItsScoresCannotBeComparedWith) {
  const auto warnings = [](const std::string &models, int width, int height) {
    const std::string clip = source(2, caps("I420", width, height, 25), "smpte");
    Playback run("hullvmafsink name=v models=" + models + clip + "v.reference" + clip + "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result()["warnings"].dump();
  };
  const auto has = [](const std::string &text, const char *part) {
    return text.find(part) != std::string::npos;
  };
  const std::string small = warnings("3d0h,5d0h", 480, 270), large = warnings("3d0h,5d0h", 576, 324),
                    fine = warnings("3d0h,3d0h_2160", 1280, 720);
  EXPECT_TRUE(has(small, "planes of 240x135")) << small;
  EXPECT_TRUE(has(small, "vmaf_v1.0.16_3d0h, vmaf_v1.0.16_5d0h estimate chroma")) << small;
  EXPECT_TRUE(has(large, "too small for SpEED: it is 0, and vmaf_v1.0.16_5d0h estimates chroma")) << large;
  EXPECT_TRUE(has(fine, "vmaf_v1.0.16_3d0h_2160 reach 110")) << fine;
  EXPECT_FALSE(has(fine, "SpEED")) << fine;
}

// A frame whose chroma is the same is scored in another way than one whose chroma differs a little.
TEST(VmafSinkV1, CountsFramesWhoseChromaIsEstimated) {
  const auto estimated = [](const std::string &models, const std::string &change) {
    const std::string clip = source(3, caps("I420", 576, 324, 25), "zone-plate kx2=8 ky2=8 kt=3");
    Playback run("hullvmafsink name=v models=" + models + clip + "v.reference" + clip + change +
                 "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result()["chroma_estimated_frames"];
  };
  EXPECT_EQ(estimated("3d0h", ""), 3u);
  EXPECT_EQ(estimated("3d0h,5d0h", "videobalance saturation=0.7 ! "), 3u); // 5d0h alone estimates
  EXPECT_TRUE(estimated("v0.6.1", "").is_null());
}

TEST(VmafSinkV1, RefusesPicturesThatLackWhatTheModelsRead) {
  struct Case {
    std::string caps;
    const char *says;
  };
  for (const Case &c : {Case{caps("GRAY8", 256, 216, 25), "read chroma"},
                        {caps("I420", 200, 180, 25), "a side must have 216 pixels"},
                        {caps("I420", 256, 150, 25), "chroma planes of 80x80"}}) {
    Playback run("hullvmafsink name=v models=3d0h" + source(2, c.caps) + "v.reference" + source(2, c.caps) +
                 "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_FALSE(ended.ok);
    EXPECT_NE(ended.error.find(c.says), std::string::npos) << ended.error;
  }
}

} // namespace
} // namespace hull
