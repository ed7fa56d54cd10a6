#pragma once

#include "gst/vmaf/simd_avx2.h"

#if defined(__x86_64__)

#include <array>

namespace hull::vmaf::avx2 {

/// floor(2^30 / a) for a = 1..32768; entry 0 is zero and never counts.
const std::array<std::int32_t, 32769> &inverses();

} // namespace hull::vmaf::avx2

#endif
