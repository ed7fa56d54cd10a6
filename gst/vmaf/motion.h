#pragma once

#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

namespace hull::vmaf {

/// Sum of absolute blurred differences of rows [begin, end) between two luma planes of one size and depth.
/// `scratch`: at least one row of the width.
std::uint64_t motion_stripe(const Kernels &kernels, const Plane &previous, const Plane &current, int begin,
                            int end, Rows<std::int32_t> &scratch);

/// The sum as libvmaf reports it: per pixel, in code values.
inline double motion_score(std::uint64_t sum, int width, int height) {
  return static_cast<double>(sum) / 256.0 / (static_cast<double>(width) * height);
}

} // namespace hull::vmaf
