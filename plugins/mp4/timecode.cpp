#include "plugins/mp4/timecode.h"

#include <memory>

#include <gst/video/video.h>

namespace hull {

using namespace isobmff;
using namespace mux;

namespace {

const GstVideoTimeCode *label_of(const MuxSample &sample) {
  GstVideoTimeCodeMeta *meta = gst_buffer_get_video_time_code_meta(sample.buffer.get());
  return meta && gst_video_time_code_is_valid(&meta->tc) ? &meta->tc : nullptr;
}

struct FreeLabel {
  void operator()(GstVideoTimeCode *label) const { gst_video_time_code_free(label); }
};

} // namespace

Result<std::unique_ptr<TimecodeTrack>> TimecodeTrack::create(const MuxInput &pictures,
                                                             const std::string &text, std::uint32_t id) {
  const MuxSample &first = *pictures.head;
  const GstVideoTimeCode *label = label_of(first);
  std::unique_ptr<GstVideoTimeCode, FreeLabel> made;
  if (!text.empty()) {
    made.reset(gst_video_time_code_new_from_string(text.c_str()));
    const TrackCaps &caps = *pictures.caps;
    if (made) {
      made->config.fps_n = caps.frame_rate_numerator;
      made->config.fps_d = caps.frame_rate_denominator;
    }
    if (!made || !caps.frame_rate_numerator || !gst_video_time_code_is_valid(made.get()))
      return fail(ErrorCode::settings, "timecode '" + text +
                                           "' is no label at the caps' frame rate: hh:mm:ss:ff, or "
                                           "hh:mm:ss;ff for drop frame at 30000/1001 or 60000/1001.");
    label = made.get();
  }
  if (!label || label->config.fps_n == 0) return nullptr;
  const TimecodeRate rate{label->config.fps_n, label->config.fps_d,
                          (static_cast<unsigned>(label->config.flags) &
                           static_cast<unsigned>(GST_VIDEO_TIME_CODE_FLAGS_DROP_FRAME)) != 0};
  auto config = timecode_track(id, rate);
  if (!config) return tl::unexpected(config.error());
  auto track = std::make_unique<TimecodeTrack>();
  track->config = std::move(*config);
  track->frame_ = rate.denominator;
  track->first_number_ = static_cast<std::uint32_t>(gst_video_time_code_frames_since_daily_jam(label));
  track->first_time_ = track->ticks(pictures, first.sample.decode_time);
  return track;
}

std::int64_t TimecodeTrack::ticks(const MuxInput &pictures, std::int64_t picture_ticks) const {
  return rescale(picture_ticks, config.timescale, pictures.config.timescale);
}

std::uint32_t TimecodeTrack::frame_number(const MuxInput &pictures, const MuxSample &sample) const {
  if (const GstVideoTimeCode *label = label_of(sample))
    return static_cast<std::uint32_t>(gst_video_time_code_frames_since_daily_jam(label));
  const std::int64_t passed = ticks(pictures, sample.sample.decode_time) - first_time_;
  return first_number_ + static_cast<std::uint32_t>((passed + frame_ / 2) / frame_);
}

} // namespace hull
