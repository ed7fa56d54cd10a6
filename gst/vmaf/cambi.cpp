#include "gst/vmaf/cambi.h"

#include <algorithm>
#include <functional>
#include <numeric>

namespace hull::vmaf {
namespace {

constexpr int kScaleCount = 5;
constexpr int kScaleWeight[kScaleCount] = {16, 8, 4, 2, 1};
constexpr int kMaskRadius = 3;
constexpr int kBits = 10;  ///< of the samples that are counted
constexpr int kTile = 256; ///< columns that are counted together: their bins fit the second-level cache

/// The picture's rows or columns that a smaller number of them stands for, stepped in single precision.
std::vector<int> sources(int picture, int encoded) {
  const float ratio = static_cast<float>(picture) / static_cast<float>(encoded);
  std::vector<int> made;
  float position = ratio / 2 - 0.5f;
  for (int i = 0; i < encoded; ++i, position += ratio)
    made.push_back(static_cast<int>(position + 0.5f)); // NOLINT(bugprone-incorrect-roundings): as libvmaf
  return made;
}

/// Sum of the first `kept` of `values` after libvmaf's quick-select, which leaves the largest there.
double sum_of_largest(std::vector<float> &values, std::ptrdiff_t kept) {
  const auto count = static_cast<std::ptrdiff_t>(values.size());
  float *a = values.data();
  std::ptrdiff_t low = 0, high = count - 1;
  while (kept < count && low < high) {
    const float pivot = a[kept];
    std::ptrdiff_t i = low, j = high;
    do {
      while (a[i] > pivot)
        ++i;
      while (a[j] < pivot)
        --j;
      if (i <= j) std::swap(a[i++], a[j--]);
    } while (i <= j);
    if (j < kept) low = i;
    if (kept < i) high = j;
  }
  double sum = 0;
  for (std::ptrdiff_t i = 0; i < kept; ++i)
    sum += static_cast<double>(a[i]);
  return sum;
}

/// Each sample and its two neighbours of a row, the first and the last sample alone.
void mode_row(const Kernels &kernels, const std::uint16_t *row, int width, std::uint16_t *out) {
  out[0] = row[0];
  out[width - 1] = row[width - 1];
  if (width > 2) kernels.cambi_mode(row, row + 1, row + 2, width - 2, out + 1);
}

void box_row(const std::uint16_t *row, const std::uint16_t *below, int width, std::uint16_t *out) {
  for (int x = 0; x + 1 < width; ++x)
    out[x] = static_cast<std::uint16_t>((row[x] + row[x + 1] + below[x] + below[x + 1]) >> 2);
  out[width - 1] = static_cast<std::uint16_t>((row[width - 1] + below[width - 1]) >> 1);
}

} // namespace

Cambi::Cambi(const Kernels &kernels, const CambiSetup &setup)
    : kernels_(kernels), setup_(setup), rows_(setup.width, 6), flat_(setup.width, 3 + 2 * kMaskRadius + 1) {
  int width = setup.width, height = setup.height;
  for (int s = setup.halved ? -1 : 0; s < kScaleCount; ++s) {
    if (s >= 0)
      scales_.push_back(
          {width, height, Rows<std::uint16_t>(width, height), Rows<std::uint8_t>(width, height)});
    width = (width + 1) / 2;
    height = (height + 1) / 2;
  }
  contrast_ = Rows<float>(scales_[0].width, scales_[0].height);
}

/// A row of the picture as 10-bit samples.
void Cambi::load_row(const Plane &luma, int y, std::uint16_t *out) const {
  if (!lines_.empty()) y = lines_[static_cast<std::size_t>(y)];
  const int up = kBits - luma.bits;
  const auto deepened = [&](int sample) {
    return static_cast<std::uint16_t>(up >= 0 ? sample << up : (sample + (1 << (-up - 1))) >> -up);
  };
  if (!columns_.empty())
    for (std::size_t x = 0; x < columns_.size(); ++x)
      out[x] = deepened(luma.sample(columns_[x], y));
  else if (luma.bits == 8)
    for (int x = 0; x < luma.width; ++x)
      out[x] = static_cast<std::uint16_t>(luma.row8(y)[x] << 2);
  else
    for (int x = 0; x < luma.width; ++x)
      out[x] = deepened(luma.row16(y)[x] >> luma.drop);
}

/// Puts a row of the full size into the first scale.
void Cambi::keep(int y, const std::uint16_t *row, const std::uint8_t *mask) {
  Scale &first = scales_[0];
  const int step = setup_.halved ? 2 : 1;
  if (y % step) return;
  std::uint16_t *image = row ? first.image.row(y / step) : nullptr;
  std::uint8_t *kept = mask ? first.mask.row(y / step) : nullptr;
  for (int x = 0; x < first.width; ++x) {
    if (image) image[x] = row[x * step];
    if (kept) kept[x] = mask[x * step];
  }
}

/// Samples and mask of the first scale. Where more than `mask_limit` of the 49 samples around one equal their
/// right and lower neighbours, banding may be seen.
void Cambi::load(const Plane &luma) {
  columns_.clear();
  lines_.clear();
  if (setup_.width != luma.width) columns_ = sources(luma.width, setup_.width);
  if (setup_.height != luma.height) lines_ = sources(luma.height, setup_.height);
  const int width = setup_.width, height = setup_.height;
  constexpr int kKept = 2 * kMaskRadius + 1; // rows of flat_ that are summed
  std::uint8_t *sum = flat_.row(kKept), *flat = flat_.row(kKept + 1), *mask = flat_.row(kKept + 2);
  std::fill_n(sum, width, std::uint8_t{0});
  const auto filtered = [&](int y, std::uint16_t *out) { // the raw row y is in rows_[y % 2]
    if (!setup_.soften) return load_row(luma, y, out);
    if (y == 0) load_row(luma, 0, rows_.row(0));
    if (y + 1 < height) load_row(luma, y + 1, rows_.row((y + 1) % 2));
    box_row(rows_.row(y % 2), rows_.row(std::min(y + 1, height - 1) % 2), width, out);
  };
  filtered(0, rows_.row(2));
  for (int y = 0; y < height + kMaskRadius; ++y) {
    std::uint8_t *across = flat_.row(y % kKept);
    if (y >= kKept)
      for (int x = 0; x < width; ++x)
        sum[x] = static_cast<std::uint8_t>(sum[x] - across[x]);
    if (y < height) {
      const std::uint16_t *row = rows_.row(2 + y % 2);
      std::uint16_t *below = rows_.row(2 + (y + 1) % 2);
      if (y + 1 < height) filtered(y + 1, below);
      kernels_.cambi_flat(row, y + 1 < height ? below : row, width, flat);
      keep(y, row, nullptr);
      std::fill_n(flat - kMaskRadius, kMaskRadius, std::uint8_t{0});
      std::fill_n(flat + width, kMaskRadius, std::uint8_t{0});
      for (int x = 0; x < width; ++x) {
        across[x] = static_cast<std::uint8_t>(flat[x - 3] + flat[x - 2] + flat[x - 1] + flat[x] +
                                              flat[x + 1] + flat[x + 2] + flat[x + 3]);
        sum[x] = static_cast<std::uint8_t>(sum[x] + across[x]);
      }
    } else {
      std::fill_n(across, width, std::uint8_t{0});
    }
    if (y < kMaskRadius) continue;
    for (int x = 0; x < width; ++x)
      mask[x] = sum[x] > setup_.mask_limit;
    keep(y - kMaskRadius, nullptr, mask);
  }
}

void Cambi::halve(const Scale &from, Scale &to) {
  for (int y = 0; y < to.height; ++y)
    for (int x = 0; x < to.width; ++x) {
      to.image.row(y)[x] = from.image.row(2 * y)[2 * x];
      to.mask.row(y)[x] = from.mask.row(2 * y)[2 * x];
    }
}

/// Takes single samples out, across and then down; the first and the last row stay as they are.
void Cambi::smooth(Scale &scale) {
  for (int y = 0; y < scale.height; ++y) {
    mode_row(kernels_, scale.image.row(y), scale.width, rows_.row(y % 3));
    if (y >= 2)
      kernels_.cambi_mode(rows_.row((y - 2) % 3), rows_.row((y - 1) % 3), rows_.row(y % 3), scale.width,
                          scale.image.row(y - 1));
  }
}

void Cambi::contrast(const Scale &scale) {
  const int radius = setup_.window / 2;
  const CambiRange &range = setup_.range;
  const int count = range.high - range.low + 1 + 2 * kCambiDifferences;
  for (int left = 0; left < scale.width; left += kTile) {
    const int right = std::min(left + kTile, scale.width);
    // Samples beside the tile count in its columns, so columns beside it are counted, too.
    const std::ptrdiff_t margin = 2 * radius + kRowPad, stride = right - left + 2 * margin;
    bins_.assign(static_cast<std::size_t>(stride * count + kRowSlack), 0);
    std::uint16_t *bins = bins_.data() + kCambiDifferences * stride + margin - left;
    const int begin = std::max(0, left - radius), end = std::min(scale.width, right + radius);
    const auto counted = [&](int y, int delta) {
      kernels_.cambi_count(scale.image.row(y), scale.mask.row(y), begin, end, radius, range,
                           static_cast<std::uint16_t>(delta), bins, stride);
    };
    for (int y = 0; y < std::min(radius, scale.height); ++y)
      counted(y, 1);
    for (int y = 0; y < scale.height; ++y) {
      if (y + radius < scale.height) counted(y + radius, 1);
      if (y > radius) counted(y - radius - 1, -1);
      kernels_.cambi_contrast(scale.image.row(y), scale.mask.row(y), left, right, range, bins, stride,
                              contrast_.row(y));
    }
  }
}

/// Mean of the largest contrasts. All are multiples of 2^-24, so sums below 2^29 are exact in any order and
/// zeros need not be sorted; only beyond does the order count.
double Cambi::pooled(const Scale &scale) {
  constexpr double kExact = 1 << 29;
  const std::size_t all = static_cast<std::size_t>(scale.width) * static_cast<std::size_t>(scale.height);
  const auto kept = std::clamp<std::size_t>(
      static_cast<std::size_t>(setup_.options.topk * static_cast<double>(all)), 1, all);
  values_.clear();
  double sum = 0;
  for (int y = 0; y < scale.height; ++y)
    for (int x = 0; x < scale.width; ++x)
      if (const float value = contrast_.row(y)[x]; value > 0) {
        values_.push_back(value);
        sum += static_cast<double>(value);
      }
  if (sum >= kExact) {
    values_.clear();
    for (int y = 0; y < scale.height; ++y)
      values_.insert(values_.end(), contrast_.row(y), contrast_.row(y) + scale.width);
    sum = sum_of_largest(values_, static_cast<std::ptrdiff_t>(kept));
  } else if (values_.size() > kept) {
    std::nth_element(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(kept), values_.end(),
                     std::greater<>());
    sum = std::accumulate(values_.begin(), values_.begin() + static_cast<std::ptrdiff_t>(kept), 0.0);
  }
  return sum / static_cast<double>(kept);
}

double Cambi::measure(const Plane &luma) {
  load(luma);
  double score = 0;
  for (std::size_t s = 0; s < kScaleCount; ++s) {
    Scale &scale = scales_[s];
    if (s > 0) halve(scales_[s - 1], scale);
    smooth(scale);
    contrast(scale);
    score += kScaleWeight[s] * pooled(scale);
  }
  return std::min(score / static_cast<std::uint16_t>(setup_.window * setup_.window), setup_.options.most);
}

} // namespace hull::vmaf
