#include "plugins/h264/encoder.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "gst/h264/avcc.h"
#include "plugins/h264/log.h"

#include <algorithm>

#define GST_CAT_DEFAULT hull::category<hull::h264::Encoder>()

namespace hull::h264 {
namespace {

GstStaticPadTemplate sink_template = GST_STATIC_PAD_TEMPLATE(
    "sink", GST_PAD_SINK, GST_PAD_ALWAYS,
    GST_STATIC_CAPS("video/x-raw, format=(string){ I420, YV12, NV12 }, width=(int)[ 16, 16384, 2 ], "
                    "height=(int)[ 16, 16384, 2 ], framerate=(fraction)[ 0/1, 2147483647/1 ], "
                    "interlace-mode=(string)progressive"));
GstStaticPadTemplate src_template = GST_STATIC_PAD_TEMPLATE(
    "src", GST_PAD_SRC, GST_PAD_ALWAYS,
    GST_STATIC_CAPS(
        "video/x-h264, stream-format=(string){ byte-stream, avc }, alignment=(string){ au, nal }, "
        "profile=(string){ main, high, constrained-high, constrained-baseline, baseline }, "
        "width=(int)[ 16, 16384 ], height=(int)[ 16, 16384 ], "
        "framerate=(fraction)[ 0/1, 2147483647/1 ]"));

bool is_planar_420(GstVideoFormat format) {
  return format == GST_VIDEO_FORMAT_I420 || format == GST_VIDEO_FORMAT_YV12 ||
         format == GST_VIDEO_FORMAT_NV12;
}

bool is_plain(GstCaps *caps) {
  for (guint i = 0; i < gst_caps_get_size(caps); ++i)
    if (!gst_caps_features_is_equal(gst_caps_get_features(caps, i), GST_CAPS_FEATURES_MEMORY_SYSTEM_MEMORY))
      return false;
  return true;
}

// What set_format refuses, in words; the caps query has already told elements that can adapt.
Result<void> check(const GstVideoInfo &info) {
  if (GST_VIDEO_INFO_IS_INTERLACED(&info))
    return fail(ErrorCode::unsupported,
                "OpenH264 codes progressive pictures only, and these are interlaced. Put "
                "deinterlace in front of the encoder.");
  if (info.width % 2 || info.height % 2)
    return fail(ErrorCode::unsupported,
                "Pictures of " + std::to_string(info.width) + "x" + std::to_string(info.height) +
                    " cannot be coded: 4:2:0 needs an even width and height. Put videoscale or videocrop in "
                    "front of the encoder.");
  if (info.width < 16 || info.height < 16)
    return fail(ErrorCode::unsupported, "Pictures below 16x16 cannot be coded. Put videoscale or videobox in "
                                        "front of the encoder.");
  return {};
}

// Raw pictures the pool may hold at most; above it waits for the oldest one.
constexpr std::size_t kPoolBytes = std::size_t{1} << 30;
constexpr unsigned kMostWorkers = 16;

Result<void> check(const EncoderSettings &settings) {
  if (settings.max_bitrate && settings.bitrate > settings.max_bitrate)
    return fail(ErrorCode::settings, "max-bitrate=" + std::to_string(settings.max_bitrate) +
                                         " is below bitrate=" + std::to_string(settings.bitrate) +
                                         ". Raise it, or set it to 0 for no limit.");
  if (settings.rate_control == RateControl::capped_quality && !settings.max_bitrate)
    return fail(ErrorCode::settings,
                "rate-control=capped-quality needs max-bitrate, the cap. Without one use "
                "rate-control=cqp.");
  if (settings.rate_control != RateControl::cqp && settings.qp_min > settings.qp_max)
    return fail(ErrorCode::settings, "qp-min=" + std::to_string(settings.qp_min) +
                                         " is above qp-max=" + std::to_string(settings.qp_max) + ".");
  if (settings.parallel == Parallel::gop && (settings.ltr || settings.rate_control == RateControl::timestamp))
    return fail(ErrorCode::settings, "parallel=gop codes groups of pictures apart, which ltr=true and "
                                     "rate-control=timestamp cannot follow. Use parallel=slices with them.");
  return {};
}

} // namespace

void Encoder::class_init(GstVideoEncoderClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Hull H.264 encoder", "Codec/Encoder/Video",
                                        "Encodes H.264 with OpenH264", "gst-plugins-hull developers");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  klass->start = thunk<&Encoder::start>;
  klass->stop = thunk<&Encoder::stop>;
  klass->set_format = thunk<&Encoder::set_format>;
  klass->handle_frame = thunk<&Encoder::handle_frame>;
  klass->finish = thunk<&Encoder::finish>;
  klass->flush = thunk<&Encoder::flush>;
  klass->sink_event = thunk<&Encoder::sink_event>;
  klass->src_event = thunk<&Encoder::src_event>;
  klass->propose_allocation = thunk<&Encoder::propose_allocation>;
  klass->sink_query = thunk<&Encoder::sink_query>;
  klass->transform_meta = thunk<&Encoder::transform_meta>;
  static const char *tags[] = {GST_META_TAG_VIDEO_STR, nullptr};
  for (const char *meta : {kLayerMeta, kPictureMeta})
    if (!gst_meta_get_info(meta)) gst_meta_register_custom(meta, tags, nullptr, nullptr, nullptr);
}

Encoder::Encoder(GstVideoEncoder *self) : self_(self), errors_(GST_ELEMENT(self)) {}

Encoder::~Encoder() {
  stop();
}

gboolean Encoder::start() {
  last_time_ = GST_CLOCK_TIME_NONE;
  clock_ = 0;
  last_clock_ = GST_CLOCK_TIME_NONE;
  last_milliseconds_ = -1;
  any_ = has_time_codes_ = false;
  warned_ = 0;
  errors_.clear();
  counters_.reset();
  feedback_.clear();
  return TRUE;
}

void Encoder::drop_pool() {
  pool_.reset();
  for (const Waiting &waiting : pooled_)
    gst_video_codec_frame_unref(waiting.frame);
  pooled_.clear();
}

gboolean Encoder::stop() {
  drop_pool();
  coder_.reset();
  if (input_) gst_video_codec_state_unref(input_);
  input_ = nullptr;
  return TRUE;
}

gboolean Encoder::set_format(GstVideoCodecState *state) {
  if (auto fine = check(state->info); !fine) {
    errors_.raise(fine.error());
    return FALSE;
  }
  if (collect(0) != GST_FLOW_OK) return FALSE; // what is under way belongs to the caps before
  if (takes_over(state->info)) {
    take_over(state);
    return TRUE;
  }
  if (input_) gst_video_codec_state_unref(input_);
  input_ = gst_video_codec_state_ref(state);
  seen_ = applied_ = snapshot();
  auto done = open();
  if (!done) errors_.raise(done.error());
  return done.has_value();
}

// Whether pictures like `info` go on in the running sequence: another frame rate that its level holds, or
// another order of the planes.
bool Encoder::takes_over(const GstVideoInfo &info) const {
  if (!input_ || (!coder_ && !pool_)) return false;
  const GstVideoInfo &known = input_->info;
  const Level *level = level_of(choice_.level_idc);
  Demand wanted = demand();
  wanted.fps_num = static_cast<std::uint32_t>(std::max(info.fps_n, 1));
  wanted.fps_den = static_cast<std::uint32_t>(std::max(info.fps_d, 1));
  wanted.bitrate_kbps = wanted.buffer_kbits = 0;
  return known.width == info.width && known.height == info.height && known.par_n == info.par_n &&
         known.par_d == info.par_d && gst_video_colorimetry_is_equal(&known.colorimetry, &info.colorimetry) &&
         (known.fps_n > 0) == (info.fps_n > 0) && level && fits(wanted, *level);
}

void Encoder::take_over(GstVideoCodecState *state) {
  GST_INFO_OBJECT(self_, "the sequence goes on at %d/%d frames per second", state->info.fps_n,
                  state->info.fps_d);
  gst_video_codec_state_unref(input_);
  input_ = gst_video_codec_state_ref(state);
  if (state->info.fps_n > 0) {
    config_.fps_num = static_cast<std::uint32_t>(state->info.fps_n);
    config_.fps_den = static_cast<std::uint32_t>(state->info.fps_d);
  }
  if (coder_) coder_->adapt(applied_, config_.fps_num, config_.fps_den);
  counters_.expect(expected_kbps(), fps(), applied_.qp_max);
}

Demand Encoder::demand() const {
  Demand demand{config_.width, config_.height, config_.fps_num, config_.fps_den};
  demand.ref_frames = applied_.ltr || applied_.temporal_layers > 2 ? 4 : 1;
  demand.high_profile = choice_.profile_idc == 100;
  if (applied_.rate_control == RateControl::cqp) return demand;
  // Room for what may be asked later: a new level would be a new sequence, which many muxers do not take.
  const std::uint64_t target = target_kbps(applied_, config_.width, config_.height, fps());
  demand.bitrate_kbps =
      applied_.max_bitrate ? std::max<std::uint64_t>(target, applied_.max_bitrate) : 2 * target;
  demand.buffer_kbits = applied_.max_bitrate * std::uint64_t{applied_.vbv_buffer} / 1000;
  return demand;
}

double Encoder::expected_kbps() const {
  return applied_.rate_control == RateControl::cqp
             ? 0
             : target_kbps(applied_, config_.width, config_.height, fps());
}

Result<void> Encoder::open() {
  const GstVideoInfo &info = input_->info;
  config_ =
      CodecConfig{applied_, static_cast<std::uint32_t>(info.width), static_cast<std::uint32_t>(info.height)};
  config_.element = GST_OBJECT(self_);
  if (info.fps_n > 0) {
    config_.fps_num = static_cast<std::uint32_t>(info.fps_n);
    config_.fps_den = static_cast<std::uint32_t>(info.fps_d);
  }
  // Encoders side by side see their own groups only, so no clock.
  config_.variable_rate = info.fps_n == 0 && applied_.parallel != Parallel::gop;
  // While it runs, properties that contradict each other are on their way to ones that do not.
  if (auto fine = check(applied_); !fine && !any_) return fine;
  const auto allowed = CapsRef::adopt(gst_pad_get_allowed_caps(GST_VIDEO_ENCODER_SRC_PAD(self_)));
  auto choice = choose_output(allowed.get(), demand());
  if (!choice) return tl::unexpected(choice.error());
  choice_ = *choice;
  if (applied_.entropy == Entropy::cabac && choice_.profile_idc == 66)
    return fail(ErrorCode::settings,
                "entropy-coding=cabac needs the main or high profile, but downstream asks "
                "for " +
                    choice_.profile + ".");
  config_.profile_idc = choice_.profile_idc;
  config_.level_idc = choice_.level_idc;
  applied_ = within_limits(applied_);
  if (auto opened = open_codecs(); !opened) return opened;
  return set_caps();
}

Result<void> Encoder::open_codecs() {
  const unsigned threads = applied_.threads ? applied_.threads : g_get_num_processors();
  const bool pooled = applied_.parallel == Parallel::gop;
  // Slices of limited size share one thread: with several the library holds at most 128 of them.
  const bool shared = applied_.slice_mode == SliceMode::fixed || applied_.slice_mode == SliceMode::rows;
  config_.slice_threads = pooled || !shared ? 1 : std::min(threads, 4u);
  config_.settings = applied_;
  if (config_.settings.slices == 0) config_.settings.slices = config_.slice_threads;
  drop_pool();
  coder_.reset();
  most_in_pool_ = 0;
  if (pooled) {
    auto pool = GopPool::open(config_, input_->info, std::min(threads, kMostWorkers));
    if (!pool) return tl::unexpected(pool.error());
    pool_ = std::move(*pool);
    const std::size_t groups = std::size_t{pool_->workers()} * key_interval(applied_, fps());
    most_in_pool_ =
        std::max<std::size_t>(pool_->workers() * 2, std::min(groups, kPoolBytes / input_->info.size));
  } else {
    auto coder = PictureCoder::open(config_);
    if (!coder) return tl::unexpected(coder.error());
    coder_ = std::move(*coder);
  }
  force_next_ = true;
  const GstClockTime latency =
      gst_util_uint64_scale(most_in_pool_ * GST_SECOND, config_.fps_den, config_.fps_num);
  gst_video_encoder_set_latency(self_, latency, latency);
  counters_.expect(expected_kbps(), fps(), applied_.qp_max);
  return configure_writer();
}

Result<void> Encoder::configure_writer() {
  const Codec &any = pool_ ? pool_->first() : coder_->codec();
  auto done = writer_.configure(any.sps(), any.pps(), vui_wishes(), {choice_.avc, applied_.aud});
  if (!done) return done;
  timing_.begin(writer_.sps());
  if (coder_ && timing_.has_hrd()) {
    const Hrd &hrd = writer_.sps().vui.nal_hrd;
    coder_->limit_bucket(static_cast<double>(bit_rate(hrd)), static_cast<double>(buffer_size(hrd)));
  }
  return {};
}

VuiWishes Encoder::vui_wishes() const {
  const GstVideoInfo &info = input_->info;
  VuiWishes wishes;
  wishes.pixel_aspect_ratio = {static_cast<std::uint32_t>(info.par_n),
                               static_cast<std::uint32_t>(info.par_d)};
  const GstVideoColorimetry &colour = info.colorimetry;
  wishes.has_colour =
      colour.range != GST_VIDEO_COLOR_RANGE_UNKNOWN || colour.matrix != GST_VIDEO_COLOR_MATRIX_UNKNOWN ||
      colour.primaries != GST_VIDEO_COLOR_PRIMARIES_UNKNOWN || colour.transfer != GST_VIDEO_TRANSFER_UNKNOWN;
  wishes.full_range = colour.range == GST_VIDEO_COLOR_RANGE_0_255;
  wishes.colour_primaries = static_cast<std::uint8_t>(gst_video_color_primaries_to_iso(colour.primaries));
  wishes.transfer_characteristics =
      static_cast<std::uint8_t>(gst_video_transfer_function_to_iso(colour.transfer));
  wishes.matrix_coefficients = static_cast<std::uint8_t>(gst_video_color_matrix_to_iso(colour.matrix));
  if (info.fps_n > 0) {
    wishes.fps_num = static_cast<std::uint32_t>(info.fps_n);
    wishes.fps_den = static_cast<std::uint32_t>(info.fps_d);
    // The frame rate may change within the sequence, so the stream never promises a fixed one.
    if (applied_.max_bitrate && applied_.rate_control != RateControl::cqp)
      wishes.hrd = variable_rate_hrd(applied_.max_bitrate * 1000ull,
                                     std::uint64_t{applied_.max_bitrate} * applied_.vbv_buffer);
  }
  wishes.level_idc = choice_.level_idc;
  wishes.time_codes = has_time_codes_;
  wishes.constrained_high = choice_.profile == "constrained-high";
  return wishes;
}

Result<void> Encoder::set_caps() {
  auto caps = output_caps(choice_, level_name(writer_.sps()));
  if (choice_.avc) {
    auto record = write_decoder_configuration(writer_.sps_nal(), writer_.pps_nal());
    if (!record) return tl::unexpected(record.error());
    const auto data = BufferRef::adopt(gst_buffer_new_memdup(record->data(), record->size()));
    gst_caps_set_simple(caps.get(), "codec_data", GST_TYPE_BUFFER, data.get(), nullptr);
  }
  gst_video_codec_state_unref(gst_video_encoder_set_output_state(self_, caps.release(), input_));
  if (!gst_video_encoder_negotiate(self_))
    return fail(ErrorCode::settings, "Downstream does not take this stream: level " +
                                         level_name(writer_.sps()) + ", profile " + choice_.profile + ".");
  const auto tags = TagListRef::adopt(gst_tag_list_new_empty());
  gst_tag_list_add(tags.get(), GST_TAG_MERGE_REPLACE, GST_TAG_ENCODER, "hullh264enc", nullptr);
  if (applied_.rate_control != RateControl::cqp)
    gst_tag_list_add(tags.get(), GST_TAG_MERGE_REPLACE, GST_TAG_NOMINAL_BITRATE,
                     target_kbps(applied_, config_.width, config_.height, fps()) * 1000, nullptr);
  gst_video_encoder_merge_tags(self_, tags.get(), GST_TAG_MERGE_REPLACE);
  log_layout();
  log_rate("codes with");
  return {};
}

gboolean Encoder::propose_allocation(GstQuery *query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return Shell<Encoder>::parent_class()->propose_allocation(self_, query);
}

gboolean Encoder::sink_query(GstQuery *query) {
  // Caps without interlace-mode are progressive too, and what is wrong with others set_format says in words.
  // Other memory, or fields, are for elements that know them: they must look for another way.
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
    GstCaps *caps = nullptr;
    gst_query_parse_accept_caps(query, &caps);
    GstVideoInfo info;
    if (caps && is_plain(caps) && gst_video_info_from_caps(&info, caps) &&
        is_planar_420(GST_VIDEO_INFO_FORMAT(&info))) {
      gst_query_set_accept_caps_result(query, TRUE);
      return TRUE;
    }
  }
  return Shell<Encoder>::parent_class()->sink_query(self_, query);
}

gboolean Encoder::sink_event(GstEvent *event) {
  const bool ends = GST_EVENT_TYPE(event) == GST_EVENT_EOS;
  log_input(GST_CAT_DEFAULT, GST_ELEMENT(self_), event);
  const gboolean done = Shell<Encoder>::parent_class()->sink_event(self_, event);
  if (!ends) return done;
  const auto totals = counters_.totals();
  GST_INFO_OBJECT(self_,
                  "ends after %" G_GUINT64_FORMAT " pictures, the last at %" GST_TIME_FORMAT
                  ", %" G_GUINT64_FORMAT " more left out",
                  totals.frames, GST_TIME_ARGS(last_time_), totals.dropped);
  return done;
}

gboolean Encoder::src_event(GstEvent *event) {
  if (gst_video_event_is_force_key_unit(event))
    GST_DEBUG_OBJECT(self_, "downstream asks for a key unit: %" GST_PTR_FORMAT, static_cast<void *>(event));
  if (feedback_.take(event)) {
    GST_DEBUG_OBJECT(self_, "a receiver reports %" GST_PTR_FORMAT, static_cast<void *>(event));
    gst_event_unref(event);
    return TRUE;
  }
  return Shell<Encoder>::parent_class()->src_event(self_, event);
}

gboolean Encoder::transform_meta(GstVideoCodecFrame *frame, GstMeta *meta) {
  // What became an SEI message must not travel twice.
  if (applied_.captions && meta->info->api == GST_VIDEO_CAPTION_META_API_TYPE) return FALSE;
  return Shell<Encoder>::parent_class()->transform_meta(self_, frame, meta);
}

} // namespace hull::h264
