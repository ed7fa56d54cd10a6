#include "plugins/h264/decoder.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "plugins/h264/library_sets.h"
#include "plugins/h264/log.h"
#include "plugins/h264/stream_metadata.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <utility>

#define GST_CAT_DEFAULT hull::category<hull::h264::Decoder>()

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

const GEnumValue kInexactValues[] = {{as_int(Inexact::flag), "They come out flagged as corrupted", "flag"},
                                     {as_int(Inexact::refuse), "A stream that has them is refused", "refuse"},
                                     {0, nullptr, nullptr}};
const EnumTable kInexact{"HullH264DecInexactPictures", kInexactValues};

const Property<DecoderSettings> kProperties[] = {
    property<&DecoderSettings::concealment>("error-concealment", "What stands in for what was lost",
                                            Mutable::ready, kConcealments),
    property<&DecoderSettings::inexact>(
        "inexact-pictures",
        "What becomes of pictures that OpenH264 decodes not quite as the standard "
        "says (B slices, and what refers to them)",
        Mutable::ready, kInexact),
    computed<&Decoder::openh264_version>("openh264-version", "Version of the libopenh264 in use"),
};

// More pictures than the library can hold back (a full buffer and the one in work) are lost ones.
constexpr std::size_t kMostPending = 18;
// Access units without a picture after which an undecodable sequence is an error, not damage.
constexpr unsigned kMostBarren = 30;
constexpr GstClockTime kRequestInterval = 500 * GST_MSECOND;

// A stream without times is paced by the clock on the wall.
GstClockTime time_of(const GstVideoCodecFrame &frame) {
  if (GST_CLOCK_TIME_IS_VALID(frame.pts)) return frame.pts;
  return GST_CLOCK_TIME_IS_VALID(frame.dts) ? frame.dts : gst_util_get_timestamp();
}

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

} // namespace

std::span<const Property<DecoderSettings>> Decoder::properties() {
  return kProperties;
}

void Decoder::class_init(GstVideoDecoderClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Hull H.264 decoder", "Codec/Decoder/Video",
                                        "Decodes progressive 8-bit 4:2:0 H.264 with OpenH264",
                                        "gst-plugins-hull developers");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  klass->start = thunk<&Decoder::start>;
  klass->stop = thunk<&Decoder::stop>;
  klass->set_format = thunk<&Decoder::set_format>;
  klass->parse = thunk<&Decoder::parse>;
  klass->handle_frame = thunk<&Decoder::handle_frame>;
  klass->finish = thunk<&Decoder::finish>;
  klass->drain = thunk<&Decoder::drain>;
  klass->sink_event = thunk<&Decoder::sink_event>;
  klass->flush = thunk<&Decoder::flush>;
  klass->decide_allocation = thunk<&Decoder::decide_allocation>;
}

Decoder::Decoder(GstVideoDecoder *self)
    : self_(self), errors_(GST_ELEMENT(self)), decoder_(GST_OBJECT(self)) {
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
  errors_.clear();
  warn_of_known_fault();
  return open();
}

gboolean Decoder::stop() {
  decoder_.close();
  stream_.forget();
  forget_pictures();
  pictures_ = flagged_ = 0;
  trust_ = Trust::exact;
  last_time_ = GST_CLOCK_TIME_NONE;
  waits_for_key_ = false;
  for (GstVideoCodecState **state : {&input_, &output_}) {
    if (*state) gst_video_codec_state_unref(*state);
    *state = nullptr;
  }
  return TRUE;
}

void Decoder::warn_of_known_fault() {
  static std::atomic<bool> told{false};
  if (!PictureDecoder::has_cve_2025_27091() || told.exchange(true)) return;
  warn(GST_ELEMENT(self_),
       {ErrorCode::state,
        "libopenh264 " + PictureDecoder::version() +
            " has CVE-2025-27091: a crafted stream can overrun its heap. Install 2.5.1 or newer, "
            "or build with -Dopenh264-patched=true where your distribution has patched it."});
}

void Decoder::forget_pictures() {
  while (const auto id = output_order_.next())
    give_up(*id);
  for (const auto &[id, pending] : std::exchange(pending_, {}))
    give_up(id);
  output_order_.restart();
  order_.reset();
  references_.reset();
  reports_.reset();
  repaired_at_.reset();
}

bool Decoder::open() {
  forget_pictures();
  barren_units_ = 0;
  last_request_ = GST_CLOCK_TIME_NONE;
  auto opened = decoder_.open(snapshot().concealment);
  if (!opened) errors_.raise(opened.error());
  stream_.restate_parameter_sets();
  gatherer_.reset();
  return opened.has_value();
}

gboolean Decoder::set_format(GstVideoCodecState *state) {
  put_out_all(); // they go by the old caps
  if (input_) gst_video_codec_state_unref(input_);
  input_ = gst_video_codec_state_ref(state);
  described_ = false;
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
  if (!used) errors_.raise(used.error());
  return used.has_value();
}

void Decoder::update_latency() {
  if (!stream_.sequence()) return;
  const Sps &sps = stream_.sequence()->sps;
  unsigned frames = output_order_.delay();
  if (library_reorders(sps)) ++frames;
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
  GstClockTime told = 0;
  gst_video_decoder_get_latency(self_, &told, nullptr);
  if (latency == told) return;
  GST_INFO_OBJECT(self_, "latency is %u pictures", frames);
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
  const auto buffer = BufferRef::retain(frame->input_buffer); // outlives the frame, and so does the mapping
  MappedBuffer input(buffer.get(), GST_MAP_READ);
  if (!input) {
    GST_DEBUG_OBJECT(self_, "data at %" GST_TIME_FORMAT " cannot be read: left out",
                     GST_TIME_ARGS(frame->pts));
    gst_video_decoder_release_frame(self_, frame);
    return GST_FLOW_OK;
  }
  const auto unit = stream_.read(input.bytes());
  if (lacks_codec_data_ && unit.has_slice && !stream_.has_parameter_sets()) {
    errors_.raise({ErrorCode::bad_data, "The stream says stream-format=avc but has no codec_data, and no "
                                        "parameter sets of its own. Put h264parse in front of the decoder."});
    gst_video_codec_frame_unref(frame);
    return GST_FLOW_ERROR;
  }
  if (!unit.has_slice) { // parameter sets or SEI alone
    gst_video_decoder_release_frame(self_, frame);
    return GST_FLOW_OK;
  }
  if (unit.has_idr) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  if (unit.has_idr && std::exchange(waits_for_key_, false))
    GST_DEBUG_OBJECT(self_, "the key unit that was asked for came at %" GST_TIME_FORMAT,
                     GST_TIME_ARGS(frame->pts));
  return decode(unit, frame);
}

bool Decoder::begin_sequence(const StreamInput::AccessUnit &unit) {
  const Sps &sps = unit.sequence->sps;
  GST_INFO_OBJECT(self_,
                  "sequence parameter set %u: %ux%u, profile_idc %u, level_idc %u, %u pictures may wait%s",
                  sps.seq_parameter_set_id, sps.width(), sps.height(), sps.profile_idc, sps.level_idc,
                  sps.reorder_frames(), unit.new_decoder ? ", the library starts anew" : "");
  described_ = false;
  output_order_.begin(sps);
  if (!unit.new_decoder) return true;
  // The library's own change of size loses what it holds and has overrun its memory in several versions.
  order_.reset();
  references_.reset();
  auto opened = decoder_.open(snapshot().concealment);
  if (!opened) errors_.raise(opened.error());
  return opened.has_value();
}

GstFlowReturn Decoder::decode(const StreamInput::AccessUnit &unit, GstVideoCodecFrame *frame) {
  const std::uint64_t id = frame->system_frame_number;
  const bool starts = unit.has_idr || unit.new_sequence ||
                      (!unit.headers.empty() && unit.headers.front().clears_references());
  GstFlowReturn flow = starts ? put_out_all() : GST_FLOW_OK; // C.4.4: what came before goes first
  if (unit.new_sequence && !begin_sequence(unit)) {
    gst_video_decoder_release_frame(self_, frame);
    return GST_FLOW_ERROR;
  }
  if (starts) output_order_.restart();
  if (!unit.is_reference && gst_video_decoder_get_max_decode_time(self_, frame) < 0) {
    GST_DEBUG_OBJECT(self_, "picture %" G_GUINT64_FORMAT " is late and nothing refers to it: left out", id);
    const GstFlowReturn dropped = gst_video_decoder_drop_frame(self_, frame);
    return flow == GST_FLOW_OK ? dropped : flow;
  }
  pending_[id] = {unit.headers.empty() ? 0 : order_.count(unit.headers.front()), unit.bidirectional, false,
                  Trust::exact, unit.sei};
  follow_repair(unit);
  PictureDecoder::Outcome outcome{PictureDecoder::kLost, false};
  if (!unit.refusal && unit.sequence)
    outcome = decoder_.decode(unit.sets, unit.slices, id, [&](const Picture &picture) {
      if (flow == GST_FLOW_OK) flow = take(picture);
    });
  judge(unit, frame, outcome);
  gst_video_codec_frame_unref(frame);
  if (outcome.state & PictureDecoder::kFatal) {
    GST_DEBUG_OBJECT(self_, "the library failed with state 0x%x and starts anew",
                     static_cast<unsigned>(outcome.state));
    if (!decoder_.open(snapshot().concealment)) return GST_FLOW_ERROR;
    stream_.restate_parameter_sets();
    references_.reset();
  }
  barren_units_ = pending_[id].decoded ? 0 : barren_units_ + 1;
  release_lost_pictures();
  if (refuse(unit)) return GST_FLOW_ERROR;
  if (flow == GST_FLOW_OK) flow = put_out_ready();
  update_latency();
  return flow;
}

// Recovery point SEI, D.2.8: from recovery_frame_cnt frames on the pictures are right again.
void Decoder::follow_repair(const StreamInput::AccessUnit &unit) {
  if (unit.headers.empty()) return;
  const SliceHeader &header = unit.headers.front();
  if (references_.begin(header)) repaired_at_.reset(); // something newer was lost
  for (const SeiMessage &message : unit.sei)
    if (const auto frames = recovery_frame_count(message))
      repaired_at_ = (header.frame_num + *frames) % (1u << (header.sps().log2_max_frame_num_minus4 + 4));
  if (repaired_at_ != header.frame_num) return;
  GST_DEBUG_OBJECT(self_, "frame_num %u is a recovery point", header.frame_num);
  references_.heal();
  repaired_at_.reset();
}

// The library calls a picture damaged for any gap of frame_num before it, and all that refer to it too. What
// is trusted instead: whether this picture is complete, and what the pictures it refers to are worth.
void Decoder::judge(const StreamInput::AccessUnit &unit, GstVideoCodecFrame *frame,
                    const PictureDecoder::Outcome &outcome) {
  Pending &pending = pending_[frame->system_frame_number];
  Trust &trust = pending.trust;
  if (unit.bidirectional) trust = Trust::inexact;
  const bool broken =
      unit.damaged || unit.headers.empty() || outcome.concealed ||
      (outcome.state & PictureDecoder::kBroken) ||
      (!pending.decoded && !unit.refusal && !(unit.sequence && library_reorders(unit.sequence->sps)));
  if (broken) {
    GST_DEBUG_OBJECT(self_, "picture at %" GST_TIME_FORMAT " is %s: %s", GST_TIME_ARGS(frame->pts),
                     pending.decoded ? "concealed" : "lost",
                     unit.headers.empty() ? "none of its slices can be read"
                     : unit.damaged       ? "its data is damaged"
                     : outcome.concealed  ? "slices of it are missing"
                                          : "the library cannot decode it");
    trust = Trust::damaged;
    repaired_at_.reset();
  }
  for (const SliceHeader &header : unit.headers)
    trust = std::max(trust, references_.of(header));
  GST_LOG_OBJECT(self_, "picture %u: order %d, state 0x%x, %s", frame->system_frame_number, pending.count,
                 static_cast<unsigned>(outcome.state),
                 trust == Trust::exact     ? "exact"
                 : trust == Trust::inexact ? "inexact"
                                           : "damaged");
  bool needs_key = unit.headers.empty();
  if (!unit.headers.empty()) {
    const SliceHeader &header = unit.headers.front();
    const auto marked = references_.add(header, trust);
    needs_key = reports_.report(GST_VIDEO_DECODER_SINK_PAD(self_), header, trust, marked, time_of(*frame));
  }
  if (needs_key) request_sync_point(frame);
}

void Decoder::request_sync_point(GstVideoCodecFrame *frame) {
  const GstClockTime now = time_of(*frame);
  const bool soon = GST_CLOCK_TIME_IS_VALID(last_request_) && now >= last_request_ &&
                    now - last_request_ < kRequestInterval;
  if (soon) return;
  last_request_ = now;
  waits_for_key_ = true;
  GST_DEBUG_OBJECT(self_, "upstream is asked for a key unit at %" GST_TIME_FORMAT, GST_TIME_ARGS(now));
  gst_video_decoder_request_sync_point(self_, frame, GstVideoDecoderRequestSyncPointFlags(0));
}

bool Decoder::refuse(const StreamInput::AccessUnit &unit) {
  std::optional<Error> why = unit.refusal;
  if (!why && unit.bidirectional && snapshot().inexact == Inexact::refuse)
    why = Error{ErrorCode::unsupported, "OpenH264 decodes B pictures only nearly as the standard says, and "
                                        "inexact-pictures=refuse. Use avdec_h264 for this stream."};
  else if (!why)
    return false;
  refusal_ = why;
  // A parameter set that its own profile forbids is damaged, and after pictures have come out so is most
  // likely any strange one: give the stream time to recover.
  const bool damaged = unit.sequence && unit.sequence->sps.profile_idc == 66;
  if (unit.refusal && (damaged || (pictures_ > 0 && barren_units_ < kMostBarren))) {
    GST_DEBUG_OBJECT(self_, "left out, and the stream may recover: %s", why->text.c_str());
    return false;
  }
  errors_.raise(*why);
  return true;
}

void Decoder::give_up(std::uint64_t id) {
  pending_.erase(id);
  if (GstVideoCodecFrame *frame = gst_video_decoder_get_frame(self_, static_cast<int>(id)))
    gst_video_decoder_release_frame(self_, frame);
}

// What the library has not given out is lost, unless it holds pictures back.
void Decoder::release_lost_pictures() {
  const bool holds = stream_.sequence() && library_reorders(stream_.sequence()->sps);
  std::vector<std::uint64_t> lost;
  for (const auto &[id, pending] : pending_)
    if (!pending.decoded) lost.push_back(id);
  for (std::size_t i = 0; i + (holds ? kMostPending : 0) < lost.size(); ++i) {
    GST_DEBUG_OBJECT(self_, "no picture came of access unit %" G_GUINT64_FORMAT, lost[i]);
    give_up(lost[i]);
  }
}

bool Decoder::prepare_output(const Picture &picture) {
  if (described_ && output_ && output_->info.width == picture.width && output_->info.height == picture.height)
    return true;
  put_out_all(); // they go by the old description
  if (output_) gst_video_codec_state_unref(output_);
  output_ =
      gst_video_decoder_set_output_state(self_, GST_VIDEO_FORMAT_I420, static_cast<guint>(picture.width),
                                         static_cast<guint>(picture.height), input_);
  if (stream_.sequence() && input_) describe(output_->info, input_->caps, stream_.sequence()->sps);
  output_->caps = gst_video_info_to_caps(&output_->info);
  if (const auto pending = pending_.find(picture.id); pending != pending_.end() && input_)
    describe_light(output_->caps, input_->caps, pending->second.sei);
  update_latency();
  described_ = gst_video_decoder_negotiate(self_);
  GST_INFO_OBJECT(self_, "src: caps %" GST_PTR_FORMAT "%s", static_cast<void *>(output_->caps),
                  described_ ? "" : ", which downstream refuses");
  return described_;
}

// The library's memory is ours until its next call: the picture is copied at once, and may wait then.
GstFlowReturn Decoder::take(const Picture &picture) {
  const auto pending = pending_.find(picture.id);
  if (pending == pending_.end() || pending->second.decoded) return GST_FLOW_OK; // repeated by the concealment
  GstVideoCodecFrame *frame = gst_video_decoder_get_frame(self_, static_cast<int>(picture.id));
  if (!frame) return GST_FLOW_OK;
  GstFlowReturn flow = prepare_output(picture) ? gst_video_decoder_allocate_output_frame(self_, frame)
                                               : GST_FLOW_NOT_NEGOTIATED;
  if (flow == GST_FLOW_OK) {
    MappedFrame to(output_->info, frame->output_buffer, GST_MAP_WRITE);
    for (unsigned i = 0; to && i < 3; ++i)
      copy_plane(picture.data[i], picture.stride[i], to.plane(i), to.stride(i),
                 GST_VIDEO_FRAME_COMP_WIDTH(to.get(), i), GST_VIDEO_FRAME_COMP_HEIGHT(to.get(), i));
    pending->second.decoded = true;
    output_order_.add(picture.id, pending->second.count, pending->second.bidirectional);
  }
  gst_video_codec_frame_unref(frame);
  return flow;
}

void Decoder::tell_trust(const GstVideoCodecFrame &frame, Trust trust) {
  if (trust == trust_) return;
  trust_ = trust;
  GST_DEBUG_OBJECT(self_, "pictures from %" GST_TIME_FORMAT " on are %s", GST_TIME_ARGS(frame.pts),
                   trust == Trust::exact ? "exact again"
                   : trust == Trust::damaged
                       ? "flagged: something of them or of what they refer to was lost"
                       : "flagged: OpenH264 decodes B pictures only nearly as the standard says");
}

GstFlowReturn Decoder::put_out(std::uint64_t id) {
  const auto node = pending_.extract(id);
  GstVideoCodecFrame *frame = gst_video_decoder_get_frame(self_, static_cast<int>(id));
  if (!frame) return GST_FLOW_OK;
  if (!node.empty()) {
    const bool flagged = node.mapped().trust != Trust::exact;
    if (flagged) GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_CORRUPTED);
    flagged_ += flagged;
    tell_trust(*frame, node.mapped().trust);
    attach(frame->output_buffer, frame->input_buffer, node.mapped().sei);
  }
  if (pictures_++ == 0)
    GST_INFO_OBJECT(self_, "first picture at %" GST_TIME_FORMAT, GST_TIME_ARGS(frame->pts));
  last_time_ = frame->pts;
  return gst_video_decoder_finish_frame(self_, frame);
}

GstFlowReturn Decoder::put_out_ready() {
  GstFlowReturn flow = GST_FLOW_OK;
  while (flow == GST_FLOW_OK) {
    const auto id = output_order_.ready();
    if (!id) break;
    flow = put_out(*id);
  }
  return flow;
}

GstFlowReturn Decoder::put_out_all() {
  GstFlowReturn flow = GST_FLOW_OK;
  if (decoder_.is_open() && stream_.sequence() && library_reorders(stream_.sequence()->sps))
    decoder_.drain([&](const Picture &picture) {
      if (flow == GST_FLOW_OK) flow = take(picture);
    });
  while (const auto id = output_order_.next())
    if (const GstFlowReturn one = put_out(*id); flow == GST_FLOW_OK) flow = one;
  return flow;
}

GstFlowReturn Decoder::finish() {
  const GstFlowReturn flow = put_out_all();
  if (pictures_ > 0) return flow;
  if (refusal_) errors_.raise(*std::exchange(refusal_, std::nullopt));
  // The base class would add that no picture came.
  return errors_.any() ? GST_FLOW_ERROR : flow;
}

GstFlowReturn Decoder::drain() {
  return put_out_all();
}

gboolean Decoder::sink_event(GstEvent *event) {
  const bool ends = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  log_input(GST_CAT_DEFAULT, GST_ELEMENT(self_), event);
  const gboolean done = Shell<Decoder>::parent_class()->sink_event(self_, event);
  if (ends)
    GST_INFO_OBJECT(self_,
                    "ends after %" G_GUINT64_FORMAT " pictures, the last at %" GST_TIME_FORMAT
                    ", %" G_GUINT64_FORMAT " of them flagged",
                    pictures_, GST_TIME_ARGS(last_time_), flagged_);
  return done;
}

gboolean Decoder::flush() {
  return open();
}

// Pictures that wait for their turn wait in buffers of the pool.
gboolean Decoder::decide_allocation(GstQuery *query) {
  if (!Shell<Decoder>::parent_class()->decide_allocation(self_, query)) return FALSE;
  GstBufferPool *pool = nullptr;
  guint size = 0, least = 0, most = 0;
  gst_query_parse_nth_allocation_pool(query, 0, &pool, &size, &least, &most);
  auto owned = ObjectRef<GstBufferPool>::adopt(pool);
  GstCaps *caps = nullptr;
  gst_query_parse_allocation(query, &caps, nullptr);
  const guint waiting = stream_.sequence() ? stream_.sequence()->sps.reorder_frames() + 1 : 1;
  if (most > 0 && most < least + waiting) { // a pool with too few buffers would block for ever
    owned = ObjectRef<GstBufferPool>::adopt(gst_video_buffer_pool_new());
    most = 0;
  }
  least += waiting;
  GstStructure *config = gst_buffer_pool_get_config(owned.get());
  gst_buffer_pool_config_set_params(config, caps, size, least, most);
  if (gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr))
    gst_buffer_pool_config_add_option(config, GST_BUFFER_POOL_OPTION_VIDEO_META);
  if (!gst_buffer_pool_set_config(owned.get(), config)) return FALSE;
  gst_query_set_nth_allocation_pool(query, 0, owned.get(), size, least, most);
  return TRUE;
}

} // namespace hull::h264
