#pragma once

#include "gst/core/bytes.h"
#include "gst/core/mutex.h"
#include "gst/glue/shell.h"

#include <optional>
#include <vector>

#include <gst/base/gstbasetransform.h>

namespace hull::h264 {

/// An event HullLtrMarked or HullLossRecovery as the feedback control information of an RTCP packet for the
/// application layer (RFC 4585, 6.4); empty when it is another event.
ByteVector feedback_of(GstEvent *event);
/// The event that such bytes stand for; null when they come from somebody else.
GstEvent *event_of(Bytes feedback);

struct RtpFeedbackSettings {};

/// hullrtpfeedback: lets pictures through, and carries reports of losses over RTCP. Behind a depayloader it
/// takes the decoder's events and sends them in the RTPSession it is attached to; behind the encoder it makes
/// events of what its session receives.
class RtpFeedback : public Configured<RtpFeedbackSettings> {
 public:
  using Base = GstBaseTransform;
  using BaseClass = GstBaseTransformClass;
  static constexpr char kTypeName[] = "HullRtpFeedback";
  static constexpr char kCategory[] = "hullrtpfeedback", kDescription[] = "Loss reports over RTCP";
  static GType parent_type() { return GST_TYPE_BASE_TRANSFORM; }
  static std::span<const Property<RtpFeedbackSettings>> properties();
  static void class_init(GstBaseTransformClass *klass);
  explicit RtpFeedback(GstBaseTransform *self);
  ~RtpFeedback();

  gboolean src_event(GstEvent *event);
  /// Null lets go of the session before.
  void attach(GObject *session);

 private:
  static gboolean sending(GObject *session, GstBuffer *rtcp, gboolean early, GstBaseTransform *self);
  static void received(GObject *session, guint type, guint format, guint sender, guint media,
                       GstBuffer *feedback, GstBaseTransform *self);
  bool add_packets(GObject *session, GstBuffer *rtcp);

  GstBaseTransform *self_;
  Mutex mutex_; // leaf
  GObject *session_ HULL_GUARDED_BY(mutex_) = nullptr;
  std::vector<ByteVector> waiting_ HULL_GUARDED_BY(mutex_); // at most kMost: older ones no longer matter
  static constexpr std::size_t kMost = 16;
};

} // namespace hull::h264
