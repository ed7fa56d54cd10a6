#pragma once

#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

#include <array>
#include <span>
#include <vector>

namespace hull::vmaf {

inline constexpr int kLevels = 4;

/// Size of a band and the part of it that is scored (the borders, a tenth on each side, are not).
struct AdmRegion {
  AdmRegion(int picture_width, int picture_height, int level);
  int width, height;
  int left, right, top, bottom; ///< scored: [left, right) x [top, bottom)
  int area() const { return (right - left) * (bottom - top); }
};

/// Rounding shifts that keep the sums of a level in 64 bits; they depend on the picture's size alone.
struct AdmShifts {
  AdmShifts(const AdmRegion &region, int level);
  int cube_row, cube_frame; ///< denominator: per pixel, per row
  AdmMaskShifts mask;       ///< numerator: per pixel
  int mask_frame;           ///< numerator: per row
};

/// A picture and its wavelet approximations; level n's input is level n - 1's approximation.
class AdmPyramid {
 public:
  AdmPyramid(int width, int height);
  Plane picture;
  Rows<std::int16_t> approximation0;
  std::array<Rows<std::int32_t>, 2> approximation; ///< of levels 1 and 2; level 3's is not needed
};

struct AdmSums {
  std::array<std::array<std::int64_t, 3>, kGains> num{};
  std::array<std::uint64_t, 3> den{};
  void add(const AdmSums &other);
};

/// Rings and row buffers of one thread, for up to `pictures` distorted pictures.
struct AdmScratch {
  AdmScratch(int width, std::size_t pictures);
  struct Ring {
    explicit Ring(int width);
    Rows<std::int32_t> rows;
    /// Buffers of band row y, one set per gain limit.
    std::array<MaskRow, kGains> at(int y);
  };
  std::vector<Ring> rings;
  Rows<std::int16_t> narrow; ///< level 0: vertical low, high, then bands h, v, d of reference and distorted
  Rows<std::int32_t> wide;   ///< levels 1..3: the same
};

/// Sums of band rows [begin, end) of `level`, and those rows of every approximation. `reference_sums`
/// receives den, sums[i] num of distorted picture i. The stripe above and below may run at the same time:
/// rows just outside are worked out again here.
void adm_stripe(const Kernels &kernels, AdmPyramid &reference, std::span<AdmPyramid *const> distorted,
                int level, int begin, int end, Gains gains, AdmScratch &scratch, AdmSums &reference_sums,
                std::span<AdmSums> sums);

struct AdmLevelScore {
  float num[kGains] = {};
  float den = 0;
};

AdmLevelScore adm_level_score(const AdmRegion &region, int level, const AdmSums &reference,
                              const AdmSums &pair);

/// adm2 from the four levels for one gain limit.
double adm_score(const std::array<AdmLevelScore, kLevels> &levels, int gain, int width, int height);

} // namespace hull::vmaf
