// VIF's horizontal passes and statistics. pmaddwd at column x gives the sums of columns x, x + 2, …; a second
// one at x + 1 those between. Statistics are per pixel, so the two sets stay apart and are never put back in
// order.

#include "gst/vmaf/kernels/log_table.h"
#include "gst/vmaf/kernels/simd_kernels.h"
#include "gst/vmaf/kernels/vif_simd.h"

#if defined(__x86_64__)

#include <algorithm>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

constexpr int kNoise = 131072;

/// Sums of windows of four rows: those that begin at even columns and those at odd ones.
struct Windows {
  Vec even[kVifRows], odd[kVifRows];
};

HULL_SIMD_INLINE void accumulate(Vec &even, Vec &odd, const std::uint16_t *row, Vec even_taps, Vec odd_taps) {
  const Vec words = loaded(row);
  even = madd_add(even, words, even_taps);
  odd = madd_add(odd, words, odd_taps);
  keep(even);
  keep(odd);
}

// A pair of words is loaded once for both sums, and four rows share a load of taps: loads that cross cache
// lines are what this waits for.
template <int L> HULL_SIMD_INLINE Windows windows(const std::uint16_t *const *rows, int x) {
  const Vec start = top_bit(); // the samples are 32768 too small
  Vec e0 = start, e1 = start, e2 = start, e3 = start, o0 = start, o1 = start, o2 = start, o3 = start;
  const std::uint16_t *const at[4] = {rows[0] + x, rows[1] + x, rows[2] + x, rows[3] + x};
#pragma GCC unroll 9
  for (int p = 0; p <= L / 2; ++p)
#pragma GCC unroll 2
    for (int part = 0; part < TapTable<L>::kParts; ++part) {
      const Vec even = loaded(kTapTable<L>.taps[p][part][0]), odd = loaded(kTapTable<L>.taps[p][part][1]);
      accumulate(e0, o0, at[0] + 2 * p, even, odd);
      accumulate(e1, o1, at[1] + 2 * p, even, odd);
      accumulate(e2, o2, at[2] + 2 * p, even, odd);
      accumulate(e3, o3, at[3] + 2 * p, even, odd);
    }
  return {{e0, e1, e2, e3}, {o0, o1, o2, o3}};
}

// Windows come before the statistics, in loops of their own: with nothing else to hold, the sums stay in
// registers. A block's even columns are followed by its odd ones.

template <int L>
HULL_SIMD [[gnu::noinline]] void mean_rows(const FilteredRow *rows, int from, int width,
                                           std::uint32_t *const *out) {
  const std::uint16_t *const source[4] = {rows[0].mean + from - L / 2, rows[1].mean + from - L / 2,
                                          rows[2].mean + from - L / 2, rows[3].mean + from - L / 2};
  for (int x = 0; x < width; x += kWords) {
    const Windows sums = windows<L>(source, x);
#pragma GCC unroll 4
    for (int r = 0; r < kVifRows; ++r) {
      store(out[r] + x, sums.even[r]);
      store(out[r] + x + kInts, sums.odd[r]);
    }
  }
}

/// One 32-bit number of its filtered halves.
HULL_SIMD_INLINE Vec whole(Vec high, Vec low) {
  return add_32(high, srl_32(add_32(low, set_32(32768)), 16));
}

/// Two rows, high halves and low ones. Blocks whose flag in `wanted` is not set may be left out; null = all
/// are wanted.
template <int L>
HULL_SIMD [[gnu::noinline]] void product_rows(const FilteredRow *rows, int from, int width,
                                              const bool *wanted, std::uint32_t *const *out) {
  const std::uint16_t *const source[4] = {rows[0].high + from - L / 2, rows[0].low + from - L / 2,
                                          rows[1].high + from - L / 2, rows[1].low + from - L / 2};
  for (int x = 0; x < width; x += kWords) {
    if (wanted && !wanted[x / kWords]) continue;
    const Windows sums = windows<L>(source, x);
#pragma GCC unroll 2
    for (int r = 0; r < 2; ++r) {
      store(out[r] + x, whole(sums.even[2 * r], sums.even[2 * r + 1]));
      store(out[r] + x + kInts, whole(sums.odd[2 * r], sums.odd[2 * r + 1]));
    }
  }
}

/// (a * b + 2^31) >> 32 of unsigned lanes.
HULL_SIMD_INLINE Vec mean_product(Vec a, Vec b) {
  const Vec half = set_64(0x80000000);
  const Vec even = add_64(mul_u32(a, b), half);
  const Vec odd = add_64(mul_u32(srl_64(a, 32), srl_64(b, 32)), half);
  return blend_odd(srl_64(even, 32), odd);
}

constexpr int kPart = 128; ///< columns that are scored at once, so that their numbers stay in the first cache

// Logarithms in steps of 1/2048. Exponent and upper fifteen bits m of the mantissa, read as one integer, are
// sixteen logarithms and an error that depends on m alone: 32768 * (log2(1 + m / 32768) - m / 32768). This
// polynomial in m - 16384 is the error and half a step. Its coefficients were fitted, then searched until all
// 32768 logarithms were those of the specification's table, rounded as that was; they hold for these fused
// operations in this order.
constexpr float kLogError[] = {-0x1.230558p-112f, 0x1.e47dfap-97f,  -0x1.52fd8ap-81f,
                               0x1.32e624p-65f,   -0x1.23fba6p-49f, 0x1.23e3ep-33f,
                               -0x1.484a7ep-17f,  -0x1.38f732p-5f,  0x1.5d0216p+11f};

/// A sum of logarithms of what lies at 2^17 or above it, less 17 each. With 16 lanes the polynomial is
/// quicker than a table; with 8 it is not. The table's sums have a loop of their own: behind a division and a
/// store lookups would wait for both.
class LogSum {
 public:
  HULL_SIMD_METHOD LogSum() : sum_(zeros()), rest_(0) {}
  /// A block: what log_bits gives, in the mask's lanes. `indices` takes what look_up() of the part needs.
  HULL_SIMD_METHOD void add(Vec log_bits, Mask mask, std::uint32_t *indices) {
    const Vec bits = where(mask, sub_32(log_bits, set_32((1023 + 17) * 32768)));
    const Vec m = bit_and(bits, set_32(0x7fff));
    if constexpr (kComputed) {
      sum_ = add_32(sum_, srl_32(add_32(bits, error(m)), 4)); // an idle lane's is 0
    } else {
      sum_ = add_32(sum_, srl_32(bits, 4));
      store(indices, m);
    }
  }
  void look_up(const std::uint32_t *indices, int count) {
    if constexpr (!kComputed) {
      const std::uint8_t *table = log_corrections().data();
      std::uint32_t a = 0, b = 0;
      for (int i = 0; i < count; i += 4) {
        a += std::uint32_t{table[indices[i]]} + table[indices[i + 1]];
        b += std::uint32_t{table[indices[i + 2]]} + table[indices[i + 3]];
      }
      rest_ += std::int64_t{a} + b;
    }
  }
  HULL_SIMD_METHOD std::int64_t value() const { return sum_32(sum_) + rest_; }

 private:
  static constexpr bool kComputed = kInts == 16;
  HULL_SIMD_METHOD static Vec error(Vec m) {
    const Floats t = floats(sub_32(m, set_32(16384)));
    Floats sum = set_ps(kLogError[0]);
#pragma GCC unroll 8
    for (int i = 1; i < 9; ++i)
      sum = fused_ps(sum, t, set_ps(kLogError[i]));
    return whole_numbers(sum);
  }
  Vec sum_;
  std::int64_t rest_;
};

/// Lanes of columns first, first + 2, … that lie before the width.
HULL_SIMD_INLINE Mask inside(int first, int width) {
  return gt_32(set_32(width - first), ramp(2));
}

/// `variance` holds the filtered squares and becomes the variance. Blocks with a busy lane, one that is no
/// flat area, go to `out`, the noise added; returns their lanes.
HULL_SIMD_INLINE int variances(int x, int width, const std::uint32_t *mean, std::int32_t *variance,
                               std::int32_t *out, Vec &busy_count) {
  const Vec m = load(mean);
  const Vec s1 = where(inside(x, width), sub_32(load(variance), mean_product(m, m)));
  store(variance, s1);
  store(out, add_32(s1, set_32(kNoise)));
  const Mask busy = gt_32(s1, set_32(kNoise - 1));
  busy_count = counted(busy_count, busy);
  return any(busy) ? kInts : 0;
}

// A block's even columns are followed by its odd ones in mean and variance.
HULL_SIMD void reference_row(int width, const std::uint32_t *mean, std::int32_t *variance, VifSums &sums) {
  alignas(64) std::int32_t totals[kPart + kInts];
  alignas(64) std::uint32_t indices[kPart];
  LogSum logs;
  Vec busy_count = zeros();
  for (int from = 0; from < width; from += kPart) {
    const int part = std::min(kPart, width - from);
    int lanes = 0;
    for (int i = 0, at = from; i < part; i += kWords)
      for (int odd = 0; odd < 2; ++odd, at += kInts)
        lanes += variances(from + i + odd, width, mean + at, variance + at, totals + lanes, busy_count);
    for (int i = 0; i < lanes; i += kInts) {
      const Mask busy = as_logs(gt_32(load(totals + i), set_32(2 * kNoise - 1)));
      logs.add(log_bits(doubles(load_half(totals + i)), doubles(load_half(totals + i + kLongs))), busy,
               indices + i);
    }
    logs.look_up(indices, lanes);
  }
  sums.den_log += logs.value();
  sums.den_flat += width - sum_32(busy_count);
}

template <int L>
HULL_SIMD void reference_rows(const FilteredRow *rows, int count, int width, const VifMoments &moments,
                              VifSums &sums) {
  mean_rows<L>(rows, 0, width, moments.mean);
  for (int r = 0; r < kVifRows; r += 2) {
    std::uint32_t *const squares[2] = {reinterpret_cast<std::uint32_t *>(moments.variance[r]),
                                       reinterpret_cast<std::uint32_t *>(moments.variance[r + 1])};
    product_rows<L>(rows + r, 0, width, nullptr, squares);
  }
  for (int r = 0; r < count; ++r)
    reference_row(width, moments.mean[r], moments.variance[r], sums);
}

struct PairSums {
  LogSum before, after[kGains];
  Vec flat;
  HULL_SIMD_METHOD PairSums() : flat(zeros()) {}
};

/// trunc(min(g, limit)^2 * s1) + n1 for one gain limit, as far as its logarithm needs it.
HULL_SIMD_INLINE Doubles passed(Doubles gain, double limit, Doubles s1, Doubles n1) {
  const Doubles g = min_pd(gain, set_pd(limit));
  return add_truncated(mul_pd(mul_pd(g, g), s1), n1);
}

struct PairTerms {
  Doubles s1, gain, n1;
};

HULL_SIMD_INLINE PairTerms terms(Doubles s1, Doubles s2, Doubles s12) {
  const Doubles gain = div_pd(s12, add_pd(s1, set_pd(65536 * 1e-10)));
  const Doubles residual = max_pd(truncated(sub_pd(s2, mul_pd(gain, s12))), set_pd(0));
  return {s1, gain, add_pd(residual, set_pd(kNoise))};
}

/// Filtered rows of the distorted picture, a part of four rows at a time.
struct PairRows {
  alignas(64) std::uint32_t mean[kVifRows][kPart], square[kVifRows][kPart], cross[kVifRows][kPart];
};

/// What is left of a part of a row: blocks in which something gets through.
struct Survivors {
  alignas(64) std::int32_t s1[kPart + kInts], s2[kPart + kInts], s12[kPart + kInts];
  alignas(64) std::uint32_t before[kPart], after[kGains][kPart];
};

/// Variances and covariances of a block; the number of its lanes, or 0 where nothing gets through. s12 of an
/// idle lane becomes 0.
HULL_SIMD_INLINE int survivors(const PairRows &rows, int r, int at, Mask within, const std::uint32_t *mean,
                               const std::int32_t *variance, int count, Survivors &out, Vec &flat_sum) {
  const Vec zero = zeros();
  const Vec m1 = load(mean), s1 = load(variance), m2 = load(rows.mean[r] + at);
  const Vec s2 = max_32(sub_32(load(rows.square[r] + at), mean_product(m2, m2)), zero);
  const Mask busy = gt_32(s1, set_32(kNoise - 1));
  if (const Mask flat = without(within, busy); any(flat)) {
    const Vec sum = where(flat, s2);
    flat_sum = add_64(flat_sum, add_64(srl_64(sum, 32), bit_and(sum, set_64(0xffffffff))));
  }
  const Vec s12 = sub_32(load(rows.cross[r] + at), mean_product(m1, m2));
  const Mask active = both(busy, gt_32(min_32(s12, s2), zero));
  store(out.s1 + count, s1);
  store(out.s2 + count, s2);
  store(out.s12 + count, where(active, s12));
  return any(active) ? kInts : 0;
}

/// The gain limits of a kernel: both, or one alone.
enum class Limits { normal, neg, both };

HULL_SIMD_INLINE PairTerms half_terms(const Survivors &from, int at) {
  return terms(doubles(load_half(from.s1 + at)), doubles(load_half(from.s2 + at)),
               doubles(load_half(from.s12 + at)));
}

/// What one gain limit lets through.
HULL_SIMD_INLINE Vec through(const PairTerms &low, const PairTerms &high, double limit) {
  return log_bits(passed(low.gain, limit, low.s1, low.n1), passed(high.gain, limit, high.s1, high.n1));
}

template <Limits limits> HULL_SIMD_INLINE void pair_block(Survivors &from, int at, PairSums &sums) {
  const Mask mask = as_logs(gt_32(load(from.s12 + at), zeros()));
  const PairTerms low = half_terms(from, at), high = half_terms(from, at + kLongs);
  sums.before.add(log_bits(low.n1, high.n1), mask, from.before + at);
  if constexpr (limits != Limits::neg)
    sums.after[0].add(through(low, high, kGainLimit[0]), mask, from.after[0] + at);
  if constexpr (limits != Limits::normal)
    sums.after[1].add(through(low, high, kGainLimit[1]), mask, from.after[1] + at);
}

template <Limits limits>
HULL_SIMD void pair_part(const PairRows &rows, int count, int from, int part, int width,
                         const VifMoments &reference, PairSums &sums) {
  Survivors left;
  PairSums local = sums;
  for (int r = 0; r < count; ++r) {
    int lanes = 0;
    for (int i = 0, at = 0; i < part; i += kWords)
      for (int odd = 0; odd < 2; ++odd, at += kInts)
        lanes += survivors(rows, r, at, inside(from + i + odd, width), reference.mean[r] + from + at,
                           reference.variance[r] + from + at, lanes, left, local.flat);
    for (int at = 0; at < lanes; at += kInts)
      pair_block<limits>(left, at, local);
    local.before.look_up(left.before, lanes);
    if constexpr (limits != Limits::neg) local.after[0].look_up(left.after[0], lanes);
    if constexpr (limits != Limits::normal) local.after[1].look_up(left.after[1], lanes);
  }
  sums = local;
}

/// Which blocks of a part are not flat all over in the reference; of the others no covariance is needed.
HULL_SIMD void find_busy(const VifMoments &reference, int count, int from, int part, bool *wanted) {
  for (int x = 0; x < part; x += kWords) {
    Vec most = zeros();
    for (int r = 0; r < count; ++r)
      most = max_32(most, max_32(load(reference.variance[r] + from + x),
                                 load(reference.variance[r] + from + x + kInts)));
    wanted[x / kWords] = any(gt_32(most, set_32(kNoise - 1)));
  }
}

template <int L>
HULL_SIMD void pair_rows(const FilteredRow *distorted, const FilteredRow *cross, int count, int width,
                         const VifMoments &reference, Gains gains, VifSums &sums) {
  PairSums local;
  PairRows rows;
  for (int i = 0; i < kVifRows * kPart; i += kInts) // what is left out is read, though it does not count
    store(&rows.cross[0][0] + i, zeros());
  std::uint32_t *const means[4] = {rows.mean[0], rows.mean[1], rows.mean[2], rows.mean[3]};
  for (int from = 0; from < width; from += kPart) {
    const int part = std::min(kPart, width - from);
    bool wanted[kPart / kWords];
    find_busy(reference, count, from, part, wanted);
    mean_rows<L>(distorted, from, part, means);
    for (int r = 0; r < kVifRows; r += 2) {
      std::uint32_t *const squares[2] = {rows.square[r], rows.square[r + 1]}, *const products[2] = {
                                                                                  rows.cross[r],
                                                                                  rows.cross[r + 1]};
      product_rows<L>(distorted + r, from, part, nullptr, squares);
      product_rows<L>(cross + r, from, part, wanted, products);
    }
    if (!gains.neg)
      pair_part<Limits::normal>(rows, count, from, part, width, reference, local);
    else if (!gains.normal)
      pair_part<Limits::neg>(rows, count, from, part, width, reference, local);
    else
      pair_part<Limits::both>(rows, count, from, part, width, reference, local);
  }
  for (int g = 0; g < kGains; ++g)
    if (g ? gains.neg : gains.normal) sums.num_log[g] += local.after[g].value() - local.before.value();
  sums.num_flat += sum_64(local.flat);
}

void reference(const FilteredRow *rows, int count, const Filter &filter, int width, const VifMoments &moments,
               VifSums &sums) {
  by_length(filter, reference_rows<17>, reference_rows<9>, reference_rows<5>,
            reference_rows<3>)(rows, count, width, moments, sums);
}

void pair(const FilteredRow *distorted, const FilteredRow *cross, int count, const Filter &filter, int width,
          const VifMoments &reference, Gains gains, VifSums &sums) {
  by_length(filter, pair_rows<17>, pair_rows<9>, pair_rows<5>, pair_rows<3>)(distorted, cross, count, width,
                                                                             reference, gains, sums);
}

/// Sums of the windows at even columns of one row.
template <int L> HULL_SIMD_INLINE Vec even_windows(const std::uint16_t *row) {
  Vec sum = top_bit();
#pragma GCC unroll 9
  for (int p = 0; p <= L / 2; ++p)
#pragma GCC unroll 2
    for (int part = 0; part < TapTable<L>::kParts; ++part) {
      sum = madd_add(sum, load(row + 2 * p), load(kTapTable<L>.taps[p][part][0]));
      keep(sum);
    }
  return sum;
}

template <int L> HULL_SIMD void halve_row(const std::uint16_t *row, int out_width, std::uint16_t *out) {
  const Vec half = set_32(32768);
  for (int x = 0; x < out_width; x += kWords) {
    const Vec a = srl_32(add_32(even_windows<L>(row + 2 * x - L / 2), half), 16);
    const Vec b = srl_32(add_32(even_windows<L>(row + 2 * x + kWords - L / 2), half), 16);
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
