#pragma once

#include <cstdint>
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

/// The same figures of an endless sequence in fixed memory. Means and extremes are those of pool(); the
/// standard deviation is summed in one pass, and percentiles come from bins 1/4096 of a value wide, so they
/// are off by 1/8192 of it at most. Values below 2^-10 share a bin, as do those from 2^8 on.
class RunningPool {
 public:
  void add(double value);
  std::uint64_t count() const { return count_; }
  double mean() const { return sum_ / static_cast<double>(count_); }
  Pooled pooled() const;

 private:
  double percentile(double percent) const;

  std::uint64_t count_ = 0;
  double min_ = 0, max_ = 0, sum_ = 0, inverse_ = 0;
  double centre_ = 0, spread_ = 0; ///< Welford's recurrence
  std::vector<std::uint32_t> bins_;
};

} // namespace hull::vmaf
