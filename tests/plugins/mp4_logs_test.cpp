// What hullmp4mux and hullmp4sink say for a person who looks for a reason: a cut, a drop, a repair, a
// refusal.

#include "tests/plugins/debug_lines.h"
#include "tests/plugins/mp4_harness.h"

namespace hull {
namespace {

using mp4test::Mux;
using test::DebugLines;
using test::expect_lines;

TEST(Mp4MuxLogs, ExplainTracksCutsAndTheEnd) {
  const DebugLines lines("hullmp4mux", GST_LEVEL_DEBUG);
  Mux mux("iso-fragmented", "fragment-duration=1000000000 send-force-keyunit=true");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 90; ++i)
    Mux::push_frame(video, i, i % 30 == 0);
  (void)mux.finish();
  expect_lines(
      lines,
      {{GST_LEVEL_INFO, "video_0: caps video/x-h264"},
       {GST_LEVEL_INFO, "video_0: segment time segment"},
       {GST_LEVEL_INFO, "video_0: first sample"},
       {GST_LEVEL_INFO, "1 of 1 inputs are tracks of the header"},
       {GST_LEVEL_INFO, "src: caps video/quicktime, variant=(string)iso-fragmented"},
       {GST_LEVEL_DEBUG, "video_0: asking for a key unit at"},
       {GST_LEVEL_DEBUG, "video_0: the key unit that was asked for came at 1.000 s"},
       {GST_LEVEL_DEBUG, "video_0: cut fragment 2, which ends at 2.000 s, 30 samples: a key unit at the "
                         "multiple of fragment-duration"},
       {GST_LEVEL_INFO, "video_0: ended after 90 samples, the last at running time +0:00:02.9"},
       {GST_LEVEL_INFO, "the stream has ended: eos"}});
  EXPECT_EQ(lines.count(GST_LEVEL_LOG, ""), 0);
}

TEST(Mp4MuxLogs, ExplainWhatIsDroppedOrRepaired) {
  const DebugLines lines("hullmp4mux", GST_LEVEL_DEBUG);
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 3; ++i)
    Mux::push_frame(video, i, false);
  Mux::push_frame(video, 3, true);
  gst_harness_push(video,
                   Mux::sample(GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, Mux::frame(1), false).release());
  (void)mux.finish();
  expect_lines(lines, {{GST_LEVEL_DEBUG, "no key unit yet", 3},
                       {GST_LEVEL_DEBUG, "repaired the time of"},
                       {GST_LEVEL_WARNING, "video_0: 1 timestamps were repaired and 3 samples dropped"}});
}

TEST(Mp4MuxLogs, ExplainARefusal) {
  const DebugLines lines("hullmp4mux", GST_LEVEL_DEBUG);
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *audio = mux.pad("audio_0", Mux::kAac);
  gst_harness_push(audio, Mux::sample(0, 0, GST_SECOND, true).release());
  Mux::push_frame(video, 0, true);
  (void)mux.finish();
  expect_lines(lines, {{GST_LEVEL_ERROR, "A CMAF track file holds one track"},
                       {GST_LEVEL_INFO, "the stream has ended: error"}});
}

TEST(Mp4SinkLogs, ExplainHeadersRotationAndPlacement) {
  const DebugLines lines("hullmp4sink", GST_LEVEL_DEBUG);
  const std::string folder = testing::TempDir() + "/mp4_sink_logs";
  std::filesystem::create_directories(folder);
  const auto pipeline = ElementRef::retain(
      gst_parse_launch(("videotestsrc num-buffers=75 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
                        "hullh264enc key-int-max=25 ! "
                        "h264parse ! hullmp4mux fragment-duration=1000000000 ! hullmp4sink "
                        "max-size-time=2000000000 location=" +
                        folder + "/%d.mp4")
                           .c_str(),
                       nullptr));
  ASSERT_EQ(mp4test::run(pipeline).error, "");
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  expect_lines(lines, {{GST_LEVEL_INFO, "writing " + folder + "/0.mp4"},
                       {GST_LEVEL_INFO, "variant iso-fragmented, which becomes a whole file at the end"},
                       {GST_LEVEL_DEBUG, "header of"},
                       {GST_LEVEL_DEBUG, "cut at 0:00:02.000000000: max-size-time is reached"},
                       {GST_LEVEL_INFO, "writing " + folder + "/1.mp4"},
                       {GST_LEVEL_INFO, "file 1 is finished: movie box of"}});
  std::filesystem::remove_all(folder);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
