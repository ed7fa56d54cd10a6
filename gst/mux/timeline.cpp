#include "gst/mux/timeline.h"

#include "gst/core/time.h"

#include <algorithm>
#include <limits>

namespace hull::mux {

namespace {

// Beyond this a step back is a stream that started again, not a late packet.
constexpr std::int64_t kRestart = kNanoseconds;
// Durations and composition offsets are 32-bit fields; a longer leap cannot be written as one.
constexpr std::int64_t kLongestLeap = std::numeric_limits<std::int32_t>::max();

} // namespace

Timeline::Timeline(std::uint32_t timescale, Pacing pacing, std::uint32_t nominal)
    : timescale_(std::max<std::uint32_t>(timescale, 1)), pacing_(pacing), last_duration_(nominal) {}

std::int64_t Timeline::ticks(std::int64_t nanoseconds) const {
  return rescale(nanoseconds, timescale_, kNanoseconds);
}

// Fills in what the sample does not say.
void Timeline::complete(Stamp &stamp) {
  if (!stamp.pts && !stamp.dts) {
    const auto guessed = rescale(last_duration_, kNanoseconds, timescale_);
    stamp.dts = started_ ? last_dts_ns_ + guessed : 0;
    stamp.pts = *stamp.dts + last_offset_ns_;
    if (started_ || pacing_ != Pacing::reordered) ++repairs_.missing_pts;
  } else if (!stamp.pts) {
    stamp.pts = *stamp.dts + last_offset_ns_;
    if (pacing_ == Pacing::reordered) ++repairs_.missing_pts;
  } else if (!stamp.dts) {
    stamp.dts = stamp.pts;
    // A picture that goes back in presentation order was decoded after the one before it.
    if (pacing_ == Pacing::reordered && started_ && *stamp.pts <= last_dts_ns_ &&
        *stamp.pts > last_dts_ns_ - kRestart) {
      stamp.dts = last_dts_ns_ + 1;
      ++repairs_.missing_dts;
    }
  }
  if (pacing_ == Pacing::contiguous) stamp.dts = stamp.pts; // audio has no reordering
}

// The decode time that keeps the order, given the one the stamp asks for.
std::int64_t Timeline::follow(std::int64_t decode, std::int64_t &presentation) {
  const std::int64_t restart = ticks(kRestart);
  if (decode < last_decode_ - restart || decode - last_decode_ > kLongestLeap) {
    const std::int64_t move = expected() - decode;
    rebase_ += move;
    presentation += move;
    ++repairs_.jumps;
    return expected();
  }
  if (pacing_ == Pacing::contiguous) {
    const std::int64_t tolerance = std::max<std::int64_t>(last_duration_ / 2, 1);
    if (std::abs(decode - expected()) <= tolerance) {
      presentation += expected() - decode;
      return expected();
    }
  }
  if (frozen_) return expected();
  if (decode <= last_decode_) {
    ++repairs_.backward_dts;
    return last_decode_ + 1;
  }
  return decode;
}

Placed Timeline::add(const Stamp &given) {
  Stamp stamp = given;
  complete(stamp);
  std::int64_t presentation = ticks(*stamp.pts);
  std::int64_t decode = ticks(*stamp.dts);
  if (!started_) {
    shift_ = std::max<std::int64_t>(presentation - decode, 0);
    first_presentation_ = presentation;
    origin_ = std::max<std::int64_t>(-presentation, 0);
  }
  presentation += origin_ + rebase_;
  decode += shift_ + origin_ + rebase_;
  if (started_) {
    decode = follow(decode, presentation);
    last_delta_ns_ = *stamp.dts - last_dts_ns_;
  }

  Placed placed;
  placed.decode_time = decode;
  if (frozen_ && pacing_ == Pacing::reordered)
    placed.early = ticks(*stamp.dts) + shift_ + origin_ + rebase_ - decode;
  std::int64_t offset = pacing_ == Pacing::reordered ? presentation - decode : 0;
  if (offset > kLongestLeap || offset < -kLongestLeap) {
    offset = 0;
    ++repairs_.clamped_offsets;
  }
  placed.composition_offset = static_cast<std::int32_t>(offset);

  std::int64_t duration = last_duration_;
  if (stamp.duration && *stamp.duration > 0) {
    // Audio that was snapped keeps its own length; a picture's end is rounded as a point in time.
    duration = pacing_ == Pacing::reordered ? ticks(*stamp.dts + *stamp.duration) - ticks(*stamp.dts)
                                            : ticks(*stamp.duration);
    // What a frozen predecessor took or left of this sample's time.
    duration += placed.early;
    placed.duration_known = true;
  } else if (started_ && decode > last_decode_ && !frozen_) {
    duration = decode - last_decode_;
  }
  placed.duration = static_cast<std::uint32_t>(std::clamp<std::int64_t>(duration, 1, kLongestLeap));

  started_ = true;
  frozen_ = false;
  last_decode_ = decode;
  last_duration_ = placed.duration;
  last_dts_ns_ = *stamp.dts;
  last_offset_ns_ = *stamp.pts - *stamp.dts;
  return placed;
}

void Timeline::freeze() {
  frozen_ = started_;
}

std::uint32_t video_timescale(std::uint32_t numerator, std::uint32_t denominator) {
  if (numerator == 0 || denominator == 0) return 90'000;
  std::uint64_t timescale = numerator;
  if (timescale / denominator > 1'000'000) return 90'000;
  while (timescale < 10'000)
    timescale *= 2;
  return timescale > 0x7fffffffu ? 90'000 : static_cast<std::uint32_t>(timescale);
}

} // namespace hull::mux
