#pragma once

#include "gst/vmaf/kernels.h"
#include "gst/vmaf/simd_avx2.h"

#if defined(__x86_64__)

namespace hull::vmaf::avx2 {

constexpr int kLanes = 16; ///< samples per block

/// Taps as constants, zero outside the filter.
template <int L> constexpr int tap(int k);
template <> constexpr int tap<17>(int k) {
  constexpr int kTaps[] = {489,  935,  1640, 2640, 3896, 5274, 6547, 7455, 7784,
                           7455, 6547, 5274, 3896, 2640, 1640, 935,  489};
  return k < 0 || k > 16 ? 0 : kTaps[k];
}
template <> constexpr int tap<9>(int k) {
  constexpr int kTaps[] = {1244, 3663, 7925, 12590, 14692, 12590, 7925, 3663, 1244};
  return k < 0 || k > 8 ? 0 : kTaps[k];
}
template <> constexpr int tap<5>(int k) {
  constexpr int kTaps[] = {3571, 16004, 26386, 16004, 3571};
  return k < 0 || k > 4 ? 0 : kTaps[k];
}
/// The middle tap does not fit 16 signed bits: 65536 is taken off here and added where it is used.
template <> constexpr int tap<3>(int k) {
  constexpr int kTaps[] = {10904, 43728 - 65536, 10904};
  return k < 0 || k > 2 ? 0 : kTaps[k];
}

HULL_AVX2_INLINE Vec flip_words(Vec v) {
  return _mm256_xor_si256(v, _mm256_set1_epi16(-32768));
}
HULL_AVX2_INLINE Vec flip_sums(Vec v) {
  return _mm256_xor_si256(v, _mm256_set1_epi32(static_cast<int>(0x80000000u)));
}

/// The function for a filter's length.
template <class F> F *by_length(const Filter &filter, F *f17, F *f9, F *f5, F *f3) {
  return filter.length == 17 ? f17 : filter.length == 9 ? f9 : filter.length == 5 ? f5 : f3;
}

} // namespace hull::vmaf::avx2

#endif
