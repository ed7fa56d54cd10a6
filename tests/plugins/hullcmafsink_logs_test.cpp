// What hullcmafsink and the rooms behind it say for a person who looks for a reason.

#include "tests/plugins/cmaf_support.h"
#include "tests/plugins/debug_lines.h"

#include <filesystem>
#include <unistd.h>
#include <vector>

#include <gst/app/gstappsrc.h>

namespace hull {
namespace {

using namespace cmaf_test;
using test::DebugLines;

class CmafSinkLogs : public CmafSinkBase {
 protected:
  void SetUp() override {
    CmafSinkBase::SetUp();
    lines_.emplace("hullcmafsink", GST_LEVEL_DEBUG);
  }
  void expect(GstDebugLevel level, const std::string &part) const {
    EXPECT_GE(lines_->count(level, part), 1) << part << " is not among\n" << lines_->all();
  }
  // A viewer who has asked once, was answered and stays.
  Connection served() const {
    Connection viewer = connect_to(port_);
    send_text(viewer, "GET /time HTTP/1.1\r\nHost: x\r\n\r\n");
    char one = 0;
    g_input_stream_read(g_io_stream_get_input_stream(G_IO_STREAM(viewer.get())), &one, 1, nullptr, nullptr);
    return viewer;
  }
  ElementRef source() const { return ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in")); }
  std::optional<DebugLines> lines_;
};

TEST_F(CmafSinkLogs, ExplainChoicesAndCuts) {
  start();
  follow(2);
  stop();
  expect(GST_LEVEL_INFO, "the origin listens at http://127.0.0.1:");
  expect(GST_LEVEL_INFO, "on air with 1 tracks: segments of 0:00:00.400000000");
  expect(GST_LEVEL_INFO, "video_0: caps video/x-h264");
  expect(GST_LEVEL_INFO, "video_0: time segment start=0:00:00.000000000");
  expect(GST_LEVEL_INFO, "video_0: first buffer: ");
  expect(GST_LEVEL_INFO, "video_0: 25/1 per second: chunks last at most 0:00:00.08");
  expect(GST_LEVEL_INFO, "video_0: live: published as it comes");
  expect(GST_LEVEL_INFO, "video_0: media time 0 is 20");
  expect(GST_LEVEL_INFO, "v1: initialisation segment 0: avc1.");
  expect(GST_LEVEL_INFO, "v1: first chunk at ");
  expect(GST_LEVEL_DEBUG, "v1: segment 1 begins at ");
  expect(GST_LEVEL_DEBUG, " with a key unit");
  expect(GST_LEVEL_DEBUG, "v1: segment 1 is whole: ");
  expect(GST_LEVEL_DEBUG, "v1.m3u8?1&0&false is written: ");
  expect(GST_LEVEL_INFO, "off air");
  EXPECT_EQ(lines_->count(GST_LEVEL_LOG, ""), 0);
}

TEST_F(CmafSinkLogs, ExplainLostInput) {
  launch("appsrc name=in is-live=true format=time "
         "caps=video/x-raw,format=I420,width=64,height=64,framerate=25/1 "
         "! hullh264enc key-int-max=1000 ! " +
         sink());
  const ElementRef in = source();
  for (int i = 0; i < 80; ++i) {
    if (i > 35 && i < 60) { // from 1.4 s to 2.4 s, as long as it takes
      g_usleep(40'000);
      continue;
    }
    GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 64 * 64 * 3 / 2, nullptr);
    gst_buffer_memset(buffer, 0, 128, 64 * 64 * 3 / 2);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(i) * 40 * GST_MSECOND;
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    gst_app_src_push_buffer(GST_APP_SRC(in.get()), buffer);
    g_usleep(5000);
  }
  get(port_, "/v1.m3u8?_HLS_msn=7&_HLS_part=0");
  stop();
  expect(GST_LEVEL_DEBUG, " s before 2.4");
  expect(GST_LEVEL_DEBUG, " never came");
}

// Each object that an output delivers, and each attempt that failed, though the bus hears of the first alone.
TEST_F(CmafSinkLogs, ExplainWhatOutputsDeliver) {
  const auto folder = std::filesystem::temp_directory_path() / ("hull-cmaf-logs-" + std::to_string(getpid()));
  start("location=" + folder.string() + " ingest-url=http://127.0.0.1:1/");
  follow(3);
  stop();
  std::filesystem::remove_all(folder);
  expect(GST_LEVEL_DEBUG, "v1.m3u8 is delivered, ");
  expect(GST_LEVEL_DEBUG, "manifest.mpd is delivered, ");
  EXPECT_GE(lines_->count(GST_LEVEL_DEBUG, "failed: no answer"), 3) << lines_->all();
}

TEST_F(CmafSinkLogs, ExplainEachRefusal) {
  start("max-clients-per-address=2");
  get(port_, "/v1.m3u8");
  get(port_, "/nowhere");
  get(port_, "/v1.m3u8?_HLS_msn=100");
  get(port_, "/time", "", "POST");
  const Connection first = served(), second = served();
  EXPECT_TRUE(status(get(port_, "/time"), 503));
  stop();
  expect(GST_LEVEL_DEBUG, "127.0.0.1 is refused nowhere: 404 There is nothing here.");
  expect(GST_LEVEL_DEBUG, "127.0.0.1 is refused v1.m3u8: 400 _HLS_msn is too far ahead.");
  expect(GST_LEVEL_DEBUG, "127.0.0.1 is refused POST time: 405");
  expect(GST_LEVEL_DEBUG, "127.0.0.1 is refused: 2 connections are there of 2000, 2 of one address allowed");
}

TEST_F(CmafSinkLogs, ExplainWhoGivesWay) {
  start("max-clients=1");
  const Connection idle = served();
  EXPECT_TRUE(status(get(port_, "/time"), 200));
  stop();
  expect(GST_LEVEL_DEBUG, "1 connections are there: one of 127.0.0.1 that asks for nothing gives way");
}

TEST_F(CmafSinkLogs, ExplainAChunkThatIsDropped) {
  launch("appsrc name=in is-live=true format=time caps=video/quicktime,variant=(string)cmaf ! " + sink());
  GstBuffer *broken = gst_buffer_new_memdup("not a box", 9);
  GST_BUFFER_FLAG_SET(broken, GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_MARKER);
  gst_app_src_push_buffer(GST_APP_SRC(source().get()), broken);
  EXPECT_TRUE(wait(GST_MESSAGE_WARNING));
  stop();
  expect(GST_LEVEL_INFO, "video_0: CMAF: published as it comes");
  expect(GST_LEVEL_WARNING, "v1, chunk refused, 1 so far");
}

} // namespace
} // namespace hull
