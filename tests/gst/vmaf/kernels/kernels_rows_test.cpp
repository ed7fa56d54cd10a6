// ADM's and motion's kernels one by one, widths 1..130: random numbers, and the largest that pictures give.

#include "gst/vmaf/adm.h"
#include "tests/gst/vmaf/kernels/candidates.h"

#include <gtest/gtest.h>
#include <random>

namespace hull::vmaf {
namespace {

class RowKernels : public testing::TestWithParam<Candidate> {
 protected:
  const Kernels &plain = kernels(Cpu::scalar), &wide = *GetParam().kernels;
  std::mt19937 random{7};

  /// Rows of samples within +-limit, padding included; every third set lies at the limits.
  template <class T> Rows<T> filled(int width, int count, std::int64_t low, std::int64_t high) {
    Rows<T> rows(width, count);
    const bool extreme = width % 3 == 0;
    std::uniform_int_distribution<std::int64_t> any(low, high);
    for (int i = 0; i < count; ++i)
      for (int x = -kRowPad; x < width + kRowPad; ++x)
        rows.row(i)[x] = static_cast<T>(extreme ? (random() & 1 ? high : low) : any(random));
    return rows;
  }

  template <class T>
  static void expect_rows(const T *a, const T *b, int begin, int end, const char *what, int width) {
    for (int x = begin; x < end; ++x)
      ASSERT_EQ(a[x], b[x]) << what << " at " << x << " of " << width;
  }
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(RowKernels);
INSTANTIATE_TEST_SUITE_P(Widths, RowKernels, testing::ValuesIn(candidates()),
                         [](const auto &info) { return std::string(info.param.name); });

constexpr int kMostWidth = 130;

TEST_P(RowKernels, OfMotionEqualTheScalarOnes) {
  for (int width = 1; width <= kMostWidth; ++width) {
    const auto bytes = filled<std::uint8_t>(width, 10, 0, 255);
    const auto words = filled<std::uint16_t>(width, 10, 0, 65535);
    const std::uint8_t *b[10];
    const std::uint16_t *w[10];
    for (int i = 0; i < 10; ++i) {
      b[i] = bytes.row(i);
      w[i] = words.row(i);
    }
    Rows<std::int32_t> out(width, 2);
    plain.motion_vertical_8(b, b + 5, width, out.row(0));
    wide.motion_vertical_8(b, b + 5, width, out.row(1));
    expect_rows(out.row(0), out.row(1), 0, width, "motion_vertical_8", width);
    for (const auto &[bits, drop] : {std::pair{16, 0}, {10, 6}, {12, 4}}) {
      plain.motion_vertical_16(w, w + 5, bits, drop, width, out.row(0));
      wide.motion_vertical_16(w, w + 5, bits, drop, width, out.row(1));
      expect_rows(out.row(0), out.row(1), 0, width, "motion_vertical_16", width);
    }
    for (const std::int64_t limit : {100, 32767, 32768, 65535}) {
      const auto row = filled<std::int32_t>(width, 1, -limit, limit);
      EXPECT_EQ(plain.motion_horizontal(row.row(0), width), wide.motion_horizontal(row.row(0), width))
          << width;
    }
  }
}

TEST_P(RowKernels, OfTheWaveletEqualTheScalarOnes) {
  for (int width = 1; width <= kMostWidth; ++width) {
    const auto bytes = filled<std::uint8_t>(width, 4, 0, 255);
    const auto words = filled<std::uint16_t>(width, 4, 0, 65535);
    const auto narrow = filled<std::int16_t>(2 * width, 4, -27500, 27500);
    const auto deep = filled<std::int32_t>(2 * width, 4, -1'000'000'000, 1'000'000'000);
    const std::uint8_t *b[4];
    const std::uint16_t *w[4];
    const std::int16_t *n[4];
    const std::int32_t *d[4];
    for (int i = 0; i < 4; ++i) {
      b[i] = bytes.row(i);
      w[i] = words.row(i);
      n[i] = narrow.row(i);
      d[i] = deep.row(i);
    }
    Rows<std::int16_t> low(width, 2), high(width, 2);
    const auto expect_bands = [&](const char *what) {
      expect_rows(low.row(0), low.row(1), 0, width, what, width);
      expect_rows(high.row(0), high.row(1), 0, width, what, width);
    };
    plain.dwt_vertical_8(b, width, low.row(0), high.row(0));
    wide.dwt_vertical_8(b, width, low.row(1), high.row(1));
    expect_bands("dwt_vertical_8");
    for (const auto &[bits, drop] : {std::pair{16, 0}, {10, 6}, {12, 4}}) {
      plain.dwt_vertical_16(w, bits, drop, width, low.row(0), high.row(0));
      wide.dwt_vertical_16(w, bits, drop, width, low.row(1), high.row(1));
      expect_bands("dwt_vertical_16");
    }
    Rows<std::int32_t> low32(width, 2), high32(width, 2);
    plain.dwt_vertical_level1(n, width, low32.row(0), high32.row(0));
    wide.dwt_vertical_level1(n, width, low32.row(1), high32.row(1));
    expect_rows(low32.row(0), low32.row(1), 0, width, "dwt_vertical_level1", width);
    expect_rows(high32.row(0), high32.row(1), 0, width, "dwt_vertical_level1", width);
    plain.dwt_vertical_32(d, width, low32.row(0), high32.row(0));
    wide.dwt_vertical_32(d, width, low32.row(1), high32.row(1));
    expect_rows(low32.row(0), low32.row(1), 0, width, "dwt_vertical_32", width);
    expect_rows(high32.row(0), high32.row(1), 0, width, "dwt_vertical_32", width);
    for (const bool pass : {false, true}) {
      plain.dwt_horizontal_16(n[0], pass, width / 3, width, low.row(0));
      wide.dwt_horizontal_16(n[0], pass, width / 3, width, low.row(1));
      expect_rows(low.row(0), low.row(1), width / 3, width, "dwt_horizontal_16", width);
      for (const int shift : {15, 16}) {
        plain.dwt_horizontal_32(d[0], pass, shift, width / 3, width, low32.row(0));
        wide.dwt_horizontal_32(d[0], pass, shift, width / 3, width, low32.row(1));
        expect_rows(low32.row(0), low32.row(1), width / 3, width, "dwt_horizontal_32", width);
      }
    }
  }
}

/// A row for masking, and the pointers into it.
struct Masks {
  explicit Masks(int width) : rows(width, 5 * kGains) {
    for (int g = 0; g < kGains; ++g) {
      for (int b = 0; b < 3; ++b)
        at[g].signal[b] = rows.row(5 * g + b);
      at[g].neighbour = rows.row(5 * g + 3);
      at[g].centre = rows.row(5 * g + 4);
    }
  }
  Rows<std::int32_t> rows;
  MaskRow at[kGains];
};

TEST_P(RowKernels, OfDecouplingEqualTheScalarOnes) {
  for (int width = 1; width <= kMostWidth; ++width) {
    const int begin = width / 4;
    const auto narrow = filled<std::int16_t>(width, 6, -22840, 22840);
    const Bands<const std::int16_t> o{narrow.row(0), narrow.row(1), narrow.row(2)},
        t{narrow.row(3), narrow.row(4), narrow.row(5)};
    Masks a(width), b(width);
    const auto expect_masks = [&](const char *what) {
      for (int i = 0; i < 5 * kGains; ++i)
        expect_rows(a.rows.row(i), b.rows.row(i), begin, width, what, width);
    };
    plain.adm_row_0(o, t, begin, width, {true, true}, a.at);
    wide.adm_row_0(o, t, begin, width, {true, true}, b.at);
    expect_masks("adm_row_0");
    EXPECT_EQ(plain.adm_cubes_0(o.h, begin, width), wide.adm_cubes_0(o.h, begin, width)) << width;
    for (const int level : {1, 2, 3}) {
      // Rarely more than 2^22 in pictures; near each other, so that both gain limits come into play.
      const std::int64_t limit = std::int64_t{1} << (16 + (width + 3 * level) % 14);
      const auto deep = filled<std::int32_t>(width, 6, -limit, limit);
      const Bands<const std::int32_t> p{deep.row(0), deep.row(1), deep.row(2)},
          q{deep.row(width & 1 ? 0 : 3), deep.row(width & 1 ? 1 : 4), deep.row(5)};
      plain.adm_row(p, q, level, begin, width, {true, true}, a.at);
      wide.adm_row(p, q, level, begin, width, {true, true}, b.at);
      expect_masks("adm_row");
      EXPECT_EQ(plain.adm_cubes(p.h, level, 8, begin, width), wide.adm_cubes(p.h, level, 8, begin, width))
          << width << " " << level;
    }
  }
}

/// Rows of three views: both gain limits, and the largest sensitivity that fits.
struct Views {
  explicit Views(int width) : rows(width, 10 * kCount) {
    int index = 0;
    for (AdmViewRow &view : at)
      for (MaskRow *row : {&view.restored, &view.additive}) {
        for (std::int32_t *&signal : row->signal)
          signal = rows.row(index++);
        row->neighbour = rows.row(index++);
        row->centre = rows.row(index++);
      }
  }
  static constexpr int kCount = 3;
  static constexpr AdmView kViews[kCount] = {
      {{{24809, 24809, 36087},
        {{0, 0}, {107485848, 50586124}, {184468848, 102727024}, {251775280, 154193616}}},
       1},
      {{{4739, 4739, 4018}, {{0, 0}, {50809464, 18476950}, {107485848, 50586124}, {184468848, 102727024}}},
       0},
      {{{36453, 36453, 49417},
        {{0, 0}, {137373792, 61414028}, {186284160, 104783920}, {196165808, 134487184}}},
       1}};
  Rows<std::int32_t> rows;
  AdmViewRow at[kCount];
};

TEST_P(RowKernels, OfViewsEqualTheScalarOnes) {
  for (int width = 1; width <= kMostWidth; ++width) {
    const int begin = width / 4;
    Views a(width), b(width);
    const auto expect_views = [&](const char *what) {
      for (int i = 0; i < 10 * Views::kCount; ++i)
        expect_rows(a.rows.row(i), b.rows.row(i), begin, width, what, width);
    };
    const auto narrow = filled<std::int16_t>(width, 6, -22840, 22840);
    const Bands<const std::int16_t> o{narrow.row(0), narrow.row(1), narrow.row(2)},
        t{narrow.row(3), narrow.row(width & 1 ? 4 : 1), narrow.row(5)};
    plain.adm_views_0(o, t, begin, width, Views::kViews, Views::kCount, a.at);
    wide.adm_views_0(o, t, begin, width, Views::kViews, Views::kCount, b.at);
    expect_views("adm_views_0");
    for (const int level : {1, 2, 3}) {
      const std::int64_t limit = std::int64_t{1} << (16 + (width + 3 * level) % 14);
      const auto deep = filled<std::int32_t>(width, 6, -limit, limit);
      const Bands<const std::int32_t> p{deep.row(0), deep.row(1), deep.row(2)},
          q{deep.row(width & 1 ? 0 : 3), deep.row(width & 1 ? 1 : 4), deep.row(5)};
      plain.adm_views(p, q, level, begin, width, Views::kViews, Views::kCount, a.at);
      wide.adm_views(p, q, level, begin, width, Views::kViews, Views::kCount, b.at);
      expect_views("adm_views");
    }
  }
}

TEST_P(RowKernels, OfMaskingEqualTheScalarOnes) {
  for (int width = 1; width <= kMostWidth; ++width)
    for (const bool level0 : {true, false}) {
      const auto rows = filled<std::int32_t>(width, 4, 0, level0 ? 20000 : 1 << 24);
      auto signals = filled<std::int32_t>(width, 3, 0, level0 ? 800'000'000 : 1 << 26);
      auto centre = filled<std::int32_t>(width, 1, 0, level0 ? 20000 : 1 << 24);
      auto neighbour = filled<std::int32_t>(width, 1, 0, level0 ? 20000 : 1 << 24);
      MaskRow row;
      for (int b = 0; b < 3; ++b)
        row.signal[b] = signals.row(b);
      row.neighbour = neighbour.row(0);
      row.centre = centre.row(0);
      const AdmShifts shifts(AdmRegion(1920, 1080, level0 ? 0 : 2), level0 ? 0 : 2);
      std::int64_t a[3] = {1, 2, 3}, b[3] = {1, 2, 3};
      (level0 ? plain.adm_mask_0 : plain.adm_mask)(row, rows.row(0), rows.row(1), shifts.mask, 0, width, a);
      (level0 ? wide.adm_mask_0 : wide.adm_mask)(row, rows.row(0), rows.row(1), shifts.mask, 0, width, b);
      for (int i = 0; i < 3; ++i)
        EXPECT_EQ(a[i], b[i]) << width;
    }
}

} // namespace
} // namespace hull::vmaf
