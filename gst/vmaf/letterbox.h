#pragma once

#include "gst/vmaf/plane.h"

namespace hull::vmaf {

/// Black bars around a picture, in pixels.
struct Letterbox {
  int left = 0, right = 0, top = 0, bottom = 0;
  bool any() const { return left || right || top || bottom; }
  bool operator==(const Letterbox &) const = default;
};

/// What is black at the edges of every picture seen so far. Pictures that are black all over say nothing.
class LetterboxDetector {
 public:
  void look(const Plane &plane);
  /// None before the first picture; single lines do not count.
  Letterbox bars() const;

 private:
  bool seen_ = false;
  Letterbox bars_;
};

} // namespace hull::vmaf
