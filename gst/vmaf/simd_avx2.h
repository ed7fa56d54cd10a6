#pragma once

// Shared pieces of the AVX2 kernels. Every function carries the target itself, so that nothing compiled for
// AVX2 can be linked in place of an inline function of the standard library.

#if defined(__x86_64__)

#include <cstdint>
#include <immintrin.h>

#define HULL_AVX2 [[gnu::target("avx2")]]
#define HULL_AVX2_INLINE [[gnu::target("avx2"), gnu::always_inline]] static inline

namespace hull::vmaf::avx2 {

using Vec = __m256i;

HULL_AVX2_INLINE Vec load(const void *at) {
  return _mm256_loadu_si256(static_cast<const __m256i *>(at));
}
HULL_AVX2_INLINE void store(void *at, Vec value) {
  _mm256_storeu_si256(static_cast<__m256i *>(at), value);
}
/// Sixteen bytes as sixteen words.
HULL_AVX2_INLINE Vec load_bytes(const std::uint8_t *at) {
  return _mm256_cvtepu8_epi16(_mm_loadu_si128(reinterpret_cast<const __m128i *>(at)));
}
HULL_AVX2_INLINE std::int64_t sum_64(Vec v) {
  const __m128i half = _mm_add_epi64(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  // Wraps, as the lanes did.
  return static_cast<std::int64_t>(static_cast<std::uint64_t>(_mm_extract_epi64(half, 0)) +
                                   static_cast<std::uint64_t>(_mm_extract_epi64(half, 1)));
}
/// Sum of eight signed 32-bit lanes.
HULL_AVX2_INLINE std::int64_t sum_32(Vec v) {
  return sum_64(_mm256_add_epi64(_mm256_cvtepi32_epi64(_mm256_castsi256_si128(v)),
                                 _mm256_cvtepi32_epi64(_mm256_extracti128_si256(v, 1))));
}
/// Two 16-bit taps in each 32-bit lane.
HULL_AVX2_INLINE Vec tap_pair(int first, int second) {
  return _mm256_set1_epi32(static_cast<int>(static_cast<std::uint32_t>(first & 0xffff) |
                                            static_cast<std::uint32_t>(second) << 16));
}

} // namespace hull::vmaf::avx2

#endif
