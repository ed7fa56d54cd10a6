#include "plugins/mp4/track_caps.h"

#include "gst/core/number.h"
#include "gst/glue/map.h"
#include "gst/glue/ref.h"
#include "gst/h264/avcc.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/formats/ac3.h"
#include "gst/isobmff/formats/av1.h"
#include "gst/isobmff/formats/pcm.h"
#include "gst/isobmff/formats/uncompressed.h"
#include "gst/mux/parameter_sets.h"

#include <algorithm>

#include <gst/audio/audio.h>
#include <gst/pbutils/pbutils.h>
#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

const char kVideoCaps[] =
    "video/x-h264, stream-format=(string){ avc, avc3 }, alignment=au; "
    "video/x-h265, stream-format=(string){ hvc1, hev1 }, alignment=au; "
    "video/x-av1, stream-format=obu-stream, alignment=tu; "
    "video/x-vp9; video/x-vp8; "
    "video/x-h266, stream-format=(string){ vvc1, vvi1 }, alignment=au; "
    "video/x-raw, format=(string){ I420, YV12, Y42B, Y444, NV12, NV21, YUY2, UYVY, I420_10LE, "
    "I422_10LE, Y444_10LE, GRAY8, GRAY16_LE, GRAY16_BE, RGB, BGR, RGBA, BGRA, ARGB, ABGR, RGBx, "
    "BGRx, xRGB, xBGR, GBR }";
const char kAudioCaps[] =
    "audio/mpeg, mpegversion=4, stream-format=raw; "
    "audio/mpeg, mpegversion=1, layer=3, parsed=true; "
    "audio/x-opus; "
    "audio/x-flac, framed=true; "
    "audio/x-ac3, framed=true, alignment=frame; "
    "audio/x-eac3, framed=true, alignment=iec61937; "
    "audio/x-raw, layout=interleaved, format=(string){ S16LE, S16BE, S24LE, S24BE, S32LE, S32BE, "
    "F32LE, F32BE, F64LE, F64BE }; "
    "audio/x-alaw; audio/x-mulaw";
const char kTextCaps[] = "application/x-subtitle-vtt; text/x-raw, format=(string){ utf8, pango-markup }; "
                         "application/ttml+xml";

namespace {

ByteVector bytes_of(GstBuffer *buffer) {
  ByteVector bytes;
  if (!buffer) return bytes;
  const MappedBuffer map(buffer, GST_MAP_READ);
  if (map) bytes.assign(map.bytes().begin(), map.bytes().end());
  return bytes;
}

ByteVector codec_data(const GstStructure *s) {
  const GValue *value = gst_structure_get_value(s, "codec_data");
  return value && GST_VALUE_HOLDS_BUFFER(value) ? bytes_of(gst_value_get_buffer(value)) : ByteVector();
}

// The n-th buffer of the caps' streamheader.
ByteVector stream_header(const GstStructure *s, guint index) {
  const GValue *list = gst_structure_get_value(s, "streamheader");
  if (!list || !GST_VALUE_HOLDS_ARRAY(list) || gst_value_array_get_size(list) <= index) return {};
  const GValue *value = gst_value_array_get_value(list, index);
  return GST_VALUE_HOLDS_BUFFER(value) ? bytes_of(gst_value_get_buffer(value)) : ByteVector();
}

Opaque sealed(Box &&box) {
  auto payload = write_payload(box);
  return Opaque(box.type, payload ? std::move(*payload) : ByteVector());
}

std::optional<Colour> colour_of(const GstStructure *s) {
  const char *text = gst_structure_get_string(s, "colorimetry");
  GstVideoColorimetry c{};
  if (!text || !gst_video_colorimetry_from_string(&c, text)) return std::nullopt;
  return Colour{static_cast<std::uint16_t>(gst_video_color_primaries_to_iso(c.primaries)),
                static_cast<std::uint16_t>(gst_video_transfer_function_to_iso(c.transfer)),
                static_cast<std::uint16_t>(gst_video_color_matrix_to_iso(c.matrix)),
                c.range == GST_VIDEO_COLOR_RANGE_0_255};
}

void add_light_levels(const GstCaps *caps, SampleFormat &format) {
  GstVideoMasteringDisplayInfo display;
  if (gst_video_mastering_display_info_from_caps(&display, caps)) {
    MasteringDisplayColourVolume mdcv;
    constexpr int kGreenBlueRed[] = {1, 2, 0}; // GStreamer keeps red, green, blue
    for (int i = 0; i < 3; ++i) {
      mdcv.display_primaries_x[i] = display.display_primaries[kGreenBlueRed[i]].x;
      mdcv.display_primaries_y[i] = display.display_primaries[kGreenBlueRed[i]].y;
    }
    mdcv.white_point_x = display.white_point.x;
    mdcv.white_point_y = display.white_point.y;
    mdcv.max_display_mastering_luminance = display.max_display_mastering_luminance;
    mdcv.min_display_mastering_luminance = display.min_display_mastering_luminance;
    format.picture_boxes.push_back(sealed(std::move(mdcv)));
  }
  GstVideoContentLightLevel level;
  if (gst_video_content_light_level_from_caps(&level, caps)) {
    ContentLightLevel clli;
    clli.max_content_light_level = level.max_content_light_level;
    clli.max_pic_average_light_level = level.max_frame_average_light_level;
    format.picture_boxes.push_back(sealed(std::move(clli)));
  }
}

Result<void> set_picture(const GstCaps *caps, TrackCaps &track) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  int width = 0, height = 0, n = 0, d = 1;
  if (!gst_structure_get_int(s, "width", &width) || !gst_structure_get_int(s, "height", &height) ||
      width < 1 || height < 1 || width > 0xffff || height > 0xffff)
    return fail(ErrorCode::bad_data, "The caps have no picture size. Put a parser (h264parse, h265parse, "
                                     "av1parse, vp9parse) in front of the muxer.");
  track.format.width = static_cast<std::uint16_t>(width);
  track.format.height = static_cast<std::uint16_t>(height);
  int par_n = 1, par_d = 1;
  if (gst_structure_get_fraction(s, "pixel-aspect-ratio", &par_n, &par_d) && par_n > 0 && par_d > 0) {
    track.format.par_numerator = static_cast<std::uint32_t>(par_n);
    track.format.par_denominator = static_cast<std::uint32_t>(par_d);
  }
  track.format.colour = colour_of(s);
  add_light_levels(caps, track.format);
  if (gst_structure_get_fraction(s, "framerate", &n, &d) && n > 0 && d > 0) {
    track.frame_rate_numerator = static_cast<std::uint32_t>(n);
    track.frame_rate_denominator = static_cast<std::uint32_t>(d);
    track.timescale = video_timescale(static_cast<std::uint32_t>(n), static_cast<std::uint32_t>(d));
    track.nominal_duration = static_cast<std::uint32_t>(std::uint64_t{track.timescale} * d / n);
  }
  return {};
}

Result<void> set_sound(const GstStructure *s, TrackCaps &track) {
  int rate = 0, channels = 0;
  gst_structure_get_int(s, "channels", &channels);
  if (!gst_structure_get_int(s, "rate", &rate) || rate < 1)
    return fail(ErrorCode::bad_data, "The caps have no sample rate. Put a parser (aacparse, opusparse, "
                                     "flacparse, mpegaudioparse, ac3parse) in front of the muxer.");
  track.media = Media::audio;
  track.pacing = Pacing::contiguous;
  track.timescale = track.format.sample_rate = static_cast<std::uint32_t>(rate);
  track.format.channels = static_cast<std::uint16_t>(std::max(channels, 1));
  return {};
}

Result<void> need_codec_data(const ByteVector &record, const char *parser) {
  if (!record.empty()) return {};
  return fail(ErrorCode::bad_data,
              std::string("The caps have no codec_data. Put ") + parser + " in front of the muxer.");
}

Result<void> broken_codec_data(const char *record, const char *parser) {
  return fail(ErrorCode::bad_data, std::string("The codec_data of the caps is no ") + record + ". Put " +
                                       parser + " in front of the muxer.");
}

// Version 1 and what stands in front of the arrays of parameter sets: ISO/IEC 14496-15 8.3.2.1.
bool is_hevc_record(Bytes record) {
  return record.size() >= 23 && record[0] == 1;
}

Result<void> h26x(const GstStructure *s, TrackCaps &track, bool hevc) {
  const ByteVector record = hevc ? codec_data(s) : whole_record(codec_data(s));
  if (auto ok = need_codec_data(record, hevc ? "h265parse" : "h264parse"); !ok) return ok;
  if (hevc && !is_hevc_record(record))
    return broken_codec_data("HEVC decoder configuration record", "h265parse");
  if (!hevc && !h264::parse_decoder_configuration(record))
    return broken_codec_data("AVC decoder configuration record", "h264parse");
  track.is_h264 = !hevc;
  const std::string_view stream_format = gst_structure_get_string(s, "stream-format");
  if (hevc)
    track.format.entry = stream_format == "hev1" ? FourCC("hev1") : FourCC("hvc1");
  else
    track.format.entry = stream_format == "avc3" ? FourCC("avc3") : FourCC("avc1");
  track.format.codec_boxes.emplace_back(hevc ? FourCC("hvcC") : FourCC("avcC"), record);
  return {};
}

// GStreamer before 1.24 gives no record, or one without its first bytes (qtdemux): complete_from_sample()
// makes it then. A record begins with a marker and version 1: AV1 in ISO BMFF 2.3.3.
void av1(const GstStructure *s, TrackCaps &track) {
  const ByteVector record = codec_data(s);
  track.format.entry = "av01";
  if (record.size() >= 4 && record[0] == 0x81) track.format.codec_boxes.emplace_back("av1C", record);
}

// VP8 and VP9 streams carry no record: vpcC is made from what vp9parse or the encoder says. The level is the least
// one whose picture size holds, VP9 levels table.
Result<void> vpx(const GstStructure *s, TrackCaps &track, FourCC entry) {
  VpCodecConfiguration vpcc;
  if (const char *profile = gst_structure_get_string(s, "profile"))
    vpcc.profile = to_number<std::uint8_t>(profile).value_or(0) & 3;
  guint depth = 8;
  if (gst_structure_get_uint(s, "bit-depth-luma", &depth)) vpcc.bit_depth = static_cast<std::uint8_t>(depth);
  if (const char *chroma = gst_structure_get_string(s, "chroma-format")) {
    const std::string_view text = chroma;
    vpcc.chroma_subsampling = text == "4:4:4" ? 3 : text == "4:2:2" ? 2 : 1;
  }
  if (track.format.colour) {
    vpcc.colour_primaries = static_cast<std::uint8_t>(track.format.colour->primaries);
    vpcc.transfer_characteristics = static_cast<std::uint8_t>(track.format.colour->transfer);
    vpcc.matrix_coefficients = static_cast<std::uint8_t>(track.format.colour->matrix);
    vpcc.video_full_range_flag = track.format.colour->full_range;
  }
  constexpr struct {
    std::uint32_t samples;
    std::uint8_t level;
  } kLevels[] = {{36'864, 10},  {73'728, 11},    {122'880, 20},   {245'760, 21},   {552'960, 30},
                 {983'040, 31}, {2'228'224, 40}, {8'912'896, 50}, {35'651'584, 60}};
  const std::uint32_t samples = std::uint32_t{track.format.width} * track.format.height;
  vpcc.level = 62;
  for (const auto &row : kLevels)
    if (samples <= row.samples) {
      vpcc.level = row.level;
      break;
    }
  track.format.entry = entry;
  track.format.codec_boxes.push_back(sealed(std::move(vpcc)));
  return {};
}

// vvcC is a FullBox in front of the record, ISO/IEC 14496-15 11.2.4.2; a record begins with five set bits.
Result<void> vvc(const GstStructure *s, TrackCaps &track) {
  const ByteVector record = codec_data(s);
  if (auto ok = need_codec_data(record, "h266parse"); !ok) return ok;
  if (record.size() < 2 || record[0] >> 3 != 0x1f)
    return broken_codec_data("VVC decoder configuration record", "h266parse");
  const char *stream_format = gst_structure_get_string(s, "stream-format");
  track.format.entry = stream_format && g_str_equal(stream_format, "vvi1") ? FourCC("vvi1") : FourCC("vvc1");
  ByteVector payload(4);
  append(payload, record);
  track.format.codec_boxes.emplace_back("vvcC", std::move(payload));
  return {};
}

// What describes the picture stays; entry and boxes are those of the layout.
Result<void> raw_video(const GstStructure *s, TrackCaps &track) {
  const char *interlace = gst_structure_get_string(s, "interlace-mode");
  if (interlace && !g_str_equal(interlace, "progressive"))
    return fail(
        ErrorCode::unsupported,
        "Raw video with fields has no place in an MP4 file here. Put deinterlace in front of the muxer.");
  const char *name = gst_structure_get_string(s, "format");
  auto format = uncompressed_format(name ? name : "", track.format.width, track.format.height);
  if (!format) return tl::unexpected(format.error());
  track.format.entry = format->entry;
  track.format.codec_boxes = std::move(format->codec_boxes);
  return {};
}

// ISO/IEC 23091-3 OutputChannelPosition; empty where a position has no code.
ByteVector speaker_positions(const GstAudioInfo &info) {
  static constexpr struct {
    GstAudioChannelPosition position;
    std::uint8_t code;
  } kCodes[] = {
      {GST_AUDIO_CHANNEL_POSITION_FRONT_LEFT, 0},
      {GST_AUDIO_CHANNEL_POSITION_FRONT_RIGHT, 1},
      {GST_AUDIO_CHANNEL_POSITION_FRONT_CENTER, 2},
      {GST_AUDIO_CHANNEL_POSITION_LFE1, 3},
      {GST_AUDIO_CHANNEL_POSITION_SIDE_LEFT, 13},
      {GST_AUDIO_CHANNEL_POSITION_SIDE_RIGHT, 14},
      {GST_AUDIO_CHANNEL_POSITION_FRONT_LEFT_OF_CENTER, 6},
      {GST_AUDIO_CHANNEL_POSITION_FRONT_RIGHT_OF_CENTER, 7},
      {GST_AUDIO_CHANNEL_POSITION_REAR_LEFT, 8},
      {GST_AUDIO_CHANNEL_POSITION_REAR_RIGHT, 9},
      {GST_AUDIO_CHANNEL_POSITION_REAR_CENTER, 10},
      {GST_AUDIO_CHANNEL_POSITION_WIDE_LEFT, 15},
      {GST_AUDIO_CHANNEL_POSITION_WIDE_RIGHT, 16},
      {GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_LEFT, 17},
      {GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_RIGHT, 18},
      {GST_AUDIO_CHANNEL_POSITION_TOP_FRONT_CENTER, 19},
      {GST_AUDIO_CHANNEL_POSITION_TOP_REAR_LEFT, 20},
      {GST_AUDIO_CHANNEL_POSITION_TOP_REAR_RIGHT, 21},
      {GST_AUDIO_CHANNEL_POSITION_TOP_REAR_CENTER, 22},
      {GST_AUDIO_CHANNEL_POSITION_TOP_SIDE_LEFT, 23},
      {GST_AUDIO_CHANNEL_POSITION_TOP_SIDE_RIGHT, 24},
      {GST_AUDIO_CHANNEL_POSITION_TOP_CENTER, 25},
      {GST_AUDIO_CHANNEL_POSITION_LFE2, 26},
  };
  ByteVector codes;
  for (int i = 0; i < GST_AUDIO_INFO_CHANNELS(&info); ++i)
    for (const auto &row : kCodes)
      if (row.position == info.position[i]) codes.push_back(row.code);
  return codes.size() == static_cast<std::size_t>(GST_AUDIO_INFO_CHANNELS(&info)) ? codes : ByteVector();
}

Result<void> raw_audio(const GstCaps *caps, TrackCaps &track) {
  GstAudioInfo info;
  if (!gst_audio_info_from_caps(&info, caps))
    return fail(ErrorCode::bad_data,
                "The caps are no complete description of raw audio. Put audioconvert in front of the muxer.");
  const Pcm pcm{static_cast<std::uint8_t>(GST_AUDIO_FORMAT_INFO_WIDTH(info.finfo)),
                GST_AUDIO_FORMAT_INFO_IS_LITTLE_ENDIAN(info.finfo),
                GST_AUDIO_FORMAT_INFO_IS_FLOAT(info.finfo)};
  const bool plain = GST_AUDIO_INFO_CHANNELS(&info) <= 2; // mono, or left and right
  track.format = pcm_format(pcm, track.format.channels, track.format.sample_rate,
                            plain ? ByteVector() : speaker_positions(info));
  return {};
}

void add_esds(TrackCaps &track, std::uint8_t object_type, ByteVector specific) {
  EsdsSummary summary;
  summary.object_type_indication = object_type;
  summary.decoder_specific_info = std::move(specific);
  ElementaryStreamDescriptor esds;
  esds.descriptor = make_es_descriptor(summary);
  track.format.entry = "mp4a";
  track.format.codec_boxes.push_back(sealed(std::move(esds)));
}

Result<void> mpeg_audio(const GstStructure *s, TrackCaps &track) {
  int version = 4;
  gst_structure_get_int(s, "mpegversion", &version);
  if (version == 1) {
    int mpeg_audio_version = 1;
    gst_structure_get_int(s, "mpegaudioversion", &mpeg_audio_version);
    track.nominal_duration = mpeg_audio_version == 1 ? 1152 : 576;
    track.is_mp3 = true;
    add_esds(track, mpeg_audio_version == 1 ? 0x6b : 0x69, {});
    return {};
  }
  const ByteVector record = codec_data(s);
  if (auto ok = need_codec_data(record, "aacparse"); !ok) return ok;
  if (record.size() < 2)
    return fail(ErrorCode::bad_data, "codec_data is too short for an AudioSpecificConfig.");
  // What the record says counts: caps of HE-AAC name the rate after spectral band replication.
  const guint rate = gst_codec_utils_aac_get_sample_rate(record.data(), static_cast<guint>(record.size()));
  const guint channels = gst_codec_utils_aac_get_channels(record.data(), static_cast<guint>(record.size()));
  if (rate == 0) return broken_codec_data("AudioSpecificConfig", "aacparse");
  track.timescale = track.format.sample_rate = rate;
  if (channels) track.format.channels = static_cast<std::uint16_t>(channels);
  track.nominal_duration = 1024;
  add_esds(track, 0x40, record);
  return {};
}

Result<void> opus(const GstCaps *caps, TrackCaps &track) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  OpusSpecific dops;
  guint32 rate = 48'000;
  guint8 channels = 2, family = 0, streams = 1, coupled = 1, mapping[256] = {0, 1};
  guint16 pre_skip = 0;
  gint16 gain = 0;
  const ByteVector header = stream_header(s, 0);
  bool known = false;
  if (!header.empty()) {
    const auto buffer = BufferRef::adopt(gst_buffer_new_memdup(header.data(), header.size()));
    known = gst_codec_utils_opus_parse_header(buffer.get(), &rate, &channels, &family, &streams, &coupled,
                                              mapping, &pre_skip, &gain);
  }
  if (!known && !gst_codec_utils_opus_parse_caps(const_cast<GstCaps *>(caps), &rate, &channels, &family,
                                                 &streams, &coupled, mapping))
    return fail(ErrorCode::bad_data, "The Opus caps are incomplete. Put opusparse in front of the muxer.");
  dops.output_channel_count = channels;
  dops.pre_skip = pre_skip;
  dops.input_sample_rate = rate;
  dops.output_gain = gain;
  dops.channel_mapping_family = family;
  if (family > 0) {
    dops.stream_count = streams;
    dops.coupled_count = coupled;
    dops.channel_mapping.assign(mapping, mapping + channels);
  }
  track.timescale = track.format.sample_rate = 48'000; // Opus in ISO BMFF 4.3.1
  track.nominal_duration = 960;
  track.format.channels = channels;
  track.priming = pre_skip;
  track.format.entry = "Opus";
  track.format.codec_boxes.push_back(sealed(std::move(dops)));
  return {};
}

// The stream header is Ogg's mapping: 9 bytes, "fLaC", then STREAMINFO as a metadata block.
Result<void> flac(const GstStructure *s, TrackCaps &track) {
  ByteVector header = stream_header(s, 0);
  constexpr std::size_t kMapping = 13;
  if (header.size() < kMapping + 4 + 34)
    return fail(ErrorCode::bad_data,
                "The FLAC caps have no stream header. Put flacparse in front of the muxer.");
  if (!std::equal(header.begin() + 9, header.begin() + 13, "fLaC") || (header[kMapping] & 0x7f) != 0)
    return fail(
        ErrorCode::bad_data,
        "The FLAC caps' stream header does not begin with STREAMINFO. Put flacparse in front of the muxer.");
  FlacSpecific dfla;
  dfla.metadata_blocks.assign(header.begin() + kMapping, header.begin() + kMapping + 4 + 34);
  dfla.metadata_blocks[0] |= 0x80; // the last block
  const Bytes info = Bytes(dfla.metadata_blocks).subspan(4);
  track.nominal_duration = static_cast<std::uint32_t>(load_be(info.data(), 2));
  track.format.sample_bits = static_cast<std::uint16_t>(((info[12] & 1) << 4 | info[13] >> 4) + 1);
  track.format.entry = "fLaC";
  track.format.codec_boxes.push_back(sealed(std::move(dfla)));
  return {};
}

// Their boxes are made from the first sample: complete_from_sample().
void dolby(bool enhanced, TrackCaps &track) {
  track.format.entry = enhanced ? FourCC("ec-3") : FourCC("ac-3");
  track.nominal_duration = 1536;
}

// WebVTT's header and TTML's namespaces are in the stream: TextInput knows them.
void text(std::string_view name, const GstStructure *s, TrackCaps &track) {
  const char *format = gst_structure_get_string(s, "format");
  track.text = name == "application/ttml+xml"                  ? TextForm::ttml
               : name == "application/x-subtitle-vtt"          ? TextForm::webvtt
               : format && g_str_equal(format, "pango-markup") ? TextForm::pango
                                                               : TextForm::plain;
  track.media = track.text == TextForm::ttml ? Media::subtitle : Media::text;
  track.format.entry = track.text == TextForm::ttml ? FourCC("stpp") : FourCC("wvtt");
  track.pacing = Pacing::sparse;
  track.timescale = 1000; // what both can say
}

const GstCaps *all_caps() {
  static GstCaps *const all =
      gst_caps_from_string((std::string(kVideoCaps) + "; " + kAudioCaps + "; " + kTextCaps).c_str());
  return all;
}

const char *parser_for(std::string_view name) {
  constexpr std::pair<std::string_view, const char *> kParsers[] = {
      {"video/x-h264", "h264parse"}, {"video/x-h265", "h265parse"},   {"video/x-h266", "h266parse"},
      {"video/x-av1", "av1parse"},   {"audio/x-flac", "flacparse"},   {"audio/x-ac3", "ac3parse"},
      {"audio/x-eac3", "ac3parse"},  {"video/x-raw", "videoconvert"}, {"audio/x-raw", "audioconvert"}};
  for (const auto &[media, parser] : kParsers)
    if (media == name) return parser;
  return "a parser";
}

// The form of the media is one that the templates list. Encoders leave out what their parser would add: flacenc does not say
// that each buffer is a frame.
Result<void> check_form(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(s);
  if (gst_caps_is_subset(caps, all_caps())) return {};
  if (name == "audio/x-flac" && !gst_structure_has_field(s, "framed") &&
      gst_structure_has_field(s, "streamheader"))
    return {};
  int version = 4, layer = 3;
  gst_structure_get_int(s, "mpegversion", &version);
  gst_structure_get_int(s, "layer", &layer);
  if (name == "audio/mpeg" && version == 1 && layer != 3)
    return fail(ErrorCode::unsupported, "MPEG-1 audio is taken as layer 3 only, not as layer " +
                                            std::to_string(layer) +
                                            ". Put decodebin and avenc_aac in front.");
  const char *parser = name != "audio/mpeg" ? parser_for(name) : version == 1 ? "mpegaudioparse" : "aacparse";
  return fail(ErrorCode::unsupported, std::string(name) +
                                          " comes in a form that the muxer does not take. Put " + parser +
                                          " in front of it.");
}

} // namespace

bool is_known_media(const GstCaps *caps) {
  return gst_caps_can_intersect(caps, all_caps());
}

Result<void> complete_from_sample(SampleFormat &format, Bytes sample) {
  if (!format.codec_boxes.empty()) return {};
  if (format.entry == FourCC("ac-3")) {
    auto dac3 = ac3_specific(sample);
    if (!dac3) return tl::unexpected(dac3.error());
    format.codec_boxes.push_back(sealed(std::move(*dac3)));
  } else if (format.entry == FourCC("ec-3")) {
    auto dec3 = ec3_specific(sample);
    if (!dec3) return tl::unexpected(dec3.error());
    format.codec_boxes.push_back(sealed(std::move(*dec3)));
  } else if (format.entry == FourCC("av01")) {
    auto av1c = av1_configuration(sample);
    if (!av1c) return tl::unexpected(av1c.error());
    format.codec_boxes.push_back(sealed(std::move(*av1c)));
  }
  return {};
}

void adapt_to_quicktime(const TrackCaps &track, SampleFormat &format) {
  format.quicktime = true;
  format.frame_samples = track.nominal_duration;
  if (!track.is_mp3) return;
  format.entry = ".mp3";
  format.codec_boxes.clear();
}

Result<TrackCaps> track_from_caps(const GstCaps *caps) {
  const GstStructure *s = gst_caps_get_structure(caps, 0);
  const std::string_view name = gst_structure_get_name(s);
  TrackCaps track;
  Result<void> ok = is_known_media(caps) ? check_form(caps) : Result<void>();
  if (!ok) return tl::unexpected(ok.error());
  if (name.starts_with("video/")) {
    ok = set_picture(caps, track);
    if (ok && name == "video/x-h264")
      ok = h26x(s, track, false);
    else if (ok && name == "video/x-h265")
      ok = h26x(s, track, true);
    else if (ok && name == "video/x-av1")
      av1(s, track);
    else if (ok && name == "video/x-vp9")
      ok = vpx(s, track, "vp09");
    else if (ok && name == "video/x-vp8")
      ok = vpx(s, track, "vp08");
    else if (ok && name == "video/x-h266")
      ok = vvc(s, track);
    else if (ok && name == "video/x-raw")
      ok = raw_video(s, track);
  } else if (name == "audio/x-opus") {
    track.media = Media::audio;
    track.pacing = Pacing::contiguous;
    ok = opus(caps, track);
  } else if (name.starts_with("audio/")) {
    ok = set_sound(s, track);
    if (ok && name == "audio/mpeg")
      ok = mpeg_audio(s, track);
    else if (ok && name == "audio/x-raw")
      ok = raw_audio(caps, track);
    else if (ok && (name == "audio/x-alaw" || name == "audio/x-mulaw"))
      track.format = g711_format(name == "audio/x-alaw", track.format.channels, track.format.sample_rate);
    else if (ok && name == "audio/x-flac")
      ok = flac(s, track);
    else if (ok)
      dolby(name == "audio/x-eac3", track);
  } else if (name == "text/x-raw" || name == "application/x-subtitle-vtt" || name == "application/ttml+xml") {
    text(name, s, track);
  } else {
    ok = fail(ErrorCode::unsupported, std::string(name) + " has no place in an MP4 file here.");
  }
  if (!ok) return tl::unexpected(ok.error());
  return track;
}

} // namespace hull
