// hullvmafsink in pipelines: what it scores, what it counts, and how it fails.

#include "tests/plugins/vmaf_support.h"

#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <vector>

#include <gst/gst.h>
#include <gst/video/video.h>

namespace hull {
namespace {

using namespace vmaf_test;

TEST(VmafSink, GivesOneRowPerFrameAndPoolsThem) {
  Playback run("hullvmafsink name=v metrics=psnr" + source(6) + "v.reference" + source(6) + "v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  const json result = run.result();
  ASSERT_EQ(result["frames"].size(), 6u);
  EXPECT_NEAR(result["frames"][0]["metrics"]["integer_vif_scale0"].get<double>(), 1.0, 1e-6);
  EXPECT_EQ(result["frames"][3]["metrics"]["psnr_y"], 60.0); // identical: capped at 6 * 8 + 12 dB
  double sum = 0;
  for (const json &frame : result["frames"])
    sum += frame["metrics"]["vmaf"].get<double>();
  EXPECT_EQ(result["pooled_metrics"]["vmaf"]["mean"].get<double>(), sum / 6);
  double score = 0;
  g_object_get(run.pad("distorted_0").get(), "score", &score, nullptr);
  EXPECT_EQ(score, sum / 6);
  EXPECT_EQ(ended.count("hull-vmaf-frame"), 6);
  EXPECT_EQ(ended.count("hull-vmaf-result"), 1);
  EXPECT_TRUE(result["scaler"].is_null());
}

TEST(VmafSink, ScoresEachRenditionAsIfItWereAlone) {
  const std::string worse = " videoscale ! video/x-raw,width=48,height=32 ! ";
  Playback both("hullvmafsink name=v models=v0.6.1,v0.6.1neg threads=2" + source(4) + "v.reference" +
                source(4) + worse + "v.distorted_0" + source(4) + "v.distorted_1");
  ASSERT_TRUE(both.play().ok);
  Playback alone("hullvmafsink name=v models=v0.6.1,v0.6.1neg" + source(4) + "v.reference" + source(4) +
                 worse + "v.distorted_0");
  ASSERT_TRUE(alone.play().ok);
  EXPECT_EQ(both.result("distorted_0")["frames"], alone.result()["frames"]);
  const double small = both.result("distorted_0")["pooled_metrics"]["vmaf"]["mean"];
  const double same = both.result("distorted_1")["pooled_metrics"]["vmaf"]["mean"];
  EXPECT_LT(small, same - 5);
  EXPECT_TRUE(both.result("distorted_0")["scaler"].is_string());
}

TEST(VmafSink, ReadsPackedAndPlanarTenBitAlike) {
  const auto scores = [](const std::string &format) {
    const std::string convert =
        " video/x-raw,format=I420_10LE,width=96,height=64,framerate=25/1 ! videoconvert dither=none ! "
        "video/x-raw,format=" +
        format + " ! ";
    const std::string worse = " videoscale ! video/x-raw,width=64,height=48 ! videoscale ! ";
    Playback run("hullvmafsink name=v videotestsrc num-buffers=3 ! " + convert +
                 "v.reference videotestsrc num-buffers=3 ! " +
                 " video/x-raw,format=I420_10LE,width=96,height=64,framerate=25/1 ! " + worse + convert +
                 "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result()["frames"];
  };
  EXPECT_EQ(scores("I420_10LE"), scores("P010_10LE"));
}

TEST(VmafSink, CountsWhatHasNoPartner) {
  Playback run("hullvmafsink name=v" + source(10) + "v.reference" + source(6) + "v.distorted_0" + source(12) +
               "v.distorted_1");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  const json early = run.result("distorted_0")["alignment"], late = run.result("distorted_1")["alignment"];
  EXPECT_EQ(early["matched"], 6);
  EXPECT_EQ(early["missing"], 4);
  EXPECT_EQ(late["matched"], 10);
  EXPECT_EQ(late["unmatched"], 2);
  EXPECT_EQ(run.result("distorted_0")["frames"].size(), 6u);
  EXPECT_FALSE(run.result("distorted_0")["warnings"].empty());
}

TEST(VmafSink, PairsOtherFrameRatesByTime) {
  const std::string half = source(5, "format=I420,width=96,height=64,framerate=25/2");
  Playback run("hullvmafsink name=v" + source(10) + "v.reference" + half + "v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  const json result = run.result();
  EXPECT_EQ(result["alignment"]["matched"], 5);
  EXPECT_EQ(result["alignment"]["missing"], 5);
  EXPECT_EQ(result["frames"][1]["frameNum"], 2);
}

// Twice the frames are the same frames and others in between, so scores are those of the frames themselves.
TEST(VmafSink, PairsTwiceTheRateWithTheNearestFrame) {
  const std::string twice = source(20, "format=I420,width=96,height=64,framerate=48/1", "ball");
  Playback direct("hullvmafsink name=v" + twice +
                  "videorate drop-only=true ! video/x-raw,framerate=24/1 ! v.reference" + twice +
                  "videorate drop-only=true ! video/x-raw,framerate=24/1 ! v.distorted_0");
  ASSERT_TRUE(direct.play().ok);
  Playback run("hullvmafsink name=v" + twice +
               "videorate drop-only=true ! video/x-raw,framerate=24/1 ! v.reference" + twice +
               "v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["frames"], direct.result()["frames"]);
  EXPECT_EQ(run.result()["alignment"]["matched"], direct.result()["alignment"]["matched"]);
}

TEST(VmafSink, AppliesAnOffsetInFrames) {
  for (const std::string by : {"timestamp", "index"}) {
    // The distorted side starts two frames later in the picture, so its frame n - 2 is the reference's frame
    // n.
    Playback run("hullvmafsink name=v distorted_0::offset=2 alignment=" + by + source(8) + "v.reference" +
                 source(8) + "v.distorted_0");
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << ended.error;
    EXPECT_EQ(run.result()["alignment"]["matched"], 6) << by;
    EXPECT_EQ(run.result()["alignment"]["unmatched"], 2) << by;
    EXPECT_LT(run.result()["frames"][0]["metrics"]["integer_vif_scale0"], 0.99) << by;
  }
}

TEST(VmafSink, ReportsFramesWithTheirOwnTimes) {
  Playback run("hullvmafsink name=v" + source(5) + "v.reference" + source(5) + "v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok);
  guint64 expected = 0;
  for (const auto &message : ended.messages) {
    if (!gst_structure_has_name(message.get(), "hull-vmaf-frame")) continue;
    guint64 index = 0, pts = 0;
    ASSERT_TRUE(gst_structure_get_uint64(message.get(), "index", &index));
    ASSERT_TRUE(gst_structure_get_uint64(message.get(), "pts", &pts));
    EXPECT_EQ(index, expected);
    EXPECT_EQ(pts, expected * 40 * GST_MSECOND);
    ++expected;
  }
  EXPECT_EQ(expected, 5u);
}

TEST(VmafSink, CropsBeforeItCompares) {
  Playback run("hullvmafsink name=v" + source(3, "format=I420,width=96,height=64,framerate=25/1", "snow") +
               " videobox top=-16 bottom=-16 ! v.reference" +
               source(3, "format=I420,width=96,height=64,framerate=25/1", "snow") + "v.distorted_0");
  g_object_set(run.pad("reference").get(), "crop-top", 16u, "crop-bottom", 16u, nullptr);
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["params"]["qualityHeight"], 64);
  EXPECT_TRUE(run.result()["scaler"].is_null());
}

struct Failure {
  const char *name;
  std::string pipeline, says;
  friend void PrintTo(const Failure &f, std::ostream *out) { *out << f.name; }
};
class Fails : public testing::TestWithParam<Failure> {};
INSTANTIATE_TEST_SUITE_P(
    VmafSink, Fails,
    testing::Values(
        Failure{"unknown_model",
                "hullvmafsink name=v models=v9" + source(2) + "v.reference" + source(2) + "v.distorted_0",
                "No built-in VMAF model"},
        Failure{"missing_model_file",
                "hullvmafsink name=v model-location=/nonexistent.json" + source(2) + "v.reference" +
                    source(2) + "v.distorted_0",
                "cannot be read"},
        Failure{"tiny",
                "hullvmafsink name=v" + source(2, "format=I420,width=32,height=32") + "v.reference" +
                    source(2, "format=I420,width=32,height=32") + "v.distorted_0",
                "above 32 pixels"},
        Failure{"no_frames",
                "hullvmafsink name=v" + source(2) + "v.reference" + source(2) +
                    "identity drop-probability=1 ! v.distorted_0",
                "was scored"},
        Failure{"unwritable_log",
                "hullvmafsink name=v location=/nonexistent/x.json" + source(2) + "v.reference" + source(2) +
                    "v.distorted_0",
                "cannot be written"},
        Failure{"full_disk",
                "hullvmafsink name=v location=/dev/full" + source(2) + "v.reference" + source(2) +
                    "v.distorted_0",
                "could not be written completely"},
        Failure{"threshold",
                "hullvmafsink name=v threshold=90" + source(3) + "v.reference" +
                    source(3, "format=I420,width=96,height=64,framerate=25/1", "snow") + "v.distorted_0",
                "below the threshold"},
        Failure{"crop_everything",
                "hullvmafsink name=v distorted_0::crop-left=96" + source(2) + "v.reference" + source(2) +
                    "v.distorted_0",
                "Cropping leaves nothing"}),
    [](const auto &info) { return std::string(info.param.name); });

TEST_P(Fails, WithASentenceThatSaysWhy) {
  Playback run(GetParam().pipeline);
  const Ended ended = run.play();
  EXPECT_FALSE(ended.ok);
  EXPECT_NE(ended.error.find(GetParam().says), std::string::npos) << ended.error;
}

TEST(VmafSink, WritesTheThreeLayouts) {
  const auto folder = std::filesystem::temp_directory_path() / "hull-vmafsink-test";
  std::filesystem::create_directories(folder);
  for (const std::string format : {"json", "csv", "xml"}) {
    const std::string path = (folder / ("scores." + format)).string();
    Playback run("hullvmafsink name=v format=" + format + " location=" + path + source(3) + "v.reference" +
                 source(3) + "v.distorted_0" + source(3) + "v.distorted_1");
    ASSERT_TRUE(run.play().ok);
    EXPECT_GT(std::filesystem::file_size(path), 200u);
    EXPECT_TRUE(std::filesystem::exists(folder / ("scores.distorted_1." + format)));
  }
  std::filesystem::remove_all(folder);
}

TEST(VmafSink, RefusesASecondPadOfTheSameName) {
  // GStreamer itself complains before it asks us, which G_DEBUG=fatal-criticals would make the end.
  const GLogLevelFlags fatal = g_log_set_always_fatal(G_LOG_LEVEL_ERROR);
  gst_init(nullptr, nullptr);
  Playback run("hullvmafsink name=v" + source(3) + "v.reference" + source(3) + "v.distorted_0");
  for (const char *name : {"distorted_0", "reference"})
    EXPECT_EQ(gst_element_request_pad(run.element("v").get(),
                                      gst_element_get_pad_template(run.element("v").get(), "distorted_%u"),
                                      name, nullptr),
              nullptr)
        << name;
  const auto other = PadRef::adopt(gst_element_request_pad_simple(run.element("v").get(), "distorted_%u"));
  EXPECT_STREQ(GST_OBJECT_NAME(other.get()), "distorted_1");
  ASSERT_TRUE(run.play().ok);
  EXPECT_EQ(run.result()["frames"].size(), 3u);
  g_log_set_always_fatal(fatal);
}

/// Asks for a pad at the moment the element has chosen what to score, which is when it says so.
TEST(VmafSink, RefusesPadsFromTheMomentItHasChosenItsInputs) {
  gst_init(nullptr, nullptr);
  Playback run("hullvmafsink name=v" + source(3) + "v.reference" + source(3) + "v.distorted_0");
  const auto sink = run.element("v");
  const auto unlinked = PadRef::adopt(gst_element_request_pad_simple(sink.get(), "distorted_%u"));
  struct Late {
    GstElement *sink;
    int asked = 0, given = 0;
  } late{sink.get()};
  const auto on_line = +[](GstDebugCategory *, GstDebugLevel, const gchar *, const gchar *, gint, GObject *,
                           GstDebugMessage *message, gpointer data) {
    auto &into = *static_cast<Late *>(data);
    if (!std::strstr(gst_debug_message_get(message), "is not linked: left out")) return;
    ++into.asked;
    const auto pad = PadRef::adopt(gst_element_request_pad_simple(into.sink, "distorted_%u"));
    into.given += pad.get() != nullptr;
  };
  gst_debug_set_threshold_for_name("hullvmafsink", GST_LEVEL_INFO);
  gst_debug_remove_log_function(gst_debug_log_default);
  gst_debug_add_log_function(on_line, &late, nullptr);
  const Ended ended = run.play();
  gst_debug_remove_log_function_by_data(&late);
  gst_debug_add_log_function(gst_debug_log_default, nullptr, nullptr);
  gst_debug_unset_threshold_for_name("hullvmafsink");
  EXPECT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(late.asked, 1);
  EXPECT_EQ(late.given, 0);
}

TEST(VmafSink, TakesPadsAgainAfterARun) {
  Playback run("hullvmafsink name=v" + source(3) + "v.reference" + source(3) + "v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  EXPECT_FALSE(gst_element_request_pad_simple(run.element("v").get(), "distorted_%u"));
  run.stop();
  const auto added = PadRef::adopt(gst_element_request_pad_simple(run.element("v").get(), "distorted_%u"));
  ASSERT_TRUE(added);
  EXPECT_EQ(run.result()["frames"].size(), 3u); // of the run before
  const Ended ended = run.play();
  EXPECT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["frames"].size(), 3u);
}

TEST(VmafSink, TakesAModelFileInPlaceOfTheDefault) {
  const char *shared = std::getenv("HULL_SHARED");
  const auto folder = std::filesystem::path(shared ? shared : "../shared") / "vmaf" / "models";
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << "no " << folder;
  const auto models = [&](const std::string &settings) {
    Playback run("hullvmafsink name=v " + settings + source(2) + "v.reference" + source(2) + "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    return run.result()["models"];
  };
  const std::string file = "model-location=" + folder.string() + "/";
  EXPECT_EQ(models(""), (json{{"vmaf", "vmaf_v0.6.1"}}));
  EXPECT_EQ(models(file + "vmaf_v0.6.1.json"), (json{{"vmaf", "vmaf_v0.6.1"}}));
  EXPECT_EQ(models(file + "vmaf_v0.6.1neg.json"), (json{{"vmaf", "vmaf_v0.6.1neg"}}));
  EXPECT_EQ(models("models=phone " + file + "vmaf_v0.6.1.json"),
            (json{{"vmaf", "vmaf_v0.6.1 phone"}, {"vmaf_v0.6.1", "vmaf_v0.6.1"}}));
}

TEST(VmafSink, AcceptsADistortedSizeThatChanges) {
  Playback run("hullvmafsink name=v alignment=index" + source(6) +
               "v.reference concat name=c ! v.distorted_0" + source(3) + "c." +
               source(3, "format=I420,width=64,height=48,framerate=25/1") + "c.");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["alignment"]["matched"], 6);
  EXPECT_EQ(run.result()["alignment"]["caps_changes"], 1);
}

TEST(VmafSink, RefusesAReferenceThatChangesItsSize) {
  Playback run("hullvmafsink name=v alignment=index concat name=c ! v.reference" + source(3) + "c." +
               source(3, "format=I420,width=64,height=48,framerate=25/1") + "c." + source(6) +
               "v.distorted_0");
  const Ended ended = run.play();
  EXPECT_FALSE(ended.ok);
  EXPECT_NE(ended.error.find("changed from 96x64 to 64x48"), std::string::npos) << ended.error;
}

TEST(VmafSink, RunsAgainAfterAStop) {
  Playback run("hullvmafsink name=v" + source(4) + "v.reference" + source(4) + "v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  const json first = run.result()["frames"];
  gst_element_set_state(GST_ELEMENT(gst_element_get_parent(run.element("v").get())), GST_STATE_READY);
  ASSERT_TRUE(run.play().ok);
  EXPECT_EQ(run.result()["frames"], first);
}

} // namespace
} // namespace hull
