#include "gst/vmaf/adm.h"

#include "gst/vmaf/kernels/adm_constants.h"

#include <algorithm>

namespace hull::vmaf {
namespace {

constexpr int kRingRows = 3;
constexpr int kRowsPerMask = 5; ///< three signals, neighbour, centre

std::uint64_t round_shift(std::uint64_t value, int shift) {
  return shift ? (value + (std::uint64_t{1} << (shift - 1))) >> shift : value;
}

/// Level 0: bytes or words in, 16-bit bands out. Levels 1..3 differ in types only.
struct Level0 {
  using Band = std::int16_t;
  static Rows<Band> &rows(AdmScratch &scratch) { return scratch.narrow; }
  static Band *approximation(AdmPyramid &pyramid, int, int y) { return pyramid.approximation0.row(y); }
  static void horizontal(const Kernels &kernels, const Band *row, bool high, int, int begin, int end,
                         Band *out) {
    kernels.dwt_horizontal_16(row, high, begin, end, out);
  }
  static void vertical(const Kernels &kernels, AdmPyramid &pyramid, int, int y, int width, int height,
                       Band *low, Band *high) {
    const Plane &plane = pyramid.picture;
    std::array<const std::uint8_t *, 4> rows{};
    std::array<const std::uint16_t *, 4> words{};
    for (int k = 0; k < 4; ++k) {
      rows[static_cast<std::size_t>(k)] = plane.row8(reflect_wavelet(2 * y - 1 + k, height));
      words[static_cast<std::size_t>(k)] = plane.row16(reflect_wavelet(2 * y - 1 + k, height));
    }
    for (int next = 2 * y + 3; next < 2 * y + 5; ++next)
      if (next < height) prefetch(plane.row8(next), width * plane.sample_bytes());
    if (plane.bits == 8)
      kernels.dwt_vertical_8(rows.data(), width, low, high);
    else
      kernels.dwt_vertical_16(words.data(), plane.bits, plane.drop, width, low, high);
  }
  static std::uint64_t cubes(const Kernels &kernels, const Band *band, int, int, int begin, int end) {
    return kernels.adm_cubes_0(band, begin, end);
  }
  static void row(const Kernels &kernels, const Bands<const Band> &o, const Bands<const Band> &t, int,
                  int begin, int end, Gains gains, const MaskRow *out) {
    kernels.adm_row_0(o, t, begin, end, gains, out);
  }
  static void views(const Kernels &kernels, const Bands<const Band> &o, const Bands<const Band> &t, int,
                    int begin, int end, std::span<const AdmView> views, const AdmViewRow *out) {
    kernels.adm_views_0(o, t, begin, end, views.data(), static_cast<int>(views.size()), out);
  }
};

struct Levels {
  using Band = std::int32_t;
  static Rows<Band> &rows(AdmScratch &scratch) { return scratch.wide; }
  static Band *approximation(AdmPyramid &pyramid, int level, int y) {
    return level == 3 ? nullptr : pyramid.approximation[static_cast<std::size_t>(level - 1)].row(y);
  }
  static void horizontal(const Kernels &kernels, const Band *row, bool high, int level, int begin, int end,
                         Band *out) {
    kernels.dwt_horizontal_32(row, high, kDwtHorizontalShift[level], begin, end, out);
  }
  static void vertical(const Kernels &kernels, AdmPyramid &pyramid, int level, int y, int width, int height,
                       Band *low, Band *high) {
    std::array<const std::int16_t *, 4> narrow{};
    std::array<const std::int32_t *, 4> wide{};
    for (int k = 0; k < 4; ++k) {
      const int at = reflect_wavelet(2 * y - 1 + k, height);
      if (level == 1)
        narrow[static_cast<std::size_t>(k)] = pyramid.approximation0.row(at);
      else
        wide[static_cast<std::size_t>(k)] = approximation(pyramid, level - 1, at);
    }
    for (int next = 2 * y + 3; next < 2 * y + 5; ++next)
      if (next < height) {
        if (level == 1)
          prefetch(pyramid.approximation0.row(next), width * 2);
        else
          prefetch(approximation(pyramid, level - 1, next), width * 4);
      }
    if (level == 1)
      kernels.dwt_vertical_level1(narrow.data(), width, low, high);
    else
      kernels.dwt_vertical_32(wide.data(), width, low, high);
  }
  static std::uint64_t cubes(const Kernels &kernels, const Band *band, int level, int shift, int begin,
                             int end) {
    return kernels.adm_cubes(band, level, shift, begin, end);
  }
  static void row(const Kernels &kernels, const Bands<const Band> &o, const Bands<const Band> &t, int level,
                  int begin, int end, Gains gains, const MaskRow *out) {
    kernels.adm_row(o, t, level, begin, end, gains, out);
  }
  static void views(const Kernels &kernels, const Bands<const Band> &o, const Bands<const Band> &t, int level,
                    int begin, int end, std::span<const AdmView> views, const AdmViewRow *out) {
    kernels.adm_views(o, t, level, begin, end, views.data(), static_cast<int>(views.size()), out);
  }
};

template <class Level> class Stripe {
 public:
  using Band = typename Level::Band;
  Stripe(const Kernels &kernels, AdmPyramid &reference, std::span<AdmPyramid *const> distorted, int level,
         int begin, int end, Gains gains, std::span<const AdmView> views, AdmScratch &scratch)
      : kernels_(kernels),
        reference_(reference),
        distorted_(distorted),
        level_(level),
        begin_(begin),
        end_(end),
        gains_(gains),
        views_(views),
        scratch_(scratch),
        region_(reference.picture.width, reference.picture.height, level),
        shifts_(region_, level),
        left_(std::max(region_.left - 1, 0)),
        right_(std::min(region_.right + 1, region_.width)) {
    input_width_ = reference.picture.width;
    input_height_ = reference.picture.height;
    for (int i = 0; i < level; ++i) {
      input_width_ = (input_width_ + 1) / 2;
      input_height_ = (input_height_ + 1) / 2;
    }
  }

  void run(AdmSums &reference_sums, std::span<AdmSums> sums) {
    // One row more on each side, for the masking of the stripe's first and last row.
    const int first = std::max(begin_ - 1, 0), last = std::min(end_ + 1, region_.height);
    for (int y = first; y < last; ++y) {
      const bool own = y >= begin_ && y < end_;
      const bool masked = y >= region_.top - 1 && y <= region_.bottom;
      if (!own && !masked) continue;
      const auto o = transform(reference_, y, 2, own, masked);
      if (own && y >= region_.top && y < region_.bottom) denominator(o, reference_sums);
      for (std::size_t i = 0; i < distorted_.size(); ++i) {
        const auto t = transform(*distorted_[i], y, 5, own, masked);
        if (!masked) continue;
        mask_row(i, y, o, t);
        if (ready(y - 1)) numerator(i, y - 1, sums[i]);
        if (y == region_.height - 1 && ready(y)) numerator(i, y, sums[i]);
      }
    }
  }

 private:
  bool ready(int y) const { return y >= begin_ && y < end_ && y >= region_.top && y < region_.bottom; }

  /// Wavelet row y: the approximation where it is ours, the detail bands where they are scored.
  Bands<const Band> transform(AdmPyramid &pyramid, int y, int buffer, bool own, bool masked) {
    auto &rows = Level::rows(scratch_);
    Band *low = rows.row(0), *high = masked ? rows.row(1) : nullptr;
    Level::vertical(kernels_, pyramid, level_, y, input_width_, input_height_, low, high);
    mirror_wavelet(low, input_width_);
    Band *a = own ? Level::approximation(pyramid, level_, y) : nullptr;
    if (a) Level::horizontal(kernels_, low, false, level_, 0, region_.width, a);
    if (!masked) return {};
    mirror_wavelet(high, input_width_);
    Band *h = rows.row(buffer), *v = rows.row(buffer + 1), *d = rows.row(buffer + 2);
    Level::horizontal(kernels_, high, false, level_, left_, right_, h);
    Level::horizontal(kernels_, low, true, level_, left_, right_, v);
    Level::horizontal(kernels_, high, true, level_, left_, right_, d);
    return {h, v, d};
  }

  /// What the masking reads of row y of picture i.
  void mask_row(std::size_t i, int y, const Bands<const Band> &o, const Bands<const Band> &t) {
    auto &ring = scratch_.rings[i];
    if (gains_.normal || gains_.neg) {
      const auto row = ring.at(y);
      Level::row(kernels_, o, t, level_, left_, right_, gains_, row.data());
      for (const MaskRow &gain : row)
        mirror_mask(gain);
    }
    if (views_.empty()) return;
    std::array<AdmViewRow, kAdmViews> rows;
    for (std::size_t v = 0; v < views_.size(); ++v)
      rows[v] = ring.view_at(y, v);
    Level::views(kernels_, o, t, level_, left_, right_, views_, rows.data());
    for (std::size_t v = 0; v < views_.size(); ++v) {
      mirror_mask(rows[v].restored);
      mirror_mask(rows[v].additive);
    }
  }

  void denominator(const Bands<const Band> &o, AdmSums &sums) {
    const Band *const bands[3] = {o.h, o.v, o.d};
    for (std::size_t b = 0; b < 3; ++b)
      sums.den[b] +=
          round_shift(Level::cubes(kernels_, bands[b], level_, shifts_.cube_row, region_.left, region_.right),
                      shifts_.cube_frame);
  }

  /// The masking reads one neighbour beyond the scored columns; at the band's edge it is mirrored.
  void mirror_mask(const MaskRow &row) const {
    if (left_ == 0) row.neighbour[-1] = row.neighbour[reflect_wavelet(-1, region_.width)];
    if (right_ == region_.width) row.neighbour[right_] = row.neighbour[right_ - 1];
  }

  void numerator(std::size_t picture, int y, AdmSums &sums) {
    auto &ring = scratch_.rings[picture];
    const int y0 = reflect_wavelet(y - 1, region_.height), y1 = reflect_wavelet(y + 1, region_.height);
    const bool wanted[kGains] = {gains_.normal, gains_.neg};
    const auto row = ring.at(y), above = ring.at(y0), below = ring.at(y1);
    for (std::size_t g = 0; g < kGains; ++g)
      if (wanted[g]) add_cubes(row[g], above[g], below[g], sums.num[g]);
    for (std::size_t v = 0; v < views_.size(); ++v) {
      const auto at = ring.view_at(y, v), over = ring.view_at(y0, v), under = ring.view_at(y1, v);
      add_cubes(at.restored, over.restored, under.restored, sums.restored[v]);
      add_cubes(at.additive, over.additive, under.additive, sums.additive[v]);
    }
  }

  void add_cubes(const MaskRow &row, const MaskRow &above, const MaskRow &below, AdmSums::Num &sums) const {
    std::int64_t cubes[3] = {};
    (level_ ? kernels_.adm_mask : kernels_.adm_mask_0)(row, above.neighbour, below.neighbour, shifts_.mask,
                                                       region_.left, region_.right, cubes);
    for (std::size_t b = 0; b < 3; ++b)
      sums[b] +=
          static_cast<std::int64_t>(round_shift(static_cast<std::uint64_t>(cubes[b]), shifts_.mask_frame));
  }

  const Kernels &kernels_;
  AdmPyramid &reference_;
  std::span<AdmPyramid *const> distorted_;
  int level_, begin_, end_;
  Gains gains_;
  std::span<const AdmView> views_;
  AdmScratch &scratch_;
  AdmRegion region_;
  AdmShifts shifts_;
  int left_, right_; ///< columns whose detail bands are needed
  int input_width_, input_height_;
};

} // namespace

AdmPyramid::AdmPyramid(int width, int height) {
  const AdmRegion level0(width, height, 0);
  approximation0 = Rows<std::int16_t>(level0.width, level0.height);
  for (int level = 1; level <= 2; ++level) {
    const AdmRegion region(width, height, level);
    approximation[static_cast<std::size_t>(level - 1)] = Rows<std::int32_t>(region.width, region.height);
  }
}

AdmScratch::Ring::Ring(int width, std::size_t views)
    : rows_of_y((kGains + 2 * static_cast<int>(views)) * kRowsPerMask),
      rows((width + 1) / 2, kRingRows * rows_of_y) {}

namespace {

/// The buffers from row `index` on, which is moved behind them.
MaskRow take_mask(Rows<std::int32_t> &rows, int &index) {
  MaskRow row;
  for (std::int32_t *&signal : row.signal)
    signal = rows.row(index++);
  row.neighbour = rows.row(index++);
  row.centre = rows.row(index++);
  return row;
}

} // namespace

std::array<MaskRow, kGains> AdmScratch::Ring::at(int y) {
  std::array<MaskRow, kGains> made;
  int index = (y % kRingRows) * rows_of_y;
  for (MaskRow &row : made)
    row = take_mask(rows, index);
  return made;
}

AdmViewRow AdmScratch::Ring::view_at(int y, std::size_t view) {
  int index = (y % kRingRows) * rows_of_y + (kGains + 2 * static_cast<int>(view)) * kRowsPerMask;
  AdmViewRow made;
  made.restored = take_mask(rows, index);
  made.additive = take_mask(rows, index);
  return made;
}

AdmScratch::AdmScratch(int width, std::size_t pictures, std::size_t views)
    : narrow(width, 8), wide((width + 1) / 2, 8) {
  for (std::size_t i = 0; i < pictures; ++i)
    rings.emplace_back(width, views);
}

void adm_stripe(const Kernels &kernels, AdmPyramid &reference, std::span<AdmPyramid *const> distorted,
                int level, int begin, int end, Gains gains, std::span<const AdmView> views,
                AdmScratch &scratch, AdmSums &reference_sums, std::span<AdmSums> sums) {
  if (level == 0)
    Stripe<Level0>(kernels, reference, distorted, level, begin, end, gains, views, scratch)
        .run(reference_sums, sums);
  else
    Stripe<Levels>(kernels, reference, distorted, level, begin, end, gains, views, scratch)
        .run(reference_sums, sums);
}

} // namespace hull::vmaf
