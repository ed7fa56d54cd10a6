#include "gst/vmaf/kernels/scalar.h"

#include <algorithm>

namespace hull::vmaf::scalar {
namespace {

void scale_row(const std::int16_t *row, const std::int32_t *first, const std::int16_t *coefficients, int taps,
               int shift, int width, std::int16_t *out) {
  for (int x = 0; x < width; ++x) {
    std::int32_t sum = 1 << (shift - 1);
    for (int k = 0; k < taps; ++k)
      sum += coefficients[x * taps + k] * row[first[x] + k];
    out[x] = static_cast<std::int16_t>(sum >> shift);
  }
}

template <class T>
void columns(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps, int bits, int width,
             T *out) {
  const int shift = 28 - bits, peak = (1 << bits) - 1;
  for (int x = 0; x < width; ++x) {
    std::int32_t sum = 1 << (shift - 1);
    for (int k = 0; k < taps; ++k)
      sum += coefficients[k] * rows[k][x];
    out[x] = static_cast<T>(std::clamp(sum >> shift, 0, peak));
  }
}

void columns_8(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps, int width,
               std::uint8_t *out) {
  columns(rows, coefficients, taps, 8, width, out);
}

} // namespace

void set_scaler(Kernels &table) {
  table.scale_row = scale_row;
  table.scale_columns_8 = columns_8;
  table.scale_columns_16 = columns<std::uint16_t>;
}

} // namespace hull::vmaf::scalar
