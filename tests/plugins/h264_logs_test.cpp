// What hullh264enc, hullh264dec and hullrtpfeedback say for a person who looks for a reason.

#include "tests/plugins/debug_lines.h"
#include "tests/plugins/h264_feeder.h"
#include "tests/plugins/h264_support.h"

#include <gtest/gtest.h>

#include <gst/video/video.h>

namespace hull::h264 {
namespace {

using test::DebugLines;
using test::expect_lines;

constexpr std::size_t kFrame = 64 * 64 * 3 / 2;
constexpr char kRaw[] = "video/x-raw,format=I420,width=64,height=64,framerate=25/1";

Played coded(int count, const std::string &settings, const std::string &raw = kRaw) {
  return play("videotestsrc num-buffers=" + std::to_string(count) + " ! " + raw + " ! hullh264enc " +
              settings + " ! video/x-h264,stream-format=byte-stream ! appsink name=out");
}

TEST(EncoderLogs, ExplainNegotiationChoicesAndTheEnd) {
  const DebugLines lines("hullh264enc", GST_LEVEL_DEBUG);
  const Played played = play("videotestsrc num-buffers=60 ! " + std::string(kRaw) +
                             " ! hullh264enc name=e key-int-max=25 bitrate=100 ! "
                             "video/x-h264,profile=high,stream-format=avc ! appsink name=out");
  ASSERT_EQ(played.error, "");
  expect_lines(
      lines, {{GST_LEVEL_INFO, "e: sink: caps video/x-raw, format=(string)I420, width=(int)64"},
              {GST_LEVEL_INFO, "e: sink: time segment"},
              {GST_LEVEL_INFO, "e: src: caps video/x-h264, stream-format=(string)avc"},
              {GST_LEVEL_INFO, "e: profile high, level 1.1, which holds 240 kbit/s, CABAC"},
              {GST_LEVEL_INFO, "e: codes with rate-control=bitrate at 100 kbit/s"},
              {GST_LEVEL_INFO, "a key unit every 25 pictures"},
              {GST_LEVEL_INFO, "e: slice-mode=single num-slices=1, coded by 1 threads"},
              {GST_LEVEL_INFO, "e: first picture at 0:00:00.000000000"},
              {GST_LEVEL_DEBUG, "e: picture at 0:00:00.000000000 is to be a key unit: a sequence begins"},
              {GST_LEVEL_DEBUG, "e: picture at 0:00:01.000000000 is to be a key unit: its turn has come"},
              {GST_LEVEL_DEBUG, "e: key unit at", 3},
              {GST_LEVEL_INFO, "e: ends after 60 pictures, the last at 0:00:02.360000000, 0 more left out"}});
  EXPECT_EQ(lines.count(GST_LEVEL_LOG, ""), 0);
}

TEST(EncoderLogs, ExplainGroupsSideBySide) {
  const DebugLines lines("hullh264enc", GST_LEVEL_INFO);
  Feeder feeder("hullh264enc parallel=gop threads=2 key-int-max=5", "ANY");
  feeder.caps(kRaw);
  feeder.push(grey_frame(kFrame, 0));
  feeder.end();
  expect_lines(lines,
               {{GST_LEVEL_INFO, "2 encoders take groups of pictures in turn, at most 10 pictures wait"}});
}

TEST(EncoderLogs, ExplainKeyUnitsAskedForChangesAndFlushes) {
  const DebugLines lines("hullh264enc", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264enc bitrate=50 ltr=true", "ANY");
  feeder.caps(kRaw);
  feeder.push(grey_frame(kFrame, 0));
  feeder.send_upstream(gst_video_event_new_upstream_force_key_unit(GST_CLOCK_TIME_NONE, TRUE, 1));
  feeder.push(grey_frame(kFrame, 1));
  feeder.push_event(gst_video_event_new_downstream_force_key_unit(GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE,
                                                                  GST_CLOCK_TIME_NONE, TRUE, 2));
  g_object_set(feeder.element(), "bitrate", 40u, nullptr);
  feeder.push(grey_frame(kFrame, 2));
  feeder.send_upstream(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new("HullLossRecovery", "last-correct-frame-num", G_TYPE_INT, 1, nullptr)));
  feeder.push_event(gst_event_new_flush_start());
  feeder.push_event(gst_event_new_flush_stop(TRUE));
  expect_lines(lines, {{GST_LEVEL_DEBUG, "downstream asks for a key unit: "},
                       {GST_LEVEL_DEBUG, "a key unit is asked for: "},
                       {GST_LEVEL_DEBUG, "picture at 0:00:00.040000000 is to be a key unit: asked for"},
                       {GST_LEVEL_DEBUG, "key unit at 0:00:00.040000000"},
                       {GST_LEVEL_DEBUG, "key unit at 0:00:00.080000000"},
                       {GST_LEVEL_INFO, "from now on codes with rate-control=bitrate at 40 kbit/s"},
                       {GST_LEVEL_DEBUG, "a receiver reports custom-upstream"},
                       {GST_LEVEL_DEBUG, "flushed"}});
}

TEST(EncoderLogs, ExplainWhatIsLeftOutRepairedOrCodedAgain) {
  const DebugLines lines("hullh264enc", GST_LEVEL_DEBUG);
  {
    Feeder feeder("hullh264enc bitrate=10 frame-skip=true key-int-max=4", "ANY");
    feeder.caps(kRaw);
    for (int i = 0; i < 50; ++i)
      feeder.push(noise_frame(kFrame, i));
    feeder.push(noise_frame(kFrame, 40));
    feeder.push(noise_frame(100, 51));
    feeder.end();
  }
  {
    Feeder feeder("hullh264enc rate-control=cqp quantizer=20 slice-mode=size-limited max-slice-size=500",
                  "ANY");
    feeder.caps(kRaw);
    feeder.push(grey_frame(kFrame, 0));
    for (int i = 1; i < 20; ++i)
      feeder.push(noise_frame(kFrame, i));
  }
  expect_lines(lines,
               {{GST_LEVEL_DEBUG, "is left out: frame-skip holds the bitrate", 10},
                {GST_LEVEL_DEBUG, ", as the picture that was to be one was left out"},
                {GST_LEVEL_DEBUG, "before the one it follows is moved behind it"},
                {GST_LEVEL_DEBUG, "picture at 0:00:02.040000000 is left out: its memory cannot be read"},
                {GST_LEVEL_WARNING, "A picture could not be read"},
                {GST_LEVEL_DEBUG, "are too many: coded again at"}});
}

TEST(EncoderLogs, ExplainARefusal) {
  const DebugLines lines("hullh264enc", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264enc name=e", "ANY");
  feeder.caps("video/x-raw,format=I420,width=65,height=64,framerate=25/1");
  expect_lines(lines, {{GST_LEVEL_INFO, "e: sink: caps video/x-raw, format=(string)I420, width=(int)65"},
                       {GST_LEVEL_ERROR, "e: Pictures of 65x64 cannot be coded"}});
}

TEST(EncoderLogs, TellEachPictureAtTheLevelForThat) {
  const DebugLines lines("hullh264enc", GST_LEVEL_LOG);
  ASSERT_EQ(coded(5, "name=e").error, "");
  expect_lines(lines,
               {{GST_LEVEL_LOG, "e: picture at 0:00:00.160000000: "}, {GST_LEVEL_LOG, "e: picture at", 5}});
}

TEST(DecoderLogs, ExplainCapsSequencesAndTheEnd) {
  const DebugLines lines("hullh264dec", GST_LEVEL_DEBUG);
  const Played played = play("videotestsrc num-buffers=30 ! " + std::string(kRaw) +
                             " ! hullh264enc ! hullh264dec name=d ! appsink name=out");
  ASSERT_EQ(played.error, "");
  expect_lines(lines, {{GST_LEVEL_INFO, "d: sink: caps video/x-h264"},
                       {GST_LEVEL_INFO, "d: sink: time segment"},
                       {GST_LEVEL_INFO, "d: sequence parameter set 0: 64x64, profile_idc 77"},
                       {GST_LEVEL_INFO, "d: src: caps video/x-raw, format=(string)I420, width=(int)64"},
                       {GST_LEVEL_INFO, "d: first picture at 0:00:00.000000000"},
                       {GST_LEVEL_INFO,
                        "d: ends after 30 pictures, the last at 0:00:01.160000000, 0 of them flagged"}});
  EXPECT_EQ(lines.count(GST_LEVEL_LOG, ""), 0);
  EXPECT_EQ(lines.count(GST_LEVEL_DEBUG, "key unit"), 0);
}

TEST(DecoderLogs, ExplainLossDamageAndKeyUnitsAskedFor) {
  const Played stream = coded(30, "key-int-max=15 slice-mode=fixed num-slices=4",
                              "video/x-raw,format=I420,width=320,height=240,framerate=25/1");
  ASSERT_EQ(stream.buffers.size(), 30u);
  const DebugLines lines("hullh264dec", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264dec", "ANY");
  feeder.caps(stream.caps.get());
  for (std::size_t i = 0; i < stream.buffers.size(); ++i) {
    if (i == 5) continue;
    auto buffer = stream.buffers[i];
    if (i == 20) {
      const ByteVector bytes = bytes_of(buffer.get());
      const auto units = split_annexb(bytes);
      ASSERT_EQ(units.size(), 4u);
      ByteVector cut;
      append_annexb(cut, units.back().data);
      buffer = BufferRef::adopt(gst_buffer_new_memdup(cut.data(), cut.size()));
      gst_buffer_copy_into(buffer.get(), stream.buffers[i].get(), GST_BUFFER_COPY_METADATA, 0,
                           static_cast<gsize>(-1));
    }
    feeder.push(buffer);
  }
  feeder.end();
  expect_lines(
      lines, {{GST_LEVEL_DEBUG, "report a loss before frame_num 6, last correct 4"},
              {GST_LEVEL_DEBUG, "upstream is asked for a key unit at 0:00:00.240000000"},
              {GST_LEVEL_DEBUG, "the key unit that was asked for came at 0:00:00.600000000"},
              {GST_LEVEL_DEBUG, "picture at 0:00:00.800000000 is concealed: slices of it are missing"},
              {GST_LEVEL_DEBUG, "pictures from 0:00:00.240000000 on are flagged: something of them"},
              {GST_LEVEL_DEBUG, "pictures from 0:00:00.600000000 on are exact again"},
              {GST_LEVEL_INFO, "ends after 29 pictures, the last at 0:00:01.160000000, 19 of them flagged"}});
}

TEST(DecoderLogs, ExplainPicturesThatAreOnlyNearlyRight) {
  const Played stream =
      play("videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=64,height=64 ! x264enc bframes=2 "
           "b-adapt=false ! video/x-h264,stream-format=byte-stream ! appsink name=out");
  if (stream.buffers.empty()) GTEST_SKIP() << "x264enc is not installed";
  const DebugLines lines("hullh264dec", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264dec", "ANY");
  feeder.caps(stream.caps.get());
  for (const BufferRef &buffer : stream.buffers)
    feeder.push(buffer);
  feeder.end();
  expect_lines(lines, {{GST_LEVEL_DEBUG, "on are flagged: OpenH264 decodes B pictures only nearly"}});
}

// Neither buffers without times nor a time that stands still make more requests than one in half a second.
TEST(DecoderLogs, AStreamWithoutTimesAsksForFewKeyUnits) {
  const Played stream = coded(60, "key-int-max=60");
  const DebugLines lines("hullh264dec", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264dec", "ANY");
  feeder.caps(stream.caps.get());
  for (std::size_t i = 0; i < stream.buffers.size(); ++i) {
    if (i == 2) continue;
    const ByteVector bytes = bytes_of(stream.buffers[i].get());
    feeder.push(BufferRef::adopt(gst_buffer_new_memdup(bytes.data(), bytes.size())));
  }
  EXPECT_GE(lines.count(GST_LEVEL_DEBUG, "upstream is asked for a key unit"), 1);
  EXPECT_LT(lines.count(GST_LEVEL_DEBUG, "upstream is asked for a key unit"), 20) << lines.all();
}

TEST(DecoderLogs, ExplainARefusal) {
  const DebugLines lines("hullh264dec", GST_LEVEL_DEBUG);
  Feeder feeder("hullh264dec name=d", "ANY");
  feeder.caps("video/x-h264,stream-format=avc,alignment=au");
  const Played stream = play("videotestsrc num-buffers=1 ! " + std::string(kRaw) +
                             " ! hullh264enc ! video/x-h264,stream-format=avc ! appsink name=out");
  for (const BufferRef &buffer : stream.buffers)
    feeder.push(buffer);
  expect_lines(lines, {{GST_LEVEL_INFO, "d: sink: caps video/x-h264, stream-format=(string)avc"},
                       {GST_LEVEL_ERROR, "d: The stream says stream-format=avc but has no codec_data"}});
}

TEST(DecoderLogs, TellEachPictureAtTheLevelForThat) {
  const Played stream = coded(5, "");
  const DebugLines lines("hullh264dec", GST_LEVEL_LOG);
  Feeder feeder("hullh264dec", "ANY");
  feeder.caps(stream.caps.get());
  for (const BufferRef &buffer : stream.buffers)
    feeder.push(buffer);
  expect_lines(lines, {{GST_LEVEL_LOG, ", exact", 5}});
}

TEST(FeedbackLogs, ExplainSessionsAndWhatIsSent) {
  const auto rtp = ElementRef::retain(gst_element_factory_make("rtpsession", nullptr));
  if (!rtp) GTEST_SKIP() << "rtpsession is not installed";
  const DebugLines lines("hullrtpfeedback", GST_LEVEL_DEBUG);
  GObject *session = nullptr;
  g_object_get(rtp.get(), "internal-session", &session, nullptr);
  Feeder feeder("hullrtpfeedback name=f", "ANY");
  g_signal_emit_by_name(feeder.element(), "attach", session);
  feeder.send_upstream(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new("HullLossRecovery", "current-frame-num", G_TYPE_INT, 3, nullptr)));
  g_signal_emit_by_name(feeder.element(), "attach", feeder.element());
  g_object_unref(session);
  expect_lines(lines, {{GST_LEVEL_INFO, "f: attached to <RTPSession"},
                       {GST_LEVEL_DEBUG, "f: send custom-upstream"},
                       {GST_LEVEL_WARNING, "f: attach needs an RTPSession"}});
}

} // namespace
} // namespace hull::h264

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
