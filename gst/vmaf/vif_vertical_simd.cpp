// VIF's vertical passes with 32-bit lanes throughout. A 32-bit column sum X = high * 65536 + low is filtered
// as two rows of words, since rnd(sum K * X, 16) = sum K * high + ((sum K * low + 32768) >> 16). Words become
// signed for pmaddwd by taking 32768 off; the taps add up to 65536, so every sum comes out 2^31 too small,
// which flipping its top bit puts right. Rows between the vertical and the horizontal pass are kept in that
// signed form.

#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/vif_simd.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

// What a vertical filter reads: sixteen signed words of row i at column x.
struct Bytes8 {
  static constexpr bool flipped = false;
  const std::uint8_t *const *rows;
  HULL_SIMD_METHOD Vec at(int i, int x) const { return load_bytes(rows[i] + x); }
};
struct Product8 {
  static constexpr bool flipped = true;
  const std::uint8_t *const *a, *const *b;
  HULL_SIMD_METHOD Vec at(int i, int x) const {
    return flip_words(mullo_16(load_bytes(a[i] + x), load_bytes(b[i] + x)));
  }
};
struct Square8 {
  static constexpr bool flipped = true;
  const std::uint8_t *const *rows;
  HULL_SIMD_METHOD Vec at(int i, int x) const {
    const Vec p = load_bytes(rows[i] + x);
    return flip_words(mullo_16(p, p));
  }
};
struct Words {
  static constexpr bool flipped = true;
  const std::uint16_t *const *rows;
  Count drop;
  HULL_SIMD_METHOD Vec at(int i, int x) const { return flip_words(srl_16(load(rows[i] + x), drop)); }
};
template <bool high> struct Product16 {
  static constexpr bool flipped = true;
  const std::uint16_t *const *a, *const *b;
  Count drop;
  HULL_SIMD_METHOD Vec at(int i, int x) const {
    const Vec p = srl_16(load(a[i] + x), drop), q = srl_16(load(b[i] + x), drop);
    return flip_words(high ? mulhi_u16(p, q) : mullo_16(p, q));
  }
};

constexpr int kRows = kVifRows; // at once, so that a source row is loaded once for all of them

/// Sums of output row r; low and high are the halves that unpacking gives, packing them restores the order.
struct Sums {
  Vec low[kRows], high[kRows];
};

/// Taps of each pair of source rows for each output row, in every lane.
template <int L> struct TapTable {
  static constexpr int kStep = L == 3 ? 1 : 2; ///< from pair to pair
  static constexpr int kPairs = L == 3 ? 5 : (L + kRows - 1) / 2;
  alignas(64) std::int16_t taps[kPairs][kRows][kWords];
  constexpr TapTable() : taps() {
    for (int p = 0; p < kPairs; ++p)
      for (int r = 0; r < kRows; ++r)
        for (int i = 0; i < kWords; ++i)
          taps[p][r][i] = static_cast<std::int16_t>(tap<L>(2 * p - (L == 3 ? 2 : 1) * r + (i & 1)));
  }
};
template <int L> constexpr TapTable<L> kTapTable;

HULL_SIMD_INLINE void accumulate(Vec &low_sum, Vec &high_sum, Vec low, Vec high, const std::int16_t *taps) {
  const Vec t = load(taps);
  low_sum = madd_add(low_sum, low, t);
  high_sum = madd_add(high_sum, high, t);
  keep(low_sum);
  keep(high_sum);
}

// The loop is kept a loop: unrolled, the compiler moves taps into registers and sums out of them.
template <int L, class Source> HULL_SIMD_INLINE Sums columns(const Source &source, int x) {
  // Flipped samples leave each sum 2^31 too small.
  const Vec start = Source::flipped ? set_32(static_cast<int>(0x80000000u)) : zeros();
  Vec a0 = start, a1 = start, a2 = start, a3 = start, b0 = start, b1 = start, b2 = start, b3 = start;
#pragma GCC unroll 1
  for (int p = 0; p < TapTable<L>::kPairs; ++p) {
    const Vec first = source.at(TapTable<L>::kStep * p, x), second = source.at(TapTable<L>::kStep * p + 1, x);
    const Vec low = unpack_low(first, second), high = unpack_high(first, second);
    const auto &taps = kTapTable<L>.taps[p];
    accumulate(a0, b0, low, high, taps[0]);
    accumulate(a1, b1, low, high, taps[1]);
    accumulate(a2, b2, low, high, taps[2]);
    accumulate(a3, b3, low, high, taps[3]);
  }
  return {{a0, a1, a2, a3}, {b0, b1, b2, b3}};
}

/// One output row, rows K to the last.
template <int L, int K, class Source>
HULL_SIMD_INLINE void add_rows(const Source &source, int x, Vec &low_sum, Vec &high_sum) {
  constexpr int kStep = L == 3 ? 1 : 2;
  if constexpr (K < (L == 3 ? 2 : L)) {
    const Vec first = source.at(K, x);
    Vec second = zeros();
    if constexpr (K + 1 < L) second = source.at(K + 1, x);
    const Vec t = tap_pair(tap<L>(2 / kStep * K), tap<L>(2 / kStep * K + 1));
    low_sum = madd_add(low_sum, unpack_low(first, second), t);
    high_sum = madd_add(high_sum, unpack_high(first, second), t);
    keep(low_sum);
    keep(high_sum);
    add_rows<L, K + kStep>(source, x, low_sum, high_sum);
  }
}

/// (sum + half) >> shift as signed words.
HULL_SIMD_INLINE Vec means(Vec low, Vec high, Vec half, Count shift) {
  return flip_words(packus(srl_32(add_32(low, half), shift), srl_32(add_32(high, half), shift)));
}

HULL_SIMD_INLINE void store_product(const FilteredRow &out, int x, Vec low, Vec high) {
  const Vec mask = set_32(0xffff);
  store(out.high + x, flip_words(packus(srl_32(low, 16), srl_32(high, 16))));
  store(out.low + x, flip_words(packus(bit_and(low, mask), bit_and(high, mask))));
}

struct Shifts {
  Vec mean_half, square_half;
  Count drop, mean, square, rest;
  HULL_SIMD explicit Shifts(const Scaling &s)
      : mean_half(set_32(1 << (s.mean_shift - 1))),
        square_half(set_32(s.square_shift ? 1 << (s.square_shift - 1) : 0)),
        drop(count_of(s.drop)),
        mean(count_of(s.mean_shift)),
        square(count_of(s.square_shift)),
        rest(count_of(16 - s.square_shift)) {}
};

template <int L>
HULL_SIMD_INLINE void self_block_8(const std::uint8_t *const *rows, const Shifts &shifts, int x,
                                   const FilteredRow *out) {
  const Sums mean = columns<L>(Bytes8{rows}, x);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    store(out[r].mean + x, means(mean.low[r], mean.high[r], shifts.mean_half, shifts.mean));
  const Sums square = columns<L>(Square8{rows}, x);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    store_product(out[r], x, square.low[r], square.high[r]);
}

template <int L>
HULL_SIMD_INLINE void cross_block_8(const std::uint8_t *const *a, const std::uint8_t *const *b, int x,
                                    const FilteredRow *out) {
  const Sums product = columns<L>(Product8{a, b}, x);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    store_product(out[r], x, product.low[r], product.high[r]);
}

/// A product's two halves, filtered each, as one 32-bit number.
HULL_SIMD_INLINE Vec whole(Vec high, Vec low, const Shifts &shifts) {
  return add_32(sll_32(high, shifts.rest), srl_32(add_32(low, shifts.square_half), shifts.square));
}

template <int L>
HULL_SIMD_INLINE void product_block_16(const std::uint16_t *const *a, const std::uint16_t *const *b,
                                       const Shifts &shifts, int x, const FilteredRow *out) {
  const Sums high = columns<L>(Product16<true>{a, b, shifts.drop}, x);
  const Sums low = columns<L>(Product16<false>{a, b, shifts.drop}, x);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    store_product(out[r], x, whole(high.low[r], low.low[r], shifts),
                  whole(high.high[r], low.high[r], shifts));
}

template <int L>
HULL_SIMD_INLINE void self_block_16(const std::uint16_t *const *rows, const Shifts &shifts, int x,
                                    const FilteredRow *out) {
  const Sums mean = columns<L>(Words{rows, shifts.drop}, x);
#pragma GCC unroll 4
  for (int r = 0; r < kRows; ++r)
    store(out[r].mean + x, means(mean.low[r], mean.high[r], shifts.mean_half, shifts.mean));
  product_block_16<L>(rows, rows, shifts, x, out);
}

/// Rows narrower than a vector are copied to where a whole vector may be read.
template <class T> class Narrow {
 public:
  Narrow(const T *const *rows, int count, int width) : rows_(rows) {
    if (width >= kWords) return;
    for (int i = 0; i < count; ++i) {
      std::memset(samples_[i], 0, sizeof samples_[i]);
      std::memcpy(samples_[i], rows[i], static_cast<std::size_t>(width) * sizeof(T));
      pointers_[i] = samples_[i];
    }
    rows_ = pointers_;
  }
  const T *const *rows() const { return rows_; }

 private:
  T samples_[17 + kRows - 1][kWords];
  const T *pointers_[17 + kRows - 1];
  const T *const *rows_;
};

/// First column of the block that covers x: the last one lies flush with the end and overlaps its neighbour.
int block_at(int x, int width) {
  return std::min(x, std::max(0, width - kWords));
}

HULL_SIMD void self_8(const std::uint8_t *const *rows, const Filter &, int width, const FilteredRow *out) {
  const Shifts shifts({0, 8, 0});
  const Narrow<std::uint8_t> from(rows, 17 + kRows - 1, width);
  for (int x = 0; x < width; x += kWords)
    self_block_8<17>(from.rows(), shifts, block_at(x, width), out);
}

HULL_SIMD void cross_8(const std::uint8_t *const *a, const std::uint8_t *const *b, const Filter &, int width,
                       const FilteredRow *out) {
  const Narrow<std::uint8_t> p(a, 17 + kRows - 1, width), q(b, 17 + kRows - 1, width);
  for (int x = 0; x < width; x += kWords)
    cross_block_8<17>(p.rows(), q.rows(), block_at(x, width), out);
}

template <int L>
HULL_SIMD void self_16_rows(const std::uint16_t *const *rows, const Scaling &scaling, int width,
                            const FilteredRow *out) {
  const Shifts shifts(scaling);
  const Narrow<std::uint16_t> from(rows, L + kRows - 1, width);
  for (int x = 0; x < width; x += kWords)
    self_block_16<L>(from.rows(), shifts, block_at(x, width), out);
}

template <int L>
HULL_SIMD void cross_16_rows(const std::uint16_t *const *a, const std::uint16_t *const *b,
                             const Scaling &scaling, int width, const FilteredRow *out) {
  const Shifts shifts(scaling);
  const Narrow<std::uint16_t> p(a, L + kRows - 1, width), q(b, L + kRows - 1, width);
  for (int x = 0; x < width; x += kWords)
    product_block_16<L>(p.rows(), q.rows(), shifts, block_at(x, width), out);
}

void self_16(const std::uint16_t *const *rows, const Filter &filter, const Scaling &scaling, int width,
             const FilteredRow *out) {
  by_length(filter, self_16_rows<17>, self_16_rows<9>, self_16_rows<5>, self_16_rows<3>)(rows, scaling, width,
                                                                                         out);
}

void cross_16(const std::uint16_t *const *a, const std::uint16_t *const *b, const Filter &filter,
              const Scaling &scaling, int width, const FilteredRow *out) {
  by_length(filter, cross_16_rows<17>, cross_16_rows<9>, cross_16_rows<5>, cross_16_rows<3>)(a, b, scaling,
                                                                                             width, out);
}

template <class T> HULL_SIMD_INLINE auto samples_of(const T *const *rows, const Shifts &shifts) {
  if constexpr (sizeof(T) == 1)
    return Bytes8{rows};
  else
    return Words{rows, shifts.drop};
}

template <int L, class T>
HULL_SIMD void smooth_row(const T *const *rows, const Scaling &scaling, int width, std::uint16_t *out) {
  const Shifts shifts(scaling);
  const Narrow<T> narrow(rows, L, width);
  const auto source = samples_of(narrow.rows(), shifts);
  const Vec start = source.flipped ? set_32(static_cast<int>(0x80000000u)) : zeros();
  for (int x = 0; x < width; x += kWords) {
    const int at = block_at(x, width);
    Vec low = start, high = start;
    add_rows<L, 0>(source, at, low, high);
    store(out + at, means(low, high, shifts.mean_half, shifts.mean));
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

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
