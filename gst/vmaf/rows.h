#pragma once

#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"

#include <algorithm>
#include <cstdlib>
#include <memory>

namespace hull::vmaf {

/// Aligned rows with kRowPad samples before and kRowPad + kRowSlack after each, zeroed once. A row is an odd
/// number of cache lines long: at a multiple of 4 KiB all rows would share the same few sets of the cache.
template <class T> class Rows {
 public:
  Rows() = default;
  Rows(int width, int count) : stride_(aligned(kRowPad + width + kRowPad + kRowSlack)) {
    const std::size_t bytes = static_cast<std::size_t>(stride_) * static_cast<std::size_t>(count) * sizeof(T);
    memory_.reset(static_cast<T *>(std::aligned_alloc(64, (bytes + 63) / 64 * 64)));
    if (!memory_) throw std::bad_alloc();
    std::fill_n(memory_.get(), static_cast<std::size_t>(stride_) * static_cast<std::size_t>(count), T{});
  }
  T *row(int index) { return memory_.get() + index * stride_ + kRowPad; }
  const T *row(int index) const { return memory_.get() + index * stride_ + kRowPad; }
  std::ptrdiff_t stride_bytes() const { return stride_ * static_cast<std::ptrdiff_t>(sizeof(T)); }

 private:
  static std::ptrdiff_t aligned(std::ptrdiff_t samples) {
    constexpr auto kLine = static_cast<std::ptrdiff_t>(64 / sizeof(T));
    return ((samples + kLine - 1) / kLine | 1) * kLine;
  }
  struct Free {
    void operator()(T *memory) const { std::free(memory); }
  };
  std::ptrdiff_t stride_ = 0;
  std::unique_ptr<T, Free> memory_;
};

/// Brings a row into the second-level cache ahead of its use. Rows are read a strip at a time, with much work
/// between two of them, so the processor's own look-ahead begins anew with each and comes too late.
inline void prefetch(const void *row, std::ptrdiff_t bytes) {
  constexpr int kSecondLevel = 2;
  for (std::ptrdiff_t at = 0; at < bytes; at += 64)
    __builtin_prefetch(static_cast<const char *>(row) + at, 0, kSecondLevel);
}

/// Mirrors `radius` samples on one side of a row, VIF's rule.
template <class T> void mirror_left(T *row, int width, int radius) {
  const bool once = width > radius; // no sample is reflected at both ends
  for (int k = 1; k <= radius; ++k)
    row[-k] = row[once ? k : reflect(-k, width)];
}
template <class T> void mirror_right(T *row, int width, int radius) {
  const bool once = width > radius;
  for (int k = 1; k <= radius; ++k)
    row[width - 1 + k] = row[once ? width - 1 - k : reflect(width - 1 + k, width)];
}
template <class T> void mirror(T *row, int width, int radius) {
  mirror_left(row, width, radius);
  mirror_right(row, width, radius);
}

/// Mirrors what the wavelet reads beyond a row: one sample on the left, two on the right.
template <class T> void mirror_wavelet(T *row, int width) {
  row[-1] = row[reflect_wavelet(-1, width)];
  row[width] = row[reflect_wavelet(width, width)];
  row[width + 1] = row[reflect_wavelet(width + 1, width)];
}

} // namespace hull::vmaf
