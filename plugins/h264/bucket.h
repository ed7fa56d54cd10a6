#pragma once

#include <algorithm>

namespace hull::h264 {

/// A buffer that empties at a constant bitrate, seen from the side that fills it.
class Bucket {
 public:
  /// Bits per second it loses; 0 = there is none. What is in it stays.
  void empty_at(double rate) { rate_ = rate; }
  bool exists() const { return rate_ > 0; }
  /// After a picture of `bits`, `seconds` after the one before.
  void add(double bits, double seconds) {
    // More than two seconds are not remembered: what is late by then is lost, and quality must come back.
    fill_ = exists() ? std::clamp(fill_ + bits / rate_ - seconds, 0.0, 2.0) : 0;
  }
  /// How long it takes to empty, in seconds.
  double fill() const { return fill_; }

 private:
  double rate_ = 0, fill_ = 0;
};

} // namespace hull::h264
