// SpEED as libvmaf computes it on chroma planes: single precision where it has single precision, sums in its
// order.

#include "gst/vmaf/speed.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numbers>

namespace hull::vmaf {
namespace {

constexpr int kDecimation = 16;
constexpr float kSingular = 1e-6f;
constexpr double kLog2Of2PiE = 4.0941911703612819;

int odd_length(double value) {
  const int length = static_cast<int>(std::ceil(value));
  return std::max(3, length % 2 ? length : length + 1);
}

std::vector<float> gaussian(int length, float deviation) {
  const double sigma = static_cast<double>(deviation);
  const auto scale = static_cast<float>(1.0 / (sigma * std::sqrt(2 * std::numbers::pi)));
  std::vector<float> taps;
  float sum = 0;
  for (int i = 0; i < length; ++i) {
    const int t = i - length / 2;
    taps.push_back(static_cast<float>(std::exp(-0.5 * t / sigma * t / sigma)) / scale);
    sum += taps.back();
  }
  for (float &tap : taps)
    tap /= sum;
  return taps;
}

int scaled_size(int size, double prescale) {
  return static_cast<int>(size * prescale + 0.5); // NOLINT(bugprone-incorrect-roundings): as libvmaf
}

bool is_scaled(const SpeedOptions &options) {
  return std::abs(options.prescale - 1) >= 0.001;
}

/// Two source positions and how much the second one counts.
struct Position {
  int first, second;
  float share;
};

Position position_of(int index, int from, int to) {
  const float ratio = static_cast<float>(from) / static_cast<float>(to);
  const auto at = static_cast<float>((index + 0.5) * static_cast<double>(ratio) - 0.5);
  const auto mirrored = [from](int i) { return i < 0 ? -i : i > from - 1 ? 2 * (from - 1) - i : i; };
  const int first = mirrored(static_cast<int>(std::floor(at)));
  return {first, mirrored(static_cast<int>(std::ceil(at))), at - static_cast<float>(first)};
}

/// A plane's samples around 0, at the scale that the options ask for.
class Samples {
 public:
  Samples(const Plane &plane, const SpeedSetup &setup) : plane_(plane), setup_(setup) {
    if (!setup.scaled || setup.options.method != Prescale::bilinear) return;
    for (int x = 0; x < setup.width; ++x)
      columns_.push_back(position_of(x, plane.width, setup.width));
  }

  void row(int y, float *out) const {
    if (!setup_.scaled)
      for (int x = 0; x < setup_.width; ++x)
        out[x] = sample(x, y);
    else if (setup_.options.method == Prescale::bilinear)
      bilinear_row(y, out);
    else
      nearest_row(y, out);
  }

 private:
  float sample(int x, int y) const {
    return static_cast<float>(plane_.sample(x, y)) / static_cast<float>(1 << (plane_.bits - 8)) - 128.0f;
  }

  void bilinear_row(int y, float *out) const {
    const Position at = position_of(y, plane_.height, setup_.height);
    const float dy = at.share;
    for (const Position &column : columns_) {
      const float dx = column.share;
      *out++ = ((1 - dy) * (1 - dx)) * sample(column.first, at.first) +
               ((1 - dy) * dx) * sample(column.second, at.first) +
               (dy * (1 - dx)) * sample(column.first, at.second) +
               (dy * dx) * sample(column.second, at.second);
    }
  }

  void nearest_row(int y, float *out) const {
    const float rx = static_cast<float>(plane_.width) / static_cast<float>(setup_.width),
                ry = static_cast<float>(plane_.height) / static_cast<float>(setup_.height);
    for (int x = 0; x < setup_.width; ++x)
      out[x] =
          sample(static_cast<int>(static_cast<float>(x) * rx), static_cast<int>(static_cast<float>(y) * ry));
  }

  const Plane &plane_;
  const SpeedSetup &setup_;
  std::vector<Position> columns_;
};

/// Low-passed samples at every 16th row and column.
std::vector<float> decimated(const Plane &plane, const SpeedSetup &setup) {
  const Samples samples(plane, setup);
  const auto &taps = setup.low_pass;
  const int radius = static_cast<int>(taps.size()) / 2;
  std::vector<float> row(static_cast<std::size_t>(setup.width)), sums(row.size()), made;
  for (int i = 0; i < setup.down; ++i) {
    std::fill(sums.begin(), sums.end(), 0.0f);
    for (int k = 0; k < static_cast<int>(taps.size()); ++k) {
      samples.row(reflect(kDecimation * i + k - radius, setup.height), row.data());
      const float tap = taps[static_cast<std::size_t>(k)];
      for (std::size_t x = 0; x < row.size(); ++x)
        sums[x] += tap * row[x];
    }
    for (int j = 0; j < setup.across; ++j) {
      float sum = 0;
      for (int k = 0; k < static_cast<int>(taps.size()); ++k)
        sum += taps[static_cast<std::size_t>(k)] *
               sums[static_cast<std::size_t>(reflect(kDecimation * j + k - radius, setup.width))];
      made.push_back(sum);
    }
  }
  return made;
}

void filter(const std::vector<float> &taps, const std::vector<float> &in, int across, int down, bool vertical,
            std::vector<float> &out) {
  const int radius = static_cast<int>(taps.size()) / 2;
  out.clear();
  for (int y = 0; y < down; ++y)
    for (int x = 0; x < across; ++x) {
      float sum = 0;
      for (int k = -radius; k <= radius; ++k) {
        const int at = vertical ? reflect(y + k, down) * across + x : y * across + reflect(x + k, across);
        sum += taps[static_cast<std::size_t>(k + radius)] * in[static_cast<std::size_t>(at)];
      }
      out.push_back(sum);
    }
}

/// The decimated samples without their local mean.
std::vector<float> detail(const Plane &plane, const SpeedSetup &setup) {
  std::vector<float> made = decimated(plane, setup), down, mean;
  filter(setup.local_mean, made, setup.across, setup.down, true, down);
  filter(setup.local_mean, down, setup.across, setup.down, false, mean);
  for (std::size_t i = 0; i < made.size(); ++i)
    made[i] -= mean[i];
  return made;
}

/// The samples at one place of the 5 x 5 neighbourhoods, all of them.
struct Neighbours {
  const float *first;
  int width, height, stride;
  template <class Work> void each(Work work) const {
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x)
        work(first[y * stride + x], y * width + x);
  }
};

SpeedMatrix covariance(const std::vector<float> &x, const SpeedSetup &setup) {
  const int width = kSpeedBlock * setup.columns - kSpeedBlock + 1,
            height = kSpeedBlock * setup.rows - kSpeedBlock + 1;
  const int count = width * height;
  std::vector<std::vector<double>> centred;
  for (int a = 0; a < kSpeedOrder; ++a) {
    const Neighbours at{&x[static_cast<std::size_t>(a / kSpeedBlock * setup.across + a % kSpeedBlock)], width,
                        height, setup.across};
    float sum = 0;
    at.each([&sum](float value, int) { sum += value; });
    const float mean = sum / static_cast<float>(count);
    std::vector<double> values(static_cast<std::size_t>(count));
    at.each([&](float value, int i) {
      values[static_cast<std::size_t>(i)] = static_cast<double>(value) - static_cast<double>(mean);
    });
    centred.push_back(std::move(values));
  }
  SpeedMatrix made(kSpeedOrder * kSpeedOrder);
  for (std::size_t a = 0; a < kSpeedOrder; ++a)
    for (std::size_t b = 0; b <= a; ++b) {
      double sum = 0;
      for (std::size_t i = 0; i < static_cast<std::size_t>(count); ++i)
        sum += centred[a][i] * centred[b][i];
      made[a * kSpeedOrder + b] = made[b * kSpeedOrder + a] = static_cast<float>(sum / count);
    }
  return made;
}

/// Each block's 25 samples as a column.
SpeedMatrix blocks_of(const std::vector<float> &x, const SpeedSetup &setup) {
  SpeedMatrix made;
  for (int a = 0; a < kSpeedOrder; ++a)
    for (int i = 0; i < setup.rows; ++i)
      for (int j = 0; j < setup.columns; ++j)
        made.push_back(x[static_cast<std::size_t>((kSpeedBlock * i + a / kSpeedBlock) * setup.across +
                                                  kSpeedBlock * j + a % kSpeedBlock)]);
  return made;
}

float entropy_of(const std::vector<float> &eigenvalues, float variance, float noise) {
  float entropy = 0;
  for (const float value : eigenvalues) {
    const float scaled = std::max(value, 0.0f) * variance + noise;
    entropy = static_cast<float>(static_cast<double>(entropy) +
                                 (std::log2(static_cast<double>(scaled)) + kLog2Of2PiE));
  }
  return entropy;
}

/// What an entropy is multiplied with, by the variances of the reference's block and of its own picture's.
struct Weights {
  double reference, distorted;
};

Weights weights_of(int mode, float r, float d) {
  const auto of = [](float variance) { return std::log2(static_cast<double>(1 + variance)); };
  const auto mixed = [](double variance) { return std::log2(1 + variance); };
  const double r64 = static_cast<double>(r), d64 = static_cast<double>(d),
               mean = static_cast<double>(r + d) / 2;
  switch (mode) {
  case 1:
    return {of(r), of(r)};
  case 2:
    return {of(d), of(d)};
  case 3:
    return {mixed(mean), mixed(mean)};
  case 4:
    return {of(r), mixed(mean)};
  case 5:
    return {of(r), mixed(0.75 * r64 + 0.25 * d64)};
  case 6:
    return {of(r), mixed(0.25 * r64 + 0.75 * d64)};
  default:
    return {of(r), of(d)};
  }
}

struct PlaneScore {
  float value;
  bool flagged; ///< an estimate failed
};

PlaneScore plane_score(const SpeedEstimate &reference, const SpeedEstimate &distorted,
                       const SpeedOptions &options) {
  if (reference.failed != distorted.failed) return {0, true};
  const auto noise = static_cast<float>(options.sigma_nn), floor = static_cast<float>(options.nn_floor);
  const auto base =
      static_cast<float>(kSpeedOrder * (std::log2(static_cast<double>((1 + floor) * noise)) + kLog2Of2PiE));
  float sum = 0;
  for (std::size_t i = 0; i < reference.entropy.size(); ++i) {
    const float r = reference.entropy[i], d = distorted.entropy[i];
    if (r < base && d < base) continue;
    const Weights weights = weights_of(options.weight_mode, reference.variance[i], distorted.variance[i]);
    sum += std::abs(static_cast<float>(static_cast<double>(r) * weights.reference) -
                    static_cast<float>(static_cast<double>(d) * weights.distorted));
  }
  return {sum / static_cast<float>(reference.entropy.size()), reference.failed};
}

} // namespace

SpeedSetup::SpeedSetup(int plane_width, int plane_height, const SpeedOptions &wanted)
    : options(wanted), width(plane_width), height(plane_height) {
  if (is_scaled(options)) {
    width = scaled_size(plane_width, options.prescale);
    height = scaled_size(plane_height, options.prescale);
  }
  scaled = width != plane_width || height != plane_height;
  const int low = odd_length(9 * options.kernel_scale), mean = odd_length(2 * options.kernel_scale);
  low_pass = gaussian(low, static_cast<float>(2.0 * low / 5));
  local_mean = gaussian(mean, static_cast<float>(mean / 5.0));
  across = width / kDecimation;
  down = height / kDecimation;
  columns = across / kSpeedBlock;
  rows = down / kSpeedBlock;
}

bool SpeedSetup::always_fails() const {
  return (kSpeedBlock * columns - kSpeedBlock + 1) * (kSpeedBlock * rows - kSpeedBlock + 1) <= kSpeedOrder;
}

Result<void> check_speed(int plane_width, int plane_height, const SpeedOptions &options) {
  const double prescale = is_scaled(options) ? options.prescale : 1;
  constexpr int kLeast = kDecimation * kSpeedBlock;
  if (scaled_size(plane_width, prescale) >= kLeast && scaled_size(plane_height, prescale) >= kLeast)
    return {};
  return fail(ErrorCode::unsupported,
              fmt::format("SpEED, which this VMAF model reads, needs chroma planes of {0}x{0} samples at "
                          "least, and these are of {1}x{2}. Score at a larger size, or take vmaf_v0.6.1.",
                          static_cast<int>(std::ceil(kLeast / prescale)), plane_width, plane_height));
}

SpeedEstimate speed_estimate(const Plane &plane, const SpeedSetup &setup) {
  const auto samples = detail(plane, setup);
  const SpeedMatrix matrix = covariance(samples, setup);
  const auto eigenvalues = speed_eigenvalues(matrix);
  const bool regular =
      std::all_of(eigenvalues.begin(), eigenvalues.end(), [](float value) { return value >= kSingular; });
  const SpeedMatrix blocks = blocks_of(samples, setup);
  const SpeedMatrix solved = regular ? speed_solve(matrix, blocks, setup.blocks()) : SpeedMatrix{};
  SpeedEstimate estimate;
  estimate.failed = solved.empty();
  const auto count = static_cast<std::size_t>(setup.blocks());
  estimate.variance.assign(count, 0.0f);
  for (std::size_t i = 0; i < solved.size(); ++i)
    estimate.variance[i % count] += solved[i] * blocks[i] / static_cast<float>(kSpeedOrder);
  for (const float variance : estimate.variance)
    estimate.entropy.push_back(entropy_of(eigenvalues, variance, static_cast<float>(setup.options.sigma_nn)));
  return estimate;
}

SpeedScore speed_score(const SpeedEstimate (&reference)[2], const SpeedEstimate (&distorted)[2],
                       const SpeedOptions &options) {
  const PlaneScore u = plane_score(reference[0], distorted[0], options),
                   v = plane_score(reference[1], distorted[1], options);
  float both = (u.value + v.value) / 2;
  if (u.flagged != v.flagged) both = u.flagged ? v.value : u.value;
  const auto limited = [&options](float value) { return std::min(static_cast<double>(value), options.most); };
  return {limited(u.value), limited(v.value), limited(both)};
}

} // namespace hull::vmaf
