#include "gst/h264/activity.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace hull::h264 {
namespace {

constexpr unsigned kSide = 8;

// Sums of absolute differences over 16x8 samples, left and right half apart.
struct Pair {
  unsigned half[2];
};

#ifdef __SSE2__
Pair difference(const std::uint8_t *a, int a_stride, const std::uint8_t *b, int b_stride) {
  __m128i sum = _mm_setzero_si128();
  for (unsigned y = 0; y < kSide; ++y, a += a_stride, b += b_stride)
    sum = _mm_add_epi32(sum, _mm_sad_epu8(_mm_loadu_si128(reinterpret_cast<const __m128i *>(a)),
                                          _mm_loadu_si128(reinterpret_cast<const __m128i *>(b))));
  return {{static_cast<unsigned>(_mm_cvtsi128_si32(sum)),
           static_cast<unsigned>(_mm_cvtsi128_si32(_mm_srli_si128(sum, 8)))}};
}
#else
Pair difference(const std::uint8_t *a, int a_stride, const std::uint8_t *b, int b_stride) {
  Pair pair{};
  for (unsigned y = 0; y < kSide; ++y, a += a_stride, b += b_stride)
    for (unsigned x = 0; x < 2 * kSide; ++x)
      pair.half[x / kSide] += static_cast<unsigned>(std::abs(a[x] - b[x]));
  return pair;
}
#endif

struct Plane {
  const std::uint8_t *data;
  int stride;
  unsigned width, height;
  const std::uint8_t *at(unsigned x, unsigned y) const {
    return data + static_cast<std::ptrdiff_t>(y) * stride + x;
  }
};

// What neighbours say about two blocks side by side: the smaller one of the differences to the left and
// above, of one sample and of two.
struct Neighbours {
  Pair near, apart;
};

// At the borders the neighbours on the other side do as well.
Neighbours look(const Plane &plane, unsigned x, unsigned y) {
  const std::uint8_t *at = plane.at(x, y);
  const int beside = x >= 2 ? -1 : 1, over = (y >= 2 ? -1 : 1) * plane.stride;
  const auto least = [&](int step) {
    const Pair a = difference(at, plane.stride, at + beside * step, plane.stride);
    const Pair b = difference(at, plane.stride, at + over * step, plane.stride);
    return Pair{{std::min(a.half[0], b.half[0]), std::min(a.half[1], b.half[1])}};
  };
  return {least(1), least(2)};
}

// Two samples beside a pair of blocks must be there to look at.
bool is_large(const Plane &plane) {
  return plane.width >= 2 * kSide + 2 && plane.height >= kSide + 2;
}

// Calls `visit(x, y)` with the corners of 16x8 blocks that cover the plane; the last ones may overlap those
// before them, since everything in the picture counts.
template <class Visit> void each_pair(const Plane &plane, Visit visit) {
  for (unsigned y = 0; y < plane.height; y += kSide)
    for (unsigned x = 0; x < plane.width; x += 2 * kSide)
      visit(std::min(x, plane.width - 2 * kSide), std::min(y, plane.height - kSide));
}

// Planes too small for the above: their differences in all, spread over their blocks.
unsigned small_difference(const Plane &plane) {
  std::uint64_t beside = 0, over = 0;
  for (unsigned y = 1; y < plane.height; ++y)
    for (unsigned x = 1; x < plane.width; ++x) {
      beside += static_cast<unsigned>(std::abs(*plane.at(x, y) - *plane.at(x - 1, y)));
      over += static_cast<unsigned>(std::abs(*plane.at(x, y) - *plane.at(x, y - 1)));
    }
  return static_cast<unsigned>(std::min(beside, over) * kSide * kSide /
                               ((plane.width - 1) * (plane.height - 1)));
}

// Bits per sample over log2(difference / step), from -4 on. Noise of five kinds and seven strengths was coded
// at seven quantizers, with CABAC and CAVLC; these are its upper ends.
constexpr double kCurve[] = {0.27, 0.52, 1.08, 2.15, 3.1, 3.7, 4.8, 5.95, 7.4, 9.4, 11.5, 13.8, 16};
constexpr int kFirst = -4;
// CAVLC codes at least this much of a block, where it codes anything.
constexpr double kLeast = 0.01;

double curve(double octave) {
  if (octave <= kFirst) return kLeast + (kCurve[0] - kLeast) * std::exp2(octave - kFirst);
  const double at = std::min(octave - kFirst, std::size(kCurve) - 1.001);
  const auto low = static_cast<std::size_t>(at);
  return kCurve[low] + (kCurve[low + 1] - kCurve[low]) * (at - static_cast<double>(low));
}

// Patterns that repeat every two samples put their energy into few coefficients.
constexpr double kRegularShare = 0.65;

} // namespace

double step_of(double quantizer) {
  return 0.625 * std::exp2(quantizer / 6);
}

double worst_bits_per_sample(double difference, double quantizer) {
  return difference > 0 ? curve(std::log2(difference / step_of(quantizer))) : kLeast;
}

void BlockHistogram::add(unsigned sum) {
  if (sum == 0) {
    count_[0] += 1;
    return;
  }
  const auto octave = static_cast<unsigned>(std::bit_width(sum)) - 1; // 0..13
  const unsigned quarter = octave >= 2 ? sum >> (octave - 2) & 3 : sum << (2 - octave) & 3;
  count_[1 + octave * 4 + quarter] += 1;
}

void BlockHistogram::follow(const BlockHistogram &other, float share) {
  for (int i = 0; i < kBins; ++i)
    count_[static_cast<std::size_t>(i)] +=
        (other.count_[static_cast<std::size_t>(i)] - count_[static_cast<std::size_t>(i)]) * share;
}

double BlockHistogram::bits(double quantizer) const {
  const double step = std::log2(step_of(quantizer));
  double sum = count_[0] * kLeast;
  for (int i = 1; i < kBins; ++i) {
    const float count = count_[static_cast<std::size_t>(i)];
    if (count == 0) continue;
    const int octave = (i - 1) / 4;
    // The middle of a bin; six octaves because sums are over 64 samples.
    sum += count * curve(octave + std::log2(1.125 + (i - 1) % 4 * 0.25) - 6 - step);
  }
  return sum * kSide * kSide;
}

double Activity::worst_bits(double quantizer) const {
  return intra.bits(quantizer) + kRegularShare * regular.bits(quantizer);
}

const Activity &ActivityMeter::measure(const PictureView &picture) {
  activity_ = {};
  measure_luma(picture);
  measure_chroma(picture, 1);
  measure_chroma(picture, 2);
  return activity_;
}

void ActivityMeter::add(const unsigned near, const unsigned apart, const unsigned predicted) {
  const bool repeats = apart < near / 4;
  (repeats ? activity_.regular : activity_.intra).add(near);
  if (repeats) activity_.intra.add(apart);
  activity_.inter.add(std::min(near, predicted));
}

void ActivityMeter::add_small(const std::uint8_t *data, int stride, unsigned width, unsigned height) {
  const unsigned sum = small_difference({data, stride, width, height});
  for (unsigned i = 0; i < (width * height + kSide * kSide - 1) / (kSide * kSide); ++i)
    add(sum, sum, sum);
  activity_.densest_row = std::max(activity_.densest_row, sum);
  activity_.densest_block = std::max(activity_.densest_block, sum);
}

void ActivityMeter::measure_luma(const PictureView &picture) {
  const Plane plane{picture.data[0], picture.stride[0], picture.width, picture.height};
  if (!is_large(plane)) return add_small(plane.data, plane.stride, plane.width, plane.height);
  const bool has_previous = previous_.size() == std::size_t{plane.width} * plane.height;
  const Plane before{previous_.data(), static_cast<int>(plane.width), plane.width, plane.height};
  std::size_t blocks = 0, unpredicted = 0;
  unsigned row = 0, row_y = 0, row_blocks = 0;
  each_pair(plane, [&](unsigned x, unsigned y) {
    const Neighbours n = look(plane, x, y);
    const Pair moved = has_previous ? difference(plane.at(x, y), plane.stride, before.at(x, y), before.stride)
                                    : Pair{{~0u, ~0u}};
    if (y != row_y) row = row_blocks = 0, row_y = y;
    for (int i = 0; i < 2; ++i) {
      add(n.near.half[i], n.apart.half[i], moved.half[i]);
      unpredicted += moved.half[i] >= n.near.half[i] && moved.half[i] > 0;
      row += n.near.half[i];
    }
    blocks += 2;
    row_blocks += 2;
    activity_.densest_row = std::max(activity_.densest_row, row / row_blocks);
    activity_.densest_block = std::max(activity_.densest_block, (n.near.half[0] + n.near.half[1]) / 2);
  });
  activity_.unpredicted = static_cast<double>(unpredicted) / static_cast<double>(blocks);
  previous_.resize(std::size_t{plane.width} * plane.height);
  for (unsigned y = 0; y < plane.height; ++y)
    std::memcpy(previous_.data() + std::size_t{y} * plane.width, plane.at(0, y), plane.width);
}

void ActivityMeter::measure_chroma(const PictureView &picture, int index) {
  const Plane plane{picture.data[index], picture.stride[index], picture.width / 2, picture.height / 2};
  if (!is_large(plane)) return add_small(plane.data, plane.stride, plane.width, plane.height);
  // Colour moves with brightness; planes of its own to remember are not worth it.
  const double share = std::min(1.0, activity_.unpredicted + 0.1);
  each_pair(plane, [&](unsigned x, unsigned y) {
    const Neighbours n = look(plane, x, y);
    for (int i = 0; i < 2; ++i)
      add(n.near.half[i], n.apart.half[i], static_cast<unsigned>(n.near.half[i] * share));
    activity_.densest_block = std::max(activity_.densest_block, (n.near.half[0] + n.near.half[1]) / 2);
  });
}

} // namespace hull::h264
