#include "plugins/mp4/timecode.h"

#include "plugins/mp4/payloads.h"

#include <memory>

#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

struct FreeLabel {
  void operator()(GstVideoTimeCode *label) const { gst_video_time_code_free(label); }
};
using Label = std::unique_ptr<GstVideoTimeCode, FreeLabel>;

const GstVideoTimeCode *label_of(GstBuffer *buffer) {
  const GstVideoTimeCodeMeta *meta = buffer ? gst_buffer_get_video_time_code_meta(buffer) : nullptr;
  return meta && gst_video_time_code_is_valid(&meta->tc) ? &meta->tc : nullptr;
}

// Null where `text` is no label at the caps' frame rate.
Label parse_label(const std::string &text, const TrackCaps &caps) {
  Label label(gst_video_time_code_new_from_string(text.c_str()));
  if (!label || !caps.frame_rate_numerator) return nullptr;
  label->config.fps_n = caps.frame_rate_numerator;
  label->config.fps_d = caps.frame_rate_denominator;
  return gst_video_time_code_is_valid(label.get()) ? std::move(label) : nullptr;
}

} // namespace

Result<std::unique_ptr<TimecodeTrack>> make_timecode_track(const MuxInput &pictures, const std::string &text,
                                                           std::uint32_t id) {
  const GstVideoTimeCode *label = label_of(buffer_of(pictures.head->payload));
  Label wanted;
  if (!text.empty()) {
    wanted = parse_label(text, *pictures.caps);
    label = wanted.get();
    if (!label)
      return fail(ErrorCode::settings, "timecode '" + text +
                                           "' is no label at the caps' frame rate: hh:mm:ss:ff, or "
                                           "hh:mm:ss;ff for drop frame at 30000/1001 or 60000/1001.");
  }
  if (!label || label->config.fps_n == 0) return nullptr;
  const auto drops = static_cast<unsigned>(GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME);
  const TimecodeRate rate{label->config.fps_n, label->config.fps_d,
                          (static_cast<unsigned>(label->config.flags) & drops) != 0};
  return TimecodeTrack::create(
      pictures, rate, static_cast<std::uint32_t>(gst_video_time_code_frames_since_daily_jam(label)), id);
}

} // namespace hull
