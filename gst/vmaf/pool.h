#pragma once

#include <vector>

namespace hull::vmaf {

/// A sequence of scores in a few numbers, all in the scores' own unit.
struct Pooled {
  double min = 0, max = 0, mean = 0, harmonic_mean = 0, stddev = 0;
  double p1 = 0, p5 = 0, p10 = 0, p25 = 0, p50 = 0;
};

/// Value below which `percent` of the sorted values lie, linear between neighbours at index percent * (n - 1)
/// / 100. `sorted` ascending, not empty.
double percentile(const std::vector<double> &sorted, double percent);

/// Summed in the order given, as libvmaf does; the harmonic mean is n / sum(1 / (x + 1)) - 1 so that zeros
/// count. The standard deviation is the population's. An empty sequence gives NaN throughout.
Pooled pool(const std::vector<double> &values);

} // namespace hull::vmaf
