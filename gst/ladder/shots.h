#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace hull::ladder {

/// Finds hard cuts in a stream of tiny grey pictures. A cut is a change that stands out from the changes
/// around it: steady motion, shaking cameras and fades change every picture alike and do not count, nor does
/// a flash, after which the old picture returns. Memory: three pictures and three numbers per picture of the
/// title.
class ShotDetector {
 public:
  static constexpr unsigned kWidth = 64, kHeight = 36;

  /// The next picture, kWidth x kHeight luma samples without padding.
  void add(std::span<const std::uint8_t> luma);

  /// Takes over what another one saw of the pictures that follow, without the first `lead` of them, which
  /// both saw; with a lead of two it is as if this one had seen all.
  void append(const ShotDetector &next, std::size_t lead);

  /// Numbers of the pictures that start a shot, the first being 0, no two closer than `least` pictures.
  /// Empty without pictures.
  std::vector<std::uint64_t> shots(unsigned least) const;

 private:
  using Thumb = std::array<std::uint8_t, kWidth * kHeight>;
  struct Change {
    float last = 0;      ///< mean absolute difference to the picture before, in code values
    float second = 0;    ///< to the one before that
    float histogram = 0; ///< share of samples that changed their brightness class, 0 … 1
  };
  std::array<Thumb, 2> thumbs_{}; // the two pictures before, newest first
  std::array<float, 16> classes_{};
  std::vector<Change> changes_;
};

} // namespace hull::ladder
