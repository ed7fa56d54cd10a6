#pragma once

#include "gst/core/bytes.h"

#include <array>

namespace hull::h264 {

/// Three planes of a 4:2:0 picture, in any stride. Only read.
struct PictureView {
  const std::uint8_t *data[3];
  int stride[3];
  unsigned width, height; ///< of the luma plane
};

/// Blocks of 8x8 samples, counted by how much neighbouring samples differ in them: four bins to an octave of
/// the mean difference, the first one for differences below 1/64.
class BlockHistogram {
 public:
  static constexpr int kBins = 60;
  void clear() { count_.fill(0); }
  /// One block whose differences add up to `sum` over 64 samples.
  void add(unsigned sum);
  /// Moves towards `other` by `share` of the way.
  void follow(const BlockHistogram &other, float share);
  /// Bits these blocks take at a quantizer when nothing predicts them better than their neighbours do. An
  /// upper bound, measured on noise of all kinds; natural pictures take a fraction of it.
  double bits(double quantizer) const;

 private:
  std::array<float, kBins> count_{};
};

/// How much there is to code in a picture.
struct Activity {
  BlockHistogram intra;   ///< from differences inside the picture
  BlockHistogram regular; ///< blocks that repeat every two samples: few coefficients for the same differences
  BlockHistogram inter;   ///< the smaller one of `intra` and the difference to the picture before
  double unpredicted = 1; ///< share of the blocks that the picture before does not predict
  unsigned densest_row = 0;   ///< largest mean difference in a row of blocks, in 1/64
  unsigned densest_block = 0; ///< largest mean difference in a pair of blocks, in 1/64
  /// Most bits a key picture can take at `quantizer`.
  double worst_bits(double quantizer) const;
};

/// Upper bound of the bits one sample takes, where neighbours differ by `difference` in the mean.
double worst_bits_per_sample(double difference, double quantizer);

/// Quantizer step size: doubles every six quantizers.
double step_of(double quantizer);

/// Measures pictures of one size one after the other.
class ActivityMeter {
 public:
  const Activity &measure(const PictureView &picture);
  void forget() { previous_.clear(); } ///< the next picture has none before it

 private:
  void measure_luma(const PictureView &picture);
  void measure_chroma(const PictureView &picture, int index);
  void add(unsigned near, unsigned apart, unsigned predicted);
  void add_small(const std::uint8_t *data, int stride, unsigned width, unsigned height);
  Activity activity_;
  ByteVector previous_; // luma of the picture before, packed
};

} // namespace hull::h264
