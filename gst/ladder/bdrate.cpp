#include "gst/ladder/bdrate.h"

#include "gst/ladder/hull.h"
#include "gst/ladder/spline.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

namespace hull::ladder {
namespace {

struct Curve {
  std::vector<double> quality, log_rate;
};

Result<Curve> clean(std::span<const RateQuality> points, const char *which, std::size_t least) {
  std::vector<Point> all;
  for (const RateQuality &p : points)
    all.push_back({{}, 0, p.rate, p.quality});
  Curve curve;
  for (const std::size_t i : pareto(all)) {
    curve.quality.push_back(all[i].quality);
    curve.log_rate.push_back(std::log10(all[i].bps));
  }
  if (curve.quality.size() < least)
    return fail(ErrorCode::bad_data, std::string("the ") + which + " curve has " +
                                         std::to_string(curve.quality.size()) +
                                         " usable points, but this BD-rate needs " + std::to_string(least));
  return curve;
}

Result<double> integral(const Curve &curve, double low, double high, BdMethod method) {
  if (method == BdMethod::cubic)
    return CubicFit::make(curve.quality, curve.log_rate).map([&](const CubicFit &f) {
      return f.integral(low, high);
    });
  const auto spline = method == BdMethod::akima ? Spline::akima(curve.quality, curve.log_rate)
                                                : Spline::pchip(curve.quality, curve.log_rate);
  return spline.map([&](const Spline &s) { return s.integral(low, high); });
}

} // namespace

Result<BdRate> bd_rate(std::span<const RateQuality> anchor, std::span<const RateQuality> test,
                       BdMethod method) {
  const std::size_t least = method == BdMethod::cubic ? 4 : 2;
  const auto a = clean(anchor, "anchor", least);
  if (!a) return tl::unexpected(a.error());
  const auto t = clean(test, "test", least);
  if (!t) return tl::unexpected(t.error());
  BdRate result;
  result.quality_low = std::max(a->quality.front(), t->quality.front());
  result.quality_high = std::min(a->quality.back(), t->quality.back());
  const double range = result.quality_high - result.quality_low;
  if (range <= 0)
    return fail(ErrorCode::bad_data,
                "the two curves share no quality, so no rate can be compared; measure both "
                "over a common range");
  const double whole =
      std::max(a->quality.back(), t->quality.back()) - std::min(a->quality.front(), t->quality.front());
  result.overlap = range / whole;
  const auto of_anchor = integral(*a, result.quality_low, result.quality_high, method);
  if (!of_anchor) return tl::unexpected(of_anchor.error());
  const auto of_test = integral(*t, result.quality_low, result.quality_high, method);
  if (!of_test) return tl::unexpected(of_test.error());
  result.percent = (std::pow(10.0, (*of_test - *of_anchor) / range) - 1) * 100;
  return result;
}

} // namespace hull::ladder
