// CAMBI's pixel loops, as libvmaf defines them.

#include "gst/vmaf/kernels/scalar.h"

#include <algorithm>

namespace hull::vmaf::scalar {
namespace {

void flat(const std::uint16_t *row, const std::uint16_t *below, int width, std::uint8_t *out) {
  for (int x = 0; x + 1 < width; ++x)
    out[x] = (row[x] == row[x + 1]) & (row[x] == below[x]);
  out[width - 1] = row[width - 1] == below[width - 1];
}

void mode(const std::uint16_t *a, const std::uint16_t *b, const std::uint16_t *c, int width,
          std::uint16_t *out) {
  for (int x = 0; x < width; ++x) {
    const std::uint16_t least = std::min(std::min(a[x], b[x]), c[x]);
    const std::uint16_t other = b[x] == c[x] ? b[x] : least;
    out[x] = ((a[x] == b[x]) | (a[x] == c[x])) ? a[x] : other;
  }
}

void count(const std::uint16_t *row, const std::uint8_t *mask, int begin, int end, int radius,
           const CambiRange &range, std::uint16_t delta, std::uint16_t *bins, std::ptrdiff_t stride) {
  for (int x = begin; x < end; ++x) {
    if (!mask[x] || row[x] < range.low || row[x] > range.high) continue;
    std::uint16_t *bin = bins + (row[x] - range.low) * stride + x;
    for (int k = -radius; k <= radius; ++k)
      bin[k] = static_cast<std::uint16_t>(bin[k] + delta);
  }
}

float contrast_of(int value, const std::uint16_t *bin, const CambiRange &range, std::ptrdiff_t stride) {
  const int here = *bin;
  float contrast = 0;
  for (int d = 1; d <= range.differences; ++d) {
    if (value > range.last[d] || value + range.differences + d <= range.visible) continue;
    const int there = std::max(bin[d * stride], bin[-d * stride]);
    const auto product = static_cast<float>(range.weight[d] * here * there);
    contrast = std::max(contrast, product * range.reciprocal[here + there]);
  }
  return contrast;
}

void contrast(const std::uint16_t *row, const std::uint8_t *mask, int begin, int end, const CambiRange &range,
              const std::uint16_t *bins, std::ptrdiff_t stride, float *out) {
  for (int x = begin; x < end; ++x) {
    const bool counted = mask[x] && row[x] >= range.low && row[x] <= range.high;
    out[x] = counted ? contrast_of(row[x], bins + (row[x] - range.low) * stride + x, range, stride) : 0.0f;
  }
}

} // namespace

void set_cambi(Kernels &table) {
  table.cambi_flat = flat;
  table.cambi_mode = mode;
  table.cambi_count = count;
  table.cambi_contrast = contrast;
}

} // namespace hull::vmaf::scalar
