#pragma once

#include <cstddef>
#include <cstdint>

namespace hull::vmaf {

/// One plane of samples that somebody else owns. Samples are bytes when bits == 8, else native 16-bit words
/// whose value is `word >> drop` (P010 keeps its 10 bits at the top: drop 6). `stride` is in bytes, any
/// value. A crop is another pointer and size.
struct Plane {
  const std::uint8_t *data = nullptr;
  std::ptrdiff_t stride = 0;
  int width = 0;
  int height = 0;
  int bits = 8; ///< 8..16
  int drop = 0;

  const std::uint8_t *row8(int y) const { return data + y * stride; }
  const std::uint16_t *row16(int y) const {
    return reinterpret_cast<const std::uint16_t *>(data + y * stride);
  }
  int sample_bytes() const { return bits == 8 ? 1 : 2; }
  const std::uint8_t *at(int x, int y) const { return row8(y) + x * sample_bytes(); }
  int sample(int x, int y) const { return bits == 8 ? row8(y)[x] : row16(y)[x] >> drop; }
};

/// Size in pixels and bits per sample that a picture was coded with, before it was scaled; 0 = those that it
/// has.
struct Coding {
  int width = 0, height = 0, bits = 0;
  bool operator==(const Coding &) const = default;
};

/// A picture's planes; chroma is absent (data == nullptr) for grey input and when nobody asks for it.
struct Picture {
  Plane y, cb, cr;
  Coding coding = {};
};

/// Index mirrored at both ends without repeating the edge sample: -k -> k, (n-1)+k -> (n-1)-k, again and
/// again for tiny n. VIF and motion use it.
inline int reflect(int index, int n) {
  if (n == 1) return 0;
  while (index < 0 || index >= n)
    index = index < 0 ? -index : 2 * (n - 1) - index;
  return index;
}

/// ADM's rule: the left or top edge is not repeated, the right or bottom one is.
inline int reflect_wavelet(int index, int n) {
  if (index < 0) index = -index;
  return index < n ? index : 2 * n - index - 1;
}

} // namespace hull::vmaf
