#include "plugins/h264/decoder.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "plugins/h264/log.h"

#include <algorithm>
#include <cstring>
#include <utility>

#define GST_CAT_DEFAULT decoder_category()

namespace hull::h264 {
namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        "video/x-h264, stream-format=(string){ byte-stream, avc, avc3 }, alignment=(string){ au, nal }"));
GstStaticPadTemplate src_template =
    GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(GST_VIDEO_CAPS_MAKE("I420")));

template <class E> constexpr int as_int(E value) {
  return static_cast<int>(value);
}
const GEnumValue kConcealmentValues[] = {
    {as_int(Concealment::off), "Damaged pictures are left out", "off"},
    {as_int(Concealment::frame_copy), "The picture before instead of a damaged one", "frame-copy"},
    {as_int(Concealment::slice_copy), "The picture before where slices are missing", "slice-copy"},
    {as_int(Concealment::frame_copy_cross_idr), "As frame-copy, across key units too",
     "frame-copy-cross-idr"},
    {as_int(Concealment::slice_copy_cross_idr), "As slice-copy, across key units too",
     "slice-copy-cross-idr"},
    {as_int(Concealment::slice_copy_freeze),
     "As slice-copy-cross-idr; freezes when the size changes in damage", "slice-copy-freeze"},
    {as_int(Concealment::motion_copy), "Missing slices follow the motion around them", "motion-copy"},
    {as_int(Concealment::motion_copy_freeze), "As motion-copy; freezes when the size changes in damage",
     "motion-copy-freeze"},
    {0, nullptr, nullptr}};
const EnumTable kConcealments{"HullH264DecErrorConcealment", kConcealmentValues};

const Property<DecoderSettings> kProperties[] = {
    property<&DecoderSettings::concealment>("error-concealment", "What stands in for what was lost",
                                            Mutable::ready, kConcealments),
};

// More pictures than the library can hold back (a full buffer and the one in work) are lost ones.
constexpr std::size_t kMostPending = 18;
// Access units without a picture after which an undecodable sequence is an error, not damage.
constexpr unsigned kMostBarren = 30;
constexpr GstClockTime kRequestInterval = 500 * GST_MSECOND;

void copy_plane(const std::uint8_t *from, int from_stride, std::uint8_t *to, int to_stride, int width,
                int height) {
  if (from_stride == to_stride) {
    // The last row ends at its width: memory behind it may belong to somebody else.
    std::memcpy(to, from,
                static_cast<std::size_t>(from_stride) * static_cast<std::size_t>(height - 1) +
                    static_cast<std::size_t>(width));
    return;
  }
  for (int y = 0; y < height; ++y, from += from_stride, to += to_stride)
    std::memcpy(to, from, static_cast<std::size_t>(width));
}

/// Fills what neither the container nor a parser said from the stream itself.
void describe(GstVideoInfo &info, const GstCaps *caps, const Sps &sps) {
  const GstStructure *known = gst_caps_get_structure(caps, 0);
  const Ratio par = sps.sample_aspect_ratio();
  if (!gst_structure_has_field(known, "pixel-aspect-ratio") && par.num > 0) {
    info.par_n = static_cast<int>(par.num);
    info.par_d = static_cast<int>(par.den);
  }
  const Ratio rate = sps.frame_rate();
  if (!gst_structure_has_field(known, "framerate") && rate.num > 0 && rate.num <= G_MAXINT &&
      rate.den <= G_MAXINT) {
    info.fps_n = static_cast<int>(rate.num);
    info.fps_d = static_cast<int>(rate.den);
  }
  if (gst_structure_has_field(known, "colorimetry") || !sps.vui_parameters_present_flag ||
      !sps.vui.video_signal_type_present_flag)
    return;
  GstVideoColorimetry &colour = info.colorimetry;
  colour.range = sps.vui.video_full_range_flag ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  if (!sps.vui.colour_description_present_flag) return;
  colour.primaries = gst_video_color_primaries_from_iso(sps.vui.colour_primaries);
  colour.transfer = gst_video_transfer_function_from_iso(sps.vui.transfer_characteristics);
  colour.matrix = gst_video_color_matrix_from_iso(sps.vui.matrix_coefficients);
}

} // namespace

std::span<const Property<DecoderSettings>> Decoder::properties() {
  return kProperties;
}

void Decoder::class_init(GstVideoDecoderClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Hull H.264 decoder", "Codec/Decoder/Video",
                                        "Decodes progressive 8-bit 4:2:0 H.264 with OpenH264",
                                        "gst-plugins-hull");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  klass->start = thunk<&Decoder::start>;
  klass->stop = thunk<&Decoder::stop>;
  klass->set_format = thunk<&Decoder::set_format>;
  klass->parse = thunk<&Decoder::parse>;
  klass->handle_frame = thunk<&Decoder::handle_frame>;
  klass->finish = thunk<&Decoder::finish>;
  klass->drain = thunk<&Decoder::drain>;
  klass->flush = thunk<&Decoder::flush>;
  klass->decide_allocation = thunk<&Decoder::decide_allocation>;
}

Decoder::Decoder(GstVideoDecoder *self) : self_(self) {
  gst_video_decoder_set_packetized(self, TRUE);
  gst_video_decoder_set_needs_format(self, TRUE);
  // Against the template, not a caps query: that one asks for width and height, which the stream has itself.
  gst_video_decoder_set_use_default_pad_acceptcaps(self, TRUE);
  GST_PAD_SET_ACCEPT_TEMPLATE(GST_VIDEO_DECODER_SINK_PAD(self));
}

Decoder::~Decoder() {
  stop();
}

gboolean Decoder::start() {
  return reopen();
}

gboolean Decoder::stop() {
  decoder_.close();
  stream_.forget();
  for (GstVideoCodecState **state : {&input_, &output_}) {
    if (*state) gst_video_codec_state_unref(*state);
    *state = nullptr;
  }
  return TRUE;
}

bool Decoder::reopen() {
  pending_.clear();
  corrupted_.clear();
  pictures_ = 0;
  barren_units_ = 0;
  last_request_ = GST_CLOCK_TIME_NONE;
  auto opened = decoder_.open(snapshot().concealment);
  if (!opened) raise(GST_ELEMENT(self_), opened.error());
  stream_.restate_parameter_sets();
  gatherer_.reset();
  return opened.has_value();
}

gboolean Decoder::set_format(GstVideoCodecState *state) {
  if (input_) gst_video_codec_state_unref(input_);
  input_ = gst_video_codec_state_ref(state);
  new_input_ = true;
  const GstStructure *caps = gst_caps_get_structure(state->caps, 0);
  const char *alignment = gst_structure_get_string(caps, "alignment");
  gst_video_decoder_set_packetized(self_, !alignment || !g_str_equal(alignment, "nal"));
  gatherer_.reset();
  const char *format = gst_structure_get_string(caps, "stream-format");
  if (!format || g_str_equal(format, "byte-stream")) {
    stream_.use_byte_stream();
    return TRUE;
  }
  lacks_codec_data_ = !state->codec_data;
  if (lacks_codec_data_) {
    stream_.assume_avc(); // h264parse announces avc before it has seen parameter sets; they may still come
    return TRUE;
  }
  const MappedBuffer data(state->codec_data, GST_MAP_READ);
  auto used =
      data ? stream_.use_avc(data.bytes()) : hull::fail(ErrorCode::bad_data, "codec_data cannot be read");
  if (!used) {
    raise(GST_ELEMENT(self_), used.error());
    return FALSE;
  }
  if (stream_.sps()) {
    if (const auto refusal = stream_.refusal()) {
      raise(GST_ELEMENT(self_), {ErrorCode::unsupported, *refusal});
      return FALSE;
    }
    update_latency();
  }
  return TRUE;
}

void Decoder::update_latency() {
  const Sps &sps = *stream_.sps();
  // Measured: the library holds back nothing in Baseline, one picture in Main and High, two when B-frames
  // come.
  unsigned frames = sps.profile_idc == 66 ? 0 : sps.reorder_frames() == 0 ? 1 : 2;
  // Single NAL units: where one picture ends shows when the next begins.
  if (!gst_video_decoder_get_packetized(self_)) ++frames;
  int num = input_ ? input_->info.fps_n : 0, den = input_ ? input_->info.fps_d : 1;
  if (num <= 0) {
    const Ratio rate = sps.frame_rate();
    num = rate.num ? static_cast<int>(std::min(rate.num, 0x7fffffffu)) : 25;
    den = rate.num ? static_cast<int>(std::min(rate.den, 0x7fffffffu)) : 1;
  }
  const GstClockTime latency =
      gst_util_uint64_scale(frames * GST_SECOND, static_cast<guint64>(den), static_cast<guint64>(num));
  gst_video_decoder_set_latency(self_, latency, latency);
}

GstFlowReturn Decoder::parse(GstVideoCodecFrame *, GstAdapter *adapter, gboolean at_eos) {
  const gsize available = gst_adapter_available(adapter);
  if (available == 0) return GST_VIDEO_DECODER_FLOW_NEED_DATA;
  const auto *data = static_cast<const std::uint8_t *>(gst_adapter_map(adapter, available));
  auto size = gatherer_.end_of_unit({data, available}, stream_.length_size(), at_eos);
  gst_adapter_unmap(adapter);
  if (!size && at_eos) size = available;
  if (!size) return GST_VIDEO_DECODER_FLOW_NEED_DATA;
  gatherer_.reset();
  gst_video_decoder_add_to_frame(self_, static_cast<int>(*size));
  return gst_video_decoder_have_frame(self_);
}

GstFlowReturn Decoder::handle_frame(GstVideoCodecFrame *frame) {
  const std::uint64_t number = frame->system_frame_number;
  const auto buffer = BufferRef::retain(frame->input_buffer); // outlives the frame, and so does the mapping
  MappedBuffer input(buffer.get(), GST_MAP_READ);
  if (!input) {
    gst_video_decoder_release_frame(self_, frame);
    return GST_FLOW_OK;
  }
  bool damaged = false;
  const auto unit = stream_.read(input.bytes(), damaged);
  if (std::exchange(new_input_, false) || stream_.sps_changed()) {
    outdated_ = true;
    new_from_ = number;
  }
  if (unit.has_slice && !unit.is_reference && gst_video_decoder_get_max_decode_time(self_, frame) < 0) {
    // Too late, and nothing refers to it.
    return gst_video_decoder_drop_frame(self_, frame);
  }
  if (lacks_codec_data_ && !stream_.sps()) {
    raise(GST_ELEMENT(self_),
          {ErrorCode::bad_data, "The stream says stream-format=avc but has no codec_data, and no "
                                "parameter sets of its own. Put h264parse in front of the decoder."});
    gst_video_codec_frame_unref(frame);
    return GST_FLOW_ERROR;
  }
  const auto outcome = decoder_.decode(unit.data, number);
  if (unit.has_slice) pending_.insert(number);
  if (unit.has_idr) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  const bool lost = damaged || (outcome.state & (PictureDecoder::kConcealed | PictureDecoder::kLost));
  if (lost) corrupted_.insert(number);
  note_trouble(outcome.state, frame);
  if (unit.has_slice)
    gst_video_codec_frame_unref(frame);
  else
    gst_video_decoder_release_frame(self_, frame); // parameter sets or SEI alone
  if (outcome.state & PictureDecoder::kFatal) {
    GST_WARNING_OBJECT(self_, "the library failed with state 0x%x and starts anew",
                       static_cast<unsigned>(outcome.state));
    if (!reopen()) return GST_FLOW_ERROR;
  }
  if (refuse_what_cannot_be_decoded(outcome)) return GST_FLOW_ERROR;
  const GstFlowReturn flow = outcome.picture ? put_out(*outcome.picture) : GST_FLOW_OK;
  const bool no_delay = stream_.sps() && stream_.sps()->profile_idc == 66;
  release_lost_frames(number, no_delay);
  return flow;
}

void Decoder::note_trouble(int state, GstVideoCodecFrame *frame) {
  if (!(state & PictureDecoder::kLost)) return;
  const GstClockTime now = GST_CLOCK_TIME_IS_VALID(frame->pts) ? frame->pts : frame->dts;
  const bool soon = GST_CLOCK_TIME_IS_VALID(now) && GST_CLOCK_TIME_IS_VALID(last_request_) &&
                    now >= last_request_ && now - last_request_ < kRequestInterval;
  if (soon) return;
  last_request_ = now;
  gst_video_decoder_request_sync_point(self_, frame, GstVideoDecoderRequestSyncPointFlags(0));
}

bool Decoder::refuse_what_cannot_be_decoded(const PictureDecoder::Outcome &outcome) {
  if (outcome.picture) {
    barren_units_ = 0;
    return false;
  }
  if (!(outcome.state & PictureDecoder::kLost) || !stream_.sps()) return false;
  ++barren_units_;
  // After pictures have come out, a strange SPS is more likely damage: give the stream time to recover.
  if (pictures_ > 0 && barren_units_ < kMostBarren) return false;
  const auto refusal = stream_.refusal();
  if (refusal) raise(GST_ELEMENT(self_), {ErrorCode::unsupported, *refusal});
  return refusal.has_value();
}

void Decoder::release_lost_frames(std::uint64_t newest, bool no_delay) {
  while (!pending_.empty() && (pending_.size() > kMostPending || (no_delay && *pending_.begin() <= newest))) {
    const std::uint64_t number = *pending_.begin();
    pending_.erase(pending_.begin());
    corrupted_.erase(number);
    if (GstVideoCodecFrame *frame = gst_video_decoder_get_frame(self_, static_cast<int>(number)))
      gst_video_decoder_release_frame(self_, frame);
  }
}

// Pictures held back from before a change still go by the old description.
bool Decoder::describes(const Picture &picture) const {
  const bool fits = output_ && output_->info.width == picture.width && output_->info.height == picture.height;
  return fits && pictures_ > 0 && !(outdated_ && picture.id >= new_from_);
}

bool Decoder::prepare_output(const Picture &picture) {
  if (describes(picture)) return true;
  outdated_ = false;
  if (output_) gst_video_codec_state_unref(output_);
  output_ =
      gst_video_decoder_set_output_state(self_, GST_VIDEO_FORMAT_I420, static_cast<guint>(picture.width),
                                         static_cast<guint>(picture.height), input_);
  if (stream_.sps() && input_) {
    describe(output_->info, input_->caps, *stream_.sps());
    update_latency();
  }
  return gst_video_decoder_negotiate(self_);
}

GstFlowReturn Decoder::put_out(const Picture &picture) {
  GstVideoCodecFrame *frame = gst_video_decoder_get_frame(self_, static_cast<int>(picture.id));
  const bool corrupted = corrupted_.erase(picture.id) > 0;
  pending_.erase(picture.id);
  if (!frame) return GST_FLOW_OK; // a repeated picture of the concealment
  if (!prepare_output(picture)) {
    gst_video_decoder_drop_frame(self_, frame);
    return GST_FLOW_NOT_NEGOTIATED;
  }
  ++pictures_;
  if (const GstFlowReturn flow = gst_video_decoder_allocate_output_frame(self_, frame); flow != GST_FLOW_OK) {
    gst_video_decoder_drop_frame(self_, frame);
    return flow;
  }
  {
    MappedFrame to(output_->info, frame->output_buffer, GST_MAP_WRITE);
    for (unsigned i = 0; to && i < 3; ++i)
      copy_plane(picture.data[i], picture.stride[i], to.plane(i), to.stride(i),
                 GST_VIDEO_FRAME_COMP_WIDTH(to.get(), i), GST_VIDEO_FRAME_COMP_HEIGHT(to.get(), i));
  }
  if (corrupted) GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_CORRUPTED);
  return gst_video_decoder_finish_frame(self_, frame);
}

GstFlowReturn Decoder::drain_library() {
  if (!decoder_.is_open()) return GST_FLOW_OK;
  GstFlowReturn flow = GST_FLOW_OK;
  for (std::size_t i = 0; i < kMostPending && flow == GST_FLOW_OK; ++i) {
    const auto outcome = decoder_.drain();
    if (!outcome.picture) break;
    flow = put_out(*outcome.picture);
  }
  release_lost_frames(~std::uint64_t{0}, true);
  return flow;
}

GstFlowReturn Decoder::finish() {
  return drain_library();
}

GstFlowReturn Decoder::drain() {
  return drain_library();
}

gboolean Decoder::flush() {
  return reopen();
}

gboolean Decoder::decide_allocation(GstQuery *query) {
  if (!Shell<Decoder>::parent_class()->decide_allocation(self_, query)) return FALSE;
  if (!gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr)) return TRUE;
  GstBufferPool *pool = nullptr;
  guint size = 0, least = 0, most = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
  const auto owned = ObjectRef<GstBufferPool>::adopt(pool);
  GstStructure *config = gst_buffer_pool_get_config(pool);
  gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  return gst_buffer_pool_set_config(pool, config);
}

} // namespace hull::h264
