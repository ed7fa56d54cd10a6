#pragma once

#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

#include <vector>

namespace hull::vmaf {

/// The bicubic filter's name in results.
inline constexpr char kScalerName[] = "hull-bicubic B=0 C=0.6, 14-bit taps, centres aligned";

/// Scales planes of up to 14 bits to another size with a bicubic kernel (B = 0, C = 0.6, widened when it
/// shrinks), in integers throughout, so the result is the same on every CPU. Rows first to 15 bits, then
/// columns; edges repeat.
class Scaler {
 public:
  Scaler() = default;
  Scaler(int in_width, int in_height, int out_width, int out_height, Cpu set = cpu());
  bool fits(const Plane &in) const { return in.width == in_width_ && in.height == in_height_; }
  /// The scaled plane, valid until the next call; as deep as the input, drop 0.
  Plane scale(const Plane &in);

 private:
  struct Axis {
    int taps = 0;
    std::vector<std::int32_t> first;        ///< of the input samples an output sample reads
    std::vector<std::int16_t> coefficients; ///< taps per output sample, sum 16384
  };
  static Axis make_axis(int in, int out);
  void filter_row(const Plane &in, int y, std::int16_t *out);

  int in_width_ = 0, in_height_ = 0, out_width_ = 0, out_height_ = 0;
  Axis x_, y_;
  const Kernels *kernels_ = nullptr;
  Rows<std::int16_t> source_; ///< one input row, edges repeated
  int pad_ = 0;               ///< how far the filter reaches past an edge
  Rows<std::int16_t> ring_;
  std::vector<int> held_; ///< which input row each ring slot holds
  std::vector<std::uint16_t> out_;
};

} // namespace hull::vmaf
