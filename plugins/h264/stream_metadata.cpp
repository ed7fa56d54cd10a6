#include "plugins/h264/stream_metadata.h"

#include <gst/video/video-sei.h>

namespace hull::h264 {
namespace {

constexpr unsigned kMasteringDisplay = 137, kContentLight = 144;
constexpr std::size_t kMasteringBytes = 24, kContentLightBytes = 4, kUuidBytes = 16;

void describe_colour(GstVideoColorimetry &colour, const Vui &vui) {
  colour.range = vui.video_full_range_flag ? GST_VIDEO_COLOR_RANGE_0_255 : GST_VIDEO_COLOR_RANGE_16_235;
  if (!vui.colour_description_present_flag) return;
  colour.primaries = gst_video_color_primaries_from_iso(vui.colour_primaries);
  colour.transfer = gst_video_transfer_function_from_iso(vui.transfer_characteristics);
  colour.matrix = gst_video_color_matrix_from_iso(vui.matrix_coefficients);
}

std::uint16_t u16(const ByteVector &from, std::size_t at) {
  return static_cast<std::uint16_t>(load_be(from.data() + at, 2));
}

// D.2.29: green, blue and red, then the white point, then the luminances.
GstVideoMasteringDisplayInfo mastering_display(const ByteVector &payload) {
  GstVideoMasteringDisplayInfo info;
  static constexpr int kOrder[] = {1, 2, 0}; // display_primaries of GStreamer: red, green, blue
  for (std::size_t i = 0; i < 3; ++i) {
    info.display_primaries[kOrder[i]].x = u16(payload, 4 * i);
    info.display_primaries[kOrder[i]].y = u16(payload, 4 * i + 2);
  }
  info.white_point.x = u16(payload, 12);
  info.white_point.y = u16(payload, 14);
  info.max_display_mastering_luminance = static_cast<guint32>(load_be(payload.data() + 16, 4));
  info.min_display_mastering_luminance = static_cast<guint32>(load_be(payload.data() + 20, 4));
  return info;
}

} // namespace

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
  if (!gst_structure_has_field(known, "colorimetry") && sps.vui_parameters_present_flag &&
      sps.vui.video_signal_type_present_flag)
    describe_colour(info.colorimetry, sps.vui);
}

void describe_light(GstCaps *caps, const GstCaps *input, const std::vector<SeiMessage> &sei) {
  const GstStructure *known = gst_caps_get_structure(input, 0);
  const bool has_display = gst_structure_has_field(known, "mastering-display-info");
  const bool has_light = gst_structure_has_field(known, "content-light-level");
  for (const SeiMessage &message : sei) {
    if (!has_display && message.payload_type == kMasteringDisplay &&
        message.payload.size() >= kMasteringBytes) {
      const auto info = mastering_display(message.payload);
      gst_video_mastering_display_info_add_to_caps(&info, caps);
    } else if (!has_light && message.payload_type == kContentLight &&
               message.payload.size() >= kContentLightBytes) {
      GstVideoContentLightLevel level{};
      level.max_content_light_level = u16(message.payload, 0);
      level.max_frame_average_light_level = u16(message.payload, 2);
      gst_video_content_light_level_add_to_caps(&level, caps);
    }
  }
}

void attach(GstBuffer *picture, GstBuffer *coded, const std::vector<SeiMessage> &sei) {
  const bool has_captions = gst_buffer_get_video_caption_meta(coded) != nullptr;
  const bool has_user_data =
      gst_buffer_get_meta(coded, GST_VIDEO_SEI_USER_DATA_UNREGISTERED_META_API_TYPE) != nullptr;
  for (const SeiMessage &message : sei) {
    const ByteVector triplets = has_captions ? ByteVector{} : caption_triplets(message);
    if (!triplets.empty())
      gst_buffer_add_video_caption_meta(picture, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, triplets.data(),
                                        triplets.size());
    const auto &payload = message.payload;
    if (message.payload_type != SeiMessage::kUserDataUnregistered || has_user_data ||
        payload.size() < kUuidBytes)
      continue;
    ByteVector copy = payload; // the function wants memory it could write to
    gst_buffer_add_video_sei_user_data_unregistered_meta(picture, copy.data(), copy.data() + kUuidBytes,
                                                         copy.size() - kUuidBytes);
  }
}

} // namespace hull::h264
