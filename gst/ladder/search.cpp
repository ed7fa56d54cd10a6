#include "gst/ladder/search.h"

#include <algorithm>
#include <cmath>

namespace hull::ladder {
namespace {

constexpr int kFirst = 26, kSecond = 38;
constexpr double kSaturated = 95;
constexpr double kNear = 2.0; // VMAF below the best that still counts as useful

// Rate and quality as lines over the quantizer, held to what VMAF can be.
struct Line {
  Resolution res;
  double log_rate_at_first = 0, log_rate_step = 0; // per quantizer
  double quality_at_first = 0, quality_step = 0;
  double low_step = 0; // past the second point, where quality falls faster

  double log_rate(double qp) const { return log_rate_at_first + log_rate_step * (qp - kFirst); }
  double quality(double qp) const {
    // Quality saturates at the top and falls ever faster at the bottom.
    double quality = quality_at_first + quality_step * (std::min<double>(qp, kSecond) - kFirst);
    if (qp < kFirst) quality -= quality_step / 2 * (qp - kFirst);
    if (qp > kSecond) quality += low_step * (qp - kSecond);
    return std::clamp(quality, 0.0, 100.0);
  }
  double quality_at(double log_rate_wanted) const {
    const double qp = kFirst + (log_rate_wanted - log_rate_at_first) / log_rate_step;
    if (qp > kHighestQp) return -1; // cannot spend so little
    return quality(std::max<double>(qp, kLowestQp));
  }
};

std::vector<Line> lines_through(std::span<const Resolution> sizes, std::span<const Point> measured) {
  std::vector<Line> lines;
  double steepest = 0;
  for (const Resolution &res : sizes) {
    const Point *first = nullptr, *second = nullptr;
    for (const Point &p : measured) {
      if (p.res == res && p.qp == kFirst) first = &p;
      if (p.res == res && p.qp == kSecond) second = &p;
    }
    if (!first || !second || !(first->bps > second->bps)) continue;
    lines.push_back({res, std::log2(first->bps), std::log2(second->bps / first->bps) / (kSecond - kFirst),
                     first->quality, (second->quality - first->quality) / (kSecond - kFirst)});
    if (first->quality < kSaturated) steepest = std::min(steepest, lines.back().quality_step);
  }
  // A line that begins at the ceiling is too flat to go on from; below, all sizes of a title fall alike.
  for (Line &line : lines)
    line.low_step = 1.5 * (line.quality_at_first < kSaturated ? line.quality_step
                                                              : std::min(line.quality_step, steepest));
  return lines;
}

bool useful(const std::vector<Line> &lines, const Line &line, int qp, const Rules &rules) {
  const double log_rate = line.log_rate(qp), quality = line.quality(qp);
  if (log_rate > std::log2(rules.cap_bps) + 0.3 || log_rate < std::log2(rules.floor_bps) - 0.3) return false;
  if (quality < rules.floor_quality - 5 || quality > rules.top_quality + 3) return false;
  double best = 0;
  for (const Line &other : lines)
    best = std::max(best, other.quality_at(log_rate));
  return quality >= best - kNear;
}

// The largest size that, spending more than measured so far, may reach the top rung's quality or else the
// best there is; none where the top was measured already.
const Line *size_of_top(const std::vector<Line> &lines, const Rules &rules) {
  const Line *top = nullptr;
  double best = 0;
  for (const Line &line : lines) {
    double reached = 0;
    for (int qp = kLowestQp; qp <= kFirst; ++qp)
      if (useful(lines, line, qp, rules))
        reached = std::max(reached, std::min(line.quality(qp), rules.top_quality));
    if (reached < best) continue;
    best = reached;
    top = line.quality_at_first < rules.top_quality ? &line : nullptr;
  }
  return top;
}

} // namespace

std::vector<Probe> first_round(std::span<const Resolution> sizes) {
  std::vector<Probe> probes;
  for (const Resolution &res : sizes)
    for (const int qp : {kFirst, kSecond})
      probes.push_back({res, qp});
  return probes;
}

std::vector<Probe> second_round(std::span<const Resolution> sizes, std::span<const Point> measured,
                                const Rules &rules, std::size_t most) {
  struct Wish {
    Probe probe;
    double weight;
  };
  std::vector<Wish> wishes;
  const std::vector<Line> lines = lines_through(sizes, measured);
  const Line *top = size_of_top(lines, rules);
  for (const Line &line : lines) {
    int low = 0, high = 0;
    for (int qp = kLowestQp; qp <= kHighestQp; ++qp) {
      if (!useful(lines, line, qp, rules)) continue;
      if (low == 0) low = qp;
      high = qp;
    }
    if (low == 0) continue;
    // Outside the two points nothing may be interpolated, so ends weigh more than middles, and most where the
    // top rung lies beyond what was measured.
    if (low < kFirst - 1) wishes.push_back({{line.res, low}, (&line == top ? 3.0 : 1.5) * (kFirst - low)});
    if (high > kSecond + 1) wishes.push_back({{line.res, high}, 1.5 * (high - kSecond)});
    const int from = std::max(low, kFirst), to = std::min(high, kSecond);
    if (to - from >= 4)
      wishes.push_back({{line.res, (kFirst + kSecond) / 2}, static_cast<double>(to - from)});
  }
  std::stable_sort(wishes.begin(), wishes.end(),
                   [](const Wish &a, const Wish &b) { return a.weight > b.weight; });
  std::vector<Probe> probes;
  for (const Wish &wish : wishes)
    if (probes.size() < most) probes.push_back(wish.probe);
  return probes;
}

} // namespace hull::ladder
