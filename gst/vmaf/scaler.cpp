#include "gst/vmaf/scaler.h"

#include <algorithm>
#include <cmath>
#include <utility>

namespace hull::vmaf {
namespace {

constexpr int kOne = 1 << 14;

/// Keys' family of cubic kernels with B = 0, C = 0.6, as swscale's bicubic has by default.
double cubic(double x) {
  constexpr double kC = 0.6;
  x = x < 0 ? -x : x;
  if (x < 1) return ((2 - kC) * x - (3 - kC)) * x * x + 1;
  if (x < 2) return ((-kC * x + 5 * kC) * x - 8 * kC) * x + 4 * kC;
  return 0;
}

int round_half_up(double value) {
  return static_cast<int>(std::floor(value + 0.5));
}

} // namespace

Scaler::Axis Scaler::make_axis(int in, int out) {
  const double ratio = static_cast<double>(in) / out;
  const double stretch = ratio > 1 ? ratio : 1;
  Axis axis;
  axis.taps = 2 * static_cast<int>(std::ceil(2 * stretch));
  for (int i = 0; i < out; ++i) {
    const double centre = (i + 0.5) * ratio - 0.5;
    const int first = static_cast<int>(std::floor(centre)) - axis.taps / 2 + 1;
    std::vector<double> weights(static_cast<std::size_t>(axis.taps));
    double sum = 0;
    for (int k = 0; k < axis.taps; ++k)
      sum += weights[static_cast<std::size_t>(k)] = cubic((first + k - centre) / stretch);
    int left = kOne;
    const std::size_t at = axis.coefficients.size();
    for (const double weight : weights) {
      const int tap = round_half_up(weight / sum * kOne);
      axis.coefficients.push_back(static_cast<std::int16_t>(tap));
      left -= tap;
    }
    // What rounding left over goes to the largest tap, so flat areas stay as they are.
    auto largest = std::max_element(axis.coefficients.begin() + static_cast<std::ptrdiff_t>(at),
                                    axis.coefficients.end());
    *largest = static_cast<std::int16_t>(*largest + left);
    axis.first.push_back(first);
  }
  return axis;
}

Scaler::Scaler(int in_width, int in_height, int out_width, int out_height, Cpu set)
    : in_width_(in_width),
      in_height_(in_height),
      out_width_(out_width),
      out_height_(out_height),
      x_(make_axis(in_width, out_width)),
      y_(make_axis(in_height, out_height)),
      kernels_(&kernels(set)),
      pad_(x_.taps + 1),
      ring_(out_width, y_.taps),
      held_(static_cast<std::size_t>(y_.taps), -1),
      out_(static_cast<std::size_t>(out_width) * static_cast<std::size_t>(out_height) + kRowSlack) {
  source_ = Rows<std::int16_t>(in_width + 2 * pad_, 1);
  for (std::int32_t &first : x_.first)
    first += pad_;
}

void Scaler::filter_row(const Plane &in, int y, std::int16_t *out) {
  std::int16_t *row = source_.row(0), *samples = row + pad_;
  if (in.bits == 8)
    std::copy_n(in.row8(y), in.width, samples);
  else
    std::transform(in.row16(y), in.row16(y) + in.width, samples,
                   [&in](std::uint16_t word) { return static_cast<std::int16_t>(word >> in.drop); });
  std::fill(row, samples, samples[0]);
  std::fill(samples + in.width, samples + in.width + pad_, samples[in.width - 1]);
  // 14 bits and the kernel's overshoot are left.
  kernels_->scale_row(row, x_.first.data(), x_.coefficients.data(), x_.taps, in.bits, out_width_, out);
}

Plane Scaler::scale(const Plane &in) {
  std::fill(held_.begin(), held_.end(), -1);
  auto *bytes = reinterpret_cast<std::uint8_t *>(out_.data());
  const std::ptrdiff_t stride = out_width_ * (in.bits == 8 ? 1 : 2);
  std::vector<const std::int16_t *> rows(static_cast<std::size_t>(y_.taps));
  for (int y = 0; y < out_height_; ++y) {
    for (int k = 0; k < y_.taps; ++k) {
      const int at = std::clamp(y_.first[static_cast<std::size_t>(y)] + k, 0, in_height_ - 1),
                slot = at % y_.taps;
      if (std::exchange(held_[static_cast<std::size_t>(slot)], at) != at) filter_row(in, at, ring_.row(slot));
      rows[static_cast<std::size_t>(k)] = ring_.row(slot);
    }
    const std::int16_t *taps =
        &y_.coefficients[static_cast<std::size_t>(y) * static_cast<std::size_t>(y_.taps)];
    std::uint8_t *row = bytes + y * stride;
    if (in.bits == 8)
      kernels_->scale_columns_8(rows.data(), taps, y_.taps, out_width_, row);
    else
      kernels_->scale_columns_16(rows.data(), taps, y_.taps, in.bits, out_width_,
                                 reinterpret_cast<std::uint16_t *>(row));
  }
  return {bytes, stride, out_width_, out_height_, in.bits, 0};
}

} // namespace hull::vmaf
