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

/// Which frames of two streams show the same moment, and how far that can be believed.
struct Alignment {
  enum class Verdict {
    sure,
    still,     ///< the pictures hardly change, so every offset is as good
    ambiguous, ///< another offset is nearly as good
    beyond,    ///< the best one lies outside of what was asked for
    unlike,    ///< at no offset do the two show the same
  };
  int offset = 0;           ///< distorted frame n + offset shows reference frame n
  double error = 0;         ///< mean squared difference of thumbnails there, 8-bit code values squared
  double error_at_zero = 0; ///< the same without an offset
  double runner_up = 0;     ///< the same at the best offset that is no neighbour
  Verdict verdict = Verdict::sure;
};

/// Frames beyond the reach that are looked at, too: a least error at the edge of the range is none.
inline constexpr int kAlignmentMargin = 2;

/// The offset of at most +-`reach` frames under which the thumbnails agree best over at least eight frames
/// (or all, where fewer came). Zero stays zero unless another offset has less than 4/5 of its error, as in
/// still scenes all are equal.
Alignment find_alignment(std::span<const Thumbnail> reference, std::span<const Thumbnail> distorted,
                         int reach);

/// One word for a verdict.
const char *name_of(Alignment::Verdict verdict);

} // namespace hull::vmaf
