#pragma once

// AVX-512 on machines without it: simde's emulation of the intrinsics, and those it lacks written out lane by
// lane from the instruction set's reference.

#define SIMDE_ENABLE_NATIVE_ALIASES
#include <cmath>
#include <cstdint>
#include <cstring>
#include <limits>
#include <simde/x86/avx2.h>
#include <simde/x86/avx512.h>

using __mmask8 = simde__mmask8;
using __mmask16 = simde__mmask16;

namespace hull::vmaf::emulated {

/// A register as an array of its lanes.
template <class T, class V> struct Lanes {
  static constexpr int kCount = sizeof(V) / sizeof(T);
  T at[kCount];
  explicit Lanes(const V &v) { std::memcpy(at, &v, sizeof v); }
  Lanes() = default;
  V vector() const {
    V v;
    std::memcpy(&v, at, sizeof v);
    return v;
  }
};

/// Every lane of `from` as a lane of type Out.
template <class Out, class In, class To, class From> To converted(const From &from) {
  const Lanes<In, From> in(from);
  Lanes<Out, To> out;
  static_assert(Lanes<In, From>::kCount == Lanes<Out, To>::kCount);
  for (int i = 0; i < Lanes<Out, To>::kCount; ++i)
    out.at[i] = static_cast<Out>(in.at[i]);
  return out.vector();
}

} // namespace hull::vmaf::emulated

#define HULL_EMULATED static inline
namespace hull::vmaf::emulated {

HULL_EMULATED __m512i cvtepu8_epi16(__m256i v) {
  return converted<std::uint16_t, std::uint8_t, __m512i>(v);
}
HULL_EMULATED __m512i cvtepi16_epi32(__m256i v) {
  return converted<std::int32_t, std::int16_t, __m512i>(v);
}
HULL_EMULATED __m512i cvtepi32_epi64(__m256i v) {
  return converted<std::int64_t, std::int32_t, __m512i>(v);
}
HULL_EMULATED __m512i cvtepu32_epi64(__m256i v) {
  return converted<std::uint64_t, std::uint32_t, __m512i>(v);
}
HULL_EMULATED __m256i cvtepi64_epi32(__m512i v) {
  return converted<std::int32_t, std::int64_t, __m256i>(v);
}
HULL_EMULATED __m512d cvtepi32_pd(__m256i v) {
  return converted<double, std::int32_t, __m512d>(v);
}
HULL_EMULATED __m512 cvtepi32_ps(__m512i v) {
  return converted<float, std::int32_t, __m512>(v);
}
HULL_EMULATED __m256 cvtepi64_ps(__m512i v) {
  return converted<float, std::int64_t, __m256>(v);
}
HULL_EMULATED __m512d cvtps_pd(__m256 v) {
  return converted<double, float, __m512d>(v);
}

HULL_EMULATED __m256 extractf32x8_ps(__m512 v, int half) {
  Lanes<float, __m256> out;
  std::memcpy(out.at, Lanes<float, __m512>(v).at + 8 * half, sizeof out.at);
  return out.vector();
}

HULL_EMULATED __m512i mulhi_epu16(__m512i a, __m512i b) {
  const Lanes<std::uint16_t, __m512i> p(a), q(b);
  Lanes<std::uint16_t, __m512i> out;
  for (int i = 0; i < 32; ++i)
    out.at[i] = static_cast<std::uint16_t>((std::uint32_t{p.at[i]} * q.at[i]) >> 16);
  return out.vector();
}

HULL_EMULATED __m512i sra_epi32(__m512i v, __m128i count) {
  const auto n = Lanes<std::uint64_t, __m128i>(count).at[0];
  Lanes<std::int32_t, __m512i> lanes(v);
  for (std::int32_t &lane : lanes.at)
    lane >>= n > 31 ? 31 : n;
  return lanes.vector();
}

HULL_EMULATED __m512i dpwssd_epi32(__m512i sum, __m512i a, __m512i b) {
  const Lanes<std::int16_t, __m512i> p(a), q(b);
  Lanes<std::uint32_t, __m512i> out(sum);
  for (int i = 0; i < 16; ++i) // wraps, as the instruction without saturation does
    out.at[i] += static_cast<std::uint32_t>(std::int32_t{p.at[2 * i]} * q.at[2 * i]) +
                 static_cast<std::uint32_t>(std::int32_t{p.at[2 * i + 1]} * q.at[2 * i + 1]);
  return out.vector();
}

HULL_EMULATED __m512d roundscale_pd(__m512d v, int) { // only toward zero is asked for
  Lanes<double, __m512d> lanes(v);
  for (double &lane : lanes.at)
    lane = std::trunc(lane);
  return lanes.vector();
}

/// Lanes of T in which a >= b.
template <class M, class T, class V> M lanes_ge(const V &a, const V &b) {
  const Lanes<T, V> p(a), q(b);
  int mask = 0;
  for (int i = 0; i < Lanes<T, V>::kCount; ++i)
    mask |= (p.at[i] >= q.at[i]) << i;
  return static_cast<M>(mask);
}
HULL_EMULATED simde__mmask16 cmp_ps_ge(__m512 a, __m512 b) {
  return lanes_ge<simde__mmask16, float>(a, b);
}
HULL_EMULATED simde__mmask8 cmp_pd_ge(__m512d a, __m512d b) {
  return lanes_ge<simde__mmask8, double>(a, b);
}

HULL_EMULATED __m512 fmadd_ps(__m512 a, __m512 b, __m512 c) {
  const Lanes<float, __m512> p(a), q(b), r(c);
  Lanes<float, __m512> out;
  for (int i = 0; i < 16; ++i)
    out.at[i] = std::fma(p.at[i], q.at[i], r.at[i]);
  return out.vector();
}

HULL_EMULATED __m512i cvttps_epi32(__m512 v) { // what is asked for fits
  return converted<std::int32_t, float, __m512i>(v);
}

HULL_EMULATED __m256i cvttpd_epi32(__m512d v) {
  const Lanes<double, __m512d> in(v);
  Lanes<std::int32_t, __m256i> out;
  for (int i = 0; i < 8; ++i) // what does not fit becomes the smallest number, as the instruction has it
    out.at[i] = std::abs(in.at[i]) < 2147483648.0 ? static_cast<std::int32_t>(in.at[i])
                                                  : std::numeric_limits<std::int32_t>::min();
  return out.vector();
}

HULL_EMULATED __m512i inserti64x4(__m512i v, __m256i half, int at) {
  Lanes<std::int32_t, __m512i> lanes(v);
  std::memcpy(lanes.at + 8 * at, &half, sizeof half);
  return lanes.vector();
}

} // namespace hull::vmaf::emulated

#undef _mm512_cvtepi64_epi32
#undef _mm512_dpwssd_epi32
#undef _mm512_madd_epi16
#undef _mm512_roundscale_pd
#undef _mm512_cmp_pd_mask
#undef _mm512_cmp_ps_mask
#undef _mm512_cvttpd_epi32
#undef _mm512_inserti64x4
#define _mm512_cvtepu8_epi16 cvtepu8_epi16
#define _mm512_cvtepi16_epi32 cvtepi16_epi32
#define _mm512_cvtepi32_epi64 cvtepi32_epi64
#define _mm512_cvtepu32_epi64 cvtepu32_epi64
#define _mm512_cvtepi64_epi32 cvtepi64_epi32
#define _mm512_cvtepi32_pd cvtepi32_pd
#define _mm512_cvtepi32_ps cvtepi32_ps
#define _mm512_cvtepi64_ps cvtepi64_ps
#define _mm512_cvtps_pd cvtps_pd
#define _mm512_cvttpd_epi32 cvttpd_epi32
#undef _mm512_fmadd_ps
#undef _mm512_cvttps_epi32
#define _mm512_fmadd_ps fmadd_ps
#define _mm512_cvttps_epi32 cvttps_epi32
#define _mm512_inserti64x4 inserti64x4
#define _mm512_extractf32x8_ps extractf32x8_ps
#define _mm512_mulhi_epu16 mulhi_epu16
#define _mm512_madd_epi16(a, b) simde_mm512_madd_epi16(a, b)
#define _mm512_sra_epi32 sra_epi32
#define _mm512_dpwssd_epi32 dpwssd_epi32
#define _mm512_roundscale_pd roundscale_pd
#define _mm512_cmp_pd_mask(a, b, how) cmp_pd_ge(a, b)
#define _mm512_cmp_ps_mask(a, b, how) cmp_ps_ge(a, b)
#ifndef _MM_FROUND_TO_ZERO
#define _MM_FROUND_TO_ZERO 3
#endif
#ifndef _MM_FROUND_NO_EXC
#define _MM_FROUND_NO_EXC 8
#endif
