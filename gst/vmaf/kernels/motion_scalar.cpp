// Motion and squared error, pixel loops. Motion follows libvmaf >= 3.1: the difference is blurred, not the
// pictures.

#include "gst/vmaf/kernels/scalar.h"

#include <cstdlib>

namespace hull::vmaf::scalar {
namespace {

template <class T>
void vertical(const T *const *previous, const T *const *current, int bits, int drop, int width,
              std::int32_t *out) {
  const std::uint16_t *taps = kVifFilter[2].taps;
  for (int x = 0; x < width; ++x) {
    std::int64_t sum = std::int64_t{1} << (bits - 1);
    for (int k = 0; k < 5; ++k)
      sum += std::int64_t{taps[k]} * ((previous[k][x] >> drop) - (current[k][x] >> drop));
    out[x] = static_cast<std::int32_t>(sum >> bits);
  }
}

void vertical_8(const std::uint8_t *const *previous, const std::uint8_t *const *current, int width,
                std::int32_t *out) {
  vertical(previous, current, 8, 0, width, out);
}

std::uint64_t horizontal(const std::int32_t *row, int width) {
  const std::uint16_t *taps = kVifFilter[2].taps;
  std::uint64_t total = 0;
  for (int x = 0; x < width; ++x) {
    std::int64_t sum = 32768;
    for (int k = 0; k < 5; ++k)
      sum += std::int64_t{taps[k]} * row[x + k - 2];
    total += static_cast<std::uint64_t>(std::abs(sum >> 16));
  }
  return total;
}

template <class T> std::uint64_t squared_error(const T *a, const T *b, int drop, int width) {
  std::uint64_t sum = 0;
  for (int x = 0; x < width; ++x) {
    const std::int64_t difference = (a[x] >> drop) - (b[x] >> drop);
    sum += static_cast<std::uint64_t>(difference * difference);
  }
  return sum;
}

std::uint64_t squared_error_8(const std::uint8_t *a, const std::uint8_t *b, int width) {
  return squared_error(a, b, 0, width);
}

} // namespace

void set_motion(Kernels &table) {
  table.motion_vertical_8 = vertical_8;
  table.motion_vertical_16 = vertical<std::uint16_t>;
  table.motion_horizontal = horizontal;
  table.squared_error_8 = squared_error_8;
  table.squared_error_16 = squared_error<std::uint16_t>;
}

} // namespace hull::vmaf::scalar
