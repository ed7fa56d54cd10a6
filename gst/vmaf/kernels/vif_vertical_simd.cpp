// VIF's vertical passes with 32-bit lanes throughout. A 32-bit column sum X = high * 65536 + low is filtered
// as two rows of words, since rnd(sum K * X, 16) = sum K * high + ((sum K * low + 32768) >> 16). Words become
// signed for pmaddwd by taking 32768 off; the taps add up to 65536, so every sum comes out 2^31 too small,
// which flipping its top bit puts right. Rows between the vertical and the horizontal pass are kept in that
// signed form.
//
// What pmaddwd reads are the words of two rows in turn. A source row takes part in five blocks of output
// rows, so its samples are put that way once: in blocks of 2 * kWords words, the halves that unpacking gives.
// Packing the sums restores the order. Products are made where they are needed: a multiplication costs less
// than storing them and loading them from the second-level cache.

#include "gst/vmaf/kernels/simd_kernels.h"
#include "gst/vmaf/kernels/vif_simd.h"

#if defined(__x86_64__)

#include <algorithm>
#include <cstring>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

/// Bytes stay as they are: their sums cannot reach the sign. Words become signed.
HULL_SIMD_INLINE void prepare_block(const std::uint8_t *a, const std::uint8_t *b, Count, std::uint16_t *out) {
  const Vec p = load_bytes(a), q = load_bytes(b);
  store(out, unpack_low(p, q));
  store(out + kWords, unpack_high(p, q));
}
HULL_SIMD_INLINE void prepare_block(const std::uint16_t *a, const std::uint16_t *b, Count drop,
                                    std::uint16_t *out) {
  const Vec p = srl_16(load(a), drop), q = srl_16(load(b), drop);
  store(out, flip_words(unpack_low(p, q)));
  store(out + kWords, flip_words(unpack_high(p, q)));
}

template <class T> HULL_SIMD void prepare(const T *const *rows, int drop, int width, std::uint16_t *pair) {
  const Count down = count_of(drop);
  int x = 0;
  for (; x + kWords <= width; x += kWords)
    prepare_block(rows[0] + x, rows[1] + x, down, pair + 2 * x);
  if (x == width) return;
  // The rest is copied to where a whole vector may be read.
  T rest[2][kWords] = {};
  for (int i = 0; i < 2; ++i)
    std::memcpy(rest[i], rows[i] + x, static_cast<std::size_t>(width - x) * sizeof(T));
  prepare_block(rest[0], rest[1], down, pair + 2 * x);
}

void prepare_8(const std::uint8_t *const *rows, int width, std::uint16_t *pair) {
  prepare(rows, 0, width, pair);
}

void prepare_16(const std::uint16_t *const *rows, int drop, int width, std::uint16_t *pair) {
  prepare(rows, drop, width, pair);
}

// What a column sum is made of: signed words of a half of a block of pair P.
using PairRows = const std::uint16_t *const *;

struct Samples {
  PairRows pairs;
  HULL_SIMD_METHOD Vec at(int pair, int word) const { return loaded(pairs[pair] + word); }
};
/// Of bytes there is only a low half.
struct Squares8 {
  PairRows pairs;
  HULL_SIMD_METHOD Vec at(int pair, int word) const {
    const Vec p = load(pairs[pair] + word);
    return flip_words(mullo_16(p, p));
  }
};
struct Products8 {
  PairRows a, b;
  HULL_SIMD_METHOD Vec at(int pair, int word) const {
    return flip_words(mullo_16(load(a[pair] + word), load(b[pair] + word)));
  }
};
template <bool high> struct Squares16 {
  PairRows pairs;
  HULL_SIMD_METHOD Vec at(int pair, int word) const {
    const Vec p = flip_words(load(pairs[pair] + word));
    return flip_words(high ? mulhi_u16(p, p) : mullo_16(p, p));
  }
};
template <bool high> struct Products16 {
  PairRows a, b;
  HULL_SIMD_METHOD Vec at(int pair, int word) const {
    const Vec p = flip_words(load(a[pair] + word)), q = flip_words(load(b[pair] + word));
    return flip_words(high ? mulhi_u16(p, q) : mullo_16(p, q));
  }
};

/// Sums of kVifRows output rows, in the two halves of a block.
struct Sums {
  Vec low[kVifRows], high[kVifRows];
};

HULL_SIMD_INLINE void accumulate(Vec &low_sum, Vec &high_sum, Vec low, Vec high, const std::int16_t *taps) {
  Vec t = load(taps);
  keep(t); // one load for both
  low_sum = madd_add(low_sum, low, t);
  high_sum = madd_add(high_sum, high, t);
  keep(low_sum);
  keep(high_sum);
}

/// Adds what pair P and those after it bring to the output rows: the first pair is beyond the lower two, the
/// last one beyond the upper two.
template <int L, int P = 0, class Source>
HULL_SIMD_INLINE void add_pairs(const Source &source, int word, const TapTable<L> &table, Sums &sums) {
  if constexpr (P < TapTable<L>::kPairs) {
    Vec low = source.at(P, word), high = source.at(P, word + kWords);
    hold(low);
    hold(high);
#pragma GCC unroll 2
    for (int part = 0; part < TapTable<L>::kParts; ++part) {
      const auto &taps = table.taps[P][part];
#pragma GCC unroll 4
      for (int r = 0; r < kVifRows; ++r)
        if ((P > 0 || r < 2) && (P + 1 < TapTable<L>::kPairs || r >= 2))
          accumulate(sums.low[r], sums.high[r], low, high, taps[r]);
    }
    add_pairs<L, P + 1>(source, word, table, sums);
  }
}

template <int L, class Source> HULL_SIMD_INLINE Sums columns(const Source &source, int x, Vec start) {
  Sums sums{{start, start, start, start}, {start, start, start, start}};
  // Of an unknown table every tap is one load; known ones the compiler makes, moves and spills.
  const TapTable<L> *table = &kTapTable<L>;
  __asm__ volatile("" : "+r"(table));
  add_pairs<L>(source, 2 * x, *table, sums);
  return sums;
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
HULL_SIMD_INLINE void store_means(PairRows pairs, int x, Vec start, const Shifts &shifts,
                                  const FilteredRow *out) {
  const Sums mean = columns<L>(Samples{pairs}, x, start);
#pragma GCC unroll 4
  for (int r = 0; r < kVifRows; ++r)
    store(out[r].mean + x, means(mean.low[r], mean.high[r], shifts.mean_half, shifts.mean));
}

template <class Source>
HULL_SIMD_INLINE void store_products_8(const Source &source, int x, const FilteredRow *out) {
  const Sums product = columns<17>(source, x, top_bit());
#pragma GCC unroll 4
  for (int r = 0; r < kVifRows; ++r)
    store_product(out[r], x, product.low[r], product.high[r]);
}

HULL_SIMD void columns_8(PairRows pairs, const Filter &, int width, const FilteredRow *out) {
  const Shifts shifts({0, 8, 0});
  for (int x = 0; x < width; x += kWords) {
    store_means<17>(pairs, x, zeros(), shifts, out);
    store_products_8(Squares8{pairs}, x, out);
  }
}

HULL_SIMD void cross_columns_8(PairRows reference, PairRows distorted, const Filter &, int width,
                               const FilteredRow *out, const FilteredRow *cross) {
  const Shifts shifts({0, 8, 0});
  for (int x = 0; x < width; x += kWords) {
    store_means<17>(distorted, x, zeros(), shifts, out);
    store_products_8(Squares8{distorted}, x, out);
    store_products_8(Products8{reference, distorted}, x, cross);
  }
}

/// A product's two halves, filtered each, as one 32-bit number.
HULL_SIMD_INLINE Vec whole(Vec high, Vec low, const Shifts &shifts) {
  return add_32(sll_32(high, shifts.rest), srl_32(add_32(low, shifts.square_half), shifts.square));
}

template <int L, class High, class Low>
HULL_SIMD_INLINE void store_products_16(const High &highs, const Low &lows, int x, const Shifts &shifts,
                                        const FilteredRow *out) {
  const Sums high = columns<L>(highs, x, top_bit()), low = columns<L>(lows, x, top_bit());
#pragma GCC unroll 4
  for (int r = 0; r < kVifRows; ++r)
    store_product(out[r], x, whole(high.low[r], low.low[r], shifts),
                  whole(high.high[r], low.high[r], shifts));
}

template <int L>
HULL_SIMD void columns_16_rows(PairRows pairs, const Scaling &scaling, int width, const FilteredRow *out) {
  const Shifts shifts(scaling);
  for (int x = 0; x < width; x += kWords) {
    store_means<L>(pairs, x, top_bit(), shifts, out);
    store_products_16<L>(Squares16<true>{pairs}, Squares16<false>{pairs}, x, shifts, out);
  }
}

template <int L>
HULL_SIMD void cross_columns_16_rows(PairRows reference, PairRows distorted, const Scaling &scaling,
                                     int width, const FilteredRow *out, const FilteredRow *cross) {
  const Shifts shifts(scaling);
  for (int x = 0; x < width; x += kWords) {
    store_means<L>(distorted, x, top_bit(), shifts, out);
    store_products_16<L>(Squares16<true>{distorted}, Squares16<false>{distorted}, x, shifts, out);
    store_products_16<L>(Products16<true>{reference, distorted}, Products16<false>{reference, distorted}, x,
                         shifts, cross);
  }
}

void columns_16(PairRows pairs, const Filter &filter, const Scaling &scaling, int width,
                const FilteredRow *out) {
  by_length(filter, columns_16_rows<17>, columns_16_rows<9>, columns_16_rows<5>,
            columns_16_rows<3>)(pairs, scaling, width, out);
}

void cross_columns_16(PairRows reference, PairRows distorted, const Filter &filter, const Scaling &scaling,
                      int width, const FilteredRow *out, const FilteredRow *cross) {
  by_length(filter, cross_columns_16_rows<17>, cross_columns_16_rows<9>, cross_columns_16_rows<5>,
            cross_columns_16_rows<3>)(reference, distorted, scaling, width, out, cross);
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
  T samples_[17][kWords];
  const T *pointers_[17];
  const T *const *rows_;
};

/// First column of the block that covers x: the last one lies flush with the end and overlaps its neighbour.
int block_at(int x, int width) {
  return std::min(x, std::max(0, width - kWords));
}

// What the low-pass for the next scale reads: signed words of row i at column x.
struct Bytes8 {
  static constexpr bool flipped = false;
  const std::uint8_t *const *rows;
  HULL_SIMD_METHOD Vec at(int i, int x) const { return load_bytes(rows[i] + x); }
};
struct Words {
  static constexpr bool flipped = true;
  const std::uint16_t *const *rows;
  Count drop;
  HULL_SIMD_METHOD Vec at(int i, int x) const { return flip_words(srl_16(load(rows[i] + x), drop)); }
};
/// One output row, rows K to the last.
template <int L, int K, class Source>
HULL_SIMD_INLINE void add_rows(const Source &source, int x, Vec &low_sum, Vec &high_sum) {
  if constexpr (K < L) {
    const Vec first = source.at(K, x);
    Vec second = zeros();
    if constexpr (K + 1 < L) second = source.at(K + 1, x);
    const Vec low = unpack_low(first, second), high = unpack_high(first, second);
#pragma GCC unroll 2
    for (int part = 0; part < TapTable<L>::kParts; ++part)
      accumulate(low_sum, high_sum, low, high, kTapTable<L>.taps[K / 2][part][0]);
    add_rows<L, K + 2>(source, x, low_sum, high_sum);
  }
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
  const Vec start = source.flipped ? top_bit() : zeros();
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
  table.vif_prepare_8 = prepare_8;
  table.vif_prepare_16 = prepare_16;
  table.vif_columns_8 = columns_8;
  table.vif_columns_16 = columns_16;
  table.vif_cross_columns_8 = cross_columns_8;
  table.vif_cross_columns_16 = cross_columns_16;
  table.smooth_8 = smooth_8;
  table.smooth_16 = smooth_16;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
