#include "gst/vmaf/alignment.h"

#include <algorithm>
#include <cstdlib>
#include <limits>
#include <numeric>

namespace hull::vmaf {
namespace {

constexpr int kColumns = 32, kRows = 18, kOverlap = 8;
constexpr double kBetter = 0.8; ///< of another's error makes an offset the better one
constexpr double kStill = 0.25; ///< squared code values that coding alone moves pictures by
constexpr double kAlike = 16;   ///< squared code values that coding alone puts between two pictures

double mean_difference(std::span<const Thumbnail> a, std::span<const Thumbnail> b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n)
    for (std::size_t i = 0; i < a[n].size(); ++i) {
      const double d = static_cast<double>(a[n][i]) - static_cast<double>(b[n][i]);
      sum += d * d;
    }
  return sum / static_cast<double>(a.size() * a.front().size());
}

/// Infinity where too few frames lie above each other.
double error_at(std::span<const Thumbnail> reference, std::span<const Thumbnail> distorted, int offset) {
  constexpr double kNone = std::numeric_limits<double>::infinity();
  const auto skip_reference = static_cast<std::size_t>(std::max(0, -offset)),
             skip_distorted = static_cast<std::size_t>(std::max(0, offset));
  if (skip_reference >= reference.size() || skip_distorted >= distorted.size()) return kNone;
  const std::size_t count = std::min(reference.size() - skip_reference, distorted.size() - skip_distorted);
  if (count < std::min<std::size_t>({kOverlap, reference.size(), distorted.size()})) return kNone;
  return mean_difference(reference.subspan(skip_reference, count), distorted.subspan(skip_distorted, count));
}

/// How far the pictures of a stream are from its first at most, as errors are measured.
double movement(std::span<const Thumbnail> stream) {
  double most = 0;
  for (std::size_t n = 1; n < stream.size(); ++n)
    most = std::max(most, mean_difference(stream.subspan(n, 1), stream.first(1)));
  return most;
}

/// The variance inside of pictures: what two unrelated ones differ by at least.
double texture(std::span<const Thumbnail> stream) {
  double sum = 0;
  for (const Thumbnail &picture : stream) {
    Thumbnail flat;
    flat.fill(std::accumulate(picture.begin(), picture.end(), 0.0f) / static_cast<float>(picture.size()));
    sum += mean_difference({&picture, 1}, {&flat, 1});
  }
  return sum / static_cast<double>(stream.size());
}

Alignment::Verdict judge(const Alignment &found, std::span<const Thumbnail> reference, int reach) {
  using Verdict = Alignment::Verdict;
  if (movement(reference) < kStill) return Verdict::still;
  if (found.error > std::max(kAlike, texture(reference) / 4)) return Verdict::unlike;
  if (std::abs(found.offset) > reach) return Verdict::beyond;
  return found.error >= kBetter * found.runner_up ? Verdict::ambiguous : Verdict::sure;
}

} // namespace

Thumbnail thumbnail(const Plane &plane) {
  Thumbnail made{};
  const auto scale = static_cast<float>(1 << (plane.bits - 8));
  for (int row = 0; row < kRows; ++row)
    for (int column = 0; column < kColumns; ++column) {
      const int y0 = plane.height * row / kRows, y1 = std::max(y0 + 1, plane.height * (row + 1) / kRows);
      const int x0 = plane.width * column / kColumns,
                x1 = std::max(x0 + 1, plane.width * (column + 1) / kColumns);
      std::int64_t sum = 0;
      for (int y = y0; y < y1; ++y)
        for (int x = x0; x < x1; ++x)
          sum += plane.sample(x, y);
      made[static_cast<std::size_t>(row * kColumns + column)] =
          static_cast<float>(sum) / static_cast<float>((y1 - y0) * (x1 - x0)) / scale;
    }
  return made;
}

Alignment find_alignment(std::span<const Thumbnail> reference, std::span<const Thumbnail> distorted,
                         int reach) {
  const int most = reach + kAlignmentMargin;
  std::vector<double> errors; // of offsets from -most to most
  for (int offset = -most; offset <= most; ++offset)
    errors.push_back(error_at(reference, distorted, offset));
  const auto error_of = [&](int offset) { return errors[static_cast<std::size_t>(offset + most)]; };
  Alignment found;
  found.error = found.error_at_zero = error_of(0);
  for (int distance = 1; distance <= most; ++distance)
    for (const int offset : {distance, -distance})
      if (error_of(offset) < found.error && error_of(offset) < kBetter * found.error_at_zero) {
        found.offset = offset;
        found.error = error_of(offset);
      }
  found.runner_up = std::numeric_limits<double>::infinity();
  for (int offset = -most; offset <= most; ++offset)
    if (std::abs(offset - found.offset) > 1) found.runner_up = std::min(found.runner_up, error_of(offset));
  found.verdict = judge(found, reference, reach);
  return found;
}

const char *name_of(Alignment::Verdict verdict) {
  switch (verdict) {
  case Alignment::Verdict::still:
    return "still";
  case Alignment::Verdict::ambiguous:
    return "ambiguous";
  case Alignment::Verdict::beyond:
    return "beyond";
  case Alignment::Verdict::unlike:
    return "unlike";
  case Alignment::Verdict::sure:
    break;
  }
  return "sure";
}

} // namespace hull::vmaf
