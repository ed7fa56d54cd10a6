#include "gst/vmaf/pool.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace hull::vmaf {

namespace {

constexpr int kMantissaBits = 12, kLowest = -10, kHighest = 8; ///< powers of two
constexpr std::uint64_t kFirstKey = static_cast<std::uint64_t>(1023 + kLowest) << kMantissaBits;
constexpr std::size_t kBins = static_cast<std::size_t>(kHighest - kLowest) << kMantissaBits;

/// A double's upper bits are its bin on a scale that is fine where values are small.
std::size_t bin_of(double value) {
  if (!(value >= std::ldexp(1.0, kLowest))) return 0;
  const std::uint64_t key = std::bit_cast<std::uint64_t>(value) >> (52 - kMantissaBits);
  return std::min<std::size_t>(key - kFirstKey, kBins - 1);
}

double middle_of(std::size_t bin) {
  const std::uint64_t key = (bin + kFirstKey) << (52 - kMantissaBits);
  return std::bit_cast<double>(key | std::uint64_t{1} << (51 - kMantissaBits));
}

} // namespace

double percentile(const std::vector<double> &sorted, double percent) {
  const double at = percent * static_cast<double>(sorted.size() - 1) / 100.0;
  const auto below = static_cast<std::size_t>(at);
  const std::size_t above = std::min(below + 1, sorted.size() - 1);
  return sorted[below] + (at - static_cast<double>(below)) * (sorted[above] - sorted[below]);
}

Pooled pool(const std::vector<double> &values) {
  if (values.empty()) {
    constexpr double kNone = std::numeric_limits<double>::quiet_NaN();
    return {kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone, kNone};
  }
  const auto count = static_cast<double>(values.size());
  double sum = 0, inverse = 0;
  for (const double value : values) {
    sum += value;
    inverse += 1.0 / (value + 1.0);
  }
  const double mean = sum / count;
  double spread = 0;
  for (const double value : values)
    spread += (value - mean) * (value - mean);
  std::vector<double> sorted = values;
  std::sort(sorted.begin(), sorted.end());
  return {sorted.front(),
          sorted.back(),
          mean,
          count / inverse - 1.0,
          std::sqrt(spread / count),
          percentile(sorted, 1),
          percentile(sorted, 5),
          percentile(sorted, 10),
          percentile(sorted, 25),
          percentile(sorted, 50)};
}

void RunningPool::add(double value) {
  if (bins_.empty()) bins_.resize(kBins);
  min_ = count_ ? std::min(min_, value) : value;
  max_ = count_ ? std::max(max_, value) : value;
  ++count_;
  sum_ += value;
  inverse_ += 1.0 / (value + 1.0);
  const double before = value - centre_;
  centre_ += before / static_cast<double>(count_);
  spread_ += before * (value - centre_);
  ++bins_[bin_of(value)];
}

double RunningPool::percentile(double percent) const {
  const auto rank = static_cast<std::uint64_t>(percent * static_cast<double>(count_ - 1) / 100.0);
  std::uint64_t below = 0;
  std::size_t bin = 0;
  while (bin + 1 < kBins && (below += bins_[bin]) <= rank)
    ++bin;
  return std::clamp(middle_of(bin), min_, max_);
}

Pooled RunningPool::pooled() const {
  if (count_ == 0) return pool({});
  const auto count = static_cast<double>(count_);
  return {min_,          max_,          sum_ / count,   count / inverse_ - 1.0, std::sqrt(spread_ / count),
          percentile(1), percentile(5), percentile(10), percentile(25),         percentile(50)};
}

} // namespace hull::vmaf
