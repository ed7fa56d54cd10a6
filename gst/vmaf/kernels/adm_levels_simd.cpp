// ADM's decoupling at levels 1..3. Numbers have 32 bits, products 64: those of even and of odd lanes are made
// apart, and what is wanted of them, 32 bits each, comes together again.

#include "gst/vmaf/kernels/adm_constants.h"
#include "gst/vmaf/kernels/simd.h"
#include "gst/vmaf/kernels/simd_kernels.h"

#if defined(__x86_64__)

#include <algorithm>
#include <limits>

namespace hull::vmaf::HULL_SIMD_SET {
namespace {

const Kernels &plain() {
  return kernels(Cpu::scalar);
}

HULL_SIMD_INLINE Mask64 aligned(Vec oh, Vec ov, Vec th, Vec tv, Mask64 &doubtful) {
  const Doubles dot = rounded_to_float(add_64(mul_32(oh, th), mul_32(ov, tv)), doubtful);
  const Doubles om = rounded_to_float(add_64(mul_32(oh, oh), mul_32(ov, ov)), doubtful);
  const Doubles tm = rounded_to_float(add_64(mul_32(th, th), mul_32(tv, tv)), doubtful);
  const Mask64 same = ge_pd(mul_pd(dot, dot), mul_pd(mul_pd(set_pd(kCosOneDegreeSquared), om), tm));
  return both(same, ge_pd(dot, set_pd(0)));
}

HULL_SIMD_INLINE Vec odd_lanes(Vec v) {
  return srl_64(v, 32);
}

/// Bits from `shift` <= 32 on of (a * b + round), signed.
HULL_SIMD_INLINE Vec product_from(Vec a, Vec b, std::int64_t round, int shift) {
  const Vec half = set_64(round);
  return joined(add_64(mul_32(a, b), half), add_64(mul_32(odd_lanes(a), odd_lanes(b)), half), shift);
}

/// 1 + the place of the highest bit of a > 0. A float's exponent tells it; dropping every bit below a set one
/// keeps rounding from reaching the next power of two.
HULL_SIMD_INLINE Vec bit_length(Vec a) {
  const Vec top = bit_and(a, bit_xor(srl_32(a, 1), set_32(-1)));
  return sub_32(srl_32(bits_of(floats(top)), 23), set_32(126));
}

struct Restored {
  Vec r;      ///< before gain
  Mask gains; ///< where the gain limit applies
};

HULL_SIMD_INLINE Restored restore(Vec o, Vec t, Mask flag) {
  const Vec zero = zeros(), one = set_32(32768), low = set_64(0xffffffff);
  const Vec a = abs_32(o);
  const Vec s = max_32(sub_32(bit_length(a), set_32(15)), zero);
  // floor(2^30 / top): exact in doubles, and quicker than a gather. Where o is zero it does not count.
  const Vec top = srlv_32(add_32(a, srl_32(sllv_32(set_32(1), s), 1)), s);
  const Doubles unit = set_pd(1 << 30);
  const Vec q = whole_numbers(div_pd(unit, low_doubles(top)), div_pd(unit, high_doubles(top)));
  // Against o's direction nothing is restored. Beyond 2 * |o| the quotient is above 1 whatever t is, and up
  // to there it fits 32 bits.
  const Vec along = min_u32(max_32(sign_32(t, o), zero), add_32(a, a));
  const Vec half = sllv_32(set_32(1 << 14), s), shift = add_32(s, set_32(15));
  const Vec even = add_64(mul_u32(q, along), bit_and(half, low));
  const Vec odd = add_64(mul_u32(odd_lanes(q), odd_lanes(along)), odd_lanes(half));
  const Vec quotient =
      blend_odd(srlv_64(even, bit_and(shift, low)), sllv_64(odd, sub_64(set_64(32), odd_lanes(shift))));
  const Mask none = eq_32(o, zero);
  const Vec k = select(none, one, min_u32(quotient, one));
  return {product_from(k, o, 16384, 15), without(both(flag, gt_32(k, zero)), none)};
}

HULL_SIMD_INLINE Vec gained(const Restored &restored, Vec o, Vec t, int limit) {
  // What does not fit 32 bits is beyond t.
  const Mask beyond = gt_32(abs_32(restored.r), set_32(std::numeric_limits<std::int32_t>::max() / limit));
  const Vec g = mullo_32(restored.r, set_32(limit));
  const Vec clipped = select(beyond, t, select(negative_32(o), max_32(g, t), min_32(g, t)));
  return select(restored.gains, clipped, restored.r);
}

/// |(csf * v + 2^27) >> 28|
HULL_SIMD_INLINE Vec weighted(Vec v, Vec csf) {
  return abs_32(product_from(v, csf, 1 << 27, 28));
}

/// (factor * c - 2^31) >> 32
HULL_SIMD_INLINE Vec mask_part(Vec c, Vec odd_c, int factor) {
  const Vec f = set_64(factor), half = set_64(std::int64_t{1} << 31);
  return blend_odd(odd_lanes(sub_64(mul_u32(c, f), half)), sub_64(mul_u32(odd_c, f), half));
}

/// Both masking images of a block.
struct MaskSums {
  Vec neighbour, centre;
};

HULL_SIMD_INLINE MaskSums added_to(const MaskSums &sums, Vec c) {
  const Vec odd_c = odd_lanes(c);
  return {add_32(sums.neighbour, mask_part(c, odd_c, 143165577)),
          add_32(sums.centre, mask_part(c, odd_c, 286331153))};
}

HULL_SIMD void adm_row(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
                       int level, int begin, int end, Gains gains, const MaskRow *out) {
  const bool wanted[kGains] = {gains.normal, gains.neg};
  const Vec csf[3] = {set_32(kCsf[level][0]), set_32(kCsf[level][0]), set_32(kCsf[level][1])};
  for (int x = begin; x < end; x += kInts) {
    const Vec o[3] = {load(reference.h + x), load(reference.v + x), load(reference.d + x)};
    const Vec t[3] = {load(distorted.h + x), load(distorted.v + x), load(distorted.d + x)};
    Mask64 doubtful = no_longs();
    const Mask64 even = aligned(o[0], o[1], t[0], t[1], doubtful);
    const Mask64 odd = aligned(odd_lanes(o[0]), odd_lanes(o[1]), odd_lanes(t[0]), odd_lanes(t[1]), doubtful);
    if (any_64(doubtful)) {
      plain().adm_row(reference, distorted, level, x, std::min(x + kInts, end), gains, out);
      continue;
    }
    const Mask flag = interleaved(even, odd);
    Vec neighbour[kGains], centre[kGains];
    neighbour[0] = neighbour[1] = centre[0] = centre[1] = zeros();
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        if (!wanted[g]) continue;
        const Vec r = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        store(out[g].signal[b] + x, weighted(r, csf[b]));
        const Vec c = weighted(sub_32(t[b], r), csf[b]), odd_c = odd_lanes(c);
        neighbour[g] = add_32(neighbour[g], mask_part(c, odd_c, 143165577));
        centre[g] = add_32(centre[g], mask_part(c, odd_c, 286331153));
      }
    }
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      store(out[g].neighbour + x, neighbour[g]);
      store(out[g].centre + x, centre[g]);
    }
  }
}

/// A view's images of a block. On the CSF's scale what is restored is a signal under a mask of what is added,
/// and the other way round.
HULL_SIMD_INLINE void store_view(const Vec *r, const Vec *additive, const std::int32_t *factors,
                                 const AdmViewRow &out, int x) {
  MaskSums restored{zeros(), zeros()}, added{zeros(), zeros()};
#pragma GCC unroll 3
  for (int b = 0; b < 3; ++b) {
    const Vec csf = set_32(factors[b / 2]);
    const Vec weighted_r = weighted(r[b], csf), weighted_a = weighted(additive[b], csf);
    store(out.restored.signal[b] + x, weighted_r);
    store(out.additive.signal[b] + x, weighted_a);
    restored = added_to(restored, weighted_r);
    added = added_to(added, weighted_a);
  }
  store(out.restored.neighbour + x, added.neighbour);
  store(out.restored.centre + x, added.centre);
  store(out.additive.neighbour + x, restored.neighbour);
  store(out.additive.centre + x, restored.centre);
}

HULL_SIMD void adm_views(const Bands<const std::int32_t> &reference,
                         const Bands<const std::int32_t> &distorted, int level, int begin, int end,
                         const AdmView *views, int count, const AdmViewRow *out) {
  for (int x = begin; x < end; x += kInts) {
    const Vec o[3] = {load(reference.h + x), load(reference.v + x), load(reference.d + x)};
    const Vec t[3] = {load(distorted.h + x), load(distorted.v + x), load(distorted.d + x)};
    Mask64 doubtful = no_longs();
    const Mask64 even = aligned(o[0], o[1], t[0], t[1], doubtful);
    const Mask64 odd = aligned(odd_lanes(o[0]), odd_lanes(o[1]), odd_lanes(t[0]), odd_lanes(t[1]), doubtful);
    if (any_64(doubtful)) {
      plain().adm_views(reference, distorted, level, x, std::min(x + kInts, end), views, count, out);
      continue;
    }
    const Mask flag = interleaved(even, odd);
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
      store_view(r[views[i].gain], additive[views[i].gain], views[i].csf.levels[level], out[i], x);
  }
}

HULL_SIMD std::uint64_t cube_blocks(const std::int32_t *band, int level, int row_shift, int begin, int end,
                                    int &done) {
  const Vec low = set_64(0xffffffff);
  const Vec unit = set_64(std::int64_t{1} << kCubeShift[level]);
  const Vec half = set_64(std::int64_t{1} << (row_shift - 1));
  const Count square_shift = count_of(kCubeShift[level]), shift = count_of(row_shift);
  Vec total = zeros();
  int x = begin;
  for (; x + kLongs <= end; x += kLongs) {
    const Vec a = bit_and(abs_32(load_ints(band + x)), low);
    const Vec square = srl_64(add_64(mul_u32(a, a), unit), square_shift);
    total = add_64(total, srl_64(add_64(mul_u32(square, a), half), shift));
  }
  done = x;
  return static_cast<std::uint64_t>(sum_64(total));
}

std::uint64_t cubes(const std::int32_t *band, int level, int row_shift, int begin, int end) {
  int done = begin;
  const std::uint64_t sum = cube_blocks(band, level, row_shift, begin, end, done);
  return sum + plain().adm_cubes(band, level, row_shift, done, end);
}

} // namespace

void set_adm_levels(Kernels &table) {
  table.adm_row = adm_row;
  table.adm_views = adm_views;
  table.adm_cubes = cubes;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
