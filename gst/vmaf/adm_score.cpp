#include "gst/vmaf/adm.h"
#include "gst/vmaf/kernels/adm_constants.h"

#include <algorithm>
#include <cmath>

namespace hull::vmaf {
namespace {

int log2_up(double value) {
  return static_cast<int>(std::ceil(std::log2(value)));
}

} // namespace

AdmRegion::AdmRegion(int picture_width, int picture_height, int level) {
  width = picture_width;
  height = picture_height;
  for (int i = 0; i <= level; ++i) {
    width = (width + 1) / 2;
    height = (height + 1) / 2;
  }
  left = static_cast<int>(width * 0.1 - 0.5);
  top = static_cast<int>(height * 0.1 - 0.5);
  left = left < 0 ? 0 : left;
  top = top < 0 ? 0 : top;
  right = width - left;
  bottom = height - top;
}

AdmShifts::AdmShifts(const AdmRegion &region, int level) {
  if (level == 0) {
    cube_row = 0;
    cube_frame = std::max(0, static_cast<int>(std::ceil(std::log2(region.area()) - 20)));
    mask.row[0] = mask.row[1] = log2_up(region.width) - 4;
    mask.row[2] = mask.row[0] + 1;
  } else {
    cube_row = log2_up(region.right - region.left);
    cube_frame = log2_up(region.bottom - region.top);
    for (int &row : mask.row)
      row = log2_up(region.width);
  }
  mask_frame = log2_up(region.height);
}

void AdmSums::add(const AdmSums &other) {
  for (std::size_t b = 0; b < 3; ++b) {
    den[b] += other.den[b];
    for (std::size_t g = 0; g < kGains; ++g)
      num[g][b] += other.num[g][b];
    for (std::size_t v = 0; v < kAdmViews; ++v) {
      restored[v][b] += other.restored[v][b];
      additive[v][b] += other.additive[v][b];
    }
  }
}

namespace {

constexpr float kThird = 1.0f / 3.0f;

float noise_of(const AdmRegion &region, double weight) {
  return std::pow(static_cast<float>(region.area() * weight), kThird);
}

/// Of the denominator's sums with a sensitivity {h and v, d}.
float den_of(const AdmRegion &region, int level, const std::array<std::uint64_t, 3> &sums, const float *csf,
             float noise) {
  const AdmShifts shifts(region, level);
  const int cube_total = kCubeTotal[level] - shifts.cube_row - shifts.cube_frame;
  std::array<float, 3> den{};
  for (std::size_t b = 0; b < 3; ++b) {
    const double c = static_cast<double>(sums[b]) / std::pow(2.0, cube_total);
    const double weighted = c * std::pow(static_cast<double>(csf[b / 2]), 3);
    den[b] = std::pow(static_cast<float>(weighted), kThird) + noise;
  }
  return (den[0] + den[1]) + den[2];
}

float num_of(const AdmRegion &region, int level, const AdmSums::Num &sums, float noise) {
  const AdmShifts shifts(region, level);
  std::array<float, 3> num{};
  for (std::size_t b = 0; b < 3; ++b) {
    const int total = (level ? kMaskTotal[level] : kMaskTotal0[b]) - shifts.mask.row[b] - shifts.mask_frame;
    const float value = level ? static_cast<float>(sums[b]) / static_cast<float>(std::pow(2.0, total))
                              : static_cast<float>(static_cast<double>(sums[b]) / std::pow(2.0, total));
    num[b] = std::pow(value, kThird) + noise;
  }
  return (num[0] + num[1]) + num[2];
}

/// num / den, both zero where they are next to nothing; 1 where den is.
double ratio(double num, double den, int width, int height) {
  const double limit = 1e-10 * width * height / (1920.0 * 1080.0);
  if (num < limit) num = 0;
  if (den < limit) den = 0;
  return den == 0 ? 1.0 : num / den;
}

} // namespace

AdmLevelScore adm_level_score(const AdmRegion &region, int level, const AdmSums &reference,
                              const AdmSums &pair) {
  const float noise = noise_of(region, kAdmNoiseWeight);
  AdmLevelScore score;
  score.den = den_of(region, level, reference.den, kCsfFloat[level], noise);
  for (std::size_t g = 0; g < kGains; ++g)
    score.num[g] = num_of(region, level, pair.num[g], noise);
  return score;
}

double adm_score(const std::array<AdmLevelScore, kLevels> &levels, int gain, int width, int height) {
  double num = 0, den = 0;
  for (const AdmLevelScore &level : levels) {
    num += static_cast<double>(level.num[gain]);
    den += static_cast<double>(level.den);
  }
  return ratio(num, den, width, height);
}

AdmViewScore adm_view_score(const AdmPass &pass, std::size_t view, int width, int height,
                            std::span<const AdmSums, kLevels> reference,
                            std::span<const AdmSums, kLevels> pair) {
  AdmViewScore score;
  double nums = 0, dens = 0, added = 0;
  for (int level = 0; level < kLevels; ++level) {
    const auto at = static_cast<std::size_t>(level);
    const AdmRegion region(width, height, level);
    const float noise = noise_of(region, pass.noise);
    const double den =
        static_cast<double>(den_of(region, level, reference[at].den, pass.csf.gain[at].data(), noise));
    const double num = static_cast<double>(num_of(region, level, pair[at].restored[view], noise));
    score.scale[at] = num / den;
    nums += num;
    dens += den;
    added += static_cast<double>(num_of(region, level, pair[at].additive[view], 0));
  }
  score.adm2 = ratio(nums, dens, width, height);
  // Without noise the denominator may be nothing, and libvmaf leaves aim unset.
  score.aim = dens > 0 ? added / dens : 0;
  return score;
}

} // namespace hull::vmaf
