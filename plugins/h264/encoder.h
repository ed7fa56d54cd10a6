#pragma once

#include "gst/glue/shell.h"
#include "plugins/h264/access_unit.h"
#include "plugins/h264/codec.h"
#include "plugins/h264/negotiate.h"
#include "plugins/h264/settings.h"

#include <memory>

#include <gst/video/gstvideoencoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

/// hullh264enc: raw pictures in, H.264 out. Caps, time and errors; the coding is in Codec, the bytes are in
/// AccessUnitWriter.
class Encoder : public Configured<EncoderSettings> {
 public:
  using Base = GstVideoEncoder;
  using BaseClass = GstVideoEncoderClass;
  static constexpr char kTypeName[] = "HullH264Enc";
  static GType parent_type() { return GST_TYPE_VIDEO_ENCODER; }
  static std::span<const Property<EncoderSettings>> properties() { return encoder_properties(); }
  static void class_init(GstVideoEncoderClass *klass);
  explicit Encoder(GstVideoEncoder *self);
  ~Encoder();

  gboolean start();
  gboolean stop();
  gboolean set_format(GstVideoCodecState *state);
  GstFlowReturn handle_frame(GstVideoCodecFrame *frame);
  gboolean propose_allocation(GstQuery *query);
  gboolean sink_query(GstQuery *query);
  gboolean transform_meta(GstVideoCodecFrame *frame, GstMeta *meta);

 private:
  Result<void> open_codec();
  Result<void> set_caps();
  Result<void> apply_settings();
  VuiWishes vui_wishes() const;
  bool planes_of(GstVideoFrame &frame, Planes &planes);
  std::int64_t milliseconds(GstClockTime pts);
  GstFlowReturn put_out(GstVideoCodecFrame *frame, const Coded &coded);
  GstFlowReturn push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units);
  GstBuffer *make_buffer(const std::vector<Bytes> &units);

  GstVideoEncoder *self_;
  GstVideoCodecState *input_ = nullptr;
  OutputChoice choice_;
  CodecConfig config_;
  EncoderSettings applied_;
  std::unique_ptr<Codec> codec_;
  AccessUnitWriter writer_;
  std::int64_t last_milliseconds_ = -1;
  ByteVector chroma_[2]; // NV12 only: the planes its second one is split into
};

} // namespace hull::h264
