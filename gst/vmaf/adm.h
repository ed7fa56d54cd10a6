#pragma once

#include "gst/vmaf/feature_options.h"
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
  using Num = std::array<std::int64_t, 3>;
  std::array<Num, kGains> num{};
  std::array<std::uint64_t, 3> den{};
  std::array<Num, kAdmViews> restored{}, additive{}; ///< by view
  void add(const AdmSums &other);
};

/// Rings and row buffers of one thread, for up to `pictures` distorted pictures.
struct AdmScratch {
  AdmScratch(int width, std::size_t pictures, std::size_t views);
  struct Ring {
    Ring(int width, std::size_t views);
    int rows_of_y;
    Rows<std::int32_t> rows;
    /// Buffers of band row y, one set per gain limit.
    std::array<MaskRow, kGains> at(int y);
    AdmViewRow view_at(int y, std::size_t view);
  };
  std::vector<Ring> rings;
  Rows<std::int16_t> narrow; ///< level 0: vertical low, high, then bands h, v, d of reference and distorted
  Rows<std::int32_t> wide;   ///< levels 1..3: the same
};

/// Sums of band rows [begin, end) of `level`, and those rows of every approximation. `reference_sums`
/// receives den, sums[i] num of distorted picture i. The stripe above and below may run at the same time:
/// rows just outside are worked out again here.
void adm_stripe(const Kernels &kernels, AdmPyramid &reference, std::span<AdmPyramid *const> distorted,
                int level, int begin, int end, Gains gains, std::span<const AdmView> views,
                AdmScratch &scratch, AdmSums &reference_sums, std::span<AdmSums> sums);

/// Contrast sensitivity at a viewing distance, as factors and as floats.
struct AdmCsf {
  CsfFactors factors;
  std::array<std::array<float, 2>, kLevels> gain; ///< {h and v, d}
};

/// All of AdmOptions that a pass over the picture depends on.
struct AdmPass {
  AdmCsf csf;
  int gain = 0; ///< index into kGainLimit
  double noise = 0;
  AdmView view() const { return {csf.factors, gain}; }
  bool operator==(const AdmPass &other) const {
    return csf.gain == other.csf.gain && gain == other.gain && noise == other.noise;
  }
};

/// Fails where libvmaf has no table for distance and height, or a distance below 3240 lines.
Result<AdmPass> adm_pass(const AdmOptions &options);

struct AdmLevelScore {
  float num[kGains] = {};
  float den = 0;
};

AdmLevelScore adm_level_score(const AdmRegion &region, int level, const AdmSums &reference,
                              const AdmSums &pair);

/// adm2 from the four levels for one gain limit.
double adm_score(const std::array<AdmLevelScore, kLevels> &levels, int gain, int width, int height);

/// What a view gives; adm3 is AdmOptions::adm3 of it.
struct AdmViewScore {
  double adm2 = 0, aim = 0;
  double scale[kLevels] = {};
};

/// `reference` and `pair` by level.
AdmViewScore adm_view_score(const AdmPass &pass, std::size_t view, int width, int height,
                            std::span<const AdmSums, kLevels> reference,
                            std::span<const AdmSums, kLevels> pair);

} // namespace hull::vmaf
