#include "gst/vmaf/kernels/simd.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#if defined(__x86_64__)

#include <cstring>

namespace hull::vmaf::avx2 {
namespace {

constexpr int kLanes = 16;

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

/// Four times four neighbouring samples.
HULL_SIMD_INLINE Vec quads(const std::int16_t *row, const std::int32_t *first) {
  std::int64_t at[4];
  for (int i = 0; i < 4; ++i)
    std::memcpy(&at[i], row + first[i], sizeof at[i]);
  return _mm256_setr_epi64x(at[0], at[1], at[2], at[3]);
}

/// Only what enlarging needs: four taps.
HULL_SIMD void scale_row_4(const std::int16_t *row, const std::int32_t *first,
                           const std::int16_t *coefficients, int shift, int width, std::int16_t *out) {
  const Vec half = _mm256_set1_epi32(1 << (shift - 1));
  const __m128i count = _mm_cvtsi32_si128(shift);
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const Vec a = _mm256_madd_epi16(quads(row, first + x), load(coefficients + 4 * x));
    const Vec b = _mm256_madd_epi16(quads(row, first + x + 4), load(coefficients + 4 * x + 16));
    const Vec sums = _mm256_permute4x64_epi64(_mm256_hadd_epi32(a, b), 0xd8);
    const Vec shifted = _mm256_sra_epi32(_mm256_add_epi32(sums, half), count);
    const Vec packed = _mm256_permute4x64_epi64(_mm256_packs_epi32(shifted, shifted), 0xd8);
    _mm_storeu_si128(reinterpret_cast<__m128i *>(out + x), _mm256_castsi256_si128(packed));
  }
  plain().scale_row(row, first + x, coefficients + 4 * x, 4, shift, width - x, out + x);
}

void scale_row(const std::int16_t *row, const std::int32_t *first, const std::int16_t *coefficients, int taps,
               int shift, int width, std::int16_t *out) {
  if (taps == 4)
    scale_row_4(row, first, coefficients, shift, width, out);
  else
    plain().scale_row(row, first, coefficients, taps, shift, width, out);
}

/// Sixteen clamped samples from x on, as words.
HULL_SIMD_INLINE Vec column_block(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps,
                                  Vec half, __m128i shift, Vec peak, int x) {
  Vec low = half, high = half;
  for (int k = 0; k < taps; k += 2) {
    const Vec pair = tap_pair(coefficients[k], coefficients[k + 1]);
    const Vec a = load(rows[k] + x), b = load(rows[k + 1] + x);
    low = _mm256_add_epi32(low, _mm256_madd_epi16(_mm256_unpacklo_epi16(a, b), pair));
    high = _mm256_add_epi32(high, _mm256_madd_epi16(_mm256_unpackhi_epi16(a, b), pair));
  }
  return _mm256_min_epu16(_mm256_packus_epi32(_mm256_sra_epi32(low, shift), _mm256_sra_epi32(high, shift)),
                          peak);
}

// The source rows are ours and may be read past their end; the output may not be written there.
HULL_SIMD void columns_8(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps,
                         int width, std::uint8_t *out) {
  const Vec half = _mm256_set1_epi32(1 << 19), peak = _mm256_set1_epi16(255);
  const __m128i shift = _mm_cvtsi32_si128(20);
  for (int x = 0; x < width; x += kLanes) {
    const Vec words = column_block(rows, coefficients, taps, half, shift, peak, x);
    const Vec packed = _mm256_permute4x64_epi64(_mm256_packus_epi16(words, words), 0xd8);
    std::uint8_t bytes[16];
    _mm_storeu_si128(reinterpret_cast<__m128i *>(bytes), _mm256_castsi256_si128(packed));
    std::memcpy(out + x, bytes, static_cast<std::size_t>(width - x < kLanes ? width - x : kLanes));
  }
}

HULL_SIMD void columns_16(const std::int16_t *const *rows, const std::int16_t *coefficients, int taps,
                          int bits, int width, std::uint16_t *out) {
  const Vec half = _mm256_set1_epi32(1 << (27 - bits)),
            peak = _mm256_set1_epi16(static_cast<short>((1 << bits) - 1));
  const __m128i shift = _mm_cvtsi32_si128(28 - bits);
  for (int x = 0; x < width; x += kLanes) {
    std::uint16_t words[kLanes];
    store(words, column_block(rows, coefficients, taps, half, shift, peak, x));
    std::memcpy(out + x, words, 2 * static_cast<std::size_t>(width - x < kLanes ? width - x : kLanes));
  }
}

} // namespace

void set_scaler(Kernels &table) {
  table.scale_row = scale_row;
  table.scale_columns_8 = columns_8;
  table.scale_columns_16 = columns_16;
}

} // namespace hull::vmaf::avx2
#endif
