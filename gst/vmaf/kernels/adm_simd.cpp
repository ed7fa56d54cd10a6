// ADM's masking at all levels and decoupling at level 0, whose numbers fit 32-bit lanes.

#include "gst/vmaf/kernels/adm_constants.h"
#include "gst/vmaf/kernels/simd.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#if defined(__x86_64__)

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

/// Products of 32-bit lanes, shifted right by 15 with rounding; the result fits 32 bits.
HULL_SIMD_INLINE Vec product_q15(Vec a, Vec b) {
  const Vec half = set_64(1 << 14);
  const Vec even = add_64(mul_u32(a, b), half);
  const Vec odd = add_64(mul_u32(srl_64(a, 32), srl_64(b, 32)), half);
  return joined(even, odd, 15);
}

// --- level 0: 32-bit lanes ---

HULL_SIMD_INLINE Mask64 aligned_half(Doubles dot, Doubles om, Doubles tm) {
  return ge_pd(mul_pd(dot, dot), mul_pd(mul_pd(set_pd(kCosOneDegreeSquared), om), tm));
}

/// Where both gradients point the same way within one degree. The specification compares in double precision
/// what was rounded to single; where single precision is sure of the answer it suffices.
HULL_SIMD_INLINE Mask aligned(Vec oh, Vec ov, Vec th, Vec tv) {
  constexpr auto kCosine = static_cast<float>(kCosOneDegreeSquared);
  constexpr float kMargin = 0x1p-20f; // the products are off by 2^-22 at most
  const Vec dot = add_32(mullo_32(oh, th), mullo_32(ov, tv));
  const Floats d = floats(dot), om = floats(add_32(mullo_32(oh, oh), mullo_32(ov, ov))),
               tm = floats(add_32(mullo_32(th, th), mullo_32(tv, tv)));
  const Floats square = mul_ps(d, d), both_squares = mul_ps(om, tm);
  Mask same = ge_ps(square, mul_ps(both_squares, set_ps(kCosine * (1 + kMargin))));
  const Mask perhaps = ge_ps(square, mul_ps(both_squares, set_ps(kCosine * (1 - kMargin))));
  if (any(without(perhaps, same)))
    same = join(aligned_half(low_doubles(d), low_doubles(om), low_doubles(tm)),
                aligned_half(high_doubles(d), high_doubles(om), high_doubles(tm)));
  return without(same, negative_32(dot));
}

struct Restored {
  Vec r;      ///< before gain
  Mask gains; ///< where the gain limit applies
};

HULL_SIMD_INLINE Restored restore(Vec o, Vec t, Mask flag) {
  const Vec zero = zeros(), one = set_32(32768);
  // floor(2^30 / |o|): exact in doubles, and quicker than a gather. Where o is zero it does not count.
  const Vec a = abs_32(o);
  const Doubles unit = set_pd(1 << 30);
  const Vec q = whole_numbers(div_pd(unit, low_doubles(a)), div_pd(unit, high_doubles(a)));
  const Vec along = max_32(sign_32(t, o), zero); // against o's direction nothing is restored
  const Vec quotient = min_u32(product_q15(q, along), one);
  const Mask none = eq_32(o, zero);
  const Vec k = select(none, one, quotient);
  const Vec r = sra_32(add_32(mullo_32(k, o), set_32(16384)), 15);
  return {r, without(both(flag, gt_32(k, zero)), none)};
}

HULL_SIMD_INLINE Vec gained(const Restored &restored, Vec o, Vec t, int limit) {
  const Vec g = mullo_32(restored.r, set_32(limit));
  const Vec clipped = select(negative_32(o), max_32(g, t), min_32(g, t));
  return select(restored.gains, clipped, restored.r);
}

HULL_SIMD_INLINE Vec wrapped(Vec v) {
  return sra_32(sll_32(v, 16), 16);
}

/// A block's share of the two masking images.
struct MaskPart {
  Vec neighbour, centre;
};

/// Of three additive images on the CSF's scale that were not cut to 16 bits: the slow way, with every cut.
HULL_SIMD [[gnu::noinline]] MaskPart wrapped_parts(const Vec *c) {
  MaskPart sum{zeros(), zeros()};
  for (int b = 0; b < 3; ++b) {
    const Vec a = abs_32(wrapped(c[b]));
    const Vec p = mullo_32(a, set_32(4369));
    sum.neighbour = add_32(sum.neighbour, wrapped(sra_32(add_32(p, set_32(2048)), 12)));
    sum.centre = add_32(sum.centre, wrapped(sra_32(add_32(p, set_32(1024)), 11))); // 8738 is twice 4369
  }
  return sum;
}

HULL_SIMD_INLINE MaskPart mask_parts(const Vec *c) {
  const Vec a[3] = {abs_32(c[0]), abs_32(c[1]), abs_32(c[2])};
  constexpr int kSure = 15300; // nothing up to here leaves 16 bits
  if (any(gt_32(max_32(a[0], max_32(a[1], a[2])), set_32(kSure)))) return wrapped_parts(c);
  MaskPart sum{zeros(), zeros()};
#pragma GCC unroll 3
  for (int b = 0; b < 3; ++b) {
    const Vec p = mullo_32(a[b], set_32(4369));
    sum.neighbour = add_32(sum.neighbour, srl_32(add_32(p, set_32(2048)), 12));
    sum.centre = add_32(sum.centre, srl_32(add_32(p, set_32(1024)), 11));
  }
  return sum;
}

HULL_SIMD void adm_row_0(const Bands<const std::int16_t> &reference,
                         const Bands<const std::int16_t> &distorted, int begin, int end, Gains gains,
                         const MaskRow *out) {
  const bool wanted[kGains] = {gains.normal, gains.neg};
  for (int x = begin; x < end; x += kInts) {
    const Vec o[3] = {load_words(reference.h + x), load_words(reference.v + x), load_words(reference.d + x)};
    const Vec t[3] = {load_words(distorted.h + x), load_words(distorted.v + x), load_words(distorted.d + x)};
    const Mask flag = aligned(o[0], o[1], t[0], t[1]);
    Vec c[kGains][3];
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag);
      const Vec csf = set_32(kCsf0[b]);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        if (!wanted[g]) continue;
        const Vec r = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        store(out[g].signal[b] + x, abs_32(mullo_32(r, csf)));
        const Vec additive = mullo_32(sub_32(t[b], r), csf);
        c[g][b] = sra_32(add_32(additive, set_32(kCsf0Round[b])), kCsf0Shift[b]);
      }
    }
#pragma GCC unroll 2
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      const MaskPart part = mask_parts(c[g]);
      store(out[g].neighbour + x, part.neighbour);
      store(out[g].centre + x, part.centre);
    }
  }
}

/// A view's images of a block, from what is restored and what is added.
HULL_SIMD_INLINE void store_view(const Vec *r, const Vec *additive, const CsfFactors &factors,
                                 const AdmViewRow &out, int x) {
  Vec c_restored[3], c_additive[3];
#pragma GCC unroll 3
  for (int b = 0; b < 3; ++b) {
    const Vec csf = set_32(factors.level0[b]), round = set_32(kCsf0Round[b]);
    const Vec weighted_r = mullo_32(r[b], csf), weighted_a = mullo_32(additive[b], csf);
    store(out.restored.signal[b] + x, abs_32(weighted_r));
    store(out.additive.signal[b] + x, abs_32(weighted_a));
    c_restored[b] = sra_32(add_32(weighted_r, round), kCsf0Shift[b]);
    c_additive[b] = sra_32(add_32(weighted_a, round), kCsf0Shift[b]);
  }
  const MaskPart of_additive = mask_parts(c_additive), of_restored = mask_parts(c_restored);
  store(out.restored.neighbour + x, of_additive.neighbour);
  store(out.restored.centre + x, of_additive.centre);
  store(out.additive.neighbour + x, of_restored.neighbour);
  store(out.additive.centre + x, of_restored.centre);
}

HULL_SIMD void adm_views_0(const Bands<const std::int16_t> &reference,
                           const Bands<const std::int16_t> &distorted, int begin, int end,
                           const AdmView *views, int count, const AdmViewRow *out) {
  for (int x = begin; x < end; x += kInts) {
    const Vec o[3] = {load_words(reference.h + x), load_words(reference.v + x), load_words(reference.d + x)};
    const Vec t[3] = {load_words(distorted.h + x), load_words(distorted.v + x), load_words(distorted.d + x)};
    const Mask flag = aligned(o[0], o[1], t[0], t[1]);
    Vec r[kGains][3], additive[kGains][3];
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        r[g][b] = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        additive[g][b] = sub_32(t[b], r[g][b]);
      }
    }
    for (int i = 0; i < count; ++i)
      store_view(r[views[i].gain], additive[views[i].gain], views[i].csf, out[i], x);
  }
}

HULL_SIMD std::uint64_t cubes_0_blocks(const std::int16_t *band, int begin, int end, int &done) {
  Vec total = zeros();
  int x = begin;
  for (; x + kInts <= end; x += kInts) {
    const Vec a = abs_32(load_words(band + x)), square = mullo_32(a, a);
    total = add_64(total, add_64(mul_u32(square, a), mul_u32(srl_64(square, 32), srl_64(a, 32))));
  }
  done = x;
  return static_cast<std::uint64_t>(sum_64(total));
}

std::uint64_t cubes_0(const std::int16_t *band, int begin, int end) {
  int done = begin;
  const std::uint64_t sum = cubes_0_blocks(band, begin, end, done);
  return sum + plain().adm_cubes_0(band, done, end);
}

// --- masking, all levels ---

struct Masking {
  int shift, square_shift;
};

/// Cubes of four lanes: (((x * x + half) >> square_shift) as i32 * x + round) >> row_shift, the last shift
/// logical; round carries 2^63 and the caller takes it off the sum.
HULL_SIMD_INLINE Vec cubes_of(Vec x, Vec half, Count square_shift, Vec round, Count row_shift) {
  const Vec square = srl_64(add_64(mul_32(x, x), half), square_shift);
  return srl_64(add_64(mul_32(square, x), round), row_shift);
}

HULL_SIMD void mask_row(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
                        const AdmMaskShifts &shifts, const Masking *masking, int begin, int end,
                        std::int64_t *sums) {
  const Vec zero = zeros(), index = ramp(1);
  Vec totals[3] = {zero, zero, zero};
  for (int x = begin; x < end; x += kInts) {
    const Mask inside = gt_32(set_32(end - x), index);
    Vec mask = add_32(load(row.centre + x), add_32(load(row.neighbour + x - 1), load(row.neighbour + x + 1)));
    mask = add_32(mask, add_32(load(above + x - 1), add_32(load(above + x), load(above + x + 1))));
    mask = add_32(mask, add_32(load(below + x - 1), add_32(load(below + x), load(below + x + 1))));
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Vec lowered = sll_32(mask, count_of(masking[b].shift));
      const Vec excess = where(inside, max_32(sub_32(load(row.signal[b] + x), lowered), zero));
      if (all_zero(excess)) {
        // Each lane would add exactly the 2^63 that comes off below.
        totals[b] = add_64(totals[b], set_64(std::int64_t{2} << (63 - shifts.row[b])));
        continue;
      }
      const Vec half = set_64(std::int64_t{1} << (masking[b].square_shift - 1));
      const Count square_shift = count_of(masking[b].square_shift);
      const Vec round = set_64(
          static_cast<std::int64_t>((std::uint64_t{1} << 63) + (std::uint64_t{1} << (shifts.row[b] - 1))));
      const Count row_shift = count_of(shifts.row[b]);
      totals[b] =
          add_64(totals[b], add_64(cubes_of(excess, half, square_shift, round, row_shift),
                                   cubes_of(srl_64(excess, 32), half, square_shift, round, row_shift)));
    }
  }
  const auto lanes = static_cast<std::uint64_t>((end - begin + kInts - 1) / kInts * kInts);
  for (int b = 0; b < 3; ++b)
    sums[b] += static_cast<std::int64_t>(static_cast<std::uint64_t>(sum_64(totals[b])) -
                                         (lanes << (63 - shifts.row[b])));
}

void mask_0(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
            const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  constexpr Masking kMasking[3] = {{kMask0Shift[0], kSquare0Shift[0]},
                                   {kMask0Shift[1], kSquare0Shift[1]},
                                   {kMask0Shift[2], kSquare0Shift[2]}};
  mask_row(row, above, below, shifts, kMasking, begin, end, sums);
}

void mask(const MaskRow &row, const std::int32_t *above, const std::int32_t *below,
          const AdmMaskShifts &shifts, int begin, int end, std::int64_t *sums) {
  constexpr Masking kMasking[3] = {{0, 30}, {0, 30}, {0, 30}};
  mask_row(row, above, below, shifts, kMasking, begin, end, sums);
}

} // namespace

void set_adm(Kernels &table) {
  table.adm_cubes_0 = cubes_0;
  table.adm_row_0 = adm_row_0;
  table.adm_views_0 = adm_views_0;
  table.adm_mask_0 = mask_0;
  table.adm_mask = mask;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
