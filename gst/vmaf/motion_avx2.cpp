#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/simd_avx2.h"

#if defined(__x86_64__)

namespace hull::vmaf::avx2 {
namespace {

constexpr int kLanes = 16;
constexpr int kTaps[] = {3571, 16004, 26386};

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

HULL_AVX2_INLINE Vec difference(const std::uint8_t *a, const std::uint8_t *b, __m128i) {
  return _mm256_sub_epi16(load_bytes(a), load_bytes(b));
}
HULL_AVX2_INLINE Vec difference(const std::uint16_t *a, const std::uint16_t *b, __m128i drop) {
  return _mm256_sub_epi16(_mm256_srl_epi16(load(a), drop), _mm256_srl_epi16(load(b), drop));
}

/// Whole blocks of the vertical pass; samples of at most 15 bits. Returns the first column left over.
template <class T>
HULL_AVX2 int vertical(const T *const *previous, const T *const *current, int bits, int drop, int width,
                       std::int32_t *out) {
  const Vec outer = tap_pair(kTaps[0], kTaps[1]), inner = tap_pair(kTaps[2], kTaps[1]),
            last = tap_pair(kTaps[0], 0);
  const Vec half = _mm256_set1_epi32(1 << (bits - 1)), zero = _mm256_setzero_si256();
  const __m128i shift = _mm_cvtsi32_si128(bits), down = _mm_cvtsi32_si128(drop);
  int x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    Vec d[5];
#pragma GCC unroll 5
    for (int k = 0; k < 5; ++k)
      d[k] = difference(previous[k] + x, current[k] + x, down);
    const Vec low =
        _mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(d[0], d[1]), outer), half),
                         _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpacklo_epi16(d[2], d[3]), inner),
                                          _mm256_madd_epi16(_mm256_unpacklo_epi16(d[4], zero), last)));
    const Vec high =
        _mm256_add_epi32(_mm256_add_epi32(_mm256_madd_epi16(_mm256_unpackhi_epi16(d[0], d[1]), outer), half),
                         _mm256_add_epi32(_mm256_madd_epi16(_mm256_unpackhi_epi16(d[2], d[3]), inner),
                                          _mm256_madd_epi16(_mm256_unpackhi_epi16(d[4], zero), last)));
    const Vec a = _mm256_sra_epi32(low, shift), b = _mm256_sra_epi32(high, shift);
    store(out + x, _mm256_permute2x128_si256(a, b, 0x20));
    store(out + x + 8, _mm256_permute2x128_si256(a, b, 0x31));
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
HULL_AVX2 std::uint64_t horizontal_blocks(const std::int32_t *row, int width, int &done) {
  const Vec outer = _mm256_set1_epi32(kTaps[0]), inner = _mm256_set1_epi32(kTaps[1]),
            middle = _mm256_set1_epi32(kTaps[2]);
  const Vec half = _mm256_set1_epi32(32768), large = _mm256_set1_epi32(static_cast<int>(0xffff8000u));
  Vec total = _mm256_setzero_si256();
  std::uint64_t rest = 0;
  int x = 0;
  for (; x + 8 <= width; x += 8) {
    const Vec a = load(row + x - 2), b = load(row + x - 1), c = load(row + x), d = load(row + x + 1),
              e = load(row + x + 2);
    if (!_mm256_testz_si256(_mm256_or_si256(_mm256_abs_epi32(a), _mm256_abs_epi32(e)), large)) {
      rest += plain().motion_horizontal(row + x, 8);
      continue;
    }
    const Vec sum = _mm256_add_epi32(
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_add_epi32(a, e), outer), half),
        _mm256_add_epi32(_mm256_mullo_epi32(_mm256_add_epi32(b, d), inner), _mm256_mullo_epi32(c, middle)));
    total = _mm256_add_epi32(total, _mm256_abs_epi32(_mm256_srai_epi32(sum, 16)));
  }
  done = x;
  return rest + static_cast<std::uint64_t>(sum_32(total));
}

std::uint64_t horizontal(const std::int32_t *row, int width) {
  int done = 0;
  const std::uint64_t sum = horizontal_blocks(row, width, done);
  return sum + plain().motion_horizontal(row + done, width - done);
}

HULL_AVX2 std::uint64_t error_blocks(const std::uint8_t *a, const std::uint8_t *b, int width, int &done) {
  Vec total = _mm256_setzero_si256();
  int x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    const Vec d = _mm256_sub_epi16(load_bytes(a + x), load_bytes(b + x));
    total = _mm256_add_epi32(total, _mm256_madd_epi16(d, d)); // 2^17 per step: good for 2^14 steps
  }
  done = x;
  return static_cast<std::uint64_t>(sum_32(total));
}

HULL_AVX2 std::uint64_t error_blocks(const std::uint16_t *a, const std::uint16_t *b, int drop, int width,
                                     int &done) {
  const __m128i down = _mm_cvtsi32_si128(drop);
  const Vec mask = _mm256_set1_epi64x(0xffffffff);
  Vec total = _mm256_setzero_si256();
  int x = 0;
  for (; x + kLanes <= width; x += kLanes) {
    const Vec p = _mm256_srl_epi16(load(a + x), down), q = _mm256_srl_epi16(load(b + x), down);
    const Vec d = _mm256_or_si256(_mm256_subs_epu16(p, q), _mm256_subs_epu16(q, p));
    const Vec low = _mm256_mullo_epi16(d, d), high = _mm256_mulhi_epu16(d, d);
    const Vec s = _mm256_unpacklo_epi16(low, high), t = _mm256_unpackhi_epi16(low, high);
    total = _mm256_add_epi64(total, _mm256_add_epi64(_mm256_and_si256(s, mask), _mm256_srli_epi64(s, 32)));
    total = _mm256_add_epi64(total, _mm256_add_epi64(_mm256_and_si256(t, mask), _mm256_srli_epi64(t, 32)));
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

} // namespace hull::vmaf::avx2
#endif
