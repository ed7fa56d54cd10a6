#include "plugins/h264/encoder.h"

#include "gst/glue/map.h"
#include "gst/glue/raise.h"
#include "gst/h264/avcc.h"
#include "plugins/h264/captions.h"
#include "plugins/h264/log.h"

#include <algorithm>

#define GST_CAT_DEFAULT encoder_category()

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

constexpr char kLayerMeta[] = "HullTemporalLayerMeta";

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

void split_chroma(const std::uint8_t *from, int stride, int width, int height, std::uint8_t *u,
                  std::uint8_t *v) {
  for (int y = 0; y < height; ++y, from += stride, u += width, v += width)
    for (int x = 0; x < width; ++x) {
      u[x] = from[2 * x];
      v[x] = from[2 * x + 1];
    }
}

} // namespace

void Encoder::class_init(GstVideoEncoderClass *klass) {
  auto *element = GST_ELEMENT_CLASS(klass);
  gst_element_class_set_static_metadata(element, "Hull H.264 encoder", "Encoder/Video",
                                        "Encodes H.264 with OpenH264", "gst-plugins-hull");
  gst_element_class_add_static_pad_template(element, &sink_template);
  gst_element_class_add_static_pad_template(element, &src_template);
  klass->start = thunk<&Encoder::start>;
  klass->stop = thunk<&Encoder::stop>;
  klass->set_format = thunk<&Encoder::set_format>;
  klass->handle_frame = thunk<&Encoder::handle_frame>;
  klass->propose_allocation = thunk<&Encoder::propose_allocation>;
  klass->sink_query = thunk<&Encoder::sink_query>;
  klass->transform_meta = thunk<&Encoder::transform_meta>;
  if (!gst_meta_get_info(kLayerMeta)) {
    static const char *tags[] = {GST_META_TAG_VIDEO_STR, nullptr};
    gst_meta_register_custom(kLayerMeta, tags, nullptr, nullptr, nullptr);
  }
}

Encoder::Encoder(GstVideoEncoder *self) : self_(self) {}

Encoder::~Encoder() {
  stop();
}

gboolean Encoder::start() {
  last_milliseconds_ = -1;
  return TRUE;
}

gboolean Encoder::stop() {
  codec_.reset();
  if (input_) gst_video_codec_state_unref(input_);
  input_ = nullptr;
  return TRUE;
}

gboolean Encoder::set_format(GstVideoCodecState *state) {
  if (auto fine = check(state->info); !fine) {
    raise(GST_ELEMENT(self_), fine.error());
    return FALSE;
  }
  if (input_) gst_video_codec_state_unref(input_);
  input_ = gst_video_codec_state_ref(state);
  auto done = open_codec();
  if (done) done = set_caps();
  if (!done) raise(GST_ELEMENT(self_), done.error());
  return done.has_value();
}

Result<void> Encoder::open_codec() {
  const GstVideoInfo &info = input_->info;
  applied_ = snapshot();
  config_ =
      CodecConfig{applied_, static_cast<std::uint32_t>(info.width), static_cast<std::uint32_t>(info.height)};
  if (info.fps_n > 0) {
    config_.fps_num = static_cast<std::uint32_t>(info.fps_n);
    config_.fps_den = static_cast<std::uint32_t>(info.fps_d);
  }
  Demand demand{config_.width, config_.height, config_.fps_num, config_.fps_den};
  demand.ref_frames = applied_.ltr || applied_.temporal_layers > 2 ? 4 : 1;
  if (applied_.rate_control != RateControl::cqp)
    demand.bitrate_kbps = target_kbps(applied_, config_.width, config_.height,
                                      static_cast<double>(config_.fps_num) / config_.fps_den);
  const auto allowed = CapsRef::adopt(gst_pad_get_allowed_caps(GST_VIDEO_ENCODER_SRC_PAD(self_)));
  auto choice = choose_output(allowed.get(), demand);
  if (!choice) return tl::unexpected(choice.error());
  choice_ = *choice;
  if (applied_.entropy == Entropy::cabac && choice_.profile_idc == 66)
    return fail(ErrorCode::settings,
                "entropy-coding=cabac needs the main or high profile, but downstream asks "
                "for " +
                    choice_.profile + ".");
  config_.profile_idc = choice_.profile_idc;
  config_.level_idc = choice_.level_idc;
  const unsigned threads = applied_.threads ? applied_.threads : g_get_num_processors();
  config_.slice_threads = applied_.slice_mode == SliceMode::single ? 1 : std::min(threads, 4u);
  if (config_.settings.slices == 0) config_.settings.slices = config_.slice_threads;
  codec_.reset();
  auto codec = Codec::open(config_);
  if (!codec) return tl::unexpected(codec.error());
  codec_ = std::move(*codec);
  return writer_.configure(codec_->sps(), codec_->pps(), vui_wishes(), {choice_.avc, applied_.aud});
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
    wishes.fixed_frame_rate = !applied_.frame_skip;
  }
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
                     target_kbps(applied_, config_.width, config_.height,
                                 static_cast<double>(config_.fps_num) / config_.fps_den) *
                         1000,
                     nullptr);
  gst_video_encoder_merge_tags(self_, tags.get(), GST_TAG_MERGE_REPLACE);
  return {};
}

Result<void> Encoder::apply_settings() {
  EncoderSettings now = snapshot();
  if (now == applied_) return {};
  applied_ = now;
  now.slices = config_.settings.slices;
  if (codec_->adapt(now, config_.fps_num, config_.fps_den)) return {};
  // The rest takes a new encoder, which starts with a key unit: headers and caps stay what they are.
  config_.settings.rate_control = now.rate_control;
  config_.settings.quantizer = now.quantizer;
  config_.settings.qp_min = now.qp_min;
  config_.settings.qp_max = now.qp_max;
  auto codec = Codec::open(config_);
  if (!codec) return tl::unexpected(codec.error());
  codec_ = std::move(*codec);
  codec_->adapt(config_.settings, config_.fps_num, config_.fps_den);
  return writer_.configure(codec_->sps(), codec_->pps(), vui_wishes(), {choice_.avc, applied_.aud});
}

bool Encoder::planes_of(GstVideoFrame &frame, Planes &planes) {
  if (GST_VIDEO_FRAME_FORMAT(&frame) != GST_VIDEO_FORMAT_NV12) {
    for (int i = 0; i < 3; ++i) { // components, not planes: YV12 has V before U
      planes.data[i] = GST_VIDEO_FRAME_COMP_DATA(&frame, i);
      planes.stride[i] = GST_VIDEO_FRAME_COMP_STRIDE(&frame, i);
    }
    return true;
  }
  const int width = GST_VIDEO_FRAME_WIDTH(&frame) / 2, height = GST_VIDEO_FRAME_HEIGHT(&frame) / 2;
  for (ByteVector &plane : chroma_)
    plane.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  split_chroma(GST_VIDEO_FRAME_PLANE_DATA(&frame, 1)
                   ? static_cast<std::uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 1))
                   : nullptr,
               GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 1), width, height, chroma_[0].data(), chroma_[1].data());
  planes = {{static_cast<std::uint8_t *>(GST_VIDEO_FRAME_PLANE_DATA(&frame, 0)), chroma_[0].data(),
             chroma_[1].data()},
            {GST_VIDEO_FRAME_PLANE_STRIDE(&frame, 0), width, width}};
  return true;
}

std::int64_t Encoder::milliseconds(GstClockTime pts) {
  // The rate control divides by differences: they must be there and positive.
  std::int64_t now = last_milliseconds_ + std::max(1u, 1000 * config_.fps_den / config_.fps_num);
  if (GST_CLOCK_TIME_IS_VALID(pts))
    now = std::max(last_milliseconds_ + 1, static_cast<std::int64_t>(pts / GST_MSECOND));
  return last_milliseconds_ = now;
}

GstFlowReturn Encoder::handle_frame(GstVideoCodecFrame *frame) {
  if (auto done = apply_settings(); !done) {
    raise(GST_ELEMENT(self_), done.error());
    gst_video_codec_frame_unref(frame);
    return GST_FLOW_ERROR;
  }
  const auto buffer = BufferRef::retain(frame->input_buffer); // outlives the frame, and so does the mapping
  MappedFrame picture(input_->info, buffer.get(), GST_MAP_READ);
  Planes planes{};
  if (!picture || !planes_of(*picture.get(), planes)) {
    warn(GST_ELEMENT(self_), {ErrorCode::bad_data, "A picture could not be read and is left out."});
    return gst_video_encoder_finish_frame(self_, frame);
  }
  auto coded =
      codec_->encode(planes, milliseconds(frame->pts), GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME(frame));
  if (!coded) {
    raise(GST_ELEMENT(self_), coded.error());
    gst_video_codec_frame_unref(frame);
    return GST_FLOW_ERROR;
  }
  return put_out(frame, *coded);
}

GstFlowReturn Encoder::put_out(GstVideoCodecFrame *frame, const Coded &coded) {
  if (coded.skipped) return gst_video_encoder_finish_frame(self_, frame); // without data: counted as dropped
  const std::vector<SeiMessage> sei = sei_of(frame->input_buffer, applied_.captions);
  const bool all_headers = GST_VIDEO_CODEC_FRAME_IS_FORCE_KEYFRAME_HEADERS(frame);
  const auto units = writer_.assemble({&coded.nals, coded.idr, all_headers, &sei});
  if (coded.idr) GST_VIDEO_CODEC_FRAME_SET_SYNC_POINT(frame);
  frame->dts = frame->pts; // no reordering
  return push_units(frame, units);
}

GstBuffer *Encoder::make_buffer(const std::vector<Bytes> &units) {
  GstBuffer *buffer = gst_video_encoder_allocate_output_buffer(self_, AccessUnitWriter::size_of(units));
  MappedBuffer map(buffer, GST_MAP_WRITE);
  if (map) writer_.write(units, map.data());
  return buffer;
}

GstFlowReturn Encoder::push_units(GstVideoCodecFrame *frame, const std::vector<Bytes> &units) {
  const Nal last{units.back()};
  if (choice_.nal_alignment) {
    for (std::size_t i = 0; i + 1 < units.size(); ++i) {
      frame->output_buffer = make_buffer({units[i]});
      if (const GstFlowReturn flow = gst_video_encoder_finish_subframe(self_, frame); flow != GST_FLOW_OK) {
        gst_video_codec_frame_unref(frame);
        return flow;
      }
    }
    frame->output_buffer = make_buffer({units.back()});
  } else {
    frame->output_buffer = make_buffer(units);
  }
  if (last.is_slice() && last.ref_idc() == 0)
    GST_BUFFER_FLAG_SET(frame->output_buffer, GST_BUFFER_FLAG_DROPPABLE);
  return gst_video_encoder_finish_frame(self_, frame);
}

gboolean Encoder::propose_allocation(GstQuery *query) {
  gst_query_add_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr);
  return Shell<Encoder>::parent_class()->propose_allocation(self_, query);
}

gboolean Encoder::sink_query(GstQuery *query) {
  // Raw caps are accepted here so that set_format can say in words what is wrong with them.
  if (GST_QUERY_TYPE(query) == GST_QUERY_ACCEPT_CAPS) {
    GstCaps *caps = nullptr;
    gst_query_parse_accept_caps(query, &caps);
    GstVideoInfo info;
    if (caps && gst_video_info_from_caps(&info, caps) && !check(info)) {
      gst_query_set_accept_caps_result(query, TRUE);
      return TRUE;
    }
  }
  return Shell<Encoder>::parent_class()->sink_query(self_, query);
}

gboolean Encoder::transform_meta(GstVideoCodecFrame *frame, GstMeta *meta) {
  // What became an SEI message must not travel twice.
  if (applied_.captions && meta->info->api == GST_VIDEO_CAPTION_META_API_TYPE) return FALSE;
  return Shell<Encoder>::parent_class()->transform_meta(self_, frame, meta);
}

} // namespace hull::h264
