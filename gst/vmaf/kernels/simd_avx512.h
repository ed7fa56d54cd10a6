#pragma once

// AVX-512 with VNNI, the same operations as simd_avx2.h. A test compiles the kernels with HULL_SIMD_EMULATED
// and an emulation of the intrinsics, for machines without them.

#if defined(__x86_64__)

#include <cstdint>

#if defined(HULL_SIMD_EMULATED)
#include HULL_SIMD_EMULATED
#define HULL_SIMD_SET emulated
#define HULL_SIMD
#define HULL_SIMD_METHOD [[gnu::always_inline]]
#else
#include <immintrin.h>
#define HULL_SIMD_SET avx512
#define HULL_SIMD [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]]
#define HULL_SIMD_METHOD [[gnu::target("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni"), gnu::always_inline]]
#endif
#define HULL_SIMD_INLINE HULL_SIMD_METHOD static inline

namespace hull::vmaf::HULL_SIMD_SET {

using Vec = __m512i;
using Half = __m256i;
using Doubles = __m512d;
using Floats = __m512;
using Count = __m128i;                                    ///< a shift's distance
using Mask = __mmask16;                                   ///< which 32-bit lanes
using Mask64 = __mmask8;                                  ///< which 64-bit lanes
inline constexpr int kWords = 32, kInts = 16, kLongs = 8; ///< lanes of 16, 32 and 64 bits

HULL_SIMD_INLINE Vec load(const void *at) {
  return _mm512_loadu_si512(at);
}
HULL_SIMD_INLINE Half load_half(const void *at) {
  return _mm256_loadu_si256(static_cast<const Half *>(at));
}
HULL_SIMD_INLINE void store(void *at, Vec value) {
  _mm512_storeu_si512(at, value);
}
/// Bytes as words, words as 32-bit lanes, those as 64-bit ones.
HULL_SIMD_INLINE Vec load_bytes(const std::uint8_t *at) {
  return _mm512_cvtepu8_epi16(load_half(at));
}
HULL_SIMD_INLINE Vec load_words(const std::int16_t *at) {
  return _mm512_cvtepi16_epi32(load_half(at));
}
HULL_SIMD_INLINE Vec load_ints(const std::int32_t *at) {
  return _mm512_cvtepi32_epi64(load_half(at));
}
/// Keeps the compiler from reassociating a chain of additions into a tree whose leaves it then spills.
HULL_SIMD_INLINE void keep(Vec &v) {
#if defined(HULL_SIMD_EMULATED)
  static_cast<void>(v);
#else
  __asm__("" : "+v"(v));
#endif
}
/// Keeps a value in a register where it stands, out of a loop or inside.
HULL_SIMD_INLINE void hold(Vec &v) {
#if defined(HULL_SIMD_EMULATED)
  static_cast<void>(v);
#else
  __asm__ volatile("" : "+v"(v));
#endif
}

HULL_SIMD_INLINE Vec zeros() {
  return _mm512_setzero_si512();
}
HULL_SIMD_INLINE Vec set_16(int v) {
  return _mm512_set1_epi16(static_cast<short>(v));
}
HULL_SIMD_INLINE Vec set_32(int v) {
  return _mm512_set1_epi32(v);
}
HULL_SIMD_INLINE Vec set_64(std::int64_t v) {
  return _mm512_set1_epi64(v);
}
HULL_SIMD_INLINE Count count_of(int v) {
  return _mm_cvtsi32_si128(v);
}
HULL_SIMD_INLINE Vec bit_and(Vec a, Vec b) {
  return _mm512_and_si512(a, b);
}
HULL_SIMD_INLINE Vec bit_or(Vec a, Vec b) {
  return _mm512_or_si512(a, b);
}
HULL_SIMD_INLINE Vec bit_xor(Vec a, Vec b) {
  return _mm512_xor_si512(a, b);
}

HULL_SIMD_INLINE Vec add_16(Vec a, Vec b) {
  return _mm512_add_epi16(a, b);
}
HULL_SIMD_INLINE Vec sub_16(Vec a, Vec b) {
  return _mm512_sub_epi16(a, b);
}
HULL_SIMD_INLINE Vec subs_u16(Vec a, Vec b) {
  return _mm512_subs_epu16(a, b);
}
HULL_SIMD_INLINE Vec mullo_16(Vec a, Vec b) {
  return _mm512_mullo_epi16(a, b);
}
HULL_SIMD_INLINE Vec mulhi_u16(Vec a, Vec b) {
  return _mm512_mulhi_epu16(a, b);
}
HULL_SIMD_INLINE Vec srl_16(Vec v, Count n) {
  return _mm512_srl_epi16(v, n);
}
HULL_SIMD_INLINE Vec madd(Vec a, Vec b) {
  return _mm512_madd_epi16(a, b);
}
HULL_SIMD_INLINE Vec madd_add(Vec sum, Vec a, Vec b) {
  return _mm512_dpwssd_epi32(sum, a, b);
}
/// Within 128 bits; packing undoes unpacking.
HULL_SIMD_INLINE Vec unpack_low(Vec a, Vec b) {
  return _mm512_unpacklo_epi16(a, b);
}
HULL_SIMD_INLINE Vec unpack_high(Vec a, Vec b) {
  return _mm512_unpackhi_epi16(a, b);
}
HULL_SIMD_INLINE Vec packs(Vec a, Vec b) {
  return _mm512_packs_epi32(a, b);
}
HULL_SIMD_INLINE Vec packus(Vec a, Vec b) {
  return _mm512_packus_epi32(a, b);
}
/// The order that packing two whole vectors leaves, put right.
HULL_SIMD_INLINE Vec in_order(Vec packed) {
  return _mm512_permutexvar_epi64(_mm512_setr_epi64(0, 2, 4, 6, 1, 3, 5, 7), packed);
}
/// What unpack_low and unpack_high took apart, as 32-bit numbers in order.
HULL_SIMD_INLINE void store_unpacked(std::int32_t *at, Vec low, Vec high) {
  store(at, _mm512_permutex2var_epi64(low, _mm512_setr_epi64(0, 1, 8, 9, 2, 3, 10, 11), high));
  store(at + kInts, _mm512_permutex2var_epi64(low, _mm512_setr_epi64(4, 5, 12, 13, 6, 7, 14, 15), high));
}

HULL_SIMD_INLINE Vec add_32(Vec a, Vec b) {
  return _mm512_add_epi32(a, b);
}
HULL_SIMD_INLINE Vec sub_32(Vec a, Vec b) {
  return _mm512_sub_epi32(a, b);
}
HULL_SIMD_INLINE Vec mullo_32(Vec a, Vec b) {
  return _mm512_mullo_epi32(a, b);
}
HULL_SIMD_INLINE Vec abs_32(Vec v) {
  return _mm512_abs_epi32(v);
}
HULL_SIMD_INLINE Vec max_32(Vec a, Vec b) {
  return _mm512_max_epi32(a, b);
}
HULL_SIMD_INLINE Vec min_32(Vec a, Vec b) {
  return _mm512_min_epi32(a, b);
}
HULL_SIMD_INLINE Vec min_u32(Vec a, Vec b) {
  return _mm512_min_epu32(a, b);
}
/// 0, step, 2 * step, … in 32-bit lanes.
HULL_SIMD_INLINE Vec ramp(int step) {
  return mullo_32(_mm512_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15), set_32(step));
}
HULL_SIMD_INLINE Vec srl_32(Vec v, Count n) {
  return _mm512_srl_epi32(v, n);
}
HULL_SIMD_INLINE Vec srl_32(Vec v, int n) {
  return _mm512_srl_epi32(v, count_of(n));
}
HULL_SIMD_INLINE Vec sll_32(Vec v, Count n) {
  return _mm512_sll_epi32(v, n);
}
HULL_SIMD_INLINE Vec sll_32(Vec v, int n) {
  return _mm512_sll_epi32(v, count_of(n));
}
HULL_SIMD_INLINE Vec sra_32(Vec v, Count n) {
  return _mm512_sra_epi32(v, n);
}
HULL_SIMD_INLINE Vec sra_32(Vec v, int n) {
  return _mm512_sra_epi32(v, count_of(n));
}

HULL_SIMD_INLINE Vec sllv_32(Vec v, Vec n) {
  return _mm512_sllv_epi32(v, n);
}
HULL_SIMD_INLINE Vec srlv_32(Vec v, Vec n) {
  return _mm512_srlv_epi32(v, n);
}

HULL_SIMD_INLINE Vec add_64(Vec a, Vec b) {
  return _mm512_add_epi64(a, b);
}
HULL_SIMD_INLINE Vec sub_64(Vec a, Vec b) {
  return _mm512_sub_epi64(a, b);
}
/// 64-bit products of the even 32-bit lanes.
HULL_SIMD_INLINE Vec mul_32(Vec a, Vec b) {
  return _mm512_mul_epi32(a, b);
}
HULL_SIMD_INLINE Vec mul_u32(Vec a, Vec b) {
  return _mm512_mul_epu32(a, b);
}
HULL_SIMD_INLINE Vec srl_64(Vec v, Count n) {
  return _mm512_srl_epi64(v, n);
}
HULL_SIMD_INLINE Vec srl_64(Vec v, int n) {
  return _mm512_srl_epi64(v, count_of(n));
}
HULL_SIMD_INLINE Vec sll_64(Vec v, int n) {
  return _mm512_sll_epi64(v, count_of(n));
}
HULL_SIMD_INLINE Vec sllv_64(Vec v, Vec n) {
  return _mm512_sllv_epi64(v, n);
}
HULL_SIMD_INLINE Vec srlv_64(Vec v, Vec n) {
  return _mm512_srlv_epi64(v, n);
}
HULL_SIMD_INLINE Vec blend_odd(Vec even, Vec odd) {
  return _mm512_mask_mov_epi32(even, 0xaaaa, odd);
}
/// Low halves of the 64-bit lanes of two vectors in order.
HULL_SIMD_INLINE Vec low_halves(Vec a, Vec b) {
  const Vec even = _mm512_setr_epi32(0, 2, 4, 6, 8, 10, 12, 14, 16, 18, 20, 22, 24, 26, 28, 30);
  return _mm512_permutex2var_epi32(a, even, b);
}

HULL_SIMD_INLINE Mask gt_32(Vec a, Vec b) {
  return _mm512_cmpgt_epi32_mask(a, b);
}
HULL_SIMD_INLINE Mask eq_32(Vec a, Vec b) {
  return _mm512_cmpeq_epi32_mask(a, b);
}
HULL_SIMD_INLINE Mask negative_32(Vec v) {
  return _mm512_cmpgt_epi32_mask(zeros(), v);
}
template <class M> HULL_SIMD_INLINE M both(M a, M b) {
  return static_cast<M>(a & b);
}
template <class M> HULL_SIMD_INLINE M either(M a, M b) {
  return static_cast<M>(a | b);
}
template <class M> HULL_SIMD_INLINE M differ(M a, M b) {
  return static_cast<M>(a ^ b);
}
template <class M> HULL_SIMD_INLINE M without(M a, M b) {
  return static_cast<M>(a & ~b);
}
HULL_SIMD_INLINE Mask64 no_longs() {
  return 0;
}
HULL_SIMD_INLINE bool any(Mask m) {
  return m != 0;
}
/// v in the mask's lanes, zero elsewhere; v outside of them.
HULL_SIMD_INLINE Vec where(Mask m, Vec v) {
  return _mm512_maskz_mov_epi32(m, v);
}
HULL_SIMD_INLINE Vec outside(Mask m, Vec v) {
  return _mm512_maskz_mov_epi32(static_cast<Mask>(~m), v);
}
HULL_SIMD_INLINE Vec select(Mask m, Vec yes, Vec no) {
  return _mm512_mask_mov_epi32(no, m, yes);
}
HULL_SIMD_INLINE bool any_64(Mask64 m) {
  return m != 0;
}
/// Adds one to the mask's lanes of `counts`.
HULL_SIMD_INLINE Vec counted(Vec counts, Mask m) {
  return add_32(counts, where(m, set_32(1)));
}
HULL_SIMD_INLINE bool all_zero(Vec v) {
  return _mm512_test_epi32_mask(v, v) == 0;
}
HULL_SIMD_INLINE bool meet(Vec a, Vec b) {
  return _mm512_test_epi32_mask(a, b) != 0;
} ///< have set bits in common
/// v with the sign of s: zero where s is, negated where s is negative.
HULL_SIMD_INLINE Vec sign_32(Vec v, Vec s) {
  const Vec positive = _mm512_maskz_mov_epi32(gt_32(s, zeros()), v);
  return _mm512_mask_sub_epi32(positive, negative_32(s), zeros(), v);
}

HULL_SIMD_INLINE Doubles set_pd(double v) {
  return _mm512_set1_pd(v);
}
HULL_SIMD_INLINE Doubles add_pd(Doubles a, Doubles b) {
  return _mm512_add_pd(a, b);
}
HULL_SIMD_INLINE Doubles sub_pd(Doubles a, Doubles b) {
  return _mm512_sub_pd(a, b);
}
HULL_SIMD_INLINE Doubles mul_pd(Doubles a, Doubles b) {
  return _mm512_mul_pd(a, b);
}
HULL_SIMD_INLINE Doubles div_pd(Doubles a, Doubles b) {
  return _mm512_div_pd(a, b);
}
HULL_SIMD_INLINE Doubles max_pd(Doubles a, Doubles b) {
  return _mm512_max_pd(a, b);
}
HULL_SIMD_INLINE Doubles min_pd(Doubles a, Doubles b) {
  return _mm512_min_pd(a, b);
}
HULL_SIMD_INLINE Mask64 ge_pd(Doubles a, Doubles b) {
  return _mm512_cmp_pd_mask(a, b, _CMP_GE_OQ);
}
HULL_SIMD_INLINE Vec bits_of(Doubles v) {
  return _mm512_castpd_si512(v);
}
HULL_SIMD_INLINE Doubles truncated(Doubles v) {
  return _mm512_roundscale_pd(v, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
}
/// trunc(a) + b of a >= 0 and whole b >= 2^17: exponent and upper fifteen bits of the mantissa are right. The
/// sum, rounded down, lies between the wanted number and the next whole one, which differ further down.
HULL_SIMD_INLINE Doubles add_truncated(Doubles a, Doubles b) {
#if defined(HULL_SIMD_EMULATED)
  return add_pd(truncated(a), b);
#else
  return _mm512_add_round_pd(a, b, _MM_FROUND_TO_ZERO | _MM_FROUND_NO_EXC);
#endif
}
/// The first and the second half of the 32-bit lanes.
HULL_SIMD_INLINE Doubles doubles(Half v) {
  return _mm512_cvtepi32_pd(v);
}
HULL_SIMD_INLINE Doubles low_doubles(Vec v) {
  return doubles(_mm512_castsi512_si256(v));
}
HULL_SIMD_INLINE Doubles high_doubles(Vec v) {
  return doubles(_mm512_extracti64x4_epi64(v, 1));
}
HULL_SIMD_INLINE Floats floats(Vec v) {
  return _mm512_cvtepi32_ps(v);
}
HULL_SIMD_INLINE Doubles low_doubles(Floats v) {
  return _mm512_cvtps_pd(_mm512_castps512_ps256(v));
}
HULL_SIMD_INLINE Doubles high_doubles(Floats v) {
  return _mm512_cvtps_pd(_mm512_extractf32x8_ps(v, 1));
}
HULL_SIMD_INLINE Floats set_ps(float v) {
  return _mm512_set1_ps(v);
}
HULL_SIMD_INLINE Floats mul_ps(Floats a, Floats b) {
  return _mm512_mul_ps(a, b);
}
HULL_SIMD_INLINE Mask ge_ps(Floats a, Floats b) {
  return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ);
}
/// a * b + c, rounded once.
HULL_SIMD_INLINE Floats fused_ps(Floats a, Floats b, Floats c) {
  return _mm512_fmadd_ps(a, b, c);
}
HULL_SIMD_INLINE Vec whole_numbers(Floats v) {
  return _mm512_cvttps_epi32(v);
}
/// Whole numbers from the doubles of two halves, the fraction cut off.
HULL_SIMD_INLINE Vec whole_numbers(Doubles low, Doubles high) {
  return _mm512_inserti64x4(_mm512_castsi256_si512(_mm512_cvttpd_epi32(low)), _mm512_cvttpd_epi32(high), 1);
}
HULL_SIMD_INLINE Vec bits_of(Floats v) {
  return _mm512_castps_si512(v);
}
/// Masks of the even and of the odd lanes as one.
HULL_SIMD_INLINE Mask interleaved(Mask64 even, Mask64 odd) {
  const Vec all = set_64(-1);
  const Vec lanes = blend_odd(_mm512_maskz_mov_epi64(even, all), _mm512_maskz_mov_epi64(odd, all));
  return negative_32(lanes);
}
/// Masks of the two halves as one.
HULL_SIMD_INLINE Mask join(Mask64 low, Mask64 high) {
  return static_cast<Mask>(low | high << 8);
}

/// Bits from 37 on of two vectors of doubles: exponent and upper fifteen bits of the mantissa, which is all
/// that the logarithm needs. Lanes stay in order, so as_logs has nothing to do.
HULL_SIMD_INLINE Vec log_bits(Doubles low, Doubles high) {
  return low_halves(srl_64(bits_of(low), 37), srl_64(bits_of(high), 37));
}
HULL_SIMD_INLINE Mask as_logs(Mask m) {
  return m;
}

/// Signed 64-bit lanes through float to double, rounded once; `doubtful` is for sets that cannot do it.
HULL_SIMD_INLINE Doubles rounded_to_float(Vec v, Mask64 &) {
  return _mm512_cvtps_pd(_mm512_cvtepi64_ps(v));
}

HULL_SIMD_INLINE std::int64_t sum_64(Vec v) {
  std::uint64_t lanes[kLongs], sum = 0; // wraps, as the lanes did
  store(lanes, v);
  for (const std::uint64_t lane : lanes)
    sum += lane;
  return static_cast<std::int64_t>(sum);
}
/// Sum of signed 32-bit lanes.
HULL_SIMD_INLINE std::int64_t sum_32(Vec v) {
  return sum_64(add_64(_mm512_cvtepi32_epi64(_mm512_castsi512_si256(v)),
                       _mm512_cvtepi32_epi64(_mm512_extracti64x4_epi64(v, 1))));
}

} // namespace hull::vmaf::HULL_SIMD_SET

#endif
