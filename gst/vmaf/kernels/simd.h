#pragma once

// The vector operations that the kernels in *_simd.cpp are written with. Each of those files is compiled once
// per instruction set; the set's header says what a vector is.

#if defined(HULL_SIMD_AVX512)
#include "gst/vmaf/kernels/simd_avx512.h"
#else
#include "gst/vmaf/kernels/simd_avx2.h"
#endif

#if defined(__x86_64__)

namespace hull::vmaf::HULL_SIMD_SET {

/// Two 16-bit taps in each 32-bit lane.
HULL_SIMD_INLINE Vec tap_pair(int first, int second) {
  return set_32(static_cast<int>(static_cast<std::uint32_t>(first & 0xffff) |
                                 static_cast<std::uint32_t>(second) << 16));
}

/// Even lanes from `even`, odd ones from `odd`, of 64-bit results whose 32 bits above `shift` are wanted.
HULL_SIMD_INLINE Vec joined(Vec even, Vec odd, int shift) {
  return blend_odd(srl_64(even, shift), sll_64(odd, 32 - shift));
}

} // namespace hull::vmaf::HULL_SIMD_SET

#endif
