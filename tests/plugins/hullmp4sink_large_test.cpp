// Files beyond 4 GiB that last longer than 2^32 milliseconds, in every layout: 64-bit offsets, sizes and
// times.

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/file.h"
#include "tests/plugins/mp4_harness.h"
#include "tests/support/numbers.h"

#include <fstream>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

constexpr guint kSamples = 70;
constexpr gsize kSampleSize = 64 << 20;
constexpr GstClockTime kLength = 20 * 3600 * GST_SECOND; // of a sample: 1.1e9 ticks, 58 days in all

GstClockTime length_by_qtdemux(const std::string &file) {
  const ElementRef pipeline = parse("filesrc location=" + file + " ! qtdemux ! fakesink");
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND);
  gint64 length = 0;
  gst_element_query_duration(pipeline.get(), GST_FORMAT_TIME, &length);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return static_cast<GstClockTime>(length);
}

class Large : public testing::TestWithParam<const char *> {};

// A sample tells its number at its start; the rest is memory that all share.
BufferRef numbered(guint number, GstMemory *shared) {
  auto buffer = Mux::sample(number * kLength, number * kLength, kLength, true, 8);
  const guint32 said[] = {GUINT32_TO_BE(kSampleSize - 4), GUINT32_TO_BE(number)};
  gst_buffer_fill(buffer.get(), 0, said, sizeof said);
  gst_buffer_append_memory(buffer.get(), gst_memory_ref(shared));
  return buffer;
}

std::string line_of(std::string text) {
  return text.substr(0, text.find('\n'));
}

TEST_P(Large, IsReadToItsLastSample) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe reads";
  const Folder folder;
  if (std::filesystem::space(folder / "").available < 15ull << 30) GTEST_SKIP() << "needs 15 GiB of disk";
  const std::string file = folder / "large.mp4", layout = GetParam();
  const std::string variant = layout == "cmaf" ? "cmaf" : layout == "hybrid" ? "iso-fragmented" : "iso";
  const ElementRef pipeline = parse(
      "appsrc name=source format=time max-bytes=200000000 block=true ! mux.video_0 hullmp4mux name=mux "
      "send-force-keyunit=false reserved-max-duration=" +
      std::string(layout == "reserve" ? "60000000000" : "0") + " ! video/quicktime,variant=" + variant +
      " ! hullmp4sink sync-interval=0 layout=" + (layout == "cmaf" ? "auto" : layout) + " location=" + file);
  const auto source = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "source"));
  const auto caps = CapsRef::adopt(gst_caps_from_string(Mux::kAvc));
  gst_app_src_set_caps(GST_APP_SRC(source.get()), caps.get());
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  GstMemory *shared = gst_allocator_alloc(nullptr, kSampleSize - 8, nullptr);
  for (guint i = 0; i < kSamples; ++i)
    gst_app_src_push_buffer(GST_APP_SRC(source.get()), numbered(i, shared).release());
  gst_memory_unref(shared);
  gst_app_src_end_of_stream(GST_APP_SRC(source.get()));
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
      bus.get(), 300 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  ASSERT_TRUE(message);
  ASSERT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);

  const double seconds = kSamples * 20 * 3600.0;
  const std::string said =
      output_of("ffprobe -v quiet -show_entries format=duration -of csv=p=0 '" + file + "'");
  EXPECT_NEAR(number_in(said), seconds, 1) << said;
  // The last sample by its index entry: its place, its size, and that it is the one that was put there.
  const std::string last =
      line_of(output_of("ffprobe -v quiet -select_streams v:0 -read_intervals " +
                        std::to_string(static_cast<long>(seconds) - 3600) +
                        "%+#1 -show_entries packet=size,pos -of csv=p=0 '" + file + "'"));
  const std::vector<double> entry = numbers_in(last); // size and place
  ASSERT_EQ(entry.size(), 2u) << last;
  EXPECT_EQ(entry[0], kSampleSize);
  EXPECT_GT(entry[1], 1ull << 32);
  std::ifstream in(file, std::ios::binary);
  std::array<char, 8> head{};
  in.seekg(static_cast<std::streamoff>(entry[1]));
  in.read(head.data(), head.size());
  EXPECT_EQ(static_cast<unsigned char>(head[7]), kSamples - 1);
  auto source_file = FileSource::open(file);
  ASSERT_TRUE(source_file);
  if (layout != "cmaf") {
    auto mvhd = locate(*source_file, "moov/mvhd");
    ASSERT_TRUE(mvhd);
    EXPECT_EQ(std::as_const(*mvhd->node).as<MovieHeader>()->version, 1);
    EXPECT_TRUE(locate(*source_file, "moov/trak/mdia/minf/stbl/co64"));
    if (has("qtdemux")) {
      EXPECT_EQ(length_by_qtdemux(file), kSamples * kLength);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Large, testing::Values("hybrid", "insert", "reserve", "spool", "tail", "cmaf"),
                         [](const auto &info) { return std::string(info.param); });

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
