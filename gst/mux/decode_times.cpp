#include "gst/mux/decode_times.h"

#include "gst/core/time.h"

#include <algorithm>
#include <cstdlib>

namespace hull::mux {

namespace {

constexpr std::int64_t kRounding = kNanoseconds / 1000; // of containers that count milliseconds

} // namespace

DecodeTimes::DecodeTimes(unsigned reorder, std::uint32_t rate_numerator, std::uint32_t rate_denominator)
    : reorder_(reorder),
      numerator_(rate_numerator),
      denominator_(std::max<std::uint32_t>(rate_denominator, 1)) {}

std::int64_t DecodeTimes::frames(std::int64_t count) const {
  return numerator_ > 0 ? rescale(count * denominator_, kNanoseconds, numerator_) : count * fallback_;
}

std::int64_t DecodeTimes::on_grid(std::int64_t time) {
  if (numerator_ == 0) return time;
  const std::int64_t near =
      anchor_ + frames(rescale(time - anchor_, numerator_, kNanoseconds * denominator_));
  if (std::abs(near - time) <= kRounding) return near;
  return anchor_ = time;
}

void DecodeTimes::complete(Stamp &stamp) {
  if (!stamp.pts || stamp.dts) return;
  if (!started_) {
    started_ = true;
    first_ = anchor_ = *stamp.pts;
    if (stamp.duration && *stamp.duration > 0) fallback_ = *stamp.duration;
  }
  stamp.pts = on_grid(*stamp.pts);
  shown_.push(*stamp.pts);
  if (begun_ < reorder_) {
    stamp.dts = first_ - frames(reorder_ - begun_++);
    return;
  }
  stamp.dts = std::min(shown_.top(), *stamp.pts);
  shown_.pop();
}

void DecodeTimes::restart() {
  shown_ = {};
  begun_ = 0;
  started_ = false;
}

} // namespace hull::mux
