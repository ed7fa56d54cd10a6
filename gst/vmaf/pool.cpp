#include "gst/vmaf/pool.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hull::vmaf {

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

} // namespace hull::vmaf
