#include "gst/mux/timecode_track.h"

namespace hull::mux {

using namespace isobmff;

Result<std::unique_ptr<TimecodeTrack>> TimecodeTrack::create(const Track &pictures, TimecodeRate rate,
                                                             std::uint32_t first, std::uint32_t id) {
  auto config = timecode_track(id, rate);
  if (!config) return tl::unexpected(config.error());
  auto track = std::make_unique<TimecodeTrack>();
  track->config = std::move(*config);
  track->frame_ = rate.denominator;
  track->first_number_ = first;
  track->first_time_ = track->ticks(pictures, pictures.head->sample.decode_time);
  return track;
}

std::int64_t TimecodeTrack::ticks(const Track &pictures, std::int64_t picture_ticks) const {
  return rescale(picture_ticks, config.timescale, pictures.config.timescale);
}

std::uint32_t TimecodeTrack::frame_number(const Track &pictures, std::int64_t decode_time) const {
  const std::int64_t passed = ticks(pictures, decode_time) - first_time_;
  return first_number_ + static_cast<std::uint32_t>((passed + frame_ / 2) / frame_);
}

} // namespace hull::mux
