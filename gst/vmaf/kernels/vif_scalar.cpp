// VIF's pixel loops as libvmaf's integer_vif defines them; the constants are that file's.

#include "gst/vmaf/kernels/log_table.h"
#include "gst/vmaf/kernels/scalar.h"

#include <algorithm>
#include <cmath>

namespace hull::vmaf {
namespace {

constexpr std::uint16_t kTaps17[] = {489,  935,  1640, 2640, 3896, 5274, 6547, 7455, 7784,
                                     7455, 6547, 5274, 3896, 2640, 1640, 935,  489};
constexpr std::uint16_t kTaps9[] = {1244, 3663, 7925, 12590, 14692, 12590, 7925, 3663, 1244};
constexpr std::uint16_t kTaps5[] = {3571, 16004, 26386, 16004, 3571};
constexpr std::uint16_t kTaps3[] = {10904, 43728, 10904};

} // namespace

const Filter kVifFilter[4] = {{kTaps17, 17}, {kTaps9, 9}, {kTaps5, 5}, {kTaps3, 3}};

const std::array<std::uint16_t, 65536> &log_table() {
  static const auto table = [] {
    std::array<std::uint16_t, 65536> values{};
    for (int i = 32768; i < 65536; ++i)
      values[static_cast<std::size_t>(i)] =
          static_cast<std::uint16_t>(std::round(std::log2(static_cast<float>(i)) * 2048.0f));
    return values;
  }();
  return table;
}

const std::array<std::uint8_t, 32768> &log_corrections() {
  static const auto corrections = [] {
    std::array<std::uint8_t, 32768> values{};
    for (std::size_t m = 0; m < values.size(); ++m)
      values[m] = static_cast<std::uint8_t>(log_table()[32768 + m] - 30720 - m / 16);
    return values;
  }();
  return corrections;
}

namespace scalar {
namespace {

constexpr Scaling kScaling8{0, 8, 0};

std::uint32_t rounded(std::uint64_t value, int shift) {
  return static_cast<std::uint32_t>(shift ? (value + (std::uint64_t{1} << (shift - 1))) >> shift : value);
}

void store(const FilteredRow &out, int x, std::uint32_t product) {
  out.high[x] = static_cast<std::uint16_t>(product >> 16);
  out.low[x] = static_cast<std::uint16_t>(product);
}

template <class T>
std::uint16_t column_mean(const T *const *rows, const Filter &filter, const Scaling &scaling, int x) {
  std::uint32_t mean = 0;
  for (int k = 0; k < filter.length; ++k)
    mean += filter.taps[k] * static_cast<std::uint32_t>(rows[k][x] >> scaling.drop);
  return static_cast<std::uint16_t>(rounded(mean, scaling.mean_shift));
}

// Scalar pairs keep the two rows' words side by side.

template <class T> void prepare(const T *const *rows, int drop, int width, std::uint16_t *pair) {
  for (int i = 0; i < 2 * width; ++i)
    pair[i] = static_cast<std::uint16_t>(rows[i & 1][i / 2] >> drop);
}

void prepare_8(const std::uint8_t *const *rows, int width, std::uint16_t *pair) {
  prepare(rows, 0, width, pair);
}

/// Sum over the filter's taps of what `term` makes of the two pictures' samples, at output row r and column
/// x.
template <class Term>
std::uint64_t column(const std::uint16_t *const *a, const std::uint16_t *const *b, const Filter &filter,
                     int r, int x, Term term) {
  std::uint64_t sum = 0;
  for (int k = 0; k < filter.length; ++k) {
    const int pair = (r + k) / 2, at = 2 * x + ((r + k) & 1);
    sum += std::uint64_t{filter.taps[k]} * term(std::uint32_t{a[pair][at]}, std::uint32_t{b[pair][at]});
  }
  return sum;
}

void products(const std::uint16_t *const *a, const std::uint16_t *const *b, const Filter &filter,
              const Scaling &scaling, int width, const FilteredRow *out) {
  for (int r = 0; r < kVifRows; ++r)
    for (int x = 0; x < width; ++x) {
      const std::uint64_t sum =
          column(a, b, filter, r, x, [](std::uint32_t p, std::uint32_t q) { return p * q; });
      store(out[r], x, rounded(sum, scaling.square_shift));
    }
}

void columns(const std::uint16_t *const *pairs, const Filter &filter, const Scaling &scaling, int width,
             const FilteredRow *out) {
  for (int r = 0; r < kVifRows; ++r)
    for (int x = 0; x < width; ++x) {
      const std::uint64_t sum =
          column(pairs, pairs, filter, r, x, [](std::uint32_t p, std::uint32_t) { return p; });
      out[r].mean[x] = static_cast<std::uint16_t>(rounded(sum, scaling.mean_shift));
    }
  products(pairs, pairs, filter, scaling, width, out);
}

void columns_8(const std::uint16_t *const *pairs, const Filter &filter, int width, const FilteredRow *out) {
  columns(pairs, filter, kScaling8, width, out);
}

void cross_columns(const std::uint16_t *const *reference, const std::uint16_t *const *distorted,
                   const Filter &filter, const Scaling &scaling, int width, const FilteredRow *out,
                   const FilteredRow *cross) {
  columns(distorted, filter, scaling, width, out);
  products(reference, distorted, filter, scaling, width, cross);
}

void cross_columns_8(const std::uint16_t *const *reference, const std::uint16_t *const *distorted,
                     const Filter &filter, int width, const FilteredRow *out, const FilteredRow *cross) {
  cross_columns(reference, distorted, filter, kScaling8, width, out, cross);
}

std::uint32_t row_mean(const std::uint16_t *row, const Filter &filter, int x) {
  std::uint32_t sum = 0;
  for (int k = 0; k < filter.length; ++k)
    sum += std::uint32_t{filter.taps[k]} * row[x + k - filter.radius()];
  return sum;
}

std::uint32_t row_product(const FilteredRow &row, const Filter &filter, int x) {
  std::uint64_t sum = 0;
  for (int k = 0; k < filter.length; ++k) {
    const int at = x + k - filter.radius();
    sum += std::uint64_t{filter.taps[k]} * (std::uint32_t{row.high[at]} << 16 | row.low[at]);
  }
  return rounded(sum, 16);
}

std::uint32_t mean_product(std::uint32_t a, std::uint32_t b) {
  return static_cast<std::uint32_t>((std::uint64_t{a} * b + 0x80000000u) >> 32);
}

constexpr std::int32_t kNoise = 131072; ///< sigma_nsq = 2.0 in Q16

void reference_row(const FilteredRow &row, const Filter &filter, int width, std::uint32_t *mean,
                   std::int32_t *variance, VifSums &sums) {
  const std::uint16_t *table = log_table().data();
  for (int x = 0; x < width; ++x) {
    mean[x] = row_mean(row.mean, filter, x);
    variance[x] = static_cast<std::int32_t>(row_product(row, filter, x) - mean_product(mean[x], mean[x]));
    if (variance[x] >= kNoise)
      sums.den_log += log2_q11(static_cast<std::uint32_t>(kNoise) + variance[x], table) - 2048 * 17;
    else
      ++sums.den_flat;
  }
}

void reference(const FilteredRow *rows, int count, const Filter &filter, int width, const VifMoments &moments,
               VifSums &sums) {
  for (int i = 0; i < count; ++i)
    reference_row(rows[i], filter, width, moments.mean[i], moments.variance[i], sums);
}

/// Information that gets through to the distorted picture at one pixel, for one gain limit.
std::int32_t information(std::int32_t s1, std::int32_t residual, double gain, double limit,
                         const std::uint16_t *table) {
  gain = std::min(gain, limit);
  const auto n1 = static_cast<std::uint32_t>(residual) + static_cast<std::uint32_t>(kNoise);
  const std::int64_t n2 = static_cast<std::int64_t>(gain * gain * s1) + n1;
  return log2_q11(static_cast<std::uint64_t>(n2), table) - log2_q11(n1, table);
}

void pair_row(const FilteredRow &distorted, const FilteredRow &cross, const Filter &filter, int width,
              const std::uint32_t *mean, const std::int32_t *variance, Gains gains, VifSums &sums) {
  const std::uint16_t *table = log_table().data();
  for (int x = 0; x < width; ++x) {
    const std::uint32_t mean2 = row_mean(distorted.mean, filter, x);
    const auto y = static_cast<std::int32_t>(row_product(distorted, filter, x) - mean_product(mean2, mean2));
    const std::int32_t s1 = variance[x], s2 = std::max(y, 0);
    if (s1 < kNoise) {
      sums.num_flat += s2;
      continue;
    }
    const auto s12 = static_cast<std::int32_t>(row_product(cross, filter, x) - mean_product(mean[x], mean2));
    if (s12 <= 0 || s2 <= 0) continue;
    const double gain = s12 / (s1 + 65536 * 1e-10);
    const std::int32_t residual = std::max(static_cast<std::int32_t>(s2 - gain * s12), 0);
    if (gains.normal) sums.num_log[0] += information(s1, residual, gain, kGainLimit[0], table);
    if (gains.neg) sums.num_log[1] += information(s1, residual, gain, kGainLimit[1], table);
  }
}

void pair(const FilteredRow *distorted, const FilteredRow *cross, int count, const Filter &filter, int width,
          const VifMoments &reference, Gains gains, VifSums &sums) {
  for (int i = 0; i < count; ++i)
    pair_row(distorted[i], cross[i], filter, width, reference.mean[i], reference.variance[i], gains, sums);
}

void smooth_8(const std::uint8_t *const *rows, const Filter &filter, int width, std::uint16_t *out) {
  for (int x = 0; x < width; ++x)
    out[x] = column_mean(rows, filter, kScaling8, x);
}

void smooth_16(const std::uint16_t *const *rows, const Filter &filter, const Scaling &scaling, int width,
               std::uint16_t *out) {
  for (int x = 0; x < width; ++x)
    out[x] = column_mean(rows, filter, scaling, x);
}

void halve(const std::uint16_t *row, const Filter &filter, int out_width, std::uint16_t *out) {
  for (int x = 0; x < out_width; ++x)
    out[x] = static_cast<std::uint16_t>(rounded(row_mean(row, filter, 2 * x), 16));
}

} // namespace

void set_vif(Kernels &table) {
  table.vif_prepare_8 = prepare_8;
  table.vif_prepare_16 = prepare<std::uint16_t>;
  table.vif_columns_8 = columns_8;
  table.vif_columns_16 = columns;
  table.vif_cross_columns_8 = cross_columns_8;
  table.vif_cross_columns_16 = cross_columns;
  table.vif_reference = reference;
  table.vif_pair = pair;
  table.smooth_8 = smooth_8;
  table.smooth_16 = smooth_16;
  table.halve = halve;
}

} // namespace scalar
} // namespace hull::vmaf
