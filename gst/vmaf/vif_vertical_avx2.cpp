// VIF's vertical passes with 32-bit lanes throughout. A 32-bit column sum X = high * 65536 + low is filtered
// as two rows of words, since rnd(sum K * X, 16) = sum K * high + ((sum K * low + 32768) >> 16). Words become
// signed for pmaddwd by taking 32768 off; the taps add up to 65536, so every sum comes out 2^31 too small,
// which flipping its top bit puts right. Rows between the vertical and the horizontal pass are kept in that
// signed form.

#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/vif_avx2.h"

#if defined(__x86_64__)

#include <algorithm>
#include <atomic>
#include <cstring>

namespace hull::vmaf::avx2 {
namespace {

constexpr int kMaxRows = 20;

// What a vertical filter reads: sixteen signed words of row i at column x.
struct Bytes8 {
  static constexpr bool flipped = false;
  const std::uint8_t *const *rows;
  [[gnu::target("avx2"), gnu::always_inline]] Vec at(int i, int x) const { return load_bytes(rows[i] + x); }
};
struct Product8 {
  static constexpr bool flipped = true;
  const std::uint8_t *const *a, *const *b;
  [[gnu::target("avx2"), gnu::always_inline]] Vec at(int i, int x) const {
    return flip_words(_mm256_mullo_epi16(load_bytes(a[i] + x), load_bytes(b[i] + x)));
  }
};
struct Square8 {
  static constexpr bool flipped = true;
  const std::uint8_t *const *rows;
  [[gnu::target("avx2"), gnu::always_inline]] Vec at(int i, int x) const {
    const Vec p = load_bytes(rows[i] + x);
    return flip_words(_mm256_mullo_epi16(p, p));
  }
};
struct Words {
  static constexpr bool flipped = true;
  const std::uint16_t *const *rows;
  __m128i drop;
  [[gnu::target("avx2"), gnu::always_inline]] Vec at(int i, int x) const {
    return flip_words(_mm256_srl_epi16(load(rows[i] + x), drop));
  }
};
template <bool high> struct Product16 {
  static constexpr bool flipped = true;
  const std::uint16_t *const *a, *const *b;
  __m128i drop;
  [[gnu::target("avx2"), gnu::always_inline]] Vec at(int i, int x) const {
    const Vec p = _mm256_srl_epi16(load(a[i] + x), drop), q = _mm256_srl_epi16(load(b[i] + x), drop);
    return flip_words(high ? _mm256_mulhi_epu16(p, q) : _mm256_mullo_epi16(p, q));
  }
};

/// Sums of R output rows at once, so that a source row is loaded once for all of them. low and high are the
/// halves that unpacking gives; packing them restores the order.
template <int R> struct Sums { Vec low[R], high[R]; };

// Recursion instead of loops: constants from the start keep every sum in a register, where an unrolled loop
// over an array goes through memory.

/// Adds rows I and I + 1 to the sums of output rows Out, Out + 1, …
template <int L, int R, int I, int Out>
HULL_AVX2_INLINE void add_pair(Vec first, Vec second, Vec low, Vec high, Sums<R> &sums) {
  if constexpr (Out < R) {
    constexpr int kFirst = tap<L>(I - Out), kSecond = tap<L>(I + 1 - Out);
    if constexpr (kFirst != 0 || kSecond != 0) {
      const Vec taps = tap_pair(kFirst, kSecond);
      sums.low[Out] = _mm256_add_epi32(sums.low[Out], _mm256_madd_epi16(low, taps));
      sums.high[Out] = _mm256_add_epi32(sums.high[Out], _mm256_madd_epi16(high, taps));
    }
    if constexpr (L == 3 && (I - Out == 1 || I - Out == 0)) { // the 65536 taken off the middle tap
      const Vec middle = I - Out == 1 ? first : second, zero = _mm256_setzero_si256();
      sums.low[Out] = _mm256_add_epi32(sums.low[Out], _mm256_unpacklo_epi16(zero, middle));
      sums.high[Out] = _mm256_add_epi32(sums.high[Out], _mm256_unpackhi_epi16(zero, middle));
    }
    add_pair<L, R, I, Out + 1>(first, second, low, high, sums);
  }
}

template <int L, int R, int I, class Source>
HULL_AVX2_INLINE void add_rows(const Source &source, int x, Sums<R> &sums) {
  if constexpr (I < L + R - 1) {
    const Vec first = source.at(I, x);
    Vec second = _mm256_setzero_si256();
    if constexpr (I + 1 < L + R - 1) second = source.at(I + 1, x);
    add_pair<L, R, I, 0>(first, second, _mm256_unpacklo_epi16(first, second),
                         _mm256_unpackhi_epi16(first, second), sums);
    // Keeps the compiler from loading the next rows early and spilling the sums for them.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    add_rows<L, R, I + 2>(source, x, sums);
  }
}

template <int R, int Out, class Source> HULL_AVX2_INLINE void set_up(Sums<R> &sums) {
  if constexpr (Out < R) {
    // Flipped samples leave each sum 2^31 too small.
    const Vec start =
        Source::flipped ? _mm256_set1_epi32(static_cast<int>(0x80000000u)) : _mm256_setzero_si256();
    sums.low[Out] = sums.high[Out] = start;
    set_up<R, Out + 1, Source>(sums);
  }
}

template <int L, int R, class Source> HULL_AVX2_INLINE Sums<R> columns(const Source &source, int x) {
  Sums<R> sums;
  set_up<R, 0, Source>(sums);
  add_rows<L, R, 0>(source, x, sums);
  return sums;
}

/// (sum + half) >> shift as signed words.
HULL_AVX2_INLINE Vec means(Vec low, Vec high, Vec half, __m128i shift) {
  return flip_words(_mm256_packus_epi32(_mm256_srl_epi32(_mm256_add_epi32(low, half), shift),
                                        _mm256_srl_epi32(_mm256_add_epi32(high, half), shift)));
}

HULL_AVX2_INLINE void store_product(const FilteredRow &out, int x, Vec low, Vec high) {
  const Vec mask = _mm256_set1_epi32(0xffff);
  store(out.high + x,
        flip_words(_mm256_packus_epi32(_mm256_srli_epi32(low, 16), _mm256_srli_epi32(high, 16))));
  store(out.low + x,
        flip_words(_mm256_packus_epi32(_mm256_and_si256(low, mask), _mm256_and_si256(high, mask))));
}

struct Shifts {
  Vec mean_half, square_half;
  __m128i drop, mean, square, rest;
  HULL_AVX2 explicit Shifts(const Scaling &s)
      : mean_half(_mm256_set1_epi32(1 << (s.mean_shift - 1))),
        square_half(_mm256_set1_epi32(s.square_shift ? 1 << (s.square_shift - 1) : 0)),
        drop(_mm_cvtsi32_si128(s.drop)),
        mean(_mm_cvtsi32_si128(s.mean_shift)),
        square(_mm_cvtsi32_si128(s.square_shift)),
        rest(_mm_cvtsi32_si128(16 - s.square_shift)) {}
};

template <int L, int R>
HULL_AVX2_INLINE void self_block_8(const std::uint8_t *const *rows, const Shifts &shifts, int x,
                                   const FilteredRow *out) {
  const auto mean = columns<L, R>(Bytes8{rows}, x);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
    store(out[r].mean + x, means(mean.low[r], mean.high[r], shifts.mean_half, shifts.mean));
  const auto square = columns<L, R>(Square8{rows}, x);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
    store_product(out[r], x, square.low[r], square.high[r]);
}

template <int L, int R>
HULL_AVX2_INLINE void cross_block_8(const std::uint8_t *const *a, const std::uint8_t *const *b, int x,
                                    const FilteredRow *out) {
  const auto product = columns<L, R>(Product8{a, b}, x);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
    store_product(out[r], x, product.low[r], product.high[r]);
}

template <int L, int R>
HULL_AVX2_INLINE void product_block_16(const std::uint16_t *const *a, const std::uint16_t *const *b,
                                       const Shifts &shifts, int x, const FilteredRow *out) {
  const auto high = columns<L, R>(Product16<true>{a, b, shifts.drop}, x);
  const auto low = columns<L, R>(Product16<false>{a, b, shifts.drop}, x);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
    store_product(
        out[r], x,
        _mm256_add_epi32(_mm256_sll_epi32(high.low[r], shifts.rest),
                         _mm256_srl_epi32(_mm256_add_epi32(low.low[r], shifts.square_half), shifts.square)),
        _mm256_add_epi32(_mm256_sll_epi32(high.high[r], shifts.rest),
                         _mm256_srl_epi32(_mm256_add_epi32(low.high[r], shifts.square_half), shifts.square)));
}

template <int L, int R>
HULL_AVX2_INLINE void self_block_16(const std::uint16_t *const *rows, const Shifts &shifts, int x,
                                    const FilteredRow *out) {
  const auto mean = columns<L, R>(Words{rows, shifts.drop}, x);
#pragma GCC unroll 4
  for (int r = 0; r < R; ++r)
    store(out[r].mean + x, means(mean.low[r], mean.high[r], shifts.mean_half, shifts.mean));
  product_block_16<L, R>(rows, rows, shifts, x, out);
}

/// Rows narrower than a vector are copied to where a whole vector may be read.
template <class T> class Narrow {
 public:
  Narrow(const T *const *rows, int count, int width) {
    for (int i = 0; i < count; ++i) {
      std::memcpy(samples_[i], rows[i], static_cast<std::size_t>(width) * sizeof(T));
      pointers_[i] = samples_[i];
    }
  }
  const T *const *rows() const { return pointers_; }

 private:
  T samples_[kMaxRows][kLanes] = {};
  const T *pointers_[kMaxRows];
};

/// First column of the block that covers x: the last one lies flush with the end and overlaps its neighbour.
int block_at(int x, int width) {
  return std::min(x, std::max(0, width - kLanes));
}

template <int L, int R>
HULL_AVX2 void self_8_rows(const std::uint8_t *const *rows, int width, const FilteredRow *out) {
  const Shifts shifts({0, 8, 0});
  const Narrow<std::uint8_t> narrow(rows, width < kLanes ? L + R - 1 : 0, width);
  const std::uint8_t *const *from = width < kLanes ? narrow.rows() : rows;
  for (int x = 0; x < width; x += kLanes)
    self_block_8<L, R>(from, shifts, block_at(x, width), out);
}

template <int L, int R>
HULL_AVX2 void cross_8_rows(const std::uint8_t *const *a, const std::uint8_t *const *b, int width,
                            const FilteredRow *out) {
  const Narrow<std::uint8_t> p(a, width < kLanes ? L + R - 1 : 0, width),
      q(b, width < kLanes ? L + R - 1 : 0, width);
  for (int x = 0; x < width; x += kLanes)
    cross_block_8<L, R>(width < kLanes ? p.rows() : a, width < kLanes ? q.rows() : b, block_at(x, width),
                        out);
}

template <int L, int R>
HULL_AVX2 void self_16_rows(const std::uint16_t *const *rows, const Scaling &scaling, int width,
                            const FilteredRow *out) {
  const Shifts shifts(scaling);
  const Narrow<std::uint16_t> narrow(rows, width < kLanes ? L + R - 1 : 0, width);
  const std::uint16_t *const *from = width < kLanes ? narrow.rows() : rows;
  for (int x = 0; x < width; x += kLanes)
    self_block_16<L, R>(from, shifts, block_at(x, width), out);
}

template <int L, int R>
HULL_AVX2 void cross_16_rows(const std::uint16_t *const *a, const std::uint16_t *const *b,
                             const Scaling &scaling, int width, const FilteredRow *out) {
  const Shifts shifts(scaling);
  const Narrow<std::uint16_t> p(a, width < kLanes ? L + R - 1 : 0, width),
      q(b, width < kLanes ? L + R - 1 : 0, width);
  for (int x = 0; x < width; x += kLanes)
    product_block_16<L, R>(width < kLanes ? p.rows() : a, width < kLanes ? q.rows() : b, shifts,
                           block_at(x, width), out);
}

// Four rows at a time, the rest one by one.
void self_8(const std::uint8_t *const *rows, const Filter &, int count, int width, const FilteredRow *out) {
  int r = 0;
  for (; r + 4 <= count; r += 4)
    self_8_rows<17, 4>(rows + r, width, out + r);
  for (; r < count; ++r)
    self_8_rows<17, 1>(rows + r, width, out + r);
}

void cross_8(const std::uint8_t *const *a, const std::uint8_t *const *b, const Filter &, int count, int width,
             const FilteredRow *out) {
  int r = 0;
  for (; r + 4 <= count; r += 4)
    cross_8_rows<17, 4>(a + r, b + r, width, out + r);
  for (; r < count; ++r)
    cross_8_rows<17, 1>(a + r, b + r, width, out + r);
}

template <int L>
void self_16_count(const std::uint16_t *const *rows, const Scaling &scaling, int count, int width,
                   const FilteredRow *out) {
  int r = 0;
  for (; r + 4 <= count; r += 4)
    self_16_rows<L, 4>(rows + r, scaling, width, out + r);
  for (; r < count; ++r)
    self_16_rows<L, 1>(rows + r, scaling, width, out + r);
}

template <int L>
void cross_16_count(const std::uint16_t *const *a, const std::uint16_t *const *b, const Scaling &scaling,
                    int count, int width, const FilteredRow *out) {
  int r = 0;
  for (; r + 4 <= count; r += 4)
    cross_16_rows<L, 4>(a + r, b + r, scaling, width, out + r);
  for (; r < count; ++r)
    cross_16_rows<L, 1>(a + r, b + r, scaling, width, out + r);
}

void self_16(const std::uint16_t *const *rows, const Filter &filter, const Scaling &scaling, int count,
             int width, const FilteredRow *out) {
  by_length(filter, self_16_count<17>, self_16_count<9>, self_16_count<5>,
            self_16_count<3>)(rows, scaling, count, width, out);
}

void cross_16(const std::uint16_t *const *a, const std::uint16_t *const *b, const Filter &filter,
              const Scaling &scaling, int count, int width, const FilteredRow *out) {
  by_length(filter, cross_16_count<17>, cross_16_count<9>, cross_16_count<5>,
            cross_16_count<3>)(a, b, scaling, count, width, out);
}

template <class T> HULL_AVX2_INLINE auto samples_of(const T *const *rows, const Shifts &shifts) {
  if constexpr (sizeof(T) == 1)
    return Bytes8{rows};
  else
    return Words{rows, shifts.drop};
}

template <int L, class T>
HULL_AVX2 void smooth_row(const T *const *rows, const Scaling &scaling, int width, std::uint16_t *out) {
  const Shifts shifts(scaling);
  const Narrow<T> narrow(rows, width < kLanes ? L : 0, width);
  const auto source = samples_of(width < kLanes ? narrow.rows() : rows, shifts);
  for (int x = 0; x < width; x += kLanes) {
    const int at = block_at(x, width);
    const auto sums = columns<L, 1>(source, at);
    store(out + at, means(sums.low[0], sums.high[0], shifts.mean_half, shifts.mean));
  }
}

void smooth_8(const std::uint8_t *const *rows, const Filter &, int width, std::uint16_t *out) {
  smooth_row<9>(rows, {0, 8, 0}, width, out); // only the step from scale 0 reads bytes
}

void smooth_16(const std::uint16_t *const *rows, const Filter &filter, const Scaling &scaling, int width,
               std::uint16_t *out) {
  by_length(filter, smooth_row<17, std::uint16_t>, smooth_row<9, std::uint16_t>, smooth_row<5, std::uint16_t>,
            smooth_row<3, std::uint16_t>)(rows, scaling, width, out);
}

} // namespace

void set_vif_vertical(Kernels &table) {
  table.vif_self_8 = self_8;
  table.vif_self_16 = self_16;
  table.vif_cross_8 = cross_8;
  table.vif_cross_16 = cross_16;
  table.smooth_8 = smooth_8;
  table.smooth_16 = smooth_16;
}

} // namespace hull::vmaf::avx2
#endif
