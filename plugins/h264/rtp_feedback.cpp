#include "plugins/h264/rtp_feedback.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "gst/glue/ref.h"

#include <algorithm>
#include <array>
#include <utility>

#include <gst/rtp/gstrtcpbuffer.h>

#define GST_CAT_DEFAULT hull::category<hull::h264::RtpFeedback>()

namespace hull::h264 {
namespace {

GstStaticPadTemplate sink_template =
    GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS("video/x-h264"));

// 4 bytes of name, kind, success, idr_pic_id (2), frame_num (4), last correct frame_num (4).
constexpr std::array<std::uint8_t, 4> kName{'H', 'U', 'L', 'L'};
constexpr std::size_t kSize = 16;
enum : std::uint8_t { kMarked = 1, kLoss = 2 };

int int_of(const GstStructure *s, const char *name) {
  int value = -1;
  gst_structure_get_int(s, name, &value);
  return value;
}

} // namespace

ByteVector feedback_of(GstEvent *event) {
  if (GST_EVENT_TYPE(event) != GST_EVENT_CUSTOM_UPSTREAM) return {};
  const GstStructure *s = gst_event_get_structure(event);
  const bool loss = s && gst_structure_has_name(s, "HullLossRecovery");
  if (!loss && !(s && gst_structure_has_name(s, "HullLtrMarked"))) return {};
  guint idr_pic_id = 0;
  gboolean success = TRUE;
  gst_structure_get_uint(s, "idr-pic-id", &idr_pic_id);
  gst_structure_get_boolean(s, "success", &success);
  ByteVector bytes(kName.begin(), kName.end());
  bytes.push_back(loss ? kLoss : kMarked);
  bytes.push_back(static_cast<std::uint8_t>(success != FALSE));
  append_be(bytes, 2, idr_pic_id & 0xffff);
  append_be(bytes, 4, static_cast<std::uint32_t>(int_of(s, loss ? "current-frame-num" : "frame-num")));
  append_be(bytes, 4, static_cast<std::uint32_t>(int_of(s, "last-correct-frame-num")));
  return bytes;
}

GstEvent *event_of(Bytes feedback) {
  if (feedback.size() < kSize || !std::ranges::equal(feedback.first(kName.size()), kName)) return nullptr;
  const auto number = [&](std::size_t at) { return static_cast<int>(load_be(feedback.data() + at, 4)); };
  const auto idr_pic_id = static_cast<guint>(load_be(feedback.data() + 6, 2));
  GstStructure *s = nullptr;
  if (feedback[4] == kMarked)
    s = gst_structure_new("HullLtrMarked", "idr-pic-id", G_TYPE_UINT, idr_pic_id, "frame-num", G_TYPE_INT,
                          number(8), "success", G_TYPE_BOOLEAN, static_cast<gboolean>(feedback[5]), nullptr);
  else if (feedback[4] == kLoss)
    s = gst_structure_new("HullLossRecovery", "idr-pic-id", G_TYPE_UINT, idr_pic_id, "last-correct-frame-num",
                          G_TYPE_INT, number(12), "current-frame-num", G_TYPE_INT, number(8), nullptr);
  return s ? gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, s) : nullptr;
}

std::span<const Property<RtpFeedbackSettings>> RtpFeedback::properties() {
  return {};
}

void RtpFeedback::class_init(GstBaseTransformClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Hull RTP feedback", "Filter/Network/RTP",
                                        "Carries loss reports of hullh264dec to hullh264enc in RTCP",
                                        "gst-plugins-hull developers");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  klass->src_event = thunk<&RtpFeedback::src_event>;
  g_signal_new_class_handler("attach", G_TYPE_FROM_CLASS(klass),
                             static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION),
                             G_CALLBACK(+[](GstBaseTransform *self, GObject *session) {
                               Shell<RtpFeedback>::of(self).attach(session);
                             }),
                             nullptr, nullptr, nullptr, G_TYPE_NONE, 1, G_TYPE_OBJECT);
}

RtpFeedback::RtpFeedback(GstBaseTransform *self) : self_(self) {
  gst_base_transform_set_passthrough(self, TRUE);
}

RtpFeedback::~RtpFeedback() {
  if (session_) g_object_unref(session_);
}

void RtpFeedback::attach(GObject *session) {
  if (session && !g_signal_lookup("on-feedback-rtcp", G_OBJECT_TYPE(session)))
    return warn(GST_ELEMENT(self_),
                {ErrorCode::settings,
                 std::string("attach needs an RTPSession, and this is a ") + G_OBJECT_TYPE_NAME(session) +
                     ". The property internal-session of rtpsession and the signal get-internal-session of "
                     "rtpbin give one."});
  GST_INFO_OBJECT(self_, "attached to %" GST_PTR_FORMAT, static_cast<void *>(session));
  if (session) g_object_ref(session);
  GObject *old = nullptr;
  {
    const Lock lock(mutex_);
    old = std::exchange(session_, session);
  }
  if (old) {
    g_signal_handlers_disconnect_by_data(old, self_);
    g_object_unref(old);
  }
  if (!session) return;
  // The session may outlive the element, which then hears of it no more.
  g_signal_connect_object(session, "on-sending-rtcp", G_CALLBACK(&RtpFeedback::sending), self_,
                          GConnectFlags(0));
  g_signal_connect_object(session, "on-feedback-rtcp", G_CALLBACK(&RtpFeedback::received), self_,
                          GConnectFlags(0));
}

gboolean RtpFeedback::src_event(GstEvent *event) {
  auto feedback = feedback_of(event);
  GObject *session = nullptr;
  if (!feedback.empty()) {
    const Lock lock(mutex_);
    if (session_) {
      session = G_OBJECT(g_object_ref(session_));
      if (waiting_.size() == kMost) waiting_.erase(waiting_.begin());
      waiting_.push_back(std::move(feedback));
    }
  }
  if (!session) return Shell<RtpFeedback>::parent_class()->src_event(self_, event);
  GST_DEBUG_OBJECT(self_, "send %" GST_PTR_FORMAT, static_cast<void *>(event));
  gst_event_unref(event);
  g_signal_emit_by_name(session, "send-rtcp", guint64{0});
  g_object_unref(session);
  return TRUE;
}

gboolean RtpFeedback::sending(GObject *session, GstBuffer *rtcp, gboolean, GstBaseTransform *self) {
  return Shell<RtpFeedback>::of(self).add_packets(session, rtcp);
}

bool RtpFeedback::add_packets(GObject *session, GstBuffer *rtcp) {
  guint ssrc = 0;
  g_object_get(session, "internal-ssrc", &ssrc, nullptr);
  GstRTCPBuffer writer = GST_RTCP_BUFFER_INIT;
  if (!gst_rtcp_buffer_map(rtcp, GST_MAP_READWRITE, &writer)) return false;
  bool added = false;
  const Lock lock(mutex_);
  while (!waiting_.empty()) {
    const ByteVector &feedback = waiting_.front();
    GstRTCPPacket packet;
    if (!gst_rtcp_buffer_add_packet(&writer, GST_RTCP_TYPE_PSFB, &packet)) break; // the next one takes it
    gst_rtcp_packet_fb_set_type(&packet, GST_RTCP_PSFB_TYPE_AFB);
    gst_rtcp_packet_fb_set_sender_ssrc(&packet, ssrc);
    gst_rtcp_packet_fb_set_media_ssrc(&packet, 0);
    if (!gst_rtcp_packet_fb_set_fci_length(&packet, static_cast<guint16>(feedback.size() / 4))) {
      gst_rtcp_packet_remove(&packet);
      break;
    }
    std::ranges::copy(feedback, gst_rtcp_packet_fb_get_fci(&packet));
    waiting_.erase(waiting_.begin());
    added = true;
  }
  gst_rtcp_buffer_unmap(&writer);
  return added;
}

void RtpFeedback::received(GObject *, guint type, guint format, guint, guint, GstBuffer *feedback,
                           GstBaseTransform *self) {
  if (type != GST_RTCP_TYPE_PSFB || format != GST_RTCP_PSFB_TYPE_AFB || !feedback) return;
  GstEvent *event = nullptr;
  if (const MappedBuffer map(feedback, GST_MAP_READ); map) event = event_of(map.bytes());
  if (!event) return;
  GST_DEBUG_OBJECT(self, "received %" GST_PTR_FORMAT, static_cast<void *>(event));
  gst_pad_push_event(GST_BASE_TRANSFORM_SINK_PAD(self), event);
}

} // namespace hull::h264
