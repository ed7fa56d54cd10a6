#include "gst/vmaf/alignment.h"

#include <algorithm>
#include <limits>

namespace hull::vmaf {
namespace {

constexpr int kColumns = 32, kRows = 18, kOverlap = 8;

double mean_difference(std::span<const Thumbnail> a, std::span<const Thumbnail> b) {
  double sum = 0;
  for (std::size_t n = 0; n < a.size(); ++n)
    for (std::size_t i = 0; i < a[n].size(); ++i) {
      const double d = static_cast<double>(a[n][i]) - static_cast<double>(b[n][i]);
      sum += d * d;
    }
  return sum / static_cast<double>(a.size() * a.front().size());
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
  Alignment best;
  best.error = best.error_at_zero = std::numeric_limits<double>::infinity();
  const auto error_of = [&](int offset) {
    const auto skip_reference = static_cast<std::size_t>(std::max(0, -offset)),
               skip_distorted = static_cast<std::size_t>(std::max(0, offset));
    if (skip_reference >= reference.size() || skip_distorted >= distorted.size()) return best.error_at_zero;
    const std::size_t count = std::min(reference.size() - skip_reference, distorted.size() - skip_distorted);
    const std::size_t needed = std::min<std::size_t>({kOverlap, reference.size(), distorted.size()});
    if (count < needed) return std::numeric_limits<double>::infinity();
    return mean_difference(reference.subspan(skip_reference, count),
                           distorted.subspan(skip_distorted, count));
  };
  best.error = best.error_at_zero = error_of(0);
  Alignment other = best;
  for (int distance = 1; distance <= reach; ++distance)
    for (const int offset : {distance, -distance})
      if (const double error = error_of(offset); error < other.error)
        other = {offset, error, best.error_at_zero};
  return other.error < 0.8 * best.error_at_zero ? other : best;
}

} // namespace hull::vmaf
