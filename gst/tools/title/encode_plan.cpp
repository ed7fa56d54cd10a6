#include "gst/tools/title/encode_plan.h"

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

namespace {

// Quantizers of a group rise from its first picture to its last, since what comes early is predicted from for
// longest, and the key picture is better still. Against one quantizer for all: 0 to 2 % less rate at equal
// VMAF.
constexpr double kRise = 3, kKeyBonus = 2, kWholeRisePictures = 48;

// The pictures of a group behind its key picture.
class Slope {
 public:
  Slope(double x, std::uint64_t pictures) : x_(x), pictures_(pictures) {
    const double whole = kRise * std::min(1.0, static_cast<double>(pictures) / kWholeRisePictures);
    rise_ = std::max(std::min(whole, 2 * std::min(x, 51 - x)), 1e-6); // near an end all keep to it
  }
  /// Quantizer of a picture when the line is rounded down after `phase` was added.
  int at(std::uint64_t n, double phase) const {
    const double place = (static_cast<double>(n) + 0.5) / static_cast<double>(pictures_) - 0.5;
    return static_cast<int>(std::clamp(std::floor(x_ + rise_ * place + phase), 0.0, 51.0));
  }
  /// The phase with which they come to `wanted` in all, within a half.
  double phase_for(double wanted) const {
    double low = -1, high = 2;
    for (int i = 0; i < 40; ++i) {
      const double middle = (low + high) / 2;
      (sum(middle) < wanted - 0.5 ? low : high) = middle;
    }
    return high;
  }
  double sum(double phase) const {
    double sum = 0;
    for (std::uint64_t n = 0; n < pictures_; ++n)
      sum += at(n, phase);
    return sum;
  }

 private:
  double x_, rise_ = 0;
  std::uint64_t pictures_;
};

int key_quantizer(double x, std::uint64_t pictures) {
  const double better = pictures > 1 ? kRise / 2 + kKeyBonus : 0; // a group of one has nothing to lend to
  return static_cast<int>(std::clamp(std::round(x - better), 0.0, 51.0));
}

} // namespace

std::vector<QpChange> GroupCurves::schedule(double x, double keys) const {
  x = std::clamp(x, 0.0, 51.0);
  std::vector<QpChange> changes;
  const auto add = [&changes](std::uint64_t picture, int quantizer) {
    if (changes.empty() || changes.back().qp != quantizer) changes.push_back({picture, quantizer});
  };
  double owed = 0; // what rounding has kept back so far
  for (const Group &group : groups_) {
    add(group.first, key_quantizer(keys, group.pictures));
    const std::uint64_t others = group.pictures - 1;
    const Slope slope(x, others);
    const double wanted = x * static_cast<double>(others) + owed, phase = slope.phase_for(wanted);
    owed = wanted - slope.sum(phase);
    for (std::uint64_t n = 0; n < others; ++n)
      add(group.first + 1 + n, slope.at(n, phase));
  }
  return changes;
}

} // namespace hull::tools
