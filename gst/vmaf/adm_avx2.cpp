// ADM's masking and decoupling. Level 0 fits 32-bit lanes; the levels below work on four 64-bit lanes whose
// low halves hold the numbers.

#include "gst/vmaf/adm_avx2.h"

#include "gst/vmaf/adm_constants.h"
#include "gst/vmaf/kernels_simd.h"

#if defined(__x86_64__)

namespace hull::vmaf::avx2 {
namespace {

using Doubles = __m256d;

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

HULL_AVX2_INLINE Vec words(const std::int16_t *at) {
  return _mm256_cvtepi16_epi32(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at)));
}

/// Products of 32-bit lanes, shifted right by 15 with rounding; the result fits 32 bits.
HULL_AVX2_INLINE Vec product_q15(Vec a, Vec b) {
  const Vec half = _mm256_set1_epi64x(1 << 14);
  const Vec even = _mm256_add_epi64(_mm256_mul_epu32(a, b), half);
  const Vec odd =
      _mm256_add_epi64(_mm256_mul_epu32(_mm256_srli_epi64(a, 32), _mm256_srli_epi64(b, 32)), half);
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 15), _mm256_slli_epi64(odd, 17), 0xaa);
}

// --- level 0: eight 32-bit lanes ---

HULL_AVX2_INLINE Doubles aligned_half(__m128 dot, __m128 om, __m128 tm) {
  const Doubles d = _mm256_cvtps_pd(dot);
  const Doubles bound = _mm256_mul_pd(
      _mm256_mul_pd(_mm256_set1_pd(kCosOneDegreeSquared), _mm256_cvtps_pd(om)), _mm256_cvtps_pd(tm));
  return _mm256_cmp_pd(_mm256_mul_pd(d, d), bound, _CMP_GE_OQ);
}

/// All ones where both gradients point the same way within one degree.
HULL_AVX2_INLINE Vec aligned(Vec oh, Vec ov, Vec th, Vec tv) {
  const Vec dot = _mm256_add_epi32(_mm256_mullo_epi32(oh, th), _mm256_mullo_epi32(ov, tv));
  const __m256 d = _mm256_cvtepi32_ps(dot);
  const __m256 om =
      _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_mullo_epi32(oh, oh), _mm256_mullo_epi32(ov, ov)));
  const __m256 tm =
      _mm256_cvtepi32_ps(_mm256_add_epi32(_mm256_mullo_epi32(th, th), _mm256_mullo_epi32(tv, tv)));
  const Doubles low =
      aligned_half(_mm256_castps256_ps128(d), _mm256_castps256_ps128(om), _mm256_castps256_ps128(tm));
  const Doubles high =
      aligned_half(_mm256_extractf128_ps(d, 1), _mm256_extractf128_ps(om, 1), _mm256_extractf128_ps(tm, 1));
  const Vec both =
      _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castpd_ps(low), _mm256_castpd_ps(high), 0x88));
  return _mm256_andnot_si256(_mm256_srai_epi32(dot, 31), _mm256_permute4x64_epi64(both, 0xd8));
}

struct Restored {
  Vec r, gains; ///< before gain; where the gain limit applies
};

HULL_AVX2_INLINE Restored restore(Vec o, Vec t, Vec flag, const std::int32_t *inverse) {
  const Vec zero = _mm256_setzero_si256(), one = _mm256_set1_epi32(32768);
  const Vec q = _mm256_i32gather_epi32(inverse, _mm256_abs_epi32(o), 4);
  const Vec along =
      _mm256_max_epi32(_mm256_sign_epi32(t, o), zero); // against o's direction nothing is restored
  const Vec quotient = _mm256_min_epu32(product_q15(q, along), one);
  const Vec none = _mm256_cmpeq_epi32(o, zero);
  const Vec k = _mm256_blendv_epi8(quotient, one, none);
  const Vec r = _mm256_srai_epi32(_mm256_add_epi32(_mm256_mullo_epi32(k, o), _mm256_set1_epi32(16384)), 15);
  return {r, _mm256_andnot_si256(none, _mm256_and_si256(flag, _mm256_cmpgt_epi32(k, zero)))};
}

HULL_AVX2_INLINE Vec gained(const Restored &restored, Vec o, Vec t, int limit) {
  const Vec g = _mm256_mullo_epi32(restored.r, _mm256_set1_epi32(limit));
  const Vec clipped =
      _mm256_blendv_epi8(_mm256_min_epi32(g, t), _mm256_max_epi32(g, t), _mm256_srai_epi32(o, 31));
  return _mm256_blendv_epi8(restored.r, clipped, restored.gains);
}

HULL_AVX2_INLINE Vec wrapped(Vec v) {
  return _mm256_srai_epi32(_mm256_slli_epi32(v, 16), 16);
}

HULL_AVX2_INLINE Vec scaled_mask(Vec a, int factor) {
  return wrapped(_mm256_srai_epi32(
      _mm256_add_epi32(_mm256_mullo_epi32(a, _mm256_set1_epi32(factor)), _mm256_set1_epi32(2048)), 12));
}

HULL_AVX2 void adm_row_0(const Bands<const std::int16_t> &reference,
                         const Bands<const std::int16_t> &distorted, int begin, int end, Gains gains,
                         const MaskRow *out) {
  const std::int32_t *inverse = inverses().data();
  const bool wanted[kGains] = {gains.normal, gains.neg};
  for (int x = begin; x < end; x += 8) {
    const Vec o[3] = {words(reference.h + x), words(reference.v + x), words(reference.d + x)};
    const Vec t[3] = {words(distorted.h + x), words(distorted.v + x), words(distorted.d + x)};
    const Vec flag = aligned(o[0], o[1], t[0], t[1]);
    Vec neighbour[kGains], centre[kGains];
    neighbour[0] = neighbour[1] = centre[0] = centre[1] = _mm256_setzero_si256();
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag, inverse);
      const Vec csf = _mm256_set1_epi32(kCsf0[b]);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        if (!wanted[g]) continue;
        const Vec r = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        store(out[g].signal[b] + x, _mm256_abs_epi32(_mm256_mullo_epi32(r, csf)));
        const Vec additive = _mm256_mullo_epi32(_mm256_sub_epi32(t[b], r), csf);
        const Vec c = _mm256_abs_epi32(wrapped(
            _mm256_srai_epi32(_mm256_add_epi32(additive, _mm256_set1_epi32(kCsf0Round[b])), kCsf0Shift[b])));
        neighbour[g] = _mm256_add_epi32(neighbour[g], scaled_mask(c, 4369));
        centre[g] = _mm256_add_epi32(centre[g], scaled_mask(c, 8738));
      }
    }
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      store(out[g].neighbour + x, neighbour[g]);
      store(out[g].centre + x, centre[g]);
    }
  }
}

HULL_AVX2 std::uint64_t cubes_0_blocks(const std::int16_t *band, int begin, int end, int &done) {
  Vec total = _mm256_setzero_si256();
  int x = begin;
  for (; x + 8 <= end; x += 8) {
    const Vec a = _mm256_abs_epi32(words(band + x)), square = _mm256_mullo_epi32(a, a);
    total = _mm256_add_epi64(
        total, _mm256_add_epi64(_mm256_mul_epu32(square, a),
                                _mm256_mul_epu32(_mm256_srli_epi64(square, 32), _mm256_srli_epi64(a, 32))));
  }
  done = x;
  return static_cast<std::uint64_t>(sum_64(total));
}

std::uint64_t cubes_0(const std::int16_t *band, int begin, int end) {
  int done = begin;
  const std::uint64_t sum = cubes_0_blocks(band, begin, end, done);
  return sum + plain().adm_cubes_0(band, done, end);
}

// --- masking, all levels ---

struct Masking {
  int shift, square_shift;
};

/// Cubes of four lanes: (((x * x + half) >> square_shift) as i32 * x + round) >> row_shift, the last shift
/// logical; round carries 2^63 and the caller takes it off the sum.
HULL_AVX2_INLINE Vec cubes_of(Vec x, Vec half, __m128i square_shift, Vec round, __m128i row_shift) {
  const Vec square = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(x, x), half), square_shift);
  return _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epi32(square, x), round), row_shift);
}

HULL_AVX2 void mask_row(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
                        const AdmMaskShifts &shifts, const Masking *masking, int begin, int end,
                        std::int64_t *sums) {
  const Vec zero = _mm256_setzero_si256(), index = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
  Vec totals[3] = {zero, zero, zero};
  for (int x = begin; x < end; x += 8) {
    const Vec inside = _mm256_cmpgt_epi32(_mm256_set1_epi32(end - x), index);
    Vec mask = _mm256_add_epi32(load(row.centre + x),
                                _mm256_add_epi32(load(row.neighbour + x - 1), load(row.neighbour + x + 1)));
    mask = _mm256_add_epi32(
        mask, _mm256_add_epi32(load(above + x - 1), _mm256_add_epi32(load(above + x), load(above + x + 1))));
    mask = _mm256_add_epi32(
        mask, _mm256_add_epi32(load(below + x - 1), _mm256_add_epi32(load(below + x), load(below + x + 1))));
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Vec lowered = _mm256_sll_epi32(mask, _mm_cvtsi32_si128(masking[b].shift));
      const Vec excess = _mm256_and_si256(
          _mm256_max_epi32(_mm256_sub_epi32(load(row.signal[b] + x), lowered), zero), inside);
      if (_mm256_testz_si256(excess, excess)) {
        // Each of the eight lanes would add exactly the 2^63 that comes off below.
        totals[b] = _mm256_add_epi64(totals[b], _mm256_set1_epi64x(std::int64_t{2} << (63 - shifts.row[b])));
        continue;
      }
      const Vec half = _mm256_set1_epi64x(std::int64_t{1} << (masking[b].square_shift - 1));
      const __m128i square_shift = _mm_cvtsi32_si128(masking[b].square_shift);
      const Vec round = _mm256_set1_epi64x(
          static_cast<std::int64_t>((std::uint64_t{1} << 63) + (std::uint64_t{1} << (shifts.row[b] - 1))));
      const __m128i row_shift = _mm_cvtsi32_si128(shifts.row[b]);
      totals[b] = _mm256_add_epi64(
          totals[b],
          _mm256_add_epi64(cubes_of(excess, half, square_shift, round, row_shift),
                           cubes_of(_mm256_srli_epi64(excess, 32), half, square_shift, round, row_shift)));
    }
  }
  const auto lanes = static_cast<std::uint64_t>((end - begin + 7) / 8 * 8);
  for (int b = 0; b < 3; ++b)
    sums[b] += static_cast<std::int64_t>(static_cast<std::uint64_t>(sum_64(totals[b])) -
                                         (lanes << (63 - shifts.row[b])));
}

void mask_0(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
            const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  constexpr Masking kMasking[3] = {{kMask0Shift[0], kSquare0Shift[0]},
                                   {kMask0Shift[1], kSquare0Shift[1]},
                                   {kMask0Shift[2], kSquare0Shift[2]}};
  mask_row(row, above, below, shifts, kMasking, begin, end, sums);
}

void mask(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
          const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  constexpr Masking kMasking[3] = {{0, 30}, {0, 30}, {0, 30}};
  mask_row(row, above, below, shifts, kMasking, begin, end, sums);
}

} // namespace

const std::array<std::int32_t, 32769> &inverses() {
  static const auto table = [] {
    std::array<std::int32_t, 32769> values{};
    for (std::size_t a = 1; a < values.size(); ++a)
      values[a] = static_cast<std::int32_t>((std::size_t{1} << 30) / a);
    return values;
  }();
  return table;
}

void set_adm(Kernels &table) {
  table.adm_cubes_0 = cubes_0;
  table.adm_row_0 = adm_row_0;
  table.adm_mask_0 = mask_0;
  table.adm_mask = mask;
}

} // namespace hull::vmaf::avx2
#endif
