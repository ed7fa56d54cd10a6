// What hullvmafsink and hullscale say for a person who looks for a reason.

#include "tests/plugins/debug_lines.h"
#include "tests/plugins/vmaf_support.h"

namespace hull {
namespace {

using namespace vmaf_test;
using test::DebugLines;
using test::expect_lines;

TEST(VmafSinkLogs, ExplainCapsChoicesAndTheEnd) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullvmafsink", GST_LEVEL_DEBUG);
  Playback run("hullvmafsink name=v models=v0.6.1,v0.6.1neg" + source(4) + "v.reference" + source(4) +
               "v.distorted_0");
  g_object_set(run.pad("distorted_0").get(), "crop-top", 2u, nullptr);
  const auto extra = PadRef::adopt(gst_element_request_pad_simple(run.element("v").get(), "distorted_%u"));
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(lines, {{GST_LEVEL_INFO, "reference: video/x-raw, format=(string)I420"},
                       {GST_LEVEL_INFO, "distorted_0: time segment"},
                       {GST_LEVEL_INFO,
                        "distorted_0: first frame at running time 0:00:00.000000000, cropped by 0 2 0 0"},
                       {GST_LEVEL_INFO, "model vmaf_v0.6.1 as vmaf"},
                       {GST_LEVEL_INFO, "model vmaf_v0.6.1neg as vmaf_neg"},
                       {GST_LEVEL_INFO, "distorted_0 is scored at 96x64, 8 bits"},
                       {GST_LEVEL_INFO, "distorted_1 is not linked: left out"},
                       {GST_LEVEL_INFO, "reference: ends after 4 frames, the last at running time 0:00:00.1"},
                       {GST_LEVEL_INFO, "distorted_0: 4 frames scored"}});
  // The input that is not linked lacks every frame: once is enough.
  EXPECT_EQ(lines.count(GST_LEVEL_DEBUG, "distorted_1: frame"), 0) << lines.all();
  EXPECT_EQ(lines.count(GST_LEVEL_LOG, ""), 0);
}

TEST(VmafSinkLogs, ExplainEachFrameThatIsLeftOut) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullvmafsink", GST_LEVEL_DEBUG);
  Playback run("hullvmafsink name=v" + source(6) + "v.reference" + source(3) + "v.distorted_0" + source(8) +
               "v.distorted_1");
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(
      lines, {{GST_LEVEL_DEBUG, "distorted_0: frame 5 at 0:00:00.200000000 of the reference has no partner"},
              {GST_LEVEL_DEBUG, "of the reference has no partner", 3},
              {GST_LEVEL_DEBUG, "distorted_1: frame 6 at 0:00:00.240000000 belongs to no reference frame"},
              {GST_LEVEL_DEBUG, "belongs to no reference frame", 2}});
}

TEST(VmafSinkLogs, ExplainAnAlignment) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullvmafsink", GST_LEVEL_DEBUG);
  Playback run("hullvmafsink name=v auto-align=4" + source(30) + "queue ! v.reference" + source(30) +
               "queue ! v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(lines,
               {{GST_LEVEL_INFO, "distorted_0: offset 0 of at most 4 frames is sure, squared difference 0"}});
}

TEST(VmafSinkLogs, ExplainARefusal) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullvmafsink", GST_LEVEL_DEBUG);
  Playback run("hullvmafsink name=v alignment=index concat name=c ! v.reference" + source(3) + "c." +
               source(3, "format=I420,width=64,height=48,framerate=25/1") + "c." + source(6) +
               "v.distorted_0");
  ASSERT_FALSE(run.play().ok);
  run.stop();
  expect_lines(lines, {{GST_LEVEL_INFO, "reference: video/x-raw, format=(string)I420, width=(int)64"},
                       {GST_LEVEL_ERROR, "v: The reference changed from 96x64 to 64x48"}});
}

TEST(VmafSinkLogs, TellEachFrameAtTheLevelForThat) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullvmafsink", GST_LEVEL_LOG);
  Playback run("hullvmafsink name=v" + source(5) + "v.reference" + source(5) + "v.distorted_0");
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(lines, {{GST_LEVEL_LOG, "reference: frame at running time", 5},
                       {GST_LEVEL_LOG, "distorted_0: frame at running time 0:00:00.160000000"},
                       {GST_LEVEL_LOG, "distorted_0: reference frame 4 scores"},
                       {GST_LEVEL_LOG, "distorted_0: reference frame", 5}});
}

TEST(ScaleLogs, ExplainCapsAndTheChosenSize) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullscale", GST_LEVEL_LOG);
  Playback run(source(3) + "hullscale ! video/x-raw,width=[40,60],height=[20,48] ! fakesink");
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(lines, {{GST_LEVEL_INFO, "from video/x-raw, format=(string)I420, width=(int)96"},
                       {GST_LEVEL_INFO, "to video/x-raw, format=(string)I420, width=(int)60, height=(int)48"},
                       {GST_LEVEL_DEBUG, "width=(int)60, height=(int)48"},
                       {GST_LEVEL_INFO, "time segment"},
                       {GST_LEVEL_INFO, "first frame at 0:00:00.000000000"},
                       {GST_LEVEL_LOG, "frame at", 3},
                       {GST_LEVEL_INFO, "ends after 3 scaled frames, the last at 0:00:00.0"}});
}

TEST(ScaleLogs, SayWhenNothingIsScaled) {
  gst_init(nullptr, nullptr);
  const DebugLines lines("hullscale", GST_LEVEL_DEBUG);
  Playback run(source(3) + "hullscale ! fakesink");
  ASSERT_TRUE(run.play().ok);
  run.stop();
  expect_lines(lines, {{GST_LEVEL_INFO, ", passed through"}, {GST_LEVEL_INFO, "ends after 0 scaled frames"}});
}

} // namespace
} // namespace hull
