#pragma once

#include "gst/glue/shell.h"
#include "gst/h264/picture_order.h"
#include "gst/h264/references.h"
#include "plugins/h264/error_once.h"
#include "plugins/h264/loss_reports.h"
#include "plugins/h264/picture_decoder.h"
#include "plugins/h264/stream_input.h"
#include "plugins/h264/unit_gatherer.h"

#include <map>

#include <gst/video/gstvideodecoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

enum class Inexact { flag, refuse };

/// Properties of hullh264dec; the initial values are the defaults.
struct DecoderSettings {
  Concealment concealment = Concealment::slice_copy;
  Inexact inexact = Inexact::flag;
};

/// hullh264dec: H.264 in, I420 out. The decoding is in PictureDecoder, the reading of the stream in
/// StreamInput, the order of pictures in OutputOrder.
class Decoder : public Configured<DecoderSettings> {
 public:
  using Base = GstVideoDecoder;
  using BaseClass = GstVideoDecoderClass;
  static constexpr char kTypeName[] = "HullH264Dec";
  static constexpr char kCategory[] = "hullh264dec", kDescription[] = "H.264 decoder";
  static GType parent_type() { return GST_TYPE_VIDEO_DECODER; }
  static std::span<const Property<DecoderSettings>> properties();
  static void class_init(GstVideoDecoderClass *klass);
  explicit Decoder(GstVideoDecoder *self);
  ~Decoder();

  gboolean start();
  gboolean stop();
  gboolean set_format(GstVideoCodecState *state);
  GstFlowReturn parse(GstVideoCodecFrame *frame, GstAdapter *adapter, gboolean at_eos);
  GstFlowReturn handle_frame(GstVideoCodecFrame *frame);
  GstFlowReturn finish();
  GstFlowReturn drain();
  gboolean flush();
  gboolean sink_event(GstEvent *event);
  gboolean decide_allocation(GstQuery *query);

  std::string openh264_version() const { return PictureDecoder::version(); }

 private:
  /// A picture that the library has, or whose turn has not come.
  struct Pending {
    std::int32_t count; ///< PicOrderCnt
    bool bidirectional;
    bool decoded; ///< copied into its frame, and waits in output_order_
    Trust trust;
    std::vector<SeiMessage> sei;
  };

  bool open();
  bool begin_sequence(const StreamInput::AccessUnit &unit);
  bool refuse(const StreamInput::AccessUnit &unit);
  GstFlowReturn decode(const StreamInput::AccessUnit &unit, GstVideoCodecFrame *frame);
  void judge(const StreamInput::AccessUnit &unit, GstVideoCodecFrame *frame,
             const PictureDecoder::Outcome &outcome);
  void follow_repair(const StreamInput::AccessUnit &unit);
  GstFlowReturn take(const Picture &picture);
  bool prepare_output(const Picture &picture);
  GstFlowReturn put_out(std::uint64_t id);
  GstFlowReturn put_out_ready();
  GstFlowReturn put_out_all();
  void give_up(std::uint64_t id);
  void release_lost_pictures();
  void forget_pictures();
  void update_latency();
  void request_sync_point(GstVideoCodecFrame *frame);
  void tell_trust(const GstVideoCodecFrame &frame, Trust trust);
  void warn_of_known_fault();

  GstVideoDecoder *self_;
  ErrorOnce errors_;
  GstVideoCodecState *input_ = nullptr;
  GstVideoCodecState *output_ = nullptr;
  StreamInput stream_;
  bool lacks_codec_data_ = false;
  UnitGatherer gatherer_; // alignment=nal
  PictureDecoder decoder_;
  PictureOrder order_;
  OutputOrder output_order_;
  References references_;
  LossReports reports_;
  std::map<std::uint64_t, Pending> pending_; // by system frame number
  std::optional<Error> refusal_;             // what the stream will be refused for if no picture comes
  std::optional<std::uint32_t> repaired_at_; // frame_num from which intra refresh has renewed everything
  bool described_ = false;                   // output_ describes what comes
  std::uint64_t pictures_ = 0, flagged_ = 0; // put out since the start
  Trust trust_ = Trust::exact;               // of the picture put out last
  bool waits_for_key_ = false;               // one was asked for
  unsigned barren_units_ = 0;                // access units in a row without a picture
  GstClockTime last_request_ = GST_CLOCK_TIME_NONE;
  GstClockTime last_time_ = GST_CLOCK_TIME_NONE; // of the picture put out last
};

} // namespace hull::h264
