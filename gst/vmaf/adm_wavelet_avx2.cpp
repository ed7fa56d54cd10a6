#include "gst/vmaf/adm_constants.h"
#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/simd_avx2.h"

#if defined(__x86_64__)

#include <cstring>

namespace hull::vmaf::avx2 {
namespace {

constexpr int kLanes = 16;

struct Taps16 {
  Vec first, second;
  HULL_AVX2 explicit Taps16(const std::int32_t *taps)
      : first(tap_pair(taps[0], taps[1])), second(tap_pair(taps[2], taps[3])) {}
};

struct Rows4 {
  Vec low01, high01, low23, high23;
  HULL_AVX2 explicit Rows4(const Vec *r)
      : low01(_mm256_unpacklo_epi16(r[0], r[1])),
        high01(_mm256_unpackhi_epi16(r[0], r[1])),
        low23(_mm256_unpacklo_epi16(r[2], r[3])),
        high23(_mm256_unpackhi_epi16(r[2], r[3])) {}
};

struct Columns {
  Vec low, high;
};

HULL_AVX2_INLINE Columns filtered(const Rows4 &rows, const Taps16 &taps) {
  return {
      _mm256_add_epi32(_mm256_madd_epi16(rows.low01, taps.first), _mm256_madd_epi16(rows.low23, taps.second)),
      _mm256_add_epi32(_mm256_madd_epi16(rows.high01, taps.first),
                       _mm256_madd_epi16(rows.high23, taps.second))};
}

HULL_AVX2_INLINE void store_words(std::int16_t *out, const Columns &sums, Vec offset, __m128i shift) {
  store(out, _mm256_packs_epi32(_mm256_sra_epi32(_mm256_add_epi32(sums.low, offset), shift),
                                _mm256_sra_epi32(_mm256_add_epi32(sums.high, offset), shift)));
}

HULL_AVX2_INLINE Vec samples(const std::uint8_t *at, __m128i, Vec) {
  return load_bytes(at);
}
/// 16-bit samples become signed; both filters then lose a constant, which the offsets of vertical() know.
HULL_AVX2_INLINE Vec samples(const std::uint16_t *at, __m128i drop, Vec flip) {
  return _mm256_xor_si256(_mm256_srl_epi16(load(at), drop), flip);
}

template <class T>
HULL_AVX2 void vertical(const T *const *rows, int bits, int drop, int width, std::int16_t *low,
                        std::int16_t *high) {
  const Taps16 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  const Vec flip = _mm256_set1_epi16(bits == 16 ? -32768 : 0);
  const int half = 1 << (bits - 1);
  const Vec high_offset = _mm256_set1_epi32(half);
  const Vec low_offset = _mm256_set1_epi32(bits == 16 ? half : half - (kWaveletDc << (bits - 1)));
  const __m128i shift = _mm_cvtsi32_si128(bits), down = _mm_cvtsi32_si128(drop);
  T narrow[4][kLanes] = {};
  const T *from[4] = {rows[0], rows[1], rows[2], rows[3]};
  if (width < kLanes)
    for (int k = 0; k < 4; ++k) {
      std::memcpy(narrow[k], rows[k], static_cast<std::size_t>(width) * sizeof(T));
      from[k] = narrow[k];
    }
  for (int x = 0; x < width; x += kLanes) {
    const int at = width < kLanes || x + kLanes <= width ? x : width - kLanes;
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

HULL_AVX2_INLINE void store_sums(std::int32_t *out, const Columns &sums) {
  store(out, _mm256_permute2x128_si256(sums.low, sums.high, 0x20));
  store(out + 8, _mm256_permute2x128_si256(sums.low, sums.high, 0x31));
}

// From here on all rows are ours, so a block may reach past the width.
HULL_AVX2 void vertical_level1(const std::int16_t *const *rows, int width, std::int32_t *low,
                               std::int32_t *high) {
  const Taps16 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  for (int x = 0; x < width; x += kLanes) {
    const Vec r[4] = {load(rows[0] + x), load(rows[1] + x), load(rows[2] + x), load(rows[3] + x)};
    const Rows4 pairs(r);
    store_sums(low + x, filtered(pairs, low_taps));
    if (high) store_sums(high + x, filtered(pairs, high_taps));
  }
}

struct Taps32 {
  Vec at[4];
  HULL_AVX2 explicit Taps32(const std::int32_t *taps) {
    for (int k = 0; k < 4; ++k)
      at[k] = _mm256_set1_epi32(taps[k]);
  }
};

/// (sum of taps * rows + 32768) >> 16 of eight lanes, with 64-bit sums of even and odd lanes.
HULL_AVX2_INLINE Vec filtered_32(const Vec *rows, const Vec *odd_rows, const Taps32 &taps) {
  Vec even = _mm256_set1_epi64x(32768), odd = even;
#pragma GCC unroll 4
  for (int k = 0; k < 4; ++k) {
    even = _mm256_add_epi64(even, _mm256_mul_epi32(rows[k], taps.at[k]));
    odd = _mm256_add_epi64(odd, _mm256_mul_epi32(odd_rows[k], taps.at[k]));
  }
  return _mm256_blend_epi32(_mm256_srli_epi64(even, 16), _mm256_slli_epi64(odd, 16), 0xaa);
}

HULL_AVX2 void vertical_32(const std::int32_t *const *rows, int width, std::int32_t *low,
                           std::int32_t *high) {
  const Taps32 low_taps(kWaveletLow), high_taps(kWaveletHigh);
  for (int x = 0; x < width; x += 8) {
    Vec r[4], odd[4];
#pragma GCC unroll 4
    for (int k = 0; k < 4; ++k) {
      r[k] = load(rows[k] + x);
      odd[k] = _mm256_srli_epi64(r[k], 32);
    }
    store(low + x, filtered_32(r, odd, low_taps));
    if (high) store(high + x, filtered_32(r, odd, high_taps));
  }
}

HULL_AVX2 void horizontal_16(const std::int16_t *row, bool high_pass, int begin, int end, std::int16_t *out) {
  const Taps16 taps(high_pass ? kWaveletHigh : kWaveletLow);
  const Vec half = _mm256_set1_epi32(32768);
  for (int x = begin; x < end; x += kLanes) {
    const std::int16_t *at = row + 2 * x - 1;
    const Vec a = _mm256_add_epi32(_mm256_madd_epi16(load(at), taps.first),
                                   _mm256_madd_epi16(load(at + 2), taps.second));
    const Vec b = _mm256_add_epi32(_mm256_madd_epi16(load(at + 16), taps.first),
                                   _mm256_madd_epi16(load(at + 18), taps.second));
    const Vec packed = _mm256_packs_epi32(_mm256_srai_epi32(_mm256_add_epi32(a, half), 16),
                                          _mm256_srai_epi32(_mm256_add_epi32(b, half), 16));
    store(out + x, _mm256_permute4x64_epi64(packed, 0xd8));
  }
}

/// Four outputs as 64-bit lanes; the even elements of a load are what mul_epi32 reads.
HULL_AVX2_INLINE Vec window_32(const std::int32_t *at, const Taps32 &taps, Vec half, __m128i shift) {
  const Vec a = load(at), b = load(at + 2);
  const Vec sum = _mm256_add_epi64(_mm256_add_epi64(_mm256_mul_epi32(a, taps.at[0]),
                                                    _mm256_mul_epi32(_mm256_srli_epi64(a, 32), taps.at[1])),
                                   _mm256_add_epi64(_mm256_mul_epi32(b, taps.at[2]),
                                                    _mm256_mul_epi32(_mm256_srli_epi64(b, 32), taps.at[3])));
  return _mm256_srl_epi64(_mm256_add_epi64(sum, half), shift);
}

HULL_AVX2 void horizontal_32(const std::int32_t *row, bool high_pass, int shift, int begin, int end,
                             std::int32_t *out) {
  const Taps32 taps(high_pass ? kWaveletHigh : kWaveletLow);
  const Vec half = _mm256_set1_epi64x(std::int64_t{1} << (shift - 1));
  const __m128i count = _mm_cvtsi32_si128(shift);
  for (int x = begin; x < end; x += 8) {
    const Vec a = window_32(row + 2 * x - 1, taps, half, count),
              b = window_32(row + 2 * x + 7, taps, half, count);
    const Vec words =
        _mm256_castps_si256(_mm256_shuffle_ps(_mm256_castsi256_ps(a), _mm256_castsi256_ps(b), 0x88));
    store(out + x, _mm256_permute4x64_epi64(words, 0xd8));
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

} // namespace hull::vmaf::avx2
#endif
