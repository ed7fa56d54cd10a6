#pragma once

#include "gst/vmaf/kernels.h"
#include "gst/vmaf/simd.h"

#if defined(__x86_64__)

namespace hull::vmaf::HULL_SIMD_SET {

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
/// Only for pairs that overlap by one sample: the middle tap, 43728, does not fit 16 signed bits, so each of
/// the two pairs has half of it.
template <> constexpr int tap<3>(int k) {
  constexpr int kTaps[] = {10904, 21864, 21864, 10904};
  return k < 0 || k > 3 ? 0 : kTaps[k];
}

HULL_SIMD_INLINE Vec flip_words(Vec v) {
  return bit_xor(v, set_16(-32768));
}

/// The function for a filter's length.
template <class F> F *by_length(const Filter &filter, F *f17, F *f9, F *f5, F *f3) {
  return filter.length == 17 ? f17 : filter.length == 9 ? f9 : filter.length == 5 ? f5 : f3;
}

} // namespace hull::vmaf::HULL_SIMD_SET

#endif
