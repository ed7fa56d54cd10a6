#include "gst/tools/encode_plan.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace hull::tools {

std::vector<std::uint64_t> group_starts(const std::vector<std::uint64_t> &shots, std::uint64_t pictures,
                                        unsigned gop) {
  std::vector<std::uint64_t> starts, shot_starts{0};
  for (const std::uint64_t shot : shots)
    if (shot > shot_starts.back() && shot < pictures) shot_starts.push_back(shot);
  for (std::size_t i = 0; i < shot_starts.size(); ++i) {
    const std::uint64_t end = i + 1 < shot_starts.size() ? shot_starts[i + 1] : pictures;
    for (std::uint64_t at = shot_starts[i]; at < end; at += gop)
      starts.push_back(at);
  }
  return starts;
}

GroupCurves::GroupCurves(std::vector<std::uint64_t> starts, std::uint64_t pictures,
                         std::vector<int> quantizers, const std::vector<Measured> &trials)
    : quantizers_(std::move(quantizers)), pictures_(pictures) {
  for (std::size_t i = 0; i < starts.size(); ++i) {
    const std::uint64_t end = i + 1 < starts.size() ? starts[i + 1] : pictures;
    Group group{starts[i], end - starts[i], {}, {}};
    for (const Measured &trial : trials) {
      double bytes = 1, score = 0; // one byte: the logarithm of an empty group
      for (std::uint64_t n = group.first; n < end; ++n) {
        bytes += trial.sizes.at(n);
        if (!trial.vmaf.empty()) score += trial.vmaf.at(n);
      }
      scored_ |= !trial.vmaf.empty();
      group.log_bytes.push_back(std::log(bytes));
      group.score.push_back(score);
    }
    groups_.push_back(std::move(group));
  }
}

double GroupCurves::interpolate(const std::vector<double> &values, double x) const {
  std::size_t right = 1;
  while (right + 1 < quantizers_.size() && quantizers_[right] < x)
    ++right;
  if (quantizers_.size() < 2) return values.front();
  const double from = quantizers_[right - 1], to = quantizers_[right];
  return values[right - 1] + (values[right] - values[right - 1]) * (x - from) / (to - from);
}

double GroupCurves::bytes_at(double x) const {
  double bytes = 0;
  for (const Group &group : groups_)
    bytes += std::exp(interpolate(group.log_bytes, x));
  return bytes;
}

double GroupCurves::score_at(double x) const {
  if (!scored_) return std::numeric_limits<double>::quiet_NaN();
  double score = 0;
  for (const Group &group : groups_)
    score += std::clamp(interpolate(group.score, x), 0.0, 100.0 * static_cast<double>(group.pictures));
  return score / static_cast<double>(pictures_);
}

// Both fall with the quantizer: halving finds the place.
template <class Value> double GroupCurves::solve(Value value, double wanted) const {
  double low = 0, high = 51;
  for (int i = 0; i < 40; ++i) {
    const double middle = (low + high) / 2;
    (value(middle) > wanted ? low : high) = middle;
  }
  return (low + high) / 2;
}

double GroupCurves::quantizer_for_bytes(double bytes) const {
  return solve([this](double x) { return bytes_at(x); }, bytes);
}

double GroupCurves::quantizer_for_score(double score) const {
  return solve([this](double x) { return score_at(x); }, score);
}

std::vector<QpChange> GroupCurves::schedule(double x) const {
  x = std::clamp(x, 0.0, 51.0);
  const int below = static_cast<int>(x);
  std::vector<QpChange> changes;
  double owed = 0; // pictures of the better part that rounding has kept back
  for (const Group &group : groups_) {
    owed += static_cast<double>(group.pictures) * (below + 1 - x);
    const auto better = static_cast<std::uint64_t>(
        std::clamp(std::floor(owed + 0.5), 0.0, static_cast<double>(group.pictures)));
    owed -= static_cast<double>(better);
    if (better > 0) changes.push_back({group.first, below});
    if (better < group.pictures) changes.push_back({group.first + better, std::min(below + 1, 51)});
  }
  return changes;
}

} // namespace hull::tools
