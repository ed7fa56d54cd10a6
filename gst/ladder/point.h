#pragma once

#include <compare>
#include <cstdint>
#include <string>

namespace hull::ladder {

/// A rendition's picture size in square pixels.
struct Resolution {
  unsigned width = 0;
  unsigned height = 0;

  std::uint64_t pixels() const { return std::uint64_t{width} * height; }
  bool operator==(const Resolution &) const = default;
};

/// Orders by picture area; equal areas by width, so that the order is total.
inline std::strong_ordering operator<=>(const Resolution &a, const Resolution &b) {
  if (const auto by_area = a.pixels() <=> b.pixels(); by_area != 0) return by_area;
  return a.width <=> b.width;
}

/// "720p"; the height is what people call a resolution by.
inline std::string name_of(const Resolution &res) {
  return std::to_string(res.height) + "p";
}

/// One encode that was measured: its true rate (bytes over duration, not a target) and its pooled VMAF.
struct Point {
  Resolution res;
  int qp = 0;
  double bps = 0;
  double quality = 0;
};

} // namespace hull::ladder
