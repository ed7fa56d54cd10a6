#include "gst/vmaf/vif.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

Scaling scaling_of(const Plane &plane) {
  return {plane.drop, plane.bits, 2 * (plane.bits - 8)};
}

/// Pointers to the source rows first .. first + count - 1 from column x on, reflected at the plane's edges.
template <class T> struct RowPointers {
  std::array<const T *, 9> at;
  RowPointers(const Plane &plane, int first, int count, int x = 0) {
    for (int i = 0; i < count; ++i)
      at[static_cast<std::size_t>(i)] =
          reinterpret_cast<const T *>(plane.data + reflect(first + i, plane.height) * plane.stride) + x;
  }
};

constexpr int kMostPairs = 10;         ///< of 17 taps
constexpr int kHalo = 16;              ///< columns beside a strip, at least the largest radius
constexpr int kRingBytes = 256 * 1024; ///< half of a second-level cache
constexpr int kNarrowest = 128;        ///< strips are not narrower, whatever the cache holds

/// Columns of a strip whose rings have `words` words per column.
int strip_columns(int width, std::size_t words) {
  const int most = std::max(kNarrowest, kRingBytes / (2 * static_cast<int>(words)));
  const int strips = (width + most - 1) / most;
  return std::max(kNarrowest, ((width + strips - 1) / strips + 63) / 64 * 64);
}

/// Words per column of all rings.
std::size_t ring_words(std::size_t pictures, int pairs) {
  return 2 * static_cast<std::size_t>(pairs) * (1 + pictures);
}

using Outputs = std::array<FilteredRow, kVifRows>;

Outputs outputs(Rows<std::uint16_t> &rows, bool with_mean) {
  Outputs made;
  for (int i = 0; i < kVifRows; ++i)
    made[static_cast<std::size_t>(i)] = {with_mean ? rows.row(3 * i) : nullptr, rows.row(3 * i + 1),
                                         rows.row(3 * i + 2)};
  return made;
}

/// Columns [left, right) of one scale.
class Strip {
 public:
  Strip(const Kernels &kernels, const Plane &reference, std::span<VifPyramid *const> distorted, int scale,
        int left, int right, VifScratch &scratch)
      : kernels_(kernels),
        filter_(kVifFilter[scale]),
        reference_(reference),
        distorted_(distorted),
        scale_(scale),
        first_(std::max(0, left - kHalo)),
        columns_(std::min(reference.width, right + kHalo) - first_),
        offset_(left - first_),
        width_(right - left),
        scratch_(scratch) {
    for (int i = 0; i < kVifRows; ++i) {
      moments_.mean[i] = scratch.mean.row(i);
      moments_.variance[i] = scratch.variance.row(i);
    }
  }

  void run(int begin, int end, Gains gains, VifSums &reference_sums, std::span<VifSums> sums) {
    const Outputs p = outputs(scratch_.reference, true), q = outputs(scratch_.distorted, true),
                  pq = outputs(scratch_.cross, false);
    int ready = 0;
    for (int y = begin; y < end; y += kVifRows) {
      const int first = (y - begin) / 2, count = std::min(kVifRows, end - y);
      for (; ready < first + filter_.pairs(); ++ready)
        prepare(ready, begin - filter_.radius() + 2 * ready);
      const Pairs reference = pairs(scratch_.reference_ring, first);
      filter_reference(reference, p);
      kernels_.vif_reference(shifted(p).data(), count, filter_, width_, moments_, reference_sums);
      for (std::size_t i = 0; i < distorted_.size(); ++i) {
        filter_distorted(reference, pairs(scratch_.distorted_rings[i], first), q, pq);
        kernels_.vif_pair(shifted(q).data(), shifted(pq).data(), count, filter_, width_, moments_, gains,
                          sums[i]);
      }
    }
  }

 private:
  using Pairs = std::array<const std::uint16_t *, kMostPairs>;

  /// Pair `index` of all rings, whose first source row is y.
  void prepare(int index, int y) {
    const int slot = index % filter_.pairs();
    prepare(reference_, y, scratch_.reference_ring.row(slot));
    for (std::size_t i = 0; i < distorted_.size(); ++i)
      prepare(distorted_[i]->plane(scale_), y, scratch_.distorted_rings[i].row(slot));
  }

  void prepare(const Plane &plane, int y, std::uint16_t *pair) {
    for (int next = y + 2; next < y + 4; ++next)
      if (next < plane.height) prefetch(plane.at(first_, next), columns_ * plane.sample_bytes());
    if (plane.bits == 8)
      kernels_.vif_prepare_8(RowPointers<std::uint8_t>(plane, y, 2, first_).at.data(), columns_, pair);
    else
      kernels_.vif_prepare_16(RowPointers<std::uint16_t>(plane, y, 2, first_).at.data(), plane.drop, columns_,
                              pair);
  }

  /// The filter's pairs from `first` on.
  Pairs pairs(const Rows<std::uint16_t> &ring, int first) const {
    Pairs made{};
    for (int i = 0; i < filter_.pairs(); ++i)
      made[static_cast<std::size_t>(i)] = ring.row((first + i) % filter_.pairs());
    return made;
  }

  void filter_reference(const Pairs &reference, const Outputs &out) {
    if (reference_.bits == 8)
      kernels_.vif_columns_8(reference.data(), filter_, columns_, out.data());
    else
      kernels_.vif_columns_16(reference.data(), filter_, scaling_of(reference_), columns_, out.data());
    mirror_edges(out);
  }

  void filter_distorted(const Pairs &reference, const Pairs &distorted, const Outputs &out,
                        const Outputs &cross) {
    if (reference_.bits == 8)
      kernels_.vif_cross_columns_8(reference.data(), distorted.data(), filter_, columns_, out.data(),
                                   cross.data());
    else
      kernels_.vif_cross_columns_16(reference.data(), distorted.data(), filter_, scaling_of(reference_),
                                    columns_, out.data(), cross.data());
    mirror_edges(out);
    mirror_edges(cross);
  }

  /// Beyond the picture's edges; a strip's other edges have real columns.
  void mirror_edges(const Outputs &rows) const {
    for (const FilteredRow &row : rows)
      for (std::uint16_t *words : {row.mean, row.high, row.low}) {
        if (words && first_ == 0) mirror_left(words, columns_, filter_.radius());
        if (words && first_ + columns_ == reference_.width) mirror_right(words, columns_, filter_.radius());
      }
  }

  /// The rows from the strip's first column on.
  Outputs shifted(const Outputs &rows) const {
    Outputs made = rows;
    for (FilteredRow &row : made)
      row = {row.mean ? row.mean + offset_ : nullptr, row.high + offset_, row.low + offset_};
    return made;
  }

  const Kernels &kernels_;
  const Filter &filter_;
  const Plane &reference_;
  std::span<VifPyramid *const> distorted_;
  int scale_;
  int first_, columns_; ///< what the vertical filter sees
  int offset_, width_;  ///< what is scored of it
  VifScratch &scratch_;
  VifMoments moments_;
};

} // namespace

VifPyramid::VifPyramid(int width, int height) {
  for (int scale = 1; scale < kScales; ++scale) {
    width /= 2;
    height /= 2;
    auto &rows = rows_[static_cast<std::size_t>(scale - 1)];
    rows = Rows<std::uint16_t>(width, height);
    planes_[static_cast<std::size_t>(scale)] = {
        reinterpret_cast<const std::uint8_t *>(rows.row(0)), rows.stride_bytes(), width, height, 16, 0};
  }
}

VifScratch::VifScratch(int width, std::size_t pictures)
    : columns(strip_columns(width, ring_words(pictures, kMostPairs)) + 2 * kHalo),
      reference_ring(2 * columns, kMostPairs),
      reference(columns, 3 * kVifRows),
      distorted(columns, 3 * kVifRows),
      cross(columns, 3 * kVifRows),
      smooth(width, 1),
      mean(columns, kVifRows),
      variance(columns, kVifRows) {
  for (std::size_t i = 0; i < pictures; ++i)
    distorted_rings.emplace_back(2 * columns, kMostPairs);
}

void vif_stripe(const Kernels &kernels, const Plane &reference, std::span<VifPyramid *const> distorted,
                int scale, int begin, int end, Gains gains, VifScratch &scratch, VifSums &reference_sums,
                std::span<VifSums> sums) {
  const std::size_t words = ring_words(distorted.size(), kVifFilter[scale].pairs());
  const int columns = std::min(strip_columns(reference.width, words), scratch.columns - 2 * kHalo);
  for (int x = 0; x < reference.width; x += columns)
    Strip(kernels, reference, distorted, scale, x, std::min(x + columns, reference.width), scratch)
        .run(begin, end, gains, reference_sums, sums);
}

void vif_halve(const Kernels &kernels, VifPyramid &pyramid, int scale, int begin, int end,
               VifScratch &scratch) {
  const Filter &filter = kVifFilter[scale + 1];
  const Plane &from = pyramid.plane(scale);
  std::uint16_t *smooth = scratch.smooth.row(0);
  for (int y = begin; y < end; ++y) {
    const int first = 2 * y - filter.radius();
    if (from.bits == 8)
      kernels.smooth_8(RowPointers<std::uint8_t>(from, first, filter.length).at.data(), filter, from.width,
                       smooth);
    else
      kernels.smooth_16(RowPointers<std::uint16_t>(from, first, filter.length).at.data(), filter,
                        scaling_of(from), from.width, smooth);
    for (int next = first + filter.length; next < first + filter.length + 2; ++next)
      if (next < from.height) prefetch(from.row8(next), from.width * from.sample_bytes());
    mirror(smooth, from.width, filter.radius());
    kernels.halve(smooth, filter, pyramid.plane(scale + 1).width, pyramid.row(scale + 1, y));
  }
}

VifScore vif_score(const VifSums &reference, const VifSums &pair) {
  const auto flat = static_cast<double>(reference.den_flat);
  VifScore score;
  for (int g = 0; g < kGains; ++g)
    score.num[g] = static_cast<float>(static_cast<double>(pair.num_log[g]) / 2048.0 +
                                      (flat - (static_cast<double>(pair.num_flat) / 16384.0) / 65025.0));
  score.den = static_cast<float>(static_cast<double>(reference.den_log) / 2048.0 + flat);
  return score;
}

} // namespace hull::vmaf
