// ADM's decoupling at levels 1..3: four 64-bit lanes. Where a number fits 32 bits only the low half of its
// lane counts, which is what mul_epi32 reads; the high half may hold anything.

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

HULL_AVX2_INLINE Vec wide(const std::int32_t *at) {
  return _mm256_cvtepi32_epi64(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at)));
}
HULL_AVX2_INLINE __m128i narrow(Vec v) {
  return _mm256_castsi256_si128(_mm256_permutevar8x32_epi32(v, _mm256_setr_epi32(0, 2, 4, 6, 0, 2, 4, 6)));
}
HULL_AVX2_INLINE void store_4(std::int32_t *at, Vec v) {
  _mm_storeu_si128(reinterpret_cast<__m128i *>(at), narrow(v));
}
/// Low halves sign-extended.
HULL_AVX2_INLINE Vec extended(Vec v) {
  return _mm256_cvtepi32_epi64(narrow(v));
}

/// Signed 64-bit lanes to doubles, correctly rounded: the upper 48 bits and the lower 16 meet in one
/// addition.
HULL_AVX2_INLINE Doubles to_doubles(Vec v) {
  Vec high = _mm256_srai_epi32(v, 16);
  high = _mm256_blend_epi16(high, _mm256_setzero_si256(), 0x33);
  high = _mm256_add_epi64(high, _mm256_castpd_si256(_mm256_set1_pd(442721857769029238784.0))); // 3 * 2^67
  const Vec low =
      _mm256_blend_epi16(v, _mm256_castpd_si256(_mm256_set1_pd(4503599627370496.0)), 0x88); // 2^52
  const Doubles sum =
      _mm256_sub_pd(_mm256_castsi256_pd(high), _mm256_set1_pd(442726361368656609280.0)); // 3 * 2^67 + 2^52
  return _mm256_add_pd(sum, _mm256_castsi256_pd(low));
}

/// Through double to float. Exactly half way between two floats the way through double may round differently;
/// `doubtful` collects those lanes.
HULL_AVX2_INLINE Doubles as_floats(Vec v, Vec &doubtful) {
  const Doubles d = to_doubles(v);
  const Vec tail = _mm256_and_si256(_mm256_castpd_si256(d), _mm256_set1_epi64x(0x1fffffff));
  doubtful = _mm256_or_si256(doubtful, _mm256_cmpeq_epi64(tail, _mm256_set1_epi64x(0x10000000)));
  return _mm256_cvtps_pd(_mm256_cvtpd_ps(d));
}

HULL_AVX2_INLINE Vec aligned(Vec oh, Vec ov, Vec th, Vec tv, Vec &doubtful) {
  const Doubles dot =
      as_floats(_mm256_add_epi64(_mm256_mul_epi32(oh, th), _mm256_mul_epi32(ov, tv)), doubtful);
  const Doubles om =
      as_floats(_mm256_add_epi64(_mm256_mul_epi32(oh, oh), _mm256_mul_epi32(ov, ov)), doubtful);
  const Doubles tm =
      as_floats(_mm256_add_epi64(_mm256_mul_epi32(th, th), _mm256_mul_epi32(tv, tv)), doubtful);
  const Doubles bound = _mm256_mul_pd(_mm256_mul_pd(_mm256_set1_pd(kCosOneDegreeSquared), om), tm);
  const Doubles same = _mm256_cmp_pd(_mm256_mul_pd(dot, dot), bound, _CMP_GE_OQ);
  return _mm256_castpd_si256(_mm256_and_pd(same, _mm256_cmp_pd(dot, _mm256_setzero_pd(), _CMP_GE_OQ)));
}

struct Restored {
  Vec r, gains; ///< sign-extended; where the gain limit applies
};

HULL_AVX2_INLINE Restored restore(Vec o, Vec t, Vec flag, const std::int32_t *inverse) {
  const Vec zero = _mm256_setzero_si256(), one = _mm256_set1_epi64x(32768),
            low = _mm256_set1_epi64x(0xffffffff);
  const Vec a = _mm256_and_si256(_mm256_abs_epi32(o), low);
  // Bit length from the exponent; a < 2^31 converts exactly.
  const Vec exponent = _mm256_srli_epi64(_mm256_castpd_si256(_mm256_cvtepi32_pd(narrow(a))), 52);
  Vec s = _mm256_max_epi32(_mm256_sub_epi32(exponent, _mm256_set1_epi32(1022 + 15)), zero);
  s = _mm256_and_si256(s, low);
  const Vec unit = _mm256_set1_epi64x(1);
  const Vec half = _mm256_srli_epi64(_mm256_sllv_epi64(unit, s), 1);
  const Vec top = _mm256_srlv_epi64(_mm256_add_epi64(a, half), s);
  const Vec q = _mm256_cvtepu32_epi64(_mm_i32gather_epi32(inverse, narrow(top), 4));
  const Vec along = _mm256_max_epi32(_mm256_sign_epi32(t, o), zero);
  const Vec product =
      _mm256_add_epi64(_mm256_mul_epu32(q, along), _mm256_sllv_epi64(_mm256_set1_epi64x(1 << 14), s));
  Vec k = _mm256_srlv_epi64(product, _mm256_add_epi64(s, _mm256_set1_epi64x(15)));
  k = _mm256_blendv_epi8(k, one, _mm256_cmpgt_epi64(k, one));
  const Vec none = _mm256_cmpeq_epi64(a, zero);
  k = _mm256_blendv_epi8(k, one, none);
  const Vec r =
      extended(_mm256_srli_epi64(_mm256_add_epi64(_mm256_mul_epi32(k, o), _mm256_set1_epi64x(16384)), 15));
  return {r, _mm256_andnot_si256(none, _mm256_and_si256(flag, _mm256_cmpgt_epi64(k, zero)))};
}

HULL_AVX2_INLINE Vec gained(const Restored &restored, Vec o, Vec t, int limit) {
  const Vec g = _mm256_mul_epi32(restored.r, _mm256_set1_epi64x(limit));
  const Vec above = _mm256_cmpgt_epi64(g, t), negative = _mm256_cmpgt_epi64(_mm256_setzero_si256(), o);
  // o > 0 takes the smaller of g and t, o < 0 the larger.
  const Vec clipped = _mm256_blendv_epi8(g, t, _mm256_xor_si256(above, negative));
  return _mm256_blendv_epi8(restored.r, clipped, restored.gains);
}

/// |(csf * v + 2^27) >> 28| in the low halves, the high ones clear.
HULL_AVX2_INLINE Vec weighted(Vec v, Vec csf) {
  const Vec c =
      _mm256_srli_epi64(_mm256_add_epi64(_mm256_mul_epi32(v, csf), _mm256_set1_epi64x(1 << 27)), 28);
  return _mm256_and_si256(_mm256_abs_epi32(c), _mm256_set1_epi64x(0xffffffff));
}

HULL_AVX2_INLINE Vec mask_part(Vec c, std::int64_t factor) {
  return _mm256_srli_epi64(_mm256_sub_epi64(_mm256_mul_epu32(c, _mm256_set1_epi64x(factor)),
                                            _mm256_set1_epi64x(std::int64_t{1} << 31)),
                           32);
}

HULL_AVX2 void adm_row(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
                       int level, int begin, int end, Gains gains, const MaskRow *out) {
  const std::int32_t *inverse = inverses().data();
  const bool wanted[kGains] = {gains.normal, gains.neg};
  const Vec csf[3] = {_mm256_set1_epi64x(kCsf[level][0]), _mm256_set1_epi64x(kCsf[level][0]),
                      _mm256_set1_epi64x(kCsf[level][1])};
  for (int x = begin; x < end; x += 4) {
    const Vec o[3] = {wide(reference.h + x), wide(reference.v + x), wide(reference.d + x)};
    const Vec t[3] = {wide(distorted.h + x), wide(distorted.v + x), wide(distorted.d + x)};
    Vec doubtful = _mm256_setzero_si256();
    const Vec flag = aligned(o[0], o[1], t[0], t[1], doubtful);
    if (!_mm256_testz_si256(doubtful, doubtful)) {
      plain().adm_row(reference, distorted, level, x, x + 4, gains, out);
      continue;
    }
    Vec neighbour[kGains], centre[kGains];
    neighbour[0] = neighbour[1] = centre[0] = centre[1] = _mm256_setzero_si256();
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag, inverse);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        if (!wanted[g]) continue;
        const Vec r = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        store_4(out[g].signal[b] + x, weighted(r, csf[b]));
        const Vec c = weighted(_mm256_sub_epi64(t[b], r), csf[b]);
        neighbour[g] = _mm256_add_epi32(neighbour[g], mask_part(c, 143165577));
        centre[g] = _mm256_add_epi32(centre[g], mask_part(c, 286331153));
      }
    }
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      store_4(out[g].neighbour + x, neighbour[g]);
      store_4(out[g].centre + x, centre[g]);
    }
  }
}

HULL_AVX2 std::uint64_t cube_blocks(const std::int32_t *band, int level, int row_shift, int begin, int end,
                                    int &done) {
  const Vec low = _mm256_set1_epi64x(0xffffffff);
  const Vec unit = _mm256_set1_epi64x(std::int64_t{1} << kCubeShift[level]);
  const Vec half = _mm256_set1_epi64x(std::int64_t{1} << (row_shift - 1));
  const __m128i square_shift = _mm_cvtsi32_si128(kCubeShift[level]), shift = _mm_cvtsi32_si128(row_shift);
  Vec total = _mm256_setzero_si256();
  int x = begin;
  for (; x + 4 <= end; x += 4) {
    const Vec a = _mm256_and_si256(_mm256_abs_epi32(wide(band + x)), low);
    const Vec square = _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epu32(a, a), unit), square_shift);
    total =
        _mm256_add_epi64(total, _mm256_srl_epi64(_mm256_add_epi64(_mm256_mul_epu32(square, a), half), shift));
  }
  done = x;
  return static_cast<std::uint64_t>(sum_64(total));
}

std::uint64_t cubes(const std::int32_t *band, int level, int row_shift, int begin, int end) {
  int done = begin;
  const std::uint64_t sum = cube_blocks(band, level, row_shift, begin, end, done);
  return sum + plain().adm_cubes(band, level, row_shift, done, end);
}

} // namespace

void set_adm_levels(Kernels &table) {
  table.adm_row = adm_row;
  table.adm_cubes = cubes;
}

} // namespace hull::vmaf::avx2
#endif
