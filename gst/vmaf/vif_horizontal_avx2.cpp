// VIF's horizontal passes and statistics. pmaddwd at column x gives the sums of columns x, x + 2, …; a second
// one at x + 1 those between. Statistics are per pixel, so the two sets stay apart and are never put back in
// order.

#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/log_table.h"
#include "gst/vmaf/vif_avx2.h"

#if defined(__x86_64__)

#include <algorithm>

namespace hull::vmaf::avx2 {
namespace {

constexpr int kNoise = 131072;
using Doubles = __m256d;

template <int L, int K> HULL_AVX2_INLINE Vec add_windows(const std::uint16_t *row, Vec sum) {
  if constexpr (K < L) {
    sum = _mm256_add_epi32(sum, _mm256_madd_epi16(load(row + K), tap_pair(tap<L>(K), tap<L>(K + 1))));
    return add_windows<L, K + 2>(row, sum);
  }
  return sum;
}

/// Sum of eight windows that begin at row, row + 2, …
template <int L> HULL_AVX2_INLINE Vec windows(const std::uint16_t *row) {
  const Vec start = _mm256_set1_epi32(static_cast<int>(0x80000000u)); // the samples are 32768 too small
  if constexpr (L == 3) // the middle tap is split in two halves that fit
    return _mm256_add_epi32(_mm256_add_epi32(start, _mm256_madd_epi16(load(row), tap_pair(10904, 21864))),
                            _mm256_madd_epi16(load(row + 1), tap_pair(21864, 10904)));
  else
    return add_windows<L, 0>(row, start);
}

// Windows come before the statistics, in loops of their own: with nothing else to hold, the taps stay in
// registers. A block's eight even columns are followed by its odd ones.

template <int L>
HULL_AVX2 [[gnu::noinline]] void mean_row(const std::uint16_t *row, int width, std::uint32_t *out) {
  row -= L / 2;
  for (int x = 0; x < width; x += kLanes) {
    store(out + x, windows<L>(row + x));
    store(out + x + 8, windows<L>(row + x + 1));
  }
}

template <int L>
HULL_AVX2 [[gnu::noinline]] void product_row(const std::uint16_t *high, const std::uint16_t *low, int width,
                                             std::uint32_t *out) {
  const Vec half = _mm256_set1_epi32(32768);
  high -= L / 2;
  low -= L / 2;
  for (int x = 0; x < width; x += kLanes)
    for (int odd = 0; odd < 2; ++odd) {
      const Vec carry = _mm256_srli_epi32(_mm256_add_epi32(windows<L>(low + x + odd), half), 16);
      store(out + x + 8 * odd, _mm256_add_epi32(windows<L>(high + x + odd), carry));
    }
}

/// (a * b + 2^31) >> 32 of unsigned lanes.
HULL_AVX2_INLINE Vec mean_product(Vec a, Vec b) {
  const Vec half = _mm256_set1_epi64x(0x80000000);
  const Vec even = _mm256_add_epi64(_mm256_mul_epu32(a, b), half);
  const Vec odd =
      _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
}

HULL_AVX2_INLINE Doubles low_doubles(Vec v) {
  return _mm256_cvtepi32_pd(_mm256_castsi256_si128(v));
}
HULL_AVX2_INLINE Doubles high_doubles(Vec v) {
  return _mm256_cvtepi32_pd(_mm256_extracti128_si256(v, 1));
}

/// Exponent and upper fifteen bits of the mantissa of eight whole numbers below 2^53: all that the logarithm
/// needs. Lanes come out in the order 0 1 4 5 2 3 6 7, as from every call.
HULL_AVX2_INLINE Vec log_bits(Doubles low, Doubles high) {
  const Vec a = _mm256_srli_epi64(_mm256_castpd_si256(low), 37),
            b = _mm256_srli_epi64(_mm256_castpd_si256(high), 37);
  return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
}

/// Sums of logarithms. The table's share is looked up lane by lane on the integer units: a gather takes
/// longer than the eight loads, and only the sum is wanted. Entry 0 of the table is zero, so masked lanes add
/// nothing.
struct LogSum {
  std::int64_t table_sum = 0;
  Vec exponents;
  HULL_AVX2 LogSum() : exponents(_mm256_setzero_si256()) {}
  HULL_AVX2 std::int64_t total() const { return table_sum + 2048 * sum_32(exponents); }
};

struct LogIndex {
  alignas(32) std::uint32_t at[8];
};

HULL_AVX2_INLINE LogIndex log_index(Vec bits, Vec mask) {
  LogIndex index;
  const Vec entry =
      _mm256_or_si256(_mm256_and_si256(bits, _mm256_set1_epi32(0x7fff)), _mm256_set1_epi32(0x8000));
  _mm256_store_si256(reinterpret_cast<__m256i *>(index.at), _mm256_and_si256(entry, mask));
  return index;
}

HULL_AVX2_INLINE std::int64_t looked_up(const LogIndex &index, const std::uint16_t *table) {
  // Volatile, or the compiler takes the lanes out of the register one by one, at twice the price of a load.
  const volatile std::uint32_t *at = index.at;
  const std::uint32_t a = table[at[0]] + table[at[1]], b = table[at[2]] + table[at[3]];
  const std::uint32_t c = table[at[4]] + table[at[5]], d = table[at[6]] + table[at[7]];
  return (a + b) + (c + d);
}

HULL_AVX2_INLINE Vec exponent(Vec bits) {
  return _mm256_srli_epi32(bits, 15);
}

/// The order of log_bits, for masks.
HULL_AVX2_INLINE Vec as_logs(Vec v) {
  return _mm256_permute4x64_epi64(v, 0xd8);
}

/// Lanes of columns first, first + 2, … that lie before the width.
HULL_AVX2_INLINE Vec inside(int first, int width) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(width - first), _mm256_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14));
}

struct ReferenceSums {
  LogSum log;
  Vec count;
};

/// `variance` holds the filtered squares and becomes the variance.
HULL_AVX2_INLINE void reference_block(int x, int width, const std::uint32_t *mean, std::int32_t *variance,
                                      const std::uint16_t *table, ReferenceSums &sums) {
  const Vec m = load(mean);
  const Vec s1 = _mm256_and_si256(_mm256_sub_epi32(load(variance), mean_product(m, m)), inside(x, width));
  store(variance, s1);
  const Vec busy = _mm256_cmpgt_epi32(s1, _mm256_set1_epi32(kNoise - 1));
  if (_mm256_testz_si256(busy, busy)) return;
  const Vec total = _mm256_add_epi32(s1, _mm256_set1_epi32(kNoise));
  const Vec bits = log_bits(low_doubles(total), high_doubles(total)), mask = as_logs(busy);
  sums.log.table_sum += looked_up(log_index(bits, mask), table);
  sums.log.exponents = _mm256_add_epi32(
      sums.log.exponents,
      _mm256_and_si256(_mm256_sub_epi32(exponent(bits), _mm256_set1_epi32(1023 + 15 + 17)), mask));
  sums.count = _mm256_sub_epi32(sums.count, busy);
}

// A block's even columns are followed by its odd ones in mean and variance.
template <int L>
HULL_AVX2 void reference_row(const FilteredRow &row, int width, std::uint32_t *mean, std::int32_t *variance,
                             VifSums &sums) {
  const std::uint16_t *table = log_table().data();
  ReferenceSums local{{}, _mm256_setzero_si256()};
  mean_row<L>(row.mean, width, mean);
  product_row<L>(row.high, row.low, width, reinterpret_cast<std::uint32_t *>(variance));
  for (int x = 0; x < width; x += kLanes) {
    reference_block(x, width, mean + x, variance + x, table, local);
    reference_block(x + 1, width, mean + x + 8, variance + x + 8, table, local);
  }
  sums.den_log += local.log.total();
  sums.den_flat += width - sum_32(local.count);
}

struct PairSums {
  LogSum log[kGains];
  Vec flat;
};

HULL_AVX2_INLINE Doubles truncated(Doubles v) {
  return _mm256_round_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}

/// trunc(min(g, limit)^2 * s1) + n1 for one gain limit.
HULL_AVX2_INLINE Doubles passed(Doubles gain, double limit, Doubles s1, Doubles n1) {
  const Doubles g = _mm256_min_pd(gain, _mm256_set1_pd(limit));
  return _mm256_add_pd(truncated(_mm256_mul_pd(_mm256_mul_pd(g, g), s1)), n1);
}

struct PairTerms {
  Doubles s1, gain, n1;
};

HULL_AVX2_INLINE PairTerms terms(Doubles s1, Doubles s2, Doubles s12) {
  const Doubles gain = _mm256_div_pd(s12, _mm256_add_pd(s1, _mm256_set1_pd(65536 * 1e-10)));
  const Doubles residual =
      _mm256_max_pd(truncated(_mm256_sub_pd(s2, _mm256_mul_pd(gain, s12))), _mm256_setzero_pd());
  return {s1, gain, _mm256_add_pd(residual, _mm256_set1_pd(kNoise))};
}

/// Filtered rows of the distorted picture, a part of a row at a time so that they stay in the first cache.
struct PairRows {
  static constexpr int kWidth = 512;
  std::uint32_t mean[kWidth + kLanes], square[kWidth + kLanes], cross[kWidth + kLanes];
};

HULL_AVX2_INLINE void pair_block(const PairRows &rows, int at, int x, int width, const std::uint32_t *mean,
                                 const std::int32_t *variance, Gains gains, const std::uint16_t *table,
                                 PairSums &sums) {
  const Vec zero = _mm256_setzero_si256();
  const Vec m1 = load(mean), s1 = load(variance), m2 = load(rows.mean + at);
  const Vec y = _mm256_sub_epi32(load(rows.square + at), mean_product(m2, m2));
  const Vec s2 = _mm256_and_si256(_mm256_max_epi32(y, zero), inside(x, width));
  const Vec busy = _mm256_cmpgt_epi32(s1, _mm256_set1_epi32(kNoise - 1));
  const Vec flat = _mm256_andnot_si256(busy, s2);
  sums.flat =
      _mm256_add_epi64(sums.flat, _mm256_add_epi64(_mm256_srli_epi64(flat, 32),
                                                   _mm256_and_si256(flat, _mm256_set1_epi64x(0xffffffff))));
  if (_mm256_testz_si256(busy, busy)) return;
  const Vec s12 = _mm256_sub_epi32(load(rows.cross + at), mean_product(m1, m2));
  const Vec active =
      _mm256_and_si256(busy, _mm256_and_si256(_mm256_cmpgt_epi32(s12, zero), _mm256_cmpgt_epi32(s2, zero)));
  if (_mm256_testz_si256(active, active)) return;
  const PairTerms low = terms(low_doubles(s1), low_doubles(s2), low_doubles(s12));
  const PairTerms high = terms(high_doubles(s1), high_doubles(s2), high_doubles(s12));
  const Vec before = log_bits(low.n1, high.n1), mask = as_logs(active);
  const std::int64_t before_sum = looked_up(log_index(before, mask), table);
  const bool wanted[kGains] = {gains.normal, gains.neg};
#pragma GCC unroll 2
  for (int g = 0; g < kGains; ++g) {
    if (!wanted[g]) continue;
    const Vec after = log_bits(passed(low.gain, kGainLimit[g], low.s1, low.n1),
                               passed(high.gain, kGainLimit[g], high.s1, high.n1));
    sums.log[g].table_sum += looked_up(log_index(after, mask), table) - before_sum;
    sums.log[g].exponents = _mm256_add_epi32(
        sums.log[g].exponents, _mm256_and_si256(_mm256_sub_epi32(exponent(after), exponent(before)), mask));
  }
}

template <int L>
HULL_AVX2 void pair_row(const FilteredRow &distorted, const FilteredRow &cross, int width,
                        const std::uint32_t *mean, const std::int32_t *variance, Gains gains, VifSums &sums) {
  const std::uint16_t *table = log_table().data();
  const Vec zero = _mm256_setzero_si256();
  PairSums local{{}, zero};
  PairRows rows;
  for (int from = 0; from < width; from += PairRows::kWidth) {
    const int part = std::min(PairRows::kWidth, width - from);
    mean_row<L>(distorted.mean + from, part, rows.mean);
    product_row<L>(distorted.high + from, distorted.low + from, part, rows.square);
    product_row<L>(cross.high + from, cross.low + from, part, rows.cross);
    for (int i = 0; i < part; i += kLanes) {
      const int x = from + i;
      pair_block(rows, i, x, width, mean + x, variance + x, gains, table, local);
      pair_block(rows, i + 8, x + 1, width, mean + x + 8, variance + x + 8, gains, table, local);
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

template <int L> HULL_AVX2 void halve_row(const std::uint16_t *row, int out_width, std::uint16_t *out) {
  const Vec half = _mm256_set1_epi32(32768);
  for (int x = 0; x < out_width; x += kLanes) {
    const Vec a = _mm256_srli_epi32(_mm256_add_epi32(windows<L>(row + 2 * x - L / 2), half), 16);
    const Vec b = _mm256_srli_epi32(_mm256_add_epi32(windows<L>(row + 2 * x + kLanes - L / 2), half), 16);
    store(out + x, _mm256_permute4x64_epi64(_mm256_packus_epi32(a, b), 0xd8));
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

} // namespace hull::vmaf::avx2
#endif
