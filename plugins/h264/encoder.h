#pragma once

#include "gst/glue/shell.h"
#include "plugins/h264/access_unit.h"
#include "plugins/h264/codec.h"
#include "plugins/h264/counters.h"
#include "plugins/h264/feedback.h"
#include "plugins/h264/gop_pool.h"
#include "plugins/h264/negotiate.h"
#include "plugins/h264/plane_reader.h"
#include "plugins/h264/settings.h"

#include <memory>

#include <gst/video/gstvideoencoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

/// Custom meta of coded buffers when there is more than one temporal layer: temporal-id (uint).
inline constexpr char kLayerMeta[] = "HullTemporalLayerMeta";

/// hullh264enc: raw pictures in, H.264 out. Caps, time and errors; the coding is in Codec, the bytes are in
/// AccessUnitWriter.
class Encoder : public Configured<EncoderSettings> {
 public:
  using Base = GstVideoEncoder;
  using BaseClass = GstVideoEncoderClass;
  static constexpr char kTypeName[] = "HullH264Enc";
  static GType parent_type() { return GST_TYPE_VIDEO_ENCODER; }
  static std::span<const Property<EncoderSettings>> properties();
  static void class_init(GstVideoEncoderClass *klass);
  explicit Encoder(GstVideoEncoder *self);
  ~Encoder();

  gboolean start();
  gboolean stop();
  gboolean set_format(GstVideoCodecState *state);
  GstFlowReturn handle_frame(GstVideoCodecFrame *frame);
  GstFlowReturn finish();
  gboolean flush();
  gboolean propose_allocation(GstQuery *query);
  gboolean sink_query(GstQuery *query);
  gboolean src_event(GstEvent *event);
  gboolean transform_meta(GstVideoCodecFrame *frame, GstMeta *meta);
  StructureRef stats() const { return counters_.structure(); }

 private:
  Result<void> open();
  Result<void> open_codecs();
  Result<void> set_caps();
  Result<void> apply_settings();
  Demand demand() const;
  double fps() const { return static_cast<double>(config_.fps_num) / config_.fps_den; }
  VuiWishes vui_wishes() const;
  void keep_time_rising(GstVideoCodecFrame *frame);
  std::int64_t milliseconds();
  GstFlowReturn fail_frame(GstVideoCodecFrame *frame, const Error &error);
  GstFlowReturn encode_now(GstVideoCodecFrame *frame);
  GstFlowReturn encode_in_pool(GstVideoCodecFrame *frame);
  GstFlowReturn collect(std::size_t leave);
  GstFlowReturn put_out(GstVideoCodecFrame *frame, const Coded &coded);
  GstFlowReturn push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units, const Coded &coded);
  GstBuffer *make_buffer(const std::vector<Bytes> &units);
  void mark(GstBuffer *buffer, const Coded &coded);
  void drop_pool();

  GstVideoEncoder *self_;
  // All below belongs to the streaming thread; counters_ and feedback_ lock themselves.
  GstVideoCodecState *input_ = nullptr;
  OutputChoice choice_;
  CodecConfig config_;
  EncoderSettings applied_;      // as the properties said when they were last looked at
  std::unique_ptr<Codec> codec_; // or
  std::unique_ptr<GopPool> pool_;
  std::deque<GstVideoCodecFrame *> pooled_; // one reference each, in the pool's order
  std::size_t most_in_pool_ = 0;
  std::uint32_t since_key_ = 0; // pictures since the last group of the pool began
  bool force_next_ = false;
  PlaneReader reader_;
  AccessUnitWriter writer_;
  GstClockTime last_time_ = GST_CLOCK_TIME_NONE; // running time of the last picture
  GstClockTime clock_ = 0;                       // as last_time_, without jumps of seeks
  std::int64_t last_milliseconds_ = -1;
  Counters counters_;
  Feedback feedback_;
};

} // namespace hull::h264
