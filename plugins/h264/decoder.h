#pragma once

#include "gst/glue/shell.h"
#include "plugins/h264/picture_decoder.h"
#include "plugins/h264/stream_input.h"
#include "plugins/h264/unit_gatherer.h"

#include <set>

#include <gst/video/gstvideodecoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

/// Properties of hullh264dec; the initial values are the defaults.
struct DecoderSettings {
  Concealment concealment = Concealment::slice_copy;
};

/// hullh264dec: H.264 in, I420 out. The decoding is in PictureDecoder, the reading of the stream in
/// StreamInput.
class Decoder : public Configured<DecoderSettings> {
 public:
  using Base = GstVideoDecoder;
  using BaseClass = GstVideoDecoderClass;
  static constexpr char kTypeName[] = "HullH264Dec";
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
  gboolean decide_allocation(GstQuery *query);

 private:
  bool reopen();
  bool refuse_what_cannot_be_decoded(const PictureDecoder::Outcome &outcome);
  GstFlowReturn put_out(const Picture &picture);
  bool prepare_output(const Picture &picture);
  bool describes(const Picture &picture) const;
  void update_latency();
  void note_trouble(int state, GstVideoCodecFrame *frame);
  void release_lost_frames(std::uint64_t newest, bool no_delay);
  GstFlowReturn drain_library();

  GstVideoDecoder *self_;
  GstVideoCodecState *input_ = nullptr;
  GstVideoCodecState *output_ = nullptr;
  StreamInput stream_;
  bool lacks_codec_data_ = false;
  UnitGatherer gatherer_; // alignment=nal
  PictureDecoder decoder_;
  std::set<std::uint64_t> pending_;   // system frame numbers the library has not put out
  std::set<std::uint64_t> corrupted_; // those of them that were damaged; a subset
  std::uint64_t pictures_ = 0;        // put out since the last reopening
  bool new_input_ = false;            // caps came: the next access unit is the first that they describe
  std::uint64_t new_from_ = 0;        // the first access unit that output_ may not describe
  bool outdated_ = false;             // there is such a one
  unsigned barren_units_ = 0;         // access units in a row without a picture
  GstClockTime last_request_ = GST_CLOCK_TIME_NONE;
};

} // namespace hull::h264
