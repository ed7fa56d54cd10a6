#pragma once

// AVX2. Every function carries the target itself, so that nothing compiled for AVX2 can be linked in place of
// an inline function of the standard library.

#if defined(__x86_64__)

#include <cstdint>
#include <immintrin.h>

#define HULL_SIMD_SET avx2
#define HULL_SIMD [[gnu::target("avx2,fma")]]
#define HULL_SIMD_INLINE [[gnu::target("avx2,fma"), gnu::always_inline]] static inline
#define HULL_SIMD_METHOD [[gnu::target("avx2,fma"), gnu::always_inline]]

namespace hull::vmaf::avx2 {

using Vec = __m256i;
using Half = __m128i;
using Doubles = __m256d;
using Floats = __m256;
using Count = __m128i;                                   ///< a shift's distance
using Mask = __m256i;                                    ///< which 32-bit lanes
using Mask64 = __m256i;                                  ///< which 64-bit lanes
inline constexpr int kWords = 16, kInts = 8, kLongs = 4; ///< lanes of 16, 32 and 64 bits

HULL_SIMD_INLINE Vec load(const void *at) {
  return _mm256_loadu_si256(static_cast<const Vec *>(at));
}
HULL_SIMD_INLINE Half load_half(const void *at) {
  return _mm_loadu_si128(static_cast<const Half *>(at));
}
HULL_SIMD_INLINE void store(void *at, Vec value) {
  _mm256_storeu_si256(static_cast<Vec *>(at), value);
}
/// Bytes as words, words as 32-bit lanes, those as 64-bit ones.
HULL_SIMD_INLINE Vec load_bytes(const std::uint8_t *at) {
  return _mm256_cvtepu8_epi16(load_half(at));
}
HULL_SIMD_INLINE Vec load_words(const std::int16_t *at) {
  return _mm256_cvtepi16_epi32(load_half(at));
}
HULL_SIMD_INLINE Vec load_ints(const std::int32_t *at) {
  return _mm256_cvtepi32_epi64(load_half(at));
}
/// 0, step, 2 * step, … in 32-bit lanes.
HULL_SIMD_INLINE Vec ramp(int step) {
  return _mm256_setr_epi32(0, step, 2 * step, 3 * step, 4 * step, 5 * step, 6 * step, 7 * step);
}
/// Keeps the compiler from reassociating a chain of additions into a tree whose leaves it then spills.
HULL_SIMD_INLINE void keep(Vec &v) {
  __asm__("" : "+x"(v));
}
/// Keeps a value in a register where it stands, out of a loop or inside.
HULL_SIMD_INLINE void hold(Vec &v) {
  __asm__ volatile("" : "+x"(v));
}

HULL_SIMD_INLINE Vec zeros() {
  return _mm256_setzero_si256();
}
HULL_SIMD_INLINE Vec set_16(int v) {
  return _mm256_set1_epi16(static_cast<short>(v));
}
HULL_SIMD_INLINE Vec set_32(int v) {
  return _mm256_set1_epi32(v);
}
HULL_SIMD_INLINE Vec set_64(std::int64_t v) {
  return _mm256_set1_epi64x(v);
}
HULL_SIMD_INLINE Count count_of(int v) {
  return _mm_cvtsi32_si128(v);
}
HULL_SIMD_INLINE Vec bit_and(Vec a, Vec b) {
  return _mm256_and_si256(a, b);
}
HULL_SIMD_INLINE Vec bit_or(Vec a, Vec b) {
  return _mm256_or_si256(a, b);
}
HULL_SIMD_INLINE Vec bit_xor(Vec a, Vec b) {
  return _mm256_xor_si256(a, b);
}

HULL_SIMD_INLINE Vec add_16(Vec a, Vec b) {
  return _mm256_add_epi16(a, b);
}
HULL_SIMD_INLINE Vec sub_16(Vec a, Vec b) {
  return _mm256_sub_epi16(a, b);
}
HULL_SIMD_INLINE Vec subs_u16(Vec a, Vec b) {
  return _mm256_subs_epu16(a, b);
}
HULL_SIMD_INLINE Vec mullo_16(Vec a, Vec b) {
  return _mm256_mullo_epi16(a, b);
}
HULL_SIMD_INLINE Vec mulhi_u16(Vec a, Vec b) {
  return _mm256_mulhi_epu16(a, b);
}
HULL_SIMD_INLINE Vec srl_16(Vec v, Count n) {
  return _mm256_srl_epi16(v, n);
}
HULL_SIMD_INLINE Vec madd(Vec a, Vec b) {
  return _mm256_madd_epi16(a, b);
}
HULL_SIMD_INLINE Vec madd_add(Vec sum, Vec a, Vec b) {
  return _mm256_add_epi32(sum, _mm256_madd_epi16(a, b));
}
/// Within 128 bits; packing undoes unpacking.
HULL_SIMD_INLINE Vec unpack_low(Vec a, Vec b) {
  return _mm256_unpacklo_epi16(a, b);
}
HULL_SIMD_INLINE Vec unpack_high(Vec a, Vec b) {
  return _mm256_unpackhi_epi16(a, b);
}
HULL_SIMD_INLINE Vec packs(Vec a, Vec b) {
  return _mm256_packs_epi32(a, b);
}
HULL_SIMD_INLINE Vec packus(Vec a, Vec b) {
  return _mm256_packus_epi32(a, b);
}
/// The order that packing two whole vectors leaves, put right.
HULL_SIMD_INLINE Vec in_order(Vec packed) {
  return _mm256_permute4x64_epi64(packed, 0xd8);
}
/// What unpack_low and unpack_high took apart, as 32-bit numbers in order.
HULL_SIMD_INLINE void store_unpacked(std::int32_t *at, Vec low, Vec high) {
  store(at, _mm256_permute2x128_si256(low, high, 0x20));
  store(at + kInts, _mm256_permute2x128_si256(low, high, 0x31));
}

HULL_SIMD_INLINE Vec add_32(Vec a, Vec b) {
  return _mm256_add_epi32(a, b);
}
HULL_SIMD_INLINE Vec sub_32(Vec a, Vec b) {
  return _mm256_sub_epi32(a, b);
}
HULL_SIMD_INLINE Vec mullo_32(Vec a, Vec b) {
  return _mm256_mullo_epi32(a, b);
}
HULL_SIMD_INLINE Vec abs_32(Vec v) {
  return _mm256_abs_epi32(v);
}
HULL_SIMD_INLINE Vec max_32(Vec a, Vec b) {
  return _mm256_max_epi32(a, b);
}
HULL_SIMD_INLINE Vec min_32(Vec a, Vec b) {
  return _mm256_min_epi32(a, b);
}
HULL_SIMD_INLINE Vec min_u32(Vec a, Vec b) {
  return _mm256_min_epu32(a, b);
}
/// v with the sign of s: zero where s is, negated where s is negative.
HULL_SIMD_INLINE Vec sign_32(Vec v, Vec s) {
  return _mm256_sign_epi32(v, s);
}
HULL_SIMD_INLINE Vec srl_32(Vec v, Count n) {
  return _mm256_srl_epi32(v, n);
}
HULL_SIMD_INLINE Vec srl_32(Vec v, int n) {
  return _mm256_srli_epi32(v, n);
}
HULL_SIMD_INLINE Vec sll_32(Vec v, Count n) {
  return _mm256_sll_epi32(v, n);
}
HULL_SIMD_INLINE Vec sll_32(Vec v, int n) {
  return _mm256_slli_epi32(v, n);
}
HULL_SIMD_INLINE Vec sra_32(Vec v, Count n) {
  return _mm256_sra_epi32(v, n);
}
HULL_SIMD_INLINE Vec sra_32(Vec v, int n) {
  return _mm256_srai_epi32(v, n);
}

HULL_SIMD_INLINE Vec sllv_32(Vec v, Vec n) {
  return _mm256_sllv_epi32(v, n);
}
HULL_SIMD_INLINE Vec srlv_32(Vec v, Vec n) {
  return _mm256_srlv_epi32(v, n);
}

HULL_SIMD_INLINE Vec add_64(Vec a, Vec b) {
  return _mm256_add_epi64(a, b);
}
HULL_SIMD_INLINE Vec sub_64(Vec a, Vec b) {
  return _mm256_sub_epi64(a, b);
}
/// 64-bit products of the even 32-bit lanes.
HULL_SIMD_INLINE Vec mul_32(Vec a, Vec b) {
  return _mm256_mul_epi32(a, b);
}
HULL_SIMD_INLINE Vec mul_u32(Vec a, Vec b) {
  return _mm256_mul_epu32(a, b);
}
HULL_SIMD_INLINE Vec srl_64(Vec v, Count n) {
  return _mm256_srl_epi64(v, n);
}
HULL_SIMD_INLINE Vec srl_64(Vec v, int n) {
  return _mm256_srli_epi64(v, n);
}
HULL_SIMD_INLINE Vec sll_64(Vec v, int n) {
  return _mm256_slli_epi64(v, n);
}
HULL_SIMD_INLINE Vec sllv_64(Vec v, Vec n) {
  return _mm256_sllv_epi64(v, n);
}
HULL_SIMD_INLINE Vec srlv_64(Vec v, Vec n) {
  return _mm256_srlv_epi64(v, n);
}
HULL_SIMD_INLINE Vec blend_odd(Vec even, Vec odd) {
  return _mm256_blend_epi32(even, odd, 0xaa);
}
/// Low halves of the 64-bit lanes of two vectors in order.
HULL_SIMD_INLINE Vec low_halves(Vec a, Vec b) {
  return in_order(
      _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88)));
}

HULL_SIMD_INLINE Mask gt_32(Vec a, Vec b) {
  return _mm256_cmpgt_epi32(a, b);
}
HULL_SIMD_INLINE Mask eq_32(Vec a, Vec b) {
  return _mm256_cmpeq_epi32(a, b);
}
HULL_SIMD_INLINE Mask negative_32(Vec v) {
  return _mm256_srai_epi32(v, 31);
}
HULL_SIMD_INLINE Mask64 eq_64(Vec a, Vec b) {
  return _mm256_cmpeq_epi64(a, b);
}
HULL_SIMD_INLINE Mask both(Mask a, Mask b) {
  return _mm256_and_si256(a, b);
}
HULL_SIMD_INLINE Mask either(Mask a, Mask b) {
  return _mm256_or_si256(a, b);
}
HULL_SIMD_INLINE Mask differ(Mask a, Mask b) {
  return _mm256_xor_si256(a, b);
}
HULL_SIMD_INLINE Mask without(Mask a, Mask b) {
  return _mm256_andnot_si256(b, a);
}
HULL_SIMD_INLINE Mask64 no_longs() {
  return zeros();
}
HULL_SIMD_INLINE bool any(Mask m) {
  return !_mm256_testz_si256(m, m);
}
/// v in the mask's lanes, zero elsewhere; v outside of them.
HULL_SIMD_INLINE Vec where(Mask m, Vec v) {
  return _mm256_and_si256(m, v);
}
HULL_SIMD_INLINE Vec outside(Mask m, Vec v) {
  return _mm256_andnot_si256(m, v);
}
HULL_SIMD_INLINE Vec select(Mask m, Vec yes, Vec no) {
  return _mm256_blendv_epi8(no, yes, m);
}
HULL_SIMD_INLINE bool any_64(Mask64 m) {
  return any(m);
}
/// Adds one to the mask's lanes of `counts`.
HULL_SIMD_INLINE Vec counted(Vec counts, Mask m) {
  return _mm256_sub_epi32(counts, m);
}
HULL_SIMD_INLINE bool all_zero(Vec v) {
  return _mm256_testz_si256(v, v);
}
HULL_SIMD_INLINE bool meet(Vec a, Vec b) {
  return !_mm256_testz_si256(a, b);
} ///< have set bits in common

HULL_SIMD_INLINE Doubles set_pd(double v) {
  return _mm256_set1_pd(v);
}
HULL_SIMD_INLINE Doubles add_pd(Doubles a, Doubles b) {
  return _mm256_add_pd(a, b);
}
HULL_SIMD_INLINE Doubles sub_pd(Doubles a, Doubles b) {
  return _mm256_sub_pd(a, b);
}
HULL_SIMD_INLINE Doubles mul_pd(Doubles a, Doubles b) {
  return _mm256_mul_pd(a, b);
}
HULL_SIMD_INLINE Doubles div_pd(Doubles a, Doubles b) {
  return _mm256_div_pd(a, b);
}
HULL_SIMD_INLINE Doubles max_pd(Doubles a, Doubles b) {
  return _mm256_max_pd(a, b);
}
HULL_SIMD_INLINE Doubles min_pd(Doubles a, Doubles b) {
  return _mm256_min_pd(a, b);
}
HULL_SIMD_INLINE Mask64 ge_pd(Doubles a, Doubles b) {
  return _mm256_castpd_si256(_mm256_cmp_pd(a, b, _CMP_GE_OQ));
}
HULL_SIMD_INLINE Vec bits_of(Doubles v) {
  return _mm256_castpd_si256(v);
}
HULL_SIMD_INLINE Doubles truncated(Doubles v) {
  return _mm256_round_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
/// trunc(a) + b of a >= 0 and whole b >= 2^17: exponent and upper fifteen bits of the mantissa are right.
HULL_SIMD_INLINE Doubles add_truncated(Doubles a, Doubles b) {
  return add_pd(truncated(a), b);
}
/// The first and the second half of the 32-bit lanes.
HULL_SIMD_INLINE Doubles doubles(Half v) {
  return _mm256_cvtepi32_pd(v);
}
HULL_SIMD_INLINE Doubles low_doubles(Vec v) {
  return doubles(_mm256_castsi256_si128(v));
}
HULL_SIMD_INLINE Doubles high_doubles(Vec v) {
  return doubles(_mm256_extracti128_si256(v, 1));
}
HULL_SIMD_INLINE Floats floats(Vec v) {
  return _mm256_cvtepi32_ps(v);
}
HULL_SIMD_INLINE Doubles low_doubles(Floats v) {
  return _mm256_cvtps_pd(_mm256_castps256_ps128(v));
}
HULL_SIMD_INLINE Doubles high_doubles(Floats v) {
  return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
}
HULL_SIMD_INLINE Floats set_ps(float v) {
  return _mm256_set1_ps(v);
}
HULL_SIMD_INLINE Floats mul_ps(Floats a, Floats b) {
  return _mm256_mul_ps(a, b);
}
HULL_SIMD_INLINE Mask ge_ps(Floats a, Floats b) {
  return _mm256_castps_si256(_mm256_cmp_ps(a, b, _CMP_GE_OQ));
}
/// a * b + c, rounded once.
HULL_SIMD_INLINE Floats fused_ps(Floats a, Floats b, Floats c) {
  return _mm256_fmadd_ps(a, b, c);
}
HULL_SIMD_INLINE Vec whole_numbers(Floats v) {
  return _mm256_cvttps_epi32(v);
}
/// Whole numbers from the doubles of two halves, the fraction cut off.
HULL_SIMD_INLINE Vec whole_numbers(Doubles low, Doubles high) {
  return _mm256_inserti128_si256(_mm256_castsi128_si256(_mm256_cvttpd_epi32(low)), _mm256_cvttpd_epi32(high),
                                 1);
}
HULL_SIMD_INLINE Vec bits_of(Floats v) {
  return _mm256_castps_si256(v);
}
/// Masks of the even and of the odd lanes as one.
HULL_SIMD_INLINE Mask interleaved(Mask64 even, Mask64 odd) {
  return blend_odd(even, odd);
}
/// Masks of the two halves as one.
HULL_SIMD_INLINE Mask join(Mask64 low, Mask64 high) {
  return low_halves(low, high);
}

/// Bits from 37 on of two vectors of doubles: exponent and upper fifteen bits of the mantissa, which is all
/// that the logarithm needs. Lanes come out in the order 0 1 4 5 2 3 6 7; as_logs puts a mask into it.
HULL_SIMD_INLINE Vec log_bits(Doubles low, Doubles high) {
  const Vec a = srl_64(bits_of(low), 37), b = srl_64(bits_of(high), 37);
  return _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
}
HULL_SIMD_INLINE Mask as_logs(Mask m) {
  return _mm256_permute4x64_epi64(m, 0xd8);
}

/// Signed 64-bit lanes through float to double, rounded once. There is no such conversion: the way goes
/// through double, right but for numbers exactly half way between two floats, which `doubtful` collects.
HULL_SIMD_INLINE Doubles rounded_to_float(Vec v, Mask64 &doubtful) {
  // The upper 48 bits and the lower 16 meet in one addition.
  Vec high = _mm256_blend_epi16(_mm256_srai_epi32(v, 16), zeros(), 0x33);
  high = add_64(high, _mm256_castpd_si256(set_pd(442721857769029238784.0)));                    // 3 * 2^67
  const Vec low = _mm256_blend_epi16(v, _mm256_castpd_si256(set_pd(4503599627370496.0)), 0x88); // 2^52
  const Doubles upper = sub_pd(_mm256_castsi256_pd(high), set_pd(442726361368656609280.0)); // 3 * 2^67 + 2^52
  const Doubles d = add_pd(upper, _mm256_castsi256_pd(low));
  const Vec tail = bit_and(bits_of(d), set_64(0x1fffffff));
  doubtful = either(doubtful, eq_64(tail, set_64(0x10000000)));
  return _mm256_cvtps_pd(_mm256_cvtpd_ps(d));
}

HULL_SIMD_INLINE std::int64_t sum_64(Vec v) {
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  // Wraps, as the lanes did.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(_mm_extract_epi64(half, 0)) +
                                   static_cast<std::uint64_t>(_mm_extract_epi64(half, 1)));
}
/// Sum of signed 32-bit lanes.
HULL_SIMD_INLINE std::int64_t sum_32(Vec v) {
  return sum_64(add_64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                       _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1))));
}

} // namespace hull::vmaf::avx2

#endif
