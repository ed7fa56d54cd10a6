#pragma once

#include "gst/vmaf/feature_options.h"
#include "gst/vmaf/plane.h"

#include <vector>

namespace hull::vmaf {

/// What of SpEED depends on a plane's size and the options alone.
struct SpeedSetup {
  SpeedSetup(int plane_width, int plane_height, const SpeedOptions &options);

  SpeedOptions options;
  int width, height; ///< after scaling
  bool scaled;
  int columns, rows; ///< of the blocks, 5 x 5 decimated samples each
  std::vector<float> low_pass, local_mean;
  int across, down; ///< decimated samples
  int blocks() const { return columns * rows; }
  /// Whether there are so few neighbourhoods that their covariance is singular whatever the samples are.
  bool always_fails() const;
};

/// Whether planes of this size give an estimate: 80 samples both ways after scaling.
Result<void> check_speed(int plane_width, int plane_height, const SpeedOptions &options);

/// What is estimated of one picture's plane: entropy and variance of each block.
struct SpeedEstimate {
  bool failed = false; ///< the covariance was singular
  std::vector<float> entropy, variance;
};

SpeedEstimate speed_estimate(const Plane &plane, const SpeedSetup &setup);

/// Difference of two pictures' information, not limited; `uv` is what the models read.
struct SpeedScore {
  double u = 0, v = 0, uv = 0;
};

SpeedScore speed_score(const SpeedEstimate (&reference)[2], const SpeedEstimate (&distorted)[2],
                       const SpeedOptions &options);

inline constexpr int kSpeedBlock = 5;
inline constexpr int kSpeedOrder = kSpeedBlock * kSpeedBlock;

/// A matrix of kSpeedOrder columns per row where square, else of `columns`.
using SpeedMatrix = std::vector<float>;

/// The eigenvalues of a symmetric matrix in the order in which libvmaf finds them.
std::vector<float> speed_eigenvalues(const SpeedMatrix &matrix);

/// Z of `matrix` * Z = `y` with `columns` columns; empty where a pivot is below 1e-6.
SpeedMatrix speed_solve(const SpeedMatrix &matrix, const SpeedMatrix &y, int columns);

} // namespace hull::vmaf
