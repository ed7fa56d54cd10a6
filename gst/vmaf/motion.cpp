#include "gst/vmaf/motion.h"

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

} // namespace hull::vmaf
