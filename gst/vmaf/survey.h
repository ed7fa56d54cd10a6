#pragma once

#include "gst/vmaf/plane.h"

#include <array>
#include <span>
#include <vector>

namespace hull::vmaf {

/// A picture's luma as means of 32 x 18 blocks, on the 8-bit scale whatever the depth: enough to recognize it
/// after coding and scaling.
using Thumbnail = std::array<float, 32 * 18>;
Thumbnail thumbnail(const Plane &plane);

/// Which frames of two streams show the same moment.
struct Alignment {
  int offset = 0;           ///< distorted frame n + offset shows reference frame n
  double error = 0;         ///< mean squared difference of thumbnails there, 8-bit code values squared
  double error_at_zero = 0; ///< the same without an offset
};

/// The offset of at most +-`reach` frames under which the thumbnails agree best over at least eight frames
/// (or all, where fewer came). Zero stays zero unless another offset has less than 4/5 of its error, as in
/// still scenes all are equal.
Alignment find_alignment(std::span<const Thumbnail> reference, std::span<const Thumbnail> distorted,
                         int reach);

/// Black bars in pixels.
struct Bars {
  int left = 0, right = 0, top = 0, bottom = 0;
  bool any() const { return left || right || top || bottom; }
  bool operator==(const Bars &) const = default;
};

/// What is black at the edges of every picture seen so far. Pictures that are black all over say nothing.
class BarWatch {
 public:
  void look(const Plane &plane);
  /// None before the first picture; single lines do not count.
  Bars bars() const;

 private:
  bool seen_ = false;
  Bars bars_;
};

} // namespace hull::vmaf
