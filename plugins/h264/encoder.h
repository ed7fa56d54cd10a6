#pragma once

#include "gst/glue/shell.h"
#include "plugins/h264/access_unit.h"
#include "plugins/h264/counters.h"
#include "plugins/h264/error_once.h"
#include "plugins/h264/feedback.h"
#include "plugins/h264/gop_pool.h"
#include "plugins/h264/negotiate.h"
#include "plugins/h264/picture_coder.h"
#include "plugins/h264/plane_reader.h"
#include "plugins/h264/settings.h"
#include "plugins/h264/stream_timing.h"

#include <memory>

#include <gst/video/gstvideoencoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

/// Custom meta of coded buffers when there is more than one temporal layer: temporal-id (uint).
inline constexpr char kLayerMeta[] = "HullTemporalLayerMeta";
/// Custom meta of the last (or only) buffer of each picture: type (string, "idr" or "p"), size (uint, bytes
/// of the access unit), quantizer (double, mean of its slices), temporal-id (uint), slices (uint).
inline constexpr char kPictureMeta[] = "HullCodedPictureMeta";

/// hullh264enc: raw pictures in, H.264 out. Caps, time and errors; the coding is in Codec, the bytes are in
/// AccessUnitWriter.
class Encoder : public Configured<EncoderSettings> {
 public:
  using Base = GstVideoEncoder;
  using BaseClass = GstVideoEncoderClass;
  static constexpr char kTypeName[] = "HullH264Enc";
  static constexpr char kCategory[] = "hullh264enc", kDescription[] = "H.264 encoder";
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
  gboolean sink_event(GstEvent *event);
  gboolean src_event(GstEvent *event);
  gboolean transform_meta(GstVideoCodecFrame *frame, GstMeta *meta);
  StructureRef stats() const { return counters_.structure(); }

 private:
  /// What is said once for as long as it holds.
  enum : unsigned {
    kOverrun = 1,
    kRaisedQuantizer = 2,
    kOtherSlices = 4,
    kBitrateLimited = 8,
    kMaximumLimited = 16,
    kBufferLimited = 32,
    kRefusedPicture = 64,
    kUnreadablePicture = 128,
  };
  Result<void> open();
  Result<void> open_codecs();
  Result<void> configure_writer();
  Result<void> set_caps();
  bool takes_over(const GstVideoInfo &info) const;
  void take_over(GstVideoCodecState *state);
  void apply_settings();
  EncoderSettings within_limits(EncoderSettings wanted);
  void warn_about(unsigned what, bool wrong, const std::string &words, Place at = Place::here());
  Demand demand() const;
  double expected_kbps() const; ///< 0: nothing is held
  double fps() const { return config_.fps(); }
  VuiWishes vui_wishes() const;
  void keep_time_rising(GstVideoCodecFrame *frame);
  std::int64_t milliseconds();
  Result<void> look_for_time_code(GstBuffer *buffer);
  std::vector<SeiMessage> sei_for(GstBuffer *buffer, GstClockTime clock, bool key);
  std::size_t bytes_around(GstBuffer *buffer, bool key) const;
  GstFlowReturn fail_frame(GstVideoCodecFrame *frame, const Error &error);
  bool starts_group(GstVideoCodecFrame *frame);
  GstFlowReturn encode_now(GstVideoCodecFrame *frame);
  GstFlowReturn encode_in_pool(GstVideoCodecFrame *frame);
  GstFlowReturn collect(std::size_t leave);
  GstFlowReturn put_out(GstVideoCodecFrame *frame, GstClockTime clock, const Coded &coded);
  void tell(const Coded &coded);
  GstFlowReturn push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units, const Coded &coded);
  GstBuffer *make_buffer(const std::vector<Bytes> &units);
  void mark(GstBuffer *buffer, const Coded &coded);
  void describe(GstBuffer *buffer, const Coded &coded, std::size_t size);
  void log_layout() const;
  void log_rate(const char *since) const;
  void log_picture(GstVideoCodecFrame *frame, const Coded &coded, std::size_t size) const;
  GstFlowReturn leave_out(GstVideoCodecFrame *frame, const Coded &coded);
  void drop_pool();

  GstVideoEncoder *self_;
  ErrorOnce errors_;
  // All below belongs to the streaming thread; counters_ and feedback_ lock themselves.
  GstVideoCodecState *input_ = nullptr;
  OutputChoice choice_;
  CodecConfig config_;
  EncoderSettings seen_;                // as the properties said when they were last looked at
  EncoderSettings applied_;             // what came of them
  std::unique_ptr<PictureCoder> coder_; // or
  std::unique_ptr<GopPool> pool_;
  struct Waiting {
    GstVideoCodecFrame *frame; // a reference
    GstClockTime clock;
  };
  std::deque<Waiting> pooled_; // in the pool's order
  std::size_t most_in_pool_ = 0;
  std::uint32_t since_key_ = 0; // pictures since the last group began
  bool force_next_ = false;
  bool key_left_out_ = false;   // the next key unit comes in its place
  bool has_time_codes_ = false; // the pictures do
  bool any_ = false;            // a picture came since the start
  unsigned warned_ = 0;         // bits: what was said and still holds
  PlaneReader reader_;
  AccessUnitWriter writer_;
  StreamTiming timing_;
  GstClockTime last_time_ = GST_CLOCK_TIME_NONE; // running time of the last picture
  GstClockTime clock_ = 0;                       // as last_time_, without jumps of seeks
  GstClockTime last_clock_ = GST_CLOCK_TIME_NONE;
  std::int64_t last_milliseconds_ = -1;
  Counters counters_;
  Feedback feedback_;
};

} // namespace hull::h264
