// Seeks and flushes in front of hullmp4mux: a seek from behind it begins the file anew, a flush that comes by
// itself takes nothing from the recording but what waited.

#include "tests/plugins/mp4_harness.h"

#include <algorithm>

namespace hull {
namespace {

using namespace mp4test;

std::string video_packets(const std::string &path) {
  const std::string text = "ffprobe -v error -select_streams v -count_packets -show_entries "
                           "stream=nb_read_packets,start_time -of csv=p=0 " +
                           path;
  std::array<char, 256> line{};
  FILE *const pipe = popen(text.c_str(), "r");
  const bool any = fgets(line.data(), line.size(), pipe) != nullptr;
  pclose(pipe);
  return any ? line.data() : "";
}

class SeekFirst : public testing::TestWithParam<const char *> {};

// As an application does that records the part of a file from 2 s to 3 s.
TEST_P(SeekFirst, WritesOnlyWhatWasSoughtFor) {
  const std::string source = testing::TempDir() + "/seek_source.mkv", path = testing::TempDir() + "/seek.mp4";
  const auto before = ElementRef::retain(
      gst_parse_launch(("videotestsrc num-buffers=125 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
                        "hullh264enc key-int-max=25 ! "
                        "h264parse ! matroskamux ! filesink location=" +
                        source)
                           .c_str(),
                       nullptr));
  ASSERT_EQ(run(before).error, "");
  gst_element_set_state(before.get(), GST_STATE_NULL);
  const auto pipeline = ElementRef::retain(
      gst_parse_launch(("filesrc location=" + source + " ! matroskademux ! h264parse ! hullmp4mux ! " +
                        GetParam() + " location=" + path)
                           .c_str(),
                       nullptr));
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND),
            GST_STATE_CHANGE_SUCCESS);
  const auto flags = static_cast<GstSeekFlags>(static_cast<int>(GST_SEEK_FLAG_FLUSH) |
                                               static_cast<int>(GST_SEEK_FLAG_ACCURATE));
  ASSERT_TRUE(gst_element_seek(pipeline.get(), 1, GST_FORMAT_TIME, flags, GST_SEEK_TYPE_SET, 2 * GST_SECOND,
                               GST_SEEK_TYPE_SET, 3 * GST_SECOND));
  ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND),
            GST_STATE_CHANGE_SUCCESS);
  EXPECT_EQ(run(pipeline).error, "");
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_EQ(video_packets(path), "0.000000,25\n");
  std::filesystem::remove(path);
  std::filesystem::remove(source);
}

INSTANTIATE_TEST_SUITE_P(Sinks, SeekFirst,
                         testing::Values("hullmp4sink", "hullmp4sink layout=insert",
                                         "hullmp4sink layout=tail", "filesink"));

TEST(Mp4Flush, OneThatNobodyAskedForLeavesTheRecordingWhole) {
  Mux mux("iso-fragmented", "fragment-duration=1000000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *audio = mux.pad("audio_0", Mux::kAac);
  const auto sound = [&](guint64 i) {
    gst_harness_push(audio, Mux::sample(i * 21'333'333, GST_CLOCK_TIME_NONE, 21'333'333, true).release());
  };
  for (guint64 i = 0; i < 60; ++i)
    Mux::push_frame(video, i, i % 30 == 0);
  for (guint64 i = 0; i < 94; ++i)
    sound(i);
  auto first = BufferRef::adopt(gst_harness_pull(mux.out_)); // the first fragment has left
  gst_harness_push_event(audio, gst_event_new_flush_start());
  gst_harness_push_event(audio, gst_event_new_flush_stop(FALSE));
  GstSegment segment;
  gst_segment_init(&segment, GST_FORMAT_TIME);
  gst_harness_push_event(audio, gst_event_new_segment(&segment));
  for (guint64 i = 60; i < 120; ++i)
    Mux::push_frame(video, i, i % 30 == 0);
  for (guint64 i = 94; i < 188; ++i)
    sound(i);
  std::vector<BufferRef> all = mux.finish();
  all.insert(all.begin(), std::move(first));
  auto boxes = parse_boxes(joined(all));
  ASSERT_TRUE(boxes);
  std::uint64_t pictures = 0;
  EXPECT_TRUE(continuous(*boxes, &pictures));
  EXPECT_EQ(pictures, 120u * 512);
  EXPECT_EQ(std::ranges::count_if(*boxes, [](const Node &box) { return box.type() == FourCC("moov"); }), 1);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
