#pragma once

#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

#include <array>
#include <span>
#include <vector>

namespace hull::vmaf {

inline constexpr int kScales = 4;

/// A picture and its three low-passed halvings; the halvings are 16-bit planes owned here.
class VifPyramid {
 public:
  VifPyramid(int width, int height);
  void set_picture(const Plane &picture) { planes_[0] = picture; }
  const Plane &plane(int scale) const { return planes_[static_cast<std::size_t>(scale)]; }
  std::uint16_t *row(int scale, int y) { return rows_[static_cast<std::size_t>(scale - 1)].row(y); }

 private:
  std::array<Plane, kScales> planes_;
  std::array<Rows<std::uint16_t>, kScales - 1> rows_;
};

/// Buffers of one thread. The vertical filters' rings of prepared rows are to stay in the second-level cache,
/// so a wide picture is worked through in strips of columns.
struct VifScratch {
  VifScratch(int width, std::size_t pictures);
  int columns; ///< of the widest strip, its surroundings included
  Rows<std::uint16_t> reference_ring;
  std::vector<Rows<std::uint16_t>> distorted_rings;
  Rows<std::uint16_t> reference, distorted, cross, smooth;
  Rows<std::uint32_t> mean;
  Rows<std::int32_t> variance;
};

/// Sums of rows [begin, end) of `scale` for one reference and any number of distorted pictures of its size
/// and depth. The reference's part (den_*) goes to `reference_sums`, num_* of picture i to sums[i].
void vif_stripe(const Kernels &kernels, const Plane &reference, std::span<VifPyramid *const> distorted,
                int scale, int begin, int end, Gains gains, VifScratch &scratch, VifSums &reference_sums,
                std::span<VifSums> sums);

/// Rows [begin, end) of scale + 1 from `scale`; source rows are reflected at the plane's edges.
void vif_halve(const Kernels &kernels, VifPyramid &pyramid, int scale, int begin, int end,
               VifScratch &scratch);

struct VifScore {
  float num[kGains] = {};
  float den = 0;
  double ratio(int gain) const { return static_cast<double>(num[gain] / den); }
};

/// Numerator and denominator of one scale from whole-plane sums.
VifScore vif_score(const VifSums &reference, const VifSums &pair);

} // namespace hull::vmaf
