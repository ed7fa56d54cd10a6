// VIF's horizontal passes and statistics. pmaddwd at column x gives the sums of columns x, x + 2, …; a second
// one at x + 1 those between. Statistics are per pixel, so the two sets stay apart and are never put back in
// order.

#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/log_table.h"
#include "gst/vmaf/vif_simd.h"

#if defined(__x86_64__)

#include <algorithm>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

constexpr int kNoise = 131072;

template <int L, int K> HULL_SIMD_INLINE Vec add_windows(const std::uint16_t *row, Vec sum) {
  if constexpr (K < L) {
    sum = madd_add(sum, load(row + K), tap_pair(tap<L>(K), tap<L>(K + 1)));
    keep(sum);
    return add_windows<L, K + 2>(row, sum);
  }
  return sum;
}

/// Sum of windows that begin at row, row + 2, …
template <int L> HULL_SIMD_INLINE Vec windows(const std::uint16_t *row) {
  const Vec start = set_32(static_cast<int>(0x80000000u)); // the samples are 32768 too small
  if constexpr (L == 3)
    return madd_add(madd_add(start, load(row), tap_pair(tap<3>(0), tap<3>(1))), load(row + 1),
                    tap_pair(tap<3>(2), tap<3>(3)));
  else
    return add_windows<L, 0>(row, start);
}

// Windows come before the statistics, in loops of their own: with nothing else to hold, the taps stay in
// registers. A block's even columns are followed by its odd ones.

template <int L>
HULL_SIMD [[gnu::noinline]] void mean_row(const std::uint16_t *row, int width, std::uint32_t *out) {
  row -= L / 2;
  for (int x = 0; x < width; x += kWords) {
    store(out + x, windows<L>(row + x));
    store(out + x + kInts, windows<L>(row + x + 1));
  }
}

template <int L>
HULL_SIMD [[gnu::noinline]] void product_row(const std::uint16_t *high, const std::uint16_t *low, int width,
                                             std::uint32_t *out) {
  const Vec half = set_32(32768);
  high -= L / 2;
  low -= L / 2;
  for (int x = 0; x < width; x += kWords)
    for (int odd = 0; odd < 2; ++odd) {
      const Vec carry = srl_32(add_32(windows<L>(low + x + odd), half), 16);
      store(out + x + kInts * odd, add_32(windows<L>(high + x + odd), carry));
    }
}

/// (a * b + 2^31) >> 32 of unsigned lanes.
HULL_SIMD_INLINE Vec mean_product(Vec a, Vec b) {
  const Vec half = set_64(0x80000000);
  const Vec even = add_64(mul_u32(a, b), half);
  const Vec odd = add_64(mul_u32(srl_64(a, 32), srl_64(b, 32)), half);
  return blend_odd(srl_64(even, 32), odd);
}

/// Sums of logarithms in steps of 1/2048. Exponent and mantissa of a number, read as one integer, are already
/// its logarithm up to a correction below 256: that alone is looked up, lane by lane on the integer units,
/// for a gather takes longer than the loads and only the sum is wanted. Correction 0 is zero, so masked lanes
/// add nothing.
struct LogSum {
  std::int64_t corrections = 0;
  Vec straight;
  HULL_SIMD LogSum() : straight(zeros()) {}
  HULL_SIMD std::int64_t total() const { return corrections + sum_32(straight); }
};

struct LogIndex {
  alignas(64) std::uint32_t at[kInts];
};

HULL_SIMD_INLINE LogIndex log_index(Vec bits, Mask mask) {
  LogIndex index;
  store(index.at, where(mask, bit_and(bits, set_32(0x7fff))));
  return index;
}

HULL_SIMD_INLINE std::int64_t looked_up(const LogIndex &index, const std::uint8_t *table) {
  // Volatile, or the compiler takes the lanes out of the register one by one, at twice the price of a load.
  const volatile std::uint32_t *at = index.at;
  std::uint32_t sum = 0;
#pragma GCC unroll 4
  for (int i = 0; i < kInts; i += 4)
    sum += (static_cast<std::uint32_t>(table[at[i]]) + table[at[i + 1]]) +
           (static_cast<std::uint32_t>(table[at[i + 2]]) + table[at[i + 3]]);
  return sum;
}

HULL_SIMD_INLINE Vec straight(Vec bits) {
  return srl_32(bits, 4);
}

/// Lanes of columns first, first + 2, … that lie before the width.
HULL_SIMD_INLINE Mask inside(int first, int width) {
  return gt_32(set_32(width - first), ramp(2));
}

struct ReferenceSums {
  LogSum log;
  Vec count;
};

/// `variance` holds the filtered squares and becomes the variance.
HULL_SIMD_INLINE void reference_block(int x, int width, const std::uint32_t *mean, std::int32_t *variance,
                                      const std::uint8_t *table, ReferenceSums &sums) {
  const Vec m = load(mean);
  const Vec s1 = where(inside(x, width), sub_32(load(variance), mean_product(m, m)));
  store(variance, s1);
  const Mask busy = gt_32(s1, set_32(kNoise - 1));
  if (!any(busy)) return;
  const Vec total = add_32(s1, set_32(kNoise));
  const Vec bits = log_bits(low_doubles(total), high_doubles(total));
  const Mask mask = as_logs(busy);
  sums.log.corrections += looked_up(log_index(bits, mask), table);
  sums.log.straight =
      add_32(sums.log.straight, where(mask, sub_32(straight(bits), set_32((1023 + 17) * 2048))));
  sums.count = counted(sums.count, busy);
}

// A block's even columns are followed by its odd ones in mean and variance.
template <int L>
HULL_SIMD void reference_row(const FilteredRow &row, int width, std::uint32_t *mean, std::int32_t *variance,
                             VifSums &sums) {
  const std::uint8_t *table = log_corrections().data();
  ReferenceSums local{{}, zeros()};
  mean_row<L>(row.mean, width, mean);
  product_row<L>(row.high, row.low, width, reinterpret_cast<std::uint32_t *>(variance));
  for (int x = 0; x < width; x += kWords) {
    reference_block(x, width, mean + x, variance + x, table, local);
    reference_block(x + 1, width, mean + x + kInts, variance + x + kInts, table, local);
  }
  sums.den_log += local.log.total();
  sums.den_flat += width - sum_32(local.count);
}

struct PairSums {
  LogSum log[kGains];
  Vec flat;
};

/// trunc(min(g, limit)^2 * s1) + n1 for one gain limit.
HULL_SIMD_INLINE Doubles passed(Doubles gain, double limit, Doubles s1, Doubles n1) {
  const Doubles g = min_pd(gain, set_pd(limit));
  return add_pd(truncated(mul_pd(mul_pd(g, g), s1)), n1);
}

HULL_SIMD_INLINE Mask64 above_one(Doubles gain) {
  return without(ge_pd(gain, set_pd(1)), ge_pd(set_pd(1), gain));
}

struct PairTerms {
  Doubles s1, gain, n1;
};

HULL_SIMD_INLINE PairTerms terms(Doubles s1, Doubles s2, Doubles s12) {
  const Doubles gain = div_pd(s12, add_pd(s1, set_pd(65536 * 1e-10)));
  const Doubles residual = max_pd(truncated(sub_pd(s2, mul_pd(gain, s12))), set_pd(0));
  return {s1, gain, add_pd(residual, set_pd(kNoise))};
}

/// Filtered rows of the distorted picture, a part of a row at a time so that they stay in the first cache.
struct PairRows {
  static constexpr int kWidth = 512;
  std::uint32_t mean[kWidth + kWords], square[kWidth + kWords], cross[kWidth + kWords];
};

HULL_SIMD_INLINE void pair_block(const PairRows &rows, int at, int x, int width, const std::uint32_t *mean,
                                 const std::int32_t *variance, Gains gains, const std::uint8_t *table,
                                 PairSums &sums) {
  const Vec zero = zeros();
  const Vec m1 = load(mean), s1 = load(variance), m2 = load(rows.mean + at);
  const Vec y = sub_32(load(rows.square + at), mean_product(m2, m2));
  const Vec s2 = where(inside(x, width), max_32(y, zero));
  const Mask busy = gt_32(s1, set_32(kNoise - 1));
  const Vec flat = outside(busy, s2);
  sums.flat = add_64(sums.flat, add_64(srl_64(flat, 32), bit_and(flat, set_64(0xffffffff))));
  if (!any(busy)) return;
  const Vec s12 = sub_32(load(rows.cross + at), mean_product(m1, m2));
  const Mask active = both(busy, both(gt_32(s12, zero), gt_32(s2, zero)));
  if (!any(active)) return;
  const PairTerms low = terms(low_doubles(s1), low_doubles(s2), low_doubles(s12));
  const PairTerms high = terms(high_doubles(s1), high_doubles(s2), high_doubles(s12));
  const Vec before = log_bits(low.n1, high.n1);
  const Mask mask = as_logs(active);
  const std::int64_t before_sum = looked_up(log_index(before, mask), table);
  // Up to a gain of one both limits come to the same.
  const bool alike = !any(both(active, join(above_one(low.gain), above_one(high.gain))));
  std::int64_t corrections = 0;
  Vec change = zeros();
#pragma GCC unroll 2
  for (int g = 0; g < kGains; ++g) {
    if (!(g ? gains.neg : gains.normal)) continue;
    if (g == 0 || !gains.normal || !alike) {
      const Vec after = log_bits(passed(low.gain, kGainLimit[g], low.s1, low.n1),
                                 passed(high.gain, kGainLimit[g], high.s1, high.n1));
      corrections = looked_up(log_index(after, mask), table) - before_sum;
      change = where(mask, sub_32(straight(after), straight(before)));
    }
    sums.log[g].corrections += corrections;
    sums.log[g].straight = add_32(sums.log[g].straight, change);
  }
}

template <int L>
HULL_SIMD void pair_row(const FilteredRow &distorted, const FilteredRow &cross, int width,
                        const std::uint32_t *mean, const std::int32_t *variance, Gains gains, VifSums &sums) {
  const std::uint8_t *table = log_corrections().data();
  const Vec zero = zeros();
  PairSums local{{}, zero};
  PairRows rows;
  for (int from = 0; from < width; from += PairRows::kWidth) {
    const int part = std::min(PairRows::kWidth, width - from);
    mean_row<L>(distorted.mean + from, part, rows.mean);
    product_row<L>(distorted.high + from, distorted.low + from, part, rows.square);
    product_row<L>(cross.high + from, cross.low + from, part, rows.cross);
    for (int i = 0; i < part; i += kWords) {
      const int x = from + i;
      pair_block(rows, i, x, width, mean + x, variance + x, gains, table, local);
      pair_block(rows, i + kInts, x + 1, width, mean + x + kInts, variance + x + kInts, gains, table, local);
    }
  }
  for (int g = 0; g < kGains; ++g)
    sums.num_log[g] += local.log[g].total();
  sums.num_flat += sum_64(local.flat);
}

void reference(const FilteredRow &row, const Filter &filter, int width, std::uint32_t *mean,
               std::int32_t *variance, VifSums &sums) {
  by_length(filter, reference_row<17>, reference_row<9>, reference_row<5>, reference_row<3>)(row, width, mean,
                                                                                             variance, sums);
}

void pair(const FilteredRow &distorted, const FilteredRow &cross, const Filter &filter, int width,
          const std::uint32_t *mean, const std::int32_t *variance, Gains gains, VifSums &sums) {
  by_length(filter, pair_row<17>, pair_row<9>, pair_row<5>, pair_row<3>)(distorted, cross, width, mean,
                                                                         variance, gains, sums);
}

template <int L> HULL_SIMD void halve_row(const std::uint16_t *row, int out_width, std::uint16_t *out) {
  const Vec half = set_32(32768);
  for (int x = 0; x < out_width; x += kWords) {
    const Vec a = srl_32(add_32(windows<L>(row + 2 * x - L / 2), half), 16);
    const Vec b = srl_32(add_32(windows<L>(row + 2 * x + kWords - L / 2), half), 16);
    store(out + x, in_order(packus(a, b)));
  }
}

void halve(const std::uint16_t *row, const Filter &filter, int out_width, std::uint16_t *out) {
  by_length(filter, halve_row<17>, halve_row<9>, halve_row<5>, halve_row<3>)(row, out_width, out);
}

} // namespace

void set_vif_horizontal(Kernels &table) {
  table.vif_reference = reference;
  table.vif_pair = pair;
  table.halve = halve;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
