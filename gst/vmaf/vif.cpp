#include "gst/vmaf/vif.h"

namespace hull::vmaf {
namespace {

Scaling scaling_of(const Plane &plane) {
  return {plane.drop, plane.bits, 2 * (plane.bits - 8)};
}

/// Pointers to the source rows first .. first + count - 1, reflected at the plane's edges.
template <class T> struct RowPointers {
  std::array<const T *, 17 + kVifRows - 1> at;
  RowPointers(const Plane &plane, int first, int count) {
    for (int i = 0; i < count; ++i)
      at[static_cast<std::size_t>(i)] =
          reinterpret_cast<const T *>(plane.data + reflect(first + i, plane.height) * plane.stride);
  }
};

using Outputs = std::array<FilteredRow, kVifRows>;

Outputs outputs(Rows<std::uint16_t> &rows) {
  Outputs made;
  for (int i = 0; i < kVifRows; ++i)
    made[static_cast<std::size_t>(i)] = {rows.row(3 * i), rows.row(3 * i + 1), rows.row(3 * i + 2)};
  return made;
}

void mirror_rows(const Outputs &rows, int count, int width, int radius, bool with_mean) {
  for (int i = 0; i < count; ++i) {
    const FilteredRow &row = rows[static_cast<std::size_t>(i)];
    if (with_mean) mirror(row.mean, width, radius);
    mirror(row.high, width, radius);
    mirror(row.low, width, radius);
  }
}

struct Block {
  const Kernels &kernels;
  const Filter &filter;
  int first, count, width; ///< first source row; output rows that are wanted
};

void filter_self(const Block &b, const Plane &plane, const Outputs &out) {
  const int rows = kVifRows + b.filter.length - 1;
  if (plane.bits == 8)
    b.kernels.vif_self_8(RowPointers<std::uint8_t>(plane, b.first, rows).at.data(), b.filter, b.width,
                         out.data());
  else
    b.kernels.vif_self_16(RowPointers<std::uint16_t>(plane, b.first, rows).at.data(), b.filter,
                          scaling_of(plane), b.width, out.data());
  mirror_rows(out, b.count, b.width, b.filter.radius(), true);
}

void filter_cross(const Block &b, const Plane &p, const Plane &q, const Outputs &out) {
  const int rows = kVifRows + b.filter.length - 1;
  if (p.bits == 8)
    b.kernels.vif_cross_8(RowPointers<std::uint8_t>(p, b.first, rows).at.data(),
                          RowPointers<std::uint8_t>(q, b.first, rows).at.data(), b.filter, b.width,
                          out.data());
  else
    b.kernels.vif_cross_16(RowPointers<std::uint16_t>(p, b.first, rows).at.data(),
                           RowPointers<std::uint16_t>(q, b.first, rows).at.data(), b.filter, scaling_of(p),
                           b.width, out.data());
  mirror_rows(out, b.count, b.width, b.filter.radius(), false);
}

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

VifScratch::VifScratch(int width)
    : reference(width, 3 * kVifRows),
      distorted(width, 3 * kVifRows),
      cross(width, 3 * kVifRows),
      smooth(width, 1),
      mean(width, kVifRows),
      variance(width, kVifRows) {}

void vif_stripe(const Kernels &kernels, const Plane &reference, std::span<VifPyramid *const> distorted,
                int scale, int begin, int end, Gains gains, VifScratch &scratch, VifSums &reference_sums,
                std::span<VifSums> sums) {
  const Filter &filter = kVifFilter[scale];
  const int width = reference.width;
  const Outputs p = outputs(scratch.reference), q = outputs(scratch.distorted), pq = outputs(scratch.cross);
  for (int y = begin; y < end; y += kVifRows) {
    const Block block{kernels, filter, y - filter.radius(), std::min(kVifRows, end - y), width};
    filter_self(block, reference, p);
    for (int i = 0; i < block.count; ++i)
      kernels.vif_reference(p[static_cast<std::size_t>(i)], filter, width, scratch.mean.row(i),
                            scratch.variance.row(i), reference_sums);
    for (std::size_t d = 0; d < distorted.size(); ++d) {
      filter_self(block, distorted[d]->plane(scale), q);
      filter_cross(block, reference, distorted[d]->plane(scale), pq);
      for (int i = 0; i < block.count; ++i)
        kernels.vif_pair(q[static_cast<std::size_t>(i)], pq[static_cast<std::size_t>(i)], filter, width,
                         scratch.mean.row(i), scratch.variance.row(i), gains, sums[d]);
    }
  }
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
