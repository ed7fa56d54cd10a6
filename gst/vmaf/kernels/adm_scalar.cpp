// ADM's pixel loops as libvmaf's integer_adm defines them; the constants are that file's.

#include "gst/vmaf/kernels/adm_constants.h"
#include "gst/vmaf/kernels/scalar.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>

namespace hull::vmaf::scalar {
namespace {

/// Four taps over four rows at column x, rounded; `dc` is taken off before the shift.
template <class Out, class In>
Out column(const In *const *rows, const std::int32_t *taps, int x, int drop, int shift, std::int64_t dc) {
  std::int64_t sum = shift ? (std::int64_t{1} << (shift - 1)) - dc : -dc;
  for (int k = 0; k < 4; ++k)
    sum += std::int64_t{taps[k]} * (rows[k][x] >> drop);
  return static_cast<Out>(sum >> shift);
}

template <class Out, class In>
void vertical(const In *const *rows, int width, int drop, int shift, std::int64_t dc, Out *low, Out *high) {
  for (int x = 0; x < width; ++x) {
    low[x] = column<Out>(rows, kWaveletLow, x, drop, shift, dc);
    if (high) high[x] = column<Out>(rows, kWaveletHigh, x, drop, shift, 0);
  }
}

void vertical_8(const std::uint8_t *const *rows, int width, std::int16_t *low, std::int16_t *high) {
  vertical(rows, width, 0, 8, std::int64_t{kWaveletDc} << 7, low, high);
}

void vertical_16(const std::uint16_t *const *rows, int bits, int drop, int width, std::int16_t *low,
                 std::int16_t *high) {
  vertical(rows, width, drop, bits, std::int64_t{kWaveletDc} << (bits - 1), low, high);
}

void vertical_level1(const std::int16_t *const *rows, int width, std::int32_t *low, std::int32_t *high) {
  vertical(rows, width, 0, 0, 0, low, high);
}

void vertical_32(const std::int32_t *const *rows, int width, std::int32_t *low, std::int32_t *high) {
  vertical(rows, width, 0, 16, 0, low, high);
}

template <class T> void horizontal(const T *row, bool high_pass, int shift, int begin, int end, T *out) {
  const std::int32_t *taps = high_pass ? kWaveletHigh : kWaveletLow;
  for (int x = begin; x < end; ++x) {
    std::int64_t sum = std::int64_t{1} << (shift - 1);
    for (int k = 0; k < 4; ++k)
      sum += std::int64_t{taps[k]} * row[2 * x - 1 + k];
    out[x] = static_cast<T>(sum >> shift);
  }
}

void horizontal_16(const std::int16_t *row, bool high_pass, int begin, int end, std::int16_t *out) {
  horizontal(row, high_pass, 16, begin, end, out);
}

void horizontal_32(const std::int32_t *row, bool high_pass, int shift, int begin, int end,
                   std::int32_t *out) {
  horizontal(row, high_pass, shift, begin, end, out);
}

std::uint64_t cubes_0(const std::int16_t *band, int begin, int end) {
  std::uint64_t sum = 0;
  for (int x = begin; x < end; ++x) {
    const auto a = static_cast<std::uint64_t>(std::abs(int{band[x]}));
    sum += a * a * a;
  }
  return sum;
}

std::uint64_t cubes(const std::int32_t *band, int level, int row_shift, int begin, int end) {
  std::uint64_t sum = 0;
  const int shift = kCubeShift[level];
  const std::uint64_t half = std::uint64_t{1} << (row_shift - 1);
  for (int x = begin; x < end; ++x) {
    const auto a = static_cast<std::uint64_t>(std::abs(std::int64_t{band[x]}));
    // The rounding term really is a whole unit, not half of one.
    const std::uint64_t square = (a * a + (std::uint64_t{1} << shift)) >> shift;
    sum += (square * a + half) >> row_shift;
  }
  return sum;
}

double as_float(std::int64_t value) {
  return static_cast<double>(static_cast<float>(value));
}

/// Whether the two gradients point the same way within one degree.
bool same_direction(std::int64_t oh, std::int64_t ov, std::int64_t th, std::int64_t tv) {
  const double dot = as_float(oh * th + ov * tv);
  return dot >= 0 &&
         dot * dot >= kCosOneDegreeSquared * as_float(oh * oh + ov * ov) * as_float(th * th + tv * tv);
}

/// How much of the reference coefficient o is found in t: a quotient in Q15, 0..32768.
std::int64_t quotient(std::int64_t o, std::int64_t t) {
  if (o == 0) return 32768;
  auto a = static_cast<std::uint64_t>(std::abs(o));
  int s = 0;
  if (a >= 32768) {
    s = std::bit_width(a) - 15;
    a = (a + (std::uint64_t{1} << (s - 1))) >> s;
  }
  const auto inverse = static_cast<std::int64_t>((std::uint64_t{1} << 30) / a);
  const std::int64_t k = ((o < 0 ? -inverse : inverse) * t + (std::int64_t{1} << (14 + s))) >> (15 + s);
  return std::clamp<std::int64_t>(k, 0, 32768);
}

/// The part of t that restores o, before and after enhancement is let through up to the gain limit.
std::int64_t enhanced(std::int64_t r, std::int64_t k, std::int64_t o, std::int64_t t, bool flag,
                      double limit) {
  if (!flag || k == 0 || o == 0) return r;
  const double gained = static_cast<double>(r) * limit;
  return static_cast<std::int64_t>(o > 0 ? std::min(gained, static_cast<double>(t))
                                         : std::max(gained, static_cast<double>(t)));
}

struct Masked {
  std::int32_t neighbour, centre;
};

Masked masked_0(std::int64_t additive, int band, std::int32_t csf) {
  const auto c = static_cast<std::int16_t>((csf * additive + kCsf0Round[band]) >> kCsf0Shift[band]);
  const int a = std::abs(int{c});
  return {static_cast<std::int16_t>((4369 * a + 2048) >> 12),
          static_cast<std::int16_t>((8738 * a + 2048) >> 12)};
}

Masked masked(std::int64_t additive, std::int64_t csf) {
  const auto c = static_cast<std::int32_t>((csf * additive + (1 << 27)) >> 28);
  const std::int64_t a = std::abs(std::int64_t{c});
  // 2^31 is subtracted, not added: libvmaf keeps the rounding term in 32 signed bits.
  constexpr std::int64_t kRound = std::int64_t{1} << 31;
  return {static_cast<std::int32_t>((143165577 * a - kRound) >> 32),
          static_cast<std::int32_t>((286331153 * a - kRound) >> 32)};
}

template <class T, class Signal, class Mask>
void adm_pixels(const Bands<const T> &reference, const Bands<const T> &distorted, int begin, int end,
                Gains gains, const MaskRow *out, Signal signal, Mask mask) {
  const T *const o[3] = {reference.h, reference.v, reference.d};
  const T *const t[3] = {distorted.h, distorted.v, distorted.d};
  const bool wanted[kGains] = {gains.normal, gains.neg};
  for (int x = begin; x < end; ++x) {
    const bool flag = same_direction(o[0][x], o[1][x], t[0][x], t[1][x]);
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      out[g].neighbour[x] = out[g].centre[x] = 0;
      for (int b = 0; b < 3; ++b) {
        const std::int64_t k = quotient(o[b][x], t[b][x]);
        const std::int64_t r =
            enhanced((k * o[b][x] + 16384) >> 15, k, o[b][x], t[b][x], flag, kGainLimit[g]);
        const Masked m = mask(t[b][x] - r, b);
        out[g].signal[b][x] = signal(r, b);
        out[g].neighbour[x] += m.neighbour;
        out[g].centre[x] += m.centre;
      }
    }
  }
}

void adm_row_0(const Bands<const std::int16_t> &reference, const Bands<const std::int16_t> &distorted,
               int begin, int end, Gains gains, const MaskRow *out) {
  adm_pixels(
      reference, distorted, begin, end, gains, out,
      [](std::int64_t r, int band) { return static_cast<std::int32_t>(std::abs(r * kCsf0[band])); },
      [](std::int64_t additive, int band) { return masked_0(additive, band, kCsf0[band]); });
}

std::int32_t weighted(std::int64_t value, std::int64_t csf) {
  return static_cast<std::int32_t>(
      std::abs(std::int64_t{static_cast<std::int32_t>((csf * value + (1 << 27)) >> 28)}));
}

void adm_row(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
             int level, int begin, int end, Gains gains, const MaskRow *out) {
  const std::int64_t csf[3] = {kCsf[level][0], kCsf[level][0], kCsf[level][1]};
  adm_pixels(
      reference, distorted, begin, end, gains, out,
      [&csf](std::int64_t r, int band) { return weighted(r, csf[band]); },
      [&csf](std::int64_t additive, int band) { return masked(additive, csf[band]); });
}

/// Each band's restored part per gain limit, then `view`'s images of it and of what is left.
template <class T, class Image>
void view_pixels(const Bands<const T> &reference, const Bands<const T> &distorted, int begin, int end,
                 const AdmView *views, int count, const AdmViewRow *out, Image image) {
  const T *const o[3] = {reference.h, reference.v, reference.d};
  const T *const t[3] = {distorted.h, distorted.v, distorted.d};
  for (int x = begin; x < end; ++x) {
    const bool flag = same_direction(o[0][x], o[1][x], t[0][x], t[1][x]);
    for (int i = 0; i < count; ++i) {
      const AdmViewRow &row = out[i];
      for (const MaskRow *made : {&row.restored, &row.additive})
        made->neighbour[x] = made->centre[x] = 0;
      for (int b = 0; b < 3; ++b) {
        const std::int64_t k = quotient(o[b][x], t[b][x]);
        const std::int64_t r =
            enhanced((k * o[b][x] + 16384) >> 15, k, o[b][x], t[b][x], flag, kGainLimit[views[i].gain]);
        image(r, views[i].csf, b, row.restored.signal[b][x], row.additive, x);
        image(t[b][x] - r, views[i].csf, b, row.additive.signal[b][x], row.restored, x);
      }
    }
  }
}

void add_mask(const MaskRow &row, int x, Masked mask) {
  row.neighbour[x] += mask.neighbour;
  row.centre[x] += mask.centre;
}

void adm_views_0(const Bands<const std::int16_t> &reference, const Bands<const std::int16_t> &distorted,
                 int begin, int end, const AdmView *views, int count, const AdmViewRow *out) {
  view_pixels(reference, distorted, begin, end, views, count, out,
              [](std::int64_t value, const CsfFactors &csf, int band, std::int32_t &signal,
                 const MaskRow &masked, int x) {
                signal = static_cast<std::int32_t>(std::abs(value * csf.level0[band]));
                add_mask(masked, x, masked_0(value, band, csf.level0[band]));
              });
}

void adm_views(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
               int level, int begin, int end, const AdmView *views, int count, const AdmViewRow *out) {
  view_pixels(reference, distorted, begin, end, views, count, out,
              [level](std::int64_t value, const CsfFactors &csf, int band, std::int32_t &signal,
                      const MaskRow &row, int x) {
                const std::int64_t factor = csf.levels[level][band / 2];
                signal = weighted(value, factor);
                add_mask(row, x, masked(value, factor));
              });
}

std::int32_t threshold(const MaskRow &row, const std::int32_t *above, const std::int32_t *below, int x) {
  const std::int32_t *mid = row.neighbour;
  return row.centre[x] + mid[x - 1] + mid[x + 1] + above[x - 1] + above[x] + above[x + 1] + below[x - 1] +
         below[x] + below[x + 1];
}

/// Cube of what stands out of the mask, in two roundings.
std::int64_t cube(std::int32_t excess, int square_shift, int row_shift) {
  const std::int64_t x = std::max(excess, 0);
  const std::int64_t square =
      static_cast<std::int32_t>((x * x + (std::int64_t{1} << (square_shift - 1))) >> square_shift);
  return (square * x + (std::int64_t{1} << (row_shift - 1))) >> row_shift;
}

std::int32_t wrapping_excess(std::int32_t signal, std::int32_t mask, int shift) {
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(signal) -
                                   (static_cast<std::uint32_t>(mask) << shift));
}

void adm_mask_0(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
                const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  for (int x = begin; x < end; ++x) {
    const std::int32_t mask = threshold(row, above, below, x);
    for (int b = 0; b < 3; ++b)
      sums[b] +=
          cube(wrapping_excess(row.signal[b][x], mask, kMask0Shift[b]), kSquare0Shift[b], shifts.row[b]);
  }
}

void adm_mask(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
              const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  for (int x = begin; x < end; ++x) {
    const std::int32_t mask = threshold(row, above, below, x);
    for (int b = 0; b < 3; ++b)
      sums[b] += cube(wrapping_excess(row.signal[b][x], mask, 0), 30, shifts.row[b]);
  }
}

} // namespace

void set_adm(Kernels &table) {
  table.dwt_vertical_8 = vertical_8;
  table.dwt_vertical_16 = vertical_16;
  table.dwt_vertical_level1 = vertical_level1;
  table.dwt_vertical_32 = vertical_32;
  table.dwt_horizontal_16 = horizontal_16;
  table.dwt_horizontal_32 = horizontal_32;
  table.adm_cubes_0 = cubes_0;
  table.adm_cubes = cubes;
  table.adm_row_0 = adm_row_0;
  table.adm_row = adm_row;
  table.adm_views_0 = adm_views_0;
  table.adm_views = adm_views;
  table.adm_mask_0 = adm_mask_0;
  table.adm_mask = adm_mask;
}

} // namespace hull::vmaf::scalar
