// ADM's decoupling at levels 1..3: 64-bit lanes. Where a number fits 32 bits only the low half of its
// lane counts, which is what mul_epi32 reads; the high half may hold anything.

#include "gst/vmaf/adm_constants.h"
#include "gst/vmaf/kernels_simd.h"
#include "gst/vmaf/simd.h"

#if defined(__x86_64__)

#include <algorithm>

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

struct Restored {
  Vec r;        ///< sign-extended
  Mask64 gains; ///< where the gain limit applies
};

HULL_SIMD_INLINE Restored restore(Vec o, Vec t, Mask64 flag) {
  const Vec zero = zeros(), one = set_64(32768), low = set_64(0xffffffff);
  const Vec a = bit_and(abs_32(o), low);
  // Bit length from the exponent; a < 2^31 converts exactly.
  const Vec exponent = srl_64(bits_of(doubles(narrow(a))), 52);
  const Vec s = bit_and(max_32(sub_32(exponent, set_32(1022 + 15)), zero), low);
  const Vec half = srl_64(sllv_64(set_64(1), s), 1);
  // floor(2^30 / top): exact in doubles, and quicker than a gather. Where o is zero it does not count.
  const Vec top = srlv_64(add_64(a, half), s);
  const Vec q = whole_numbers(div_pd(set_pd(1 << 30), doubles(narrow(top))));
  const Vec along = max_32(sign_32(t, o), zero);
  const Vec product = add_64(mul_u32(q, along), sllv_64(set_64(1 << 14), s));
  const Vec quotient = srlv_64(product, add_64(s, set_64(15)));
  const Mask64 none = eq_64(a, zero);
  const Vec k = select_64(either(none, gt_64(quotient, one)), one, quotient);
  const Vec r = extended(srl_64(add_64(mul_32(k, o), set_64(16384)), 15));
  return {r, without(both(flag, gt_64(k, zero)), none)};
}

HULL_SIMD_INLINE Vec gained(const Restored &restored, Vec o, Vec t, int limit) {
  const Vec g = mul_32(restored.r, set_64(limit));
  // o > 0 takes the smaller of g and t, o < 0 the larger.
  const Vec clipped = select_64(differ(gt_64(g, t), gt_64(zeros(), o)), t, g);
  return select_64(restored.gains, clipped, restored.r);
}

/// |(csf * v + 2^27) >> 28| in the low halves, the high ones clear.
HULL_SIMD_INLINE Vec weighted(Vec v, Vec csf) {
  const Vec c = srl_64(add_64(mul_32(v, csf), set_64(1 << 27)), 28);
  return bit_and(abs_32(c), set_64(0xffffffff));
}

HULL_SIMD_INLINE Vec mask_part(Vec c, std::int64_t factor) {
  return srl_64(sub_64(mul_u32(c, set_64(factor)), set_64(std::int64_t{1} << 31)), 32);
}

HULL_SIMD void adm_row(const Bands<const std::int32_t> &reference, const Bands<const std::int32_t> &distorted,
                       int level, int begin, int end, Gains gains, const MaskRow *out) {
  const bool wanted[kGains] = {gains.normal, gains.neg};
  const Vec csf[3] = {set_64(kCsf[level][0]), set_64(kCsf[level][0]), set_64(kCsf[level][1])};
  for (int x = begin; x < end; x += kLongs) {
    const Vec o[3] = {load_ints(reference.h + x), load_ints(reference.v + x), load_ints(reference.d + x)};
    const Vec t[3] = {load_ints(distorted.h + x), load_ints(distorted.v + x), load_ints(distorted.d + x)};
    Mask64 doubtful = no_longs();
    const Mask64 flag = aligned(o[0], o[1], t[0], t[1], doubtful);
    if (any_64(doubtful)) {
      plain().adm_row(reference, distorted, level, x, std::min(x + kLongs, end), gains, out);
      continue;
    }
    Vec neighbour[kGains], centre[kGains];
    neighbour[0] = neighbour[1] = centre[0] = centre[1] = zeros();
#pragma GCC unroll 3
    for (int b = 0; b < 3; ++b) {
      const Restored restored = restore(o[b], t[b], flag);
#pragma GCC unroll 2
      for (int g = 0; g < kGains; ++g) {
        if (!wanted[g]) continue;
        const Vec r = gained(restored, o[b], t[b], static_cast<int>(kGainLimit[g]));
        store_half(out[g].signal[b] + x, narrow(weighted(r, csf[b])));
        const Vec c = weighted(sub_64(t[b], r), csf[b]);
        neighbour[g] = add_32(neighbour[g], mask_part(c, 143165577));
        centre[g] = add_32(centre[g], mask_part(c, 286331153));
      }
    }
    for (int g = 0; g < kGains; ++g) {
      if (!wanted[g]) continue;
      store_half(out[g].neighbour + x, narrow(neighbour[g]));
      store_half(out[g].centre + x, narrow(centre[g]));
    }
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
  table.adm_cubes = cubes;
}

} // namespace hull::vmaf::HULL_SIMD_SET
#endif
