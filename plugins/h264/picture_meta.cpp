#include "plugins/h264/picture_meta.h"

namespace hull::h264 {

std::optional<ClockTimestamp> time_code_of(GstBuffer *buffer) {
  const GstVideoTimeCodeMeta *meta = gst_buffer_get_video_time_code_meta(buffer);
  if (!meta || !gst_video_time_code_is_valid(&meta->tc)) return std::nullopt;
  ClockTimestamp time;
  time.hours = static_cast<std::uint8_t>(meta->tc.hours);
  time.minutes = static_cast<std::uint8_t>(meta->tc.minutes);
  time.seconds = static_cast<std::uint8_t>(meta->tc.seconds);
  time.frames = static_cast<std::uint8_t>(meta->tc.frames);
  time.drop_frame = meta->tc.config.flags & GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME;
  return time;
}

void append_hdr_messages(const GstVideoCodecState &state, std::vector<SeiMessage> &messages) {
  if (state.mastering_display_info) {
    const GstVideoMasteringDisplayInfo &info = *state.mastering_display_info;
    MasteringDisplay display;
    for (int i = 0; i < 3; ++i)
      display.primaries[i] = {info.display_primaries[i].x, info.display_primaries[i].y};
    display.white = {info.white_point.x, info.white_point.y};
    display.max_luminance = info.max_display_mastering_luminance;
    display.min_luminance = info.min_display_mastering_luminance;
    messages.push_back(mastering_display(display));
  }
  if (const GstVideoContentLightLevel *light = state.content_light_level)
    messages.push_back(
        content_light_level(light->max_content_light_level, light->max_frame_average_light_level));
}

} // namespace hull::h264
