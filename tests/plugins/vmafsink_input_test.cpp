// hullvmafsink on inputs that are late, early, broken, endless or letterboxed.

#include "tests/plugins/vmaf_support.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <optional>

#include <gst/check/gstharness.h>
#include <gst/video/video.h>

namespace hull {
namespace {

using namespace vmaf_test;

constexpr int kWidth = 96, kHeight = 64;
const std::string kCaps = "video/x-raw,format=I420,width=96,height=64,framerate=25/1";

/// A texture that moves a little with every frame; `shift` frames later than its number says.
GstBuffer *picture(int number, std::optional<int> time) {
  const gsize size = kWidth * kHeight * 3 / 2;
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, size, nullptr);
  GstMapInfo map;
  gst_buffer_map(buffer, &map, GST_MAP_WRITE);
  for (int y = 0; y < kHeight; ++y)
    for (int x = 0; x < kWidth; ++x) {
      const int u = x + 5 * number, v = y + 3 * number;
      map.data[y * kWidth + x] = static_cast<guint8>(40 + (u * u / 9 + v * v / 7 + u * v / 11) % 170);
    }
  memset(map.data + kWidth * kHeight, 128, kWidth * kHeight / 2);
  gst_buffer_unmap(buffer, &map);
  if (time) {
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(*time) * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
  }
  return buffer;
}

/// The element with both pads in the test's hands. Pushing alternately never blocks.
class Hands {
 public:
  Hands() {
    gst_init(nullptr, nullptr);
    element_ = ElementRef::retain(gst_element_factory_make("hullvmafsink", nullptr));
    if (!element_)
      throw std::runtime_error("hullvmafsink is not found: GST_PLUGIN_PATH must name its folder");
    bus_ = ObjectRef<GstBus>::adopt(gst_bus_new());
    gst_element_set_bus(element_.get(), bus_.get());
  }
  ~Hands() {
    if (distorted_) gst_harness_teardown(distorted_);
    if (reference_) gst_harness_teardown(reference_);
    gst_element_set_bus(element_.get(), nullptr);
  }
  GstElement *element() const { return element_.get(); }
  void start() {
    reference_ = gst_harness_new_with_element(element_.get(), "reference", nullptr);
    distorted_ = gst_harness_new_with_element(element_.get(), "distorted_0", nullptr);
    gst_harness_set_src_caps_str(reference_, kCaps.c_str());
    gst_harness_set_src_caps_str(distorted_, kCaps.c_str());
  }
  GstFlowReturn reference(GstBuffer *buffer) { return gst_harness_push(reference_, buffer); }
  GstFlowReturn distorted(GstBuffer *buffer) { return gst_harness_push(distorted_, buffer); }
  void event(bool to_reference, GstEvent *event) {
    gst_harness_push_event(to_reference ? reference_ : distorted_, event);
  }
  /// EOS on both; the result, or the error's text.
  json finish() {
    gst_harness_push_event(reference_, gst_event_new_eos());
    gst_harness_push_event(distorted_, gst_event_new_eos());
    const auto message = MessageRef::adopt(
        gst_bus_pop_filtered(bus_.get(), static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    if (!message) return "neither EOS nor an error";
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) {
      GError *error = nullptr;
      gst_message_parse_error(message.get(), &error, nullptr);
      const std::string text = error->message;
      g_clear_error(&error);
      return text;
    }
    const auto pad = PadRef::adopt(gst_element_get_static_pad(element_.get(), "distorted_0"));
    char *text = nullptr;
    g_object_get(pad.get(), "result", &text, nullptr);
    const json parsed = json::parse(text ? text : "", nullptr, false);
    g_free(text);
    return parsed;
  }

 private:
  ElementRef element_;
  ObjectRef<GstBus> bus_;
  GstHarness *reference_ = nullptr, *distorted_ = nullptr;
};

TEST(VmafSinkInput, PairsFramesWithoutTimesByNumberAndCountsThem) {
  Hands hands;
  hands.start();
  for (int n = 0; n < 4; ++n) {
    EXPECT_EQ(hands.reference(picture(n, std::nullopt)), GST_FLOW_OK);
    EXPECT_EQ(hands.distorted(picture(n, std::nullopt)), GST_FLOW_OK);
  }
  const json result = hands.finish();
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["alignment"]["matched"], 4);
  EXPECT_EQ(result["alignment"]["untimed"], 4);
}

TEST(VmafSinkInput, CountsARepeatedTimestamp) {
  Hands hands;
  hands.start();
  for (int n = 0; n < 4; ++n) {
    hands.reference(picture(n, n));
    hands.distorted(picture(n, n));
    if (n == 1) hands.distorted(picture(n, n));
  }
  const json result = hands.finish();
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["alignment"]["matched"], 4);
  EXPECT_EQ(result["alignment"]["repeated"], 1);
}

TEST(VmafSinkInput, ForgetsWhatAFlushDrops) {
  Hands hands;
  hands.start();
  hands.reference(picture(7, 7)); // waits for a partner that never comes
  for (const bool side : {true, false}) {
    hands.event(side, gst_event_new_flush_start());
    hands.event(side, gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    hands.event(side, gst_event_new_segment(&segment));
  }
  for (int n = 0; n < 3; ++n) {
    EXPECT_EQ(hands.reference(picture(n, n)), GST_FLOW_OK);
    EXPECT_EQ(hands.distorted(picture(n, n)), GST_FLOW_OK);
  }
  const json result = hands.finish();
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["frames"].size(), 3u);
  EXPECT_EQ(result["alignment"]["missing"], 0);
}

// A second of each input, from PAUSED or while they play, behind one source or two: what was scored before does
// not count.
class Seeks : public testing::TestWithParam<std::tuple<const char *, bool>> {};
const std::string kMoving =
    "videotestsrc pattern=ball num-buffers=900 ! video/x-raw,width=96,height=64,framerate=30/1 ";
INSTANTIATE_TEST_SUITE_P(VmafSinkInput, Seeks,
                         testing::Combine(testing::Values("one", "two"), testing::Bool()),
                         [](const auto &info) {
                           return std::string(std::get<0>(info.param)) +
                                  (std::get<1>(info.param) ? "Playing" : "Paused");
                         });

TEST_P(Seeks, ScoreARange) {
  const auto &[sources, playing] = GetParam();
  Playback playback("hullvmafsink name=v " +
                    (std::string(sources) == "one"
                         ? kMoving + "! tee name=t ! queue ! v.reference t. ! queue ! v.distorted_0"
                         : kMoving + "! queue ! v.reference " + kMoving + "! queue ! v.distorted_0"));
  GstElement *pipeline = playback.pipeline();
  gst_element_set_state(pipeline, playing ? GST_STATE_PLAYING : GST_STATE_PAUSED);
  gst_element_get_state(pipeline, nullptr, nullptr, 5 * GST_SECOND);
  const ElementRef sink = playback.element("v");
  const auto frames = [&] {
    GstStructure *stats = nullptr;
    g_object_get(sink.get(), "stats", &stats, nullptr);
    const auto owner = StructureRef::adopt(stats);
    guint64 count = 0;
    gst_structure_get_uint64(stats, "frames", &count);
    return count;
  };
  while (frames() < 3)
    g_usleep(1000); // something is scored by then
  for (int n = 0; n < 2; ++n)
    ASSERT_TRUE(gst_element_seek(pipeline, 1.0, GST_FORMAT_TIME,
                                 static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE),
                                 GST_SEEK_TYPE_SET, GST_SECOND, GST_SEEK_TYPE_SET, 2 * GST_SECOND));
  const Ended ended = playback.play();
  EXPECT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(frames(), 30u);
  const json result = playback.result();
  ASSERT_TRUE(result.is_object()) << result;
  EXPECT_EQ(result["frames"].size(), 30u);
  EXPECT_EQ(result["alignment"]["missing"], 0);
  EXPECT_EQ(result["alignment"]["unmatched"], 0);
}

// A crop or a border of two lines is told from a size that a ladder rounds.
TEST(VmafSinkInput, TellsShapesThatDiffer) {
  struct Case {
    const char *size, *crop;
    bool differs;
  };
  for (const Case &is :
       {Case{"width=640,height=290", "", true},
        {"width=480,height=360", "", true},
        {"width=640,height=364", "", true},
        {"width=640,height=364", "distorted_0::crop-top=2 distorted_0::crop-bottom=2 ", false},
        {"width=640,height=360", "", false},
        {"width=426,height=240", "", false},
        {"width=854,height=480", "", false},
        {"width=320,height=360,pixel-aspect-ratio=2/1", "", false},
        {"width=256,height=144", "", false}}) {
    Playback run("hullvmafsink name=v " + std::string(is.crop) +
                 source(3, "format=I420,width=640,height=360,framerate=25/1") + "v.reference" +
                 source(3, std::string("format=I420,framerate=25/1,") + is.size) + "v.distorted_0");
    ASSERT_TRUE(run.play().ok) << is.size;
    const std::string warnings = run.result()["warnings"].dump();
    EXPECT_EQ(warnings.find("has the shape") != std::string::npos, is.differs) << is.size << warnings;
  }
}

class AutoAlign : public testing::TestWithParam<const char *> {};
INSTANTIATE_TEST_SUITE_P(VmafSinkInput, AutoAlign, testing::Values("timestamp", "index"),
                         [](const auto &info) { return std::string(info.param); });

TEST_P(AutoAlign, FindsFramesThatAreMissingAtTheStart) {
  for (const int late : {0, 3, -4}) {
    Hands hands;
    gst_util_set_object_arg(G_OBJECT(hands.element()), "alignment", GetParam());
    g_object_set(hands.element(), "auto-align", 5u, nullptr);
    hands.start();
    // Times start at zero on both sides, as after a cut; fewer frames than are held, so nothing blocks.
    for (int n = 0; n < 15; ++n)
      hands.reference(picture(n + std::max(0, -late), n));
    for (int n = 0; n < 15; ++n)
      hands.distorted(picture(n + std::max(0, late), n));
    const json result = hands.finish();
    ASSERT_TRUE(result.is_object()) << result;
    EXPECT_EQ(result["auto_align"]["offset"], -late);
    EXPECT_EQ(result["alignment"]["matched"], 15 - std::abs(late));
    EXPECT_EQ(result["frames"][2]["metrics"]["integer_vif_scale0"], 1.0);
  }
}

TEST(VmafSinkInput, OfNoFramesIsAnErrorWithTheCounts) {
  Hands hands;
  hands.start();
  const json result = hands.finish();
  ASSERT_TRUE(result.is_string());
  EXPECT_NE(result.get<std::string>().find("No frame was scored: the reference brought 0 frames"),
            std::string::npos)
      << result;
}

TEST(VmafSinkInput, LeavesAnUnlinkedPadOut) {
  Playback run("hullvmafsink name=v" + source(3) + "v.reference" + source(3) + "v.distorted_0");
  const auto extra = PadRef::adopt(gst_element_request_pad_simple(run.element("v").get(), "distorted_%u"));
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["frames"].size(), 3u);
  EXPECT_EQ(ended.count("hull-vmaf-result"), 1);
}

TEST(VmafSinkInput, OfALiveSourceIsScoredWhileItRuns) {
  const std::string live = " videotestsrc is-live=true num-buffers=6 ! " + kCaps + " ! ";
  Playback run("hullvmafsink name=v" + live + "tee name=t ! queue ! v.reference t. ! queue ! v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["alignment"]["missing"], 0);
  EXPECT_EQ(ended.count("hull-vmaf-frame"), 6);
}

TEST(VmafSinkInput, WithoutEndKeepsTheNewestFramesAndWritesAll) {
  const auto path = std::filesystem::temp_directory_path() / "hull-vmafsink-kept.json";
  Playback run("hullvmafsink name=v kept-frames=8 location=" + path.string() + source(40) + "v.reference" +
               source(40) + "videoscale ! video/x-raw,width=48,height=32 ! v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  std::ifstream file(path);
  const json all = json::parse(file, nullptr, false), kept = run.result();
  std::filesystem::remove(path);
  ASSERT_EQ(all["frames"].size(), 40u);
  ASSERT_EQ(kept["frames"].size(), 8u);
  EXPECT_EQ(kept["frames"][0], all["frames"][32]);
  double sum = 0;
  for (const json &frame : all["frames"])
    sum += frame["metrics"]["vmaf"].get<double>();
  EXPECT_EQ(all["pooled_metrics"]["vmaf"]["mean"].get<double>(), sum / 40);
  EXPECT_EQ(kept["pooled_metrics"], all["pooled_metrics"]);
}

TEST(VmafSinkInput, WithBlackBarsIsWarnedOf) {
  Playback run("hullvmafsink name=v" + source(6, "format=I420,width=96,height=64,framerate=25/1", "snow") +
               "v.reference" + source(6, "format=I420,width=96,height=48,framerate=25/1", "snow") +
               "videobox top=-8 bottom=-8 ! v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  const std::string warnings = run.result()["warnings"].dump();
  EXPECT_NE(warnings.find("this input: left 0 right 0 top 8 bottom 8"), std::string::npos) << warnings;
}

TEST(VmafSinkInput, OfWhichACropLeavesNextToNothingIsWarnedOf) {
  const auto warnings = [](const std::string &crops) {
    Playback run("hullvmafsink name=v " + crops + source(3) + "v.reference" + source(3) + "v.distorted_0");
    EXPECT_TRUE(run.play().ok);
    return run.result()["warnings"].dump();
  };
  const char *const told = "pixels of a side of this input are left";
  const std::string narrow = warnings("distorted_0::crop-left=32 distorted_0::crop-right=32 "
                                      "distorted_0::crop-top=21 distorted_0::crop-bottom=22");
  EXPECT_NE(narrow.find(told), std::string::npos) << narrow;
  EXPECT_EQ(warnings("distorted_0::crop-left=24 distorted_0::crop-top=16").find(told), std::string::npos);
}

TEST(VmafSinkInput, OfAnotherRangeOrTransferIsWarnedOf) {
  Playback run("hullvmafsink name=v" +
               source(2, "format=I420,width=96,height=64,framerate=25/1,colorimetry=bt709") + "v.reference" +
               source(2, "format=I420,width=96,height=64,framerate=25/1") +
               "capssetter caps=video/x-raw,colorimetry=1:3:14:7 ! v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  const std::string warnings = run.result()["warnings"].dump();
  EXPECT_NE(warnings.find("full and limited range"), std::string::npos) << warnings;
  EXPECT_NE(warnings.find("PQ or HLG"), std::string::npos) << warnings;
}

TEST(VmafSinkInput, InterleavedChromaHasThePsnrOfThePlanarOne) {
  const auto psnr = [](const std::string &format) {
    const std::string convert = "videoconvert ! video/x-raw,format=" + format + " ! ";
    Playback run("hullvmafsink name=v metrics=psnr" +
                 source(3, "format=I420,width=96,height=64,framerate=25/1", "smpte") + convert +
                 "v.reference" + source(3, "format=I420,width=96,height=64,framerate=25/1", "smpte") +
                 "videobalance hue=0.2 saturation=0.8 ! " + convert + "v.distorted_0");
    const Ended ended = run.play();
    EXPECT_TRUE(ended.ok) << ended.error;
    const json metrics = run.result()["frames"][1]["metrics"];
    return std::vector<double>{metrics["psnr_y"], metrics["psnr_cb"], metrics["psnr_cr"]};
  };
  const auto planar = psnr("I420");
  EXPECT_LT(planar[1], 40);
  EXPECT_EQ(psnr("NV12"), planar);
  EXPECT_EQ(psnr("NV21"), planar);
  EXPECT_EQ(psnr("P010_10LE"), psnr("I420_10LE"));
}

} // namespace
} // namespace hull
