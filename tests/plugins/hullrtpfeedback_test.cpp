// hullrtpfeedback: reports as bytes, between two RTP sessions, and once around from decoder to encoder.

#include "plugins/h264/rtp_feedback.h"
#include "tests/plugins/h264_support.h"

#include <atomic>
#include <gtest/gtest.h>
#include <thread>

#include <gst/check/gstharness.h>

namespace hull::h264 {
namespace {

class RtpFeedbackTest : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

EventRef loss(int last, int current) {
  return EventRef::adopt(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new("HullLossRecovery", "idr-pic-id", G_TYPE_UINT, 3u, "last-correct-frame-num",
                        G_TYPE_INT, last, "current-frame-num", G_TYPE_INT, current, nullptr)));
}

EventRef marked(int frame_num, bool success) {
  return EventRef::adopt(gst_event_new_custom(
      GST_EVENT_CUSTOM_UPSTREAM,
      gst_structure_new("HullLtrMarked", "idr-pic-id", G_TYPE_UINT, 65535u, "frame-num", G_TYPE_INT,
                        frame_num, "success", G_TYPE_BOOLEAN, static_cast<gboolean>(success), nullptr)));
}

std::string text_of(GstEvent *event) {
  const OwnedText text(gst_structure_to_string(gst_event_get_structure(event)));
  return text.c_str();
}

TEST_F(RtpFeedbackTest, ReportsSurviveTheirBytes) {
  for (const EventRef &event : {loss(-1, 7), loss(65535, 0), marked(0, true), marked(12, false)}) {
    const ByteVector bytes = feedback_of(event.get());
    ASSERT_EQ(bytes.size(), 16u);
    const auto back = EventRef::adopt(event_of(bytes));
    ASSERT_TRUE(back);
    EXPECT_EQ(
        gst_structure_is_equal(gst_event_get_structure(back.get()), gst_event_get_structure(event.get())),
        TRUE)
        << text_of(back.get());
    for (std::size_t size = 0; size < 16; ++size)
      EXPECT_EQ(event_of(Bytes(bytes).first(size)), nullptr);
  }
  const ByteVector remb{'R', 'E', 'M', 'B', 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12};
  EXPECT_EQ(event_of(remb), nullptr);
  const auto other =
      EventRef::adopt(gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, gst_structure_new_empty("Other")));
  EXPECT_TRUE(feedback_of(other.get()).empty());
}

TEST_F(RtpFeedbackTest, WithoutASessionEventsGoOnUpstream) {
  GstHarness *h = gst_harness_new("hullrtpfeedback");
  gst_harness_set_src_caps_str(h, "video/x-h264");
  EXPECT_TRUE(gst_harness_push_upstream_event(h, loss(1, 3).release()));
  bool came = false;
  while (GstEvent *event = gst_harness_try_pull_upstream_event(h)) {
    came |= gst_event_has_name(event, "HullLossRecovery");
    gst_event_unref(event);
  }
  EXPECT_TRUE(came);
  gst_harness_teardown(h);
}

// A receiver's session sends RTCP into a sender's.
TEST_F(RtpFeedbackTest, ReportsCrossBetweenSessions) {
  const auto probe = ElementRef::retain(gst_element_factory_make("rtpsession", nullptr));
  if (!probe) GTEST_SKIP() << "rtpsession is not installed";
  const auto pipeline = ElementRef::retain(
      gst_parse_launch("rtpsession name=receiver rtp-profile=avpf rtpsession name=sender rtp-profile=avpf "
                       "receiver.send_rtcp_src ! sender.recv_rtcp_sink "
                       "videotestsrc is-live=true ! video/x-raw,width=64,height=64,framerate=25/1 ! "
                       "hullh264enc ! rtph264pay ! "
                       "receiver.recv_rtp_sink receiver.recv_rtp_src ! fakesink async=false",
                       nullptr));
  ASSERT_TRUE(pipeline);
  GstHarness *decoder_side = gst_harness_new("hullrtpfeedback"),
             *encoder_side = gst_harness_new("hullrtpfeedback");
  const auto attach = [&](const char *name, GstHarness *to) {
    const auto element = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
    GObject *session = nullptr;
    g_object_get(element.get(), "internal-session", &session, nullptr);
    g_signal_emit_by_name(to->element, "attach", session);
    g_object_unref(session);
  };
  for (GstHarness *h : {decoder_side, encoder_side})
    gst_harness_set_src_caps_str(h, "video/x-h264");
  attach("receiver", decoder_side);
  attach("sender", encoder_side);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  // RTCP begins by itself once a source is known; a report that waits goes with the next packet.
  EXPECT_TRUE(gst_harness_push_upstream_event(decoder_side, loss(41, 43).release()));
  EXPECT_TRUE(gst_harness_push_upstream_event(decoder_side, marked(40, true).release()));
  std::string came;
  for (int i = 0; i < 200 && came.find("HullLtrMarked") == std::string::npos; ++i) {
    while (GstEvent *event = gst_harness_try_pull_upstream_event(encoder_side)) {
      if (GST_EVENT_TYPE(event) == GST_EVENT_CUSTOM_UPSTREAM) came += text_of(event);
      gst_event_unref(event);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_NE(came.find("HullLossRecovery"), std::string::npos) << came;
  EXPECT_NE(came.find("current-frame-num=(int)43"), std::string::npos) << came;
  EXPECT_NE(came.find("frame-num=(int)40"), std::string::npos) << came;
  gst_harness_teardown(decoder_side);
  gst_harness_teardown(encoder_side);
}

} // namespace
} // namespace hull::h264
