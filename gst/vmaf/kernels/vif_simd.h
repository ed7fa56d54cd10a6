#pragma once

#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/kernels/simd.h"

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
template <> constexpr int tap<3>(int k) {
  constexpr int kTaps[] = {10904, 43728, 10904};
  return k < 0 || k > 2 ? 0 : kTaps[k];
}

/// Taps of each pair of samples for outputs that begin 0, 1, 2, … samples behind the first pair, in every
/// lane. A tap of more than 15 bits does not fit a signed word, so a filter that has one is applied in two
/// parts.
template <int L> struct TapTable {
  static constexpr int kParts = L == 3 ? 2 : 1;
  static constexpr int kPairs = (L + kVifRows) / 2; ///< of kVifRows outputs
  alignas(64) std::int16_t taps[kPairs][kParts][kVifRows][kWords];
  constexpr TapTable() : taps() {
    for (int p = 0; p < kPairs; ++p)
      for (int part = 0; part < kParts; ++part)
        for (int r = 0; r < kVifRows; ++r)
          for (int i = 0; i < kWords; ++i) {
            const int whole = tap<L>(2 * p - r + (i & 1));
            const int first = whole > 32767 ? whole / 2 : whole;
            taps[p][part][r][i] = static_cast<std::int16_t>(part ? whole - first : first);
          }
  }
};
template <int L> constexpr TapTable<L> kTapTable;

HULL_SIMD_INLINE Vec flip_words(Vec v) {
  return bit_xor(v, set_16(-32768));
}

/// A load for several uses: left alone, the compiler makes it a memory operand of each.
HULL_SIMD_INLINE Vec loaded(const void *at) {
  Vec v = load(at);
  hold(v);
  return v;
}

/// Where a sum of flipped words begins.
HULL_SIMD_INLINE Vec top_bit() {
  return set_32(static_cast<int>(0x80000000u));
}

/// The function for a filter's length.
template <class F> F *by_length(const Filter &filter, F *f17, F *f9, F *f5, F *f3) {
  return filter.length == 17 ? f17 : filter.length == 9 ? f9 : filter.length == 5 ? f5 : f3;
}

} // namespace hull::vmaf::HULL_SIMD_SET

#endif
