#pragma once

#include "gst/core/result.h"

#include <span>

namespace hull::ladder {

/// One point of a rate-quality curve; the unit of `rate` cancels out as long as both curves share it.
struct RateQuality {
  double rate = 0;
  double quality = 0;
};

enum class BdMethod { pchip, akima, cubic };

struct BdRate {
  double percent = 0;     ///< mean difference in rate at equal quality; negative = the test needs less
  double quality_low = 0; ///< the range both curves cover, over which the mean is taken
  double quality_high = 0;
  double overlap = 0; ///< that range as a share of the union of both; below 0.75 read with care
};

/// Bjøntegaard delta rate of `test` against `anchor`: the mean of log10 rate over quality, as JVET-T2010 has
/// it, integrated in closed form over the qualities both curves reach. Points that another of their curve
/// beats are dropped first. At least 2 points a curve (cubic: 4) and an overlap, else an error that says so.
Result<BdRate> bd_rate(std::span<const RateQuality> anchor, std::span<const RateQuality> test,
                       BdMethod method = BdMethod::pchip);

} // namespace hull::ladder
