#include "gst/vmaf/motion.h"

#include <algorithm>
#include <array>

namespace hull::vmaf {

std::uint64_t motion_stripe(const Kernels &kernels, const Plane &previous, const Plane &current, int begin,
                            int end, Rows<std::int32_t> &scratch) {
  std::uint64_t sum = 0;
  std::int32_t *row = scratch.row(0);
  for (int y = begin; y < end; ++y) {
    std::array<const std::uint8_t *, 5> p{}, c{};
    for (int k = 0; k < 5; ++k) {
      const int at = reflect(y - 2 + k, current.height);
      p[static_cast<std::size_t>(k)] = previous.row8(at);
      c[static_cast<std::size_t>(k)] = current.row8(at);
    }
    if (current.bits == 8) {
      kernels.motion_vertical_8(p.data(), c.data(), current.width, row);
    } else {
      std::array<const std::uint16_t *, 5> p16{}, c16{};
      for (std::size_t k = 0; k < 5; ++k) {
        p16[k] = reinterpret_cast<const std::uint16_t *>(p[k]);
        c16[k] = reinterpret_cast<const std::uint16_t *>(c[k]);
      }
      kernels.motion_vertical_16(p16.data(), c16.data(), current.bits, current.drop, current.width, row);
    }
    if (const int next = y + 3; next < current.height) {
      prefetch(previous.row8(next), previous.width * previous.sample_bytes());
      prefetch(current.row8(next), current.width * current.sample_bytes());
    }
    mirror(row, current.width, 2);
    sum += kernels.motion_horizontal(row, current.width);
  }
  return sum;
}

void MotionTrack::push(double score) {
  const double sad = options_.force_zero || frames_ < static_cast<std::uint64_t>(span())
                         ? 0
                         : std::min(score * options_.fps_weight, options_.most);
  sads_[frames_++ % kKept] = sad;
}

bool MotionTrack::ready() const {
  return frames_ > std::max<std::uint64_t>(next_ + 1, static_cast<std::uint64_t>(span()));
}

double MotionTrack::limited(double motion) const {
  const double blended =
      motion * options_.blend_factor + (1 - options_.blend_factor) * std::min(options_.blend_offset, motion);
  return std::min(blended, options_.most);
}

MotionScore MotionTrack::take(bool last) {
  const std::uint64_t n = next_++, k = static_cast<std::uint64_t>(span());
  MotionScore score;
  score.sad = sad(n);
  if (n < k) {
    score.motion3 = before_ = frames_ > k ? limited(sad(k)) : 0;
    return score;
  }
  const std::uint64_t low = n - (k - 1);
  if (last && n + 1 == frames_)
    score.motion2 = sad(n);
  else
    score.motion2 = low >= k ? std::min(sad(low), sad(n + 1)) : sad(n + 1);
  const double motion3 = limited(score.motion2);
  score.motion3 = options_.moving_average ? (motion3 + before_) / 2 : motion3;
  before_ = motion3;
  return score;
}

} // namespace hull::vmaf
