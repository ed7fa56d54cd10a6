#include "gst/vmaf/kernels/simd.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#if defined(__x86_64__)

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

constexpr int kTaps[] = {3571, 16004, 26386};

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

HULL_SIMD_INLINE Vec difference(const std::uint8_t *a, const std::uint8_t *b, Count) {
  return sub_16(load_bytes(a), load_bytes(b));
}
HULL_SIMD_INLINE Vec difference(const std::uint16_t *a, const std::uint16_t *b, Count drop) {
  return sub_16(srl_16(load(a), drop), srl_16(load(b), drop));
}

/// Whole blocks of the vertical pass; samples of at most 15 bits. Returns the first column left over.
template <class T>
HULL_SIMD int vertical(const T *const *previous, const T *const *current, int bits, int drop, int width,
                       std::int32_t *out) {
  const Vec outer = tap_pair(kTaps[0], kTaps[1]), inner = tap_pair(kTaps[2], kTaps[1]),
            last = tap_pair(kTaps[0], 0);
  const Vec half = set_32(1 << (bits - 1)), zero = zeros();
  const Count shift = count_of(bits), down = count_of(drop);
  int x = 0;
  for (; x + kWords <= width; x += kWords) {
    Vec d[5];
#pragma GCC unroll 5
    for (int k = 0; k < 5; ++k)
      d[k] = difference(previous[k] + x, current[k] + x, down);
    const Vec low = add_32(add_32(madd(unpack_low(d[0], d[1]), outer), half),
                           add_32(madd(unpack_low(d[2], d[3]), inner), madd(unpack_low(d[4], zero), last)));
    const Vec high =
        add_32(add_32(madd(unpack_high(d[0], d[1]), outer), half),
               add_32(madd(unpack_high(d[2], d[3]), inner), madd(unpack_high(d[4], zero), last)));
    const Vec a = sra_32(low, shift), b = sra_32(high, shift);
    store_unpacked(out + x, a, b);
  }
  return x;
}

void vertical_8(const std::uint8_t *const *previous, const std::uint8_t *const *current, int width,
                std::int32_t *out) {
  const int done = vertical(previous, current, 8, 0, width, out);
  const std::uint8_t *p[5], *c[5];
  for (int k = 0; k < 5; ++k) {
    p[k] = previous[k] + done;
    c[k] = current[k] + done;
  }
  plain().motion_vertical_8(p, c, width - done, out + done);
}

void vertical_16(const std::uint16_t *const *previous, const std::uint16_t *const *current, int bits,
                 int drop, int width, std::int32_t *out) {
  const int done = bits < 16 ? vertical(previous, current, bits, drop, width, out) : 0;
  const std::uint16_t *p[5], *c[5];
  for (int k = 0; k < 5; ++k) {
    p[k] = previous[k] + done;
    c[k] = current[k] + done;
  }
  plain().motion_vertical_16(p, c, bits, drop, width - done, out + done);
}

/// Sums fit 32 bits as long as every sample is within +-32767; a block with a larger one is left to the
/// scalar kernel.
HULL_SIMD std::uint64_t horizontal_blocks(const std::int32_t *row, int width, int &done) {
  const Vec outer = set_32(kTaps[0]), inner = set_32(kTaps[1]), middle = set_32(kTaps[2]);
  const Vec half = set_32(32768), large = set_32(static_cast<int>(0xffff8000u));
  Vec total = zeros();
  std::uint64_t rest = 0;
  int x = 0;
  for (; x + kInts <= width; x += kInts) {
    const Vec a = load(row + x - 2), b = load(row + x - 1), c = load(row + x), d = load(row + x + 1),
              e = load(row + x + 2);
    if (meet(bit_or(abs_32(a), abs_32(e)), large)) {
      rest += plain().motion_horizontal(row + x, kInts);
      continue;
    }
    const Vec sum = add_32(add_32(mullo_32(add_32(a, e), outer), half),
                           add_32(mullo_32(add_32(b, d), inner), mullo_32(c, middle)));
    total = add_32(total, abs_32(sra_32(sum, 16)));
  }
  done = x;
  return rest + static_cast<std::uint64_t>(sum_32(total));
}

std::uint64_t horizontal(const std::int32_t *row, int width) {
  int done = 0;
  const std::uint64_t sum = horizontal_blocks(row, width, done);
  return sum + plain().motion_horizontal(row + done, width - done);
}

HULL_SIMD std::uint64_t error_blocks(const std::uint8_t *a, const std::uint8_t *b, int width, int &done) {
  Vec total = zeros();
  int x = 0;
  for (; x + kWords <= width; x += kWords) {
    const Vec d = sub_16(load_bytes(a + x), load_bytes(b + x));
    total = add_32(total, madd(d, d)); // 2^17 per step: good for 2^14 steps
  }
  done = x;
  return static_cast<std::uint64_t>(sum_32(total));
}

HULL_SIMD std::uint64_t error_blocks(const std::uint16_t *a, const std::uint16_t *b, int drop, int width,
                                     int &done) {
  const Count down = count_of(drop);
  const Vec mask = set_64(0xffffffff);
  Vec total = zeros();
  int x = 0;
  for (; x + kWords <= width; x += kWords) {
    const Vec p = srl_16(load(a + x), down), q = srl_16(load(b + x), down);
    const Vec d = bit_or(subs_u16(p, q), subs_u16(q, p));
    const Vec low = mullo_16(d, d), high = mulhi_u16(d, d);
    const Vec s = unpack_low(low, high), t = unpack_high(low, high);
    total = add_64(total, add_64(bit_and(s, mask), srl_64(s, 32)));
    total = add_64(total, add_64(bit_and(t, mask), srl_64(t, 32)));
  }
  done = x;
  return static_cast<std::uint64_t>(sum_64(total));
}

std::uint64_t squared_error_8(const std::uint8_t *a, const std::uint8_t *b, int width) {
  int done = 0;
  const std::uint64_t sum = error_blocks(a, b, width, done);
  return sum + plain().squared_error_8(a + done, b + done, width - done);
}

std::uint64_t squared_error_16(const std::uint16_t *a, const std::uint16_t *b, int drop, int width) {
  int done = 0;
  const std::uint64_t sum = error_blocks(a, b, drop, width, done);
  return sum + plain().squared_error_16(a + done, b + done, drop, width - done);
}

} // namespace

void set_motion(Kernels &table) {
  table.motion_vertical_8 = vertical_8;
  table.motion_vertical_16 = vertical_16;
  table.motion_horizontal = horizontal;
  table.squared_error_8 = squared_error_8;
  table.squared_error_16 = squared_error_16;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
