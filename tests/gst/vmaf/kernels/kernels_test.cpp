// The vector kernels against the scalar ones: whole analyses at widths 33..130, single kernels from width 1,
// random and extreme samples, all depths. AVX-512 kernels run natively where the machine can, and everywhere
// from the same sources with emulated intrinsics.

#include "gst/vmaf/analyzer.h"
#include "gst/vmaf/kernels/log_table.h"
#include "gst/vmaf/scaler.h"
#include "tests/gst/vmaf/kernels/candidates.h"

#include <algorithm>
#include <cstring>
#include <gtest/gtest.h>
#include <random>

namespace hull::vmaf {
namespace {

enum class Fill { random, low, high, checker, near };

struct Buffer {
  std::vector<std::uint8_t> bytes;
  Plane plane;
};

Buffer make_plane(int width, int height, int bits, int drop, Fill fill, unsigned seed) {
  std::mt19937 random(seed);
  Buffer made;
  const std::ptrdiff_t unit = bits > 8 ? 2 : 1, stride = unit * (width + static_cast<int>(seed % 5));
  made.bytes.resize(
      static_cast<std::size_t>(stride * height)); // exactly: a read past the last row is a heap overflow
  const unsigned peak = (1u << bits) - 1;
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x) {
      unsigned value = random() & peak;
      if (fill == Fill::low) value = 0;
      if (fill == Fill::high) value = peak;
      if (fill == Fill::checker) value = ((x >> (seed & 1)) + y) & 1 ? peak : 0;
      if (fill == Fill::near) value = peak / 2 + (random() & 3);
      const auto word =
          static_cast<std::uint16_t>(value << drop | (drop ? random() & ((1u << drop) - 1) : 0));
      if (bits == 8)
        made.bytes[static_cast<std::size_t>(y * stride + x)] = static_cast<std::uint8_t>(value);
      else
        std::memcpy(&made.bytes[static_cast<std::size_t>(y * stride + 2 * x)], &word, 2);
    }
  made.plane = {made.bytes.data(), stride, width, height, bits, drop};
  return made;
}

void expect_equal(const PairFeatures &a, const PairFeatures &b, const std::string &what) {
  EXPECT_EQ(0, std::memcmp(a.adm2, b.adm2, sizeof a.adm2)) << what;
  EXPECT_EQ(0, std::memcmp(a.adm_scale, b.adm_scale, sizeof a.adm_scale)) << what;
  EXPECT_EQ(0, std::memcmp(a.vif_scale, b.vif_scale, sizeof a.vif_scale)) << what;
  EXPECT_EQ(a.psnr[0], b.psnr[0]) << what;
  ASSERT_EQ(a.adm.size(), b.adm.size()) << what;
  for (std::size_t i = 0; i < a.adm.size(); ++i)
    EXPECT_EQ(0, std::memcmp(&a.adm[i], &b.adm[i], sizeof a.adm[i])) << what << ", view " << i;
}

/// The views of v1.0.16's 3d0h, and of the defaults.
std::vector<AdmPass> passes() {
  return {*adm_pass({2, 3.0, 1080, 1, 0.02, 0.7, 0.5}), *adm_pass({})};
}

struct Outcome {
  PairFeatures features;
  double motion;
};

Outcome measured(const Buffer &p, const Buffer &q, const AnalyzerOptions &options) {
  Analyzer analyzer(p.plane.width, p.plane.height, 1, options);
  Outcome outcome{};
  const Picture distorted{q.plane, {}, {}};
  outcome.motion =
      analyzer.measure({p.plane, {}, {}}, {&q.plane}, {&distorted, 1}, {&outcome.features, 1}).one;
  return outcome;
}

using Case = std::tuple<Candidate, int>;
std::string name_of(const testing::TestParamInfo<Case> &info) {
  return std::string(std::get<0>(info.param).name) + "_" + std::to_string(std::get<1>(info.param)) + "_bits";
}

class WholeAnalysis : public testing::TestWithParam<Case> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(WholeAnalysis);
INSTANTIATE_TEST_SUITE_P(Depths, WholeAnalysis,
                         testing::Combine(testing::ValuesIn(candidates()), testing::Values(8, 10, 12, 16)),
                         name_of);

TEST_P(WholeAnalysis, IsTheSameOnEveryInstructionSet) {
  const auto &[candidate, bits] = GetParam();
  const int drop = bits == 10 || bits == 12 ? 16 - bits : 0;
  AnalyzerOptions plain, wide;
  plain.gains = wide.gains = {true, true};
  plain.psnr = wide.psnr = true;
  plain.adm = wide.adm = passes();
  plain.kernels = &kernels(Cpu::scalar);
  wide.kernels = candidate.kernels;
  for (int width = 33; width <= 130; ++width) {
    const Fill fills[] = {Fill::random, Fill::low, Fill::high, Fill::checker, Fill::near};
    const Fill a = fills[width % 5], b = fills[width / 5 % 5];
    const auto seed = static_cast<unsigned>(width);
    const Buffer p = make_plane(width, 33 + width % 7, bits, drop, a, seed);
    const Buffer q = make_plane(width, 33 + width % 7, bits, drop, b, seed + 1);
    const Outcome one = measured(p, q, plain), two = measured(p, q, wide);
    EXPECT_EQ(one.motion, two.motion) << width;
    expect_equal(one.features, two.features, "width " + std::to_string(width));
  }
}

TEST(Avx512, IsTested) {
#if !defined(HULL_TEST_EMULATED)
  if (detected_cpu() < Cpu::avx512)
    GTEST_SKIP() << "neither AVX-512 nor its emulation (libsimde-dev) is here: its kernels stay untested";
#endif
  const auto all = candidates();
  EXPECT_TRUE(std::any_of(all.begin(), all.end(),
                          [](const Candidate &c) { return std::string(c.name).ends_with("avx512"); }));
}

TEST(Stripes, NeitherHeightNorThreadsChangeABit) {
  const Buffer p = make_plane(157, 211, 8, 0, Fill::random, 7), q = make_plane(157, 211, 8, 0, Fill::near, 8);
  AnalyzerOptions options;
  options.gains = {true, true};
  options.adm = passes();
  const Outcome whole = measured(p, q, options);
  for (const int rows : {1, 2, 3, 7, 16, 33, 64, 210, 500})
    for (const unsigned threads : {1u, 2u, 3u}) {
      options.stripe_rows = rows;
      options.threads = threads;
      const Outcome part = measured(p, q, options);
      const std::string what = std::to_string(rows) + " rows, " + std::to_string(threads) + " threads";
      EXPECT_EQ(part.motion, whole.motion) << what;
      expect_equal(part.features, whole.features, what);
    }
}

// Six pictures are worked through in narrower strips of columns than one, so this compares those, too.
TEST(Renditions, ShareTheReferenceWithoutAnEffect) {
  constexpr int kWidth = 700, kHeight = 40;
  const Buffer p = make_plane(kWidth, kHeight, 8, 0, Fill::random, 3);
  std::vector<Buffer> q;
  std::vector<Picture> pictures;
  for (unsigned i = 0; i < 6; ++i)
    q.push_back(make_plane(kWidth, kHeight, 8, 0, i % 2 ? Fill::random : Fill::near, 10 + i));
  for (const Buffer &buffer : q)
    pictures.push_back({buffer.plane, {}, {}});
  AnalyzerOptions options;
  options.gains = {true, true};
  Analyzer analyzer(kWidth, kHeight, q.size(), options);
  std::vector<PairFeatures> together(q.size());
  analyzer.measure({p.plane, {}, {}}, {}, pictures, together);
  for (std::size_t i = 0; i < q.size(); ++i)
    expect_equal(together[i], measured(p, q[i], options).features, "picture " + std::to_string(i));
}

/// Twenty rows of prepared pairs and the rows that come of them.
struct Filtered {
  explicit Filtered(int width) : pairs(2 * width, 10), rows(width, 3 * kVifRows) {
    for (int i = 0; i < 10; ++i)
      source[i] = pairs.row(i);
    for (int i = 0; i < kVifRows; ++i)
      out[i] = {rows.row(3 * i), rows.row(3 * i + 1), rows.row(3 * i + 2)};
  }
  void mirror_all(int width, int radius) {
    for (int i = 0; i < 3 * kVifRows; ++i)
      mirror(rows.row(i), width, radius);
  }
  Rows<std::uint16_t> pairs, rows;
  const std::uint16_t *source[10];
  FilteredRow out[kVifRows];
};

/// A block of rows through the vertical pass, their mirrored edges, then the horizontal pass: what a single
/// width below 33 can show.
VifSums vif_sums(const Kernels &kernels, const Buffer &p, const Buffer &q, const Filter &filter, int count) {
  const int width = p.plane.width;
  Filtered reference(width), distorted(width), cross(width);
  for (FilteredRow &row : cross.out)
    row.mean = nullptr;
  const Scaling scaling{p.plane.drop, p.plane.bits, 2 * (p.plane.bits - 8)};
  for (int i = 0; i < filter.pairs(); ++i) {
    const std::uint8_t *bytes[2][2] = {{p.plane.row8(2 * i), p.plane.row8(2 * i + 1)},
                                       {q.plane.row8(2 * i), q.plane.row8(2 * i + 1)}};
    const std::uint16_t *words[2][2] = {{p.plane.row16(2 * i), p.plane.row16(2 * i + 1)},
                                        {q.plane.row16(2 * i), q.plane.row16(2 * i + 1)}};
    if (p.plane.bits == 8) {
      kernels.vif_prepare_8(bytes[0], width, reference.pairs.row(i));
      kernels.vif_prepare_8(bytes[1], width, distorted.pairs.row(i));
    } else {
      kernels.vif_prepare_16(words[0], scaling.drop, width, reference.pairs.row(i));
      kernels.vif_prepare_16(words[1], scaling.drop, width, distorted.pairs.row(i));
    }
  }
  if (p.plane.bits == 8) {
    kernels.vif_columns_8(reference.source, filter, width, reference.out);
    kernels.vif_cross_columns_8(reference.source, distorted.source, filter, width, distorted.out, cross.out);
  } else {
    kernels.vif_columns_16(reference.source, filter, scaling, width, reference.out);
    kernels.vif_cross_columns_16(reference.source, distorted.source, filter, scaling, width, distorted.out,
                                 cross.out);
  }
  for (Filtered *set : {&reference, &distorted, &cross})
    set->mirror_all(width, filter.radius());
  Rows<std::uint32_t> mean(width, kVifRows);
  Rows<std::int32_t> variance(width, kVifRows);
  VifMoments moments;
  for (int i = 0; i < kVifRows; ++i) {
    moments.mean[i] = mean.row(i);
    moments.variance[i] = variance.row(i);
  }
  VifSums sums;
  kernels.vif_reference(reference.out, count, filter, width, moments, sums);
  kernels.vif_pair(distorted.out, cross.out, count, filter, width, moments, {true, true}, sums);
  return sums;
}

class SingleKernels : public testing::TestWithParam<Candidate> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(SingleKernels);
INSTANTIATE_TEST_SUITE_P(Widths, SingleKernels, testing::ValuesIn(candidates()),
                         [](const auto &info) { return std::string(info.param.name); });

TEST_P(SingleKernels, EqualTheScalarOnesFromWidthOneOn) {
  const Kernels &plain = kernels(Cpu::scalar), &wide = *GetParam().kernels;
  for (int width = 1; width <= 130; ++width)
    for (const int bits : {8, 10, 16}) {
      const auto seed = static_cast<unsigned>(width * 3 + bits);
      const Fill fill = width % 4 == 0 ? Fill::checker : Fill::random;
      const Buffer p = make_plane(width, 20, bits, 0, fill, seed),
                   q = make_plane(width, 20, bits, 0, Fill::random, seed + 1);
      for (const Filter &filter : kVifFilter) {
        if (bits == 8 && filter.length != 17) continue; // bytes exist at scale 0 only
        const int count = 1 + width % kVifRows;
        const VifSums a = vif_sums(plain, p, q, filter, count), b = vif_sums(wide, p, q, filter, count);
        EXPECT_EQ(0, std::memcmp(&a, &b, sizeof a)) << width << " " << bits << " " << filter.length;
      }
      if (bits == 8)
        EXPECT_EQ(plain.squared_error_8(p.plane.row8(0), q.plane.row8(0), width),
                  wide.squared_error_8(p.plane.row8(0), q.plane.row8(0), width));
      else
        EXPECT_EQ(plain.squared_error_16(p.plane.row16(0), q.plane.row16(0), 0, width),
                  wide.squared_error_16(p.plane.row16(0), q.plane.row16(0), 0, width));
    }
}

// Rows of one variance each: what comes out is that variance's logarithm, width times.
TEST_P(SingleKernels, TakeEveryLogarithmFromTheSpecificationsTable) {
  constexpr int kWidth = 40;
  constexpr std::uint32_t kNoise = 131072;
  const Kernels &wide = *GetParam().kernels;
  Filtered filtered(kWidth);
  Rows<std::uint32_t> mean(kWidth, kVifRows);
  Rows<std::int32_t> variance(kWidth, kVifRows);
  VifMoments moments;
  for (int i = 0; i < kVifRows; ++i) {
    moments.mean[i] = mean.row(i);
    moments.variance[i] = variance.row(i);
  }
  const auto fill = [](std::uint16_t *row, std::uint32_t word) { // vector sets keep words signed
    std::fill(row - kRowPad, row + kWidth + kRowPad, static_cast<std::uint16_t>(word ^ 0x8000));
  };
  for (std::uint32_t top = 32768; top < 65536; top += kVifRows) {
    std::int64_t expected = 0;
    for (std::uint32_t i = 0; i < kVifRows; ++i) {
      const std::uint32_t total = (top + i) << 3 | 5;
      expected += kWidth * (std::int64_t{log_table()[top + i]} + (3 - 17) * 2048);
      fill(filtered.out[i].mean, 0);
      fill(filtered.out[i].high, (total - kNoise) >> 16);
      fill(filtered.out[i].low, (total - kNoise) & 0xffff);
    }
    VifSums sums;
    wide.vif_reference(filtered.out, kVifRows, kVifFilter[3], kWidth, moments, sums);
    ASSERT_EQ(sums.den_log, expected) << top;
  }
}

TEST(Scaler, IsTheSameOnEveryInstructionSetAndKeepsFlatAreas) {
  for (const int bits : {8, 10, 12})
    for (const auto &[width, height] : {std::pair{17, 9}, {64, 36}, {130, 71}, {33, 200}}) {
      const Buffer from = make_plane(61, 35, bits, bits == 10 ? 6 : 0, Fill::random, 5);
      Scaler plain(61, 35, width, height, Cpu::scalar), wide(61, 35, width, height, detected_cpu());
      const Plane a = plain.scale(from.plane), b = wide.scale(from.plane);
      for (int y = 0; y < height; ++y)
        ASSERT_EQ(0, std::memcmp(a.row8(y), b.row8(y), static_cast<std::size_t>(width * (bits > 8 ? 2 : 1))))
            << y;
      const Buffer white = make_plane(61, 35, bits, 0, Fill::high, 1);
      const Plane flat = wide.scale(white.plane);
      for (int y = 0; y < height; ++y)
        for (int x = 0; x < width; ++x)
          ASSERT_EQ(flat.sample(x, y), (1 << bits) - 1);
    }
}

TEST(Scaler, LeavesAPictureOfTheRightSizeAlone) {
  const Buffer from = make_plane(40, 30, 8, 0, Fill::random, 9);
  Scaler scaler(40, 30, 40, 30);
  const Plane same = scaler.scale(from.plane);
  for (int y = 0; y < 30; ++y)
    for (int x = 0; x < 40; ++x)
      ASSERT_EQ(same.sample(x, y), from.plane.sample(x, y));
}

TEST(Size, OfThirtyTwoAndLessIsRefused) {
  EXPECT_TRUE(check_size(33, 33));
  EXPECT_FALSE(check_size(32, 33));
  EXPECT_FALSE(check_size(1920, 32));
}

} // namespace
} // namespace hull::vmaf
