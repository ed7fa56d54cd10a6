#include "gst/vmaf/kernels/adm_constants.h"
#include "gst/vmaf/kernels/simd.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#if defined(__x86_64__)

#include <cstring>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

struct Taps16 {
  Vec first, second;
  HULL_SIMD explicit Taps16(const std::int32_t *taps)
      : first(tap_pair(taps[0], taps[1])), second(tap_pair(taps[2], taps[3])) {}
};

struct Rows4 {
  Vec low01, high01, low23, high23;
  HULL_SIMD explicit Rows4(const Vec *r)
      : low01(unpack_low(r[0], r[1])),
        high01(unpack_high(r[0], r[1])),
        low23(unpack_low(r[2], r[3])),
        high23(unpack_high(r[2], r[3])) {}
};

struct Columns {
  Vec low, high;
};

HULL_SIMD_INLINE Columns filtered(const Rows4 &rows, const Taps16 &taps) {
  return {add_32(madd(rows.low01, taps.first), madd(rows.low23, taps.second)),
          add_32(madd(rows.high01, taps.first), madd(rows.high23, taps.second))};
}

HULL_SIMD_INLINE void store_words(std::int16_t *out, const Columns &sums, Vec offset, Count shift) {
  store(out, packs(sra_32(add_32(sums.low, offset), shift), sra_32(add_32(sums.high, offset), shift)));
}

HULL_SIMD_INLINE Vec samples(const std::uint8_t *at, Count, Vec) {
  return load_bytes(at);
}
/// 16-bit samples become signed; both filters then lose a constant, which the offsets of vertical() know.
HULL_SIMD_INLINE Vec samples(const std::uint16_t *at, Count drop, Vec flip) {
  return bit_xor(srl_16(load(at), drop), flip);
}

template <class T>
HULL_SIMD void vertical(const T *const *rows, int bits, int drop, int width, std::int16_t *low,
                        std::int16_t *high) {
  const Taps16 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  const Vec flip = set_16(bits == 16 ? -32768 : 0);
  const int half = 1 << (bits - 1);
  const Vec high_offset = set_32(half);
  const Vec low_offset = set_32(bits == 16 ? half : half - (kWaveletDc << (bits - 1)));
  const Count shift = count_of(bits), down = count_of(drop);
  T narrow[4][kWords] = {};
  const T *from[4] = {rows[0], rows[1], rows[2], rows[3]};
  if (width < kWords)
    for (int k = 0; k < 4; ++k) {
      std::memcpy(narrow[k], rows[k], static_cast<std::size_t>(width) * sizeof(T));
      from[k] = narrow[k];
    }
  for (int x = 0; x < width; x += kWords) {
    const int at = width < kWords || x + kWords <= width ? x : width - kWords;
    Vec r[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k)
      r[k] = samples(from[k] + at, down, flip);
    const Rows4 pairs(r);
    store_words(low + at, filtered(pairs, low_taps), low_offset, shift);
    if (high) store_words(high + at, filtered(pairs, high_taps), high_offset, shift);
  }
}

void vertical_8(const std::uint8_t *const *rows, int width, std::int16_t *low, std::int16_t *high) {
  vertical(rows, 8, 0, width, low, high);
}

void vertical_16(const std::uint16_t *const *rows, int bits, int drop, int width, std::int16_t *low,
                 std::int16_t *high) {
  vertical(rows, bits, drop, width, low, high);
}

HULL_SIMD_INLINE void store_sums(std::int32_t *out, const Columns &sums) {
  store_unpacked(out, sums.low, sums.high);
}

// From here on all rows are ours, so a block may reach past the width.
HULL_SIMD void vertical_level1(const std::int16_t *const *rows, int width, std::int32_t *low,
                               std::int32_t *high) {
  const Taps16 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  for (int x = 0; x < width; x += kWords) {
    const Vec r[4] = {load(rows[0] + x), load(rows[1] + x), load(rows[2] + x), load(rows[3] + x)};
    const Rows4 pairs(r);
    store_sums(low + x, filtered(pairs, low_taps));
    if (high) store_sums(high + x, filtered(pairs, high_taps));
  }
}

struct Taps32 {
  Vec at[4];
  HULL_SIMD explicit Taps32(const std::int32_t *taps) {
    for (int k = 0; k < 4; ++k)
      at[k] = set_32(taps[k]);
  }
};

/// (sum of taps * rows + 32768) >> 16 of eight lanes, with 64-bit sums of even and odd lanes.
HULL_SIMD_INLINE Vec filtered_32(const Vec *rows, const Vec *odd_rows, const Taps32 &taps) {
  Vec even = set_64(32768), odd = even;
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    even = add_64(even, mul_32(rows[k], taps.at[k]));
    odd = add_64(odd, mul_32(odd_rows[k], taps.at[k]));
  }
  return joined(even, odd, 16);
}

HULL_SIMD void vertical_32(const std::int32_t *const *rows, int width, std::int32_t *low,
                           std::int32_t *high) {
  const Taps32 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  for (int x = 0; x < width; x += kInts) {
    Vec r[4], odd[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      r[k] = load(rows[k] + x);
      odd[k] = srl_64(r[k], 32);
    }
    store(low + x, filtered_32(r, odd, low_taps));
    if (high) store(high + x, filtered_32(r, odd, high_taps));
  }
}

HULL_SIMD void horizontal_16(const std::int16_t *row, bool high_pass, int begin, int end, std::int16_t *out) {
  const Taps16 taps(high_pass ? kWaveletHigh : kWaveletLow);
  const Vec half = set_32(32768);
  for (int x = begin; x < end; x += kWords) {
    const std::int16_t *at = row + 2 * x - 1;
    const Vec a = add_32(madd(load(at), taps.first), madd(load(at + 2), taps.second));
    const Vec b = add_32(madd(load(at + kWords), taps.first), madd(load(at + kWords + 2), taps.second));
    const Vec packed = packs(sra_32(add_32(a, half), 16), sra_32(add_32(b, half), 16));
    store(out + x, in_order(packed));
  }
}

/// Outputs as 64-bit lanes; the even elements of a load are what mul_epi32 reads.
HULL_SIMD_INLINE Vec window_32(const std::int32_t *at, const Taps32 &taps, Vec half, Count shift) {
  const Vec a = load(at), b = load(at + 2);
  const Vec sum = add_64(add_64(mul_32(a, taps.at[0]), mul_32(srl_64(a, 32), taps.at[1])),
                         add_64(mul_32(b, taps.at[2]), mul_32(srl_64(b, 32), taps.at[3])));
  return srl_64(add_64(sum, half), shift);
}

HULL_SIMD void horizontal_32(const std::int32_t *row, bool high_pass, int shift, int begin, int end,
                             std::int32_t *out) {
  const Taps32 taps(high_pass ? kWaveletHigh : kWaveletLow);
  const Vec half = set_64(std::int64_t{1} << (shift - 1));
  const Count count = count_of(shift);
  for (int x = begin; x < end; x += kInts) {
    const Vec a = window_32(row + 2 * x - 1, taps, half, count),
              b = window_32(row + 2 * x + kInts - 1, taps, half, count);
    store(out + x, low_halves(a, b));
  }
}

} // namespace

void set_adm_wavelet(Kernels &table) {
  table.dwt_vertical_8 = vertical_8;
  table.dwt_vertical_16 = vertical_16;
  table.dwt_vertical_level1 = vertical_level1;
  table.dwt_vertical_32 = vertical_32;
  table.dwt_horizontal_16 = horizontal_16;
  table.dwt_horizontal_32 = horizontal_32;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
