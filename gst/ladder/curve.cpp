#include "gst/ladder/curve.h"

#include "gst/ladder/hull.h"

#include <algorithm>
#include <cmath>

namespace hull::ladder {

Result<Curve> Curve::fit(const Resolution &res, std::span<const Point> points) {
  std::vector<Point> own;
  for (const Point &p : points)
    if (p.res == res) own.push_back(p);
  const std::vector<std::size_t> best = pareto(own);
  std::vector<int> qps;
  std::vector<double> x, rate, quality;
  // From the highest rate down, so that the quantizer rises.
  for (auto i = best.rbegin(); i != best.rend(); ++i) {
    if (!qps.empty() && own[*i].qp <= qps.back()) continue;
    qps.push_back(own[*i].qp);
    x.push_back(own[*i].qp);
    rate.push_back(std::log2(own[*i].bps));
    quality.push_back(own[*i].quality);
  }
  if (qps.empty()) return fail(ErrorCode::bad_data, "no usable point was measured at " + name_of(res));
  auto log_rate = Spline::pchip(x, std::move(rate));
  if (!log_rate) return tl::unexpected(log_rate.error());
  auto of_quality = Spline::pchip(x, std::move(quality));
  if (!of_quality) return tl::unexpected(of_quality.error());
  return Curve(res, std::move(qps), std::move(*log_rate), std::move(*of_quality));
}

Point Curve::at(double qp) const {
  return {res_, static_cast<int>(std::lround(qp)), std::exp2(log_rate_.at(qp)), quality_.at(qp)};
}

bool Curve::measured(int qp) const {
  return std::binary_search(qps_.begin(), qps_.end(), qp);
}

// The real-valued quantizer at which a falling spline takes `value`.
double Curve::solve(const Spline &falling, double value) const {
  double low = qp_min_, high = qp_max_;
  for (int step = 0; step < 60; ++step) {
    const double middle = (low + high) / 2;
    (falling.at(middle) > value ? low : high) = middle;
  }
  return (low + high) / 2;
}

std::optional<double> Curve::quality_at(double bps) const {
  const double x = std::log2(bps);
  constexpr double kRounding = 1e-9; // the ends themselves count as inside
  if (x < log_rate_.at(qp_max_) - kRounding || x > log_rate_.at(qp_min_) + kRounding) return std::nullopt;
  return quality_.at(solve(log_rate_, x));
}

std::optional<double> Curve::bps_for(double quality) const {
  if (quality < quality_.at(qp_max_) || quality > quality_.at(qp_min_)) return std::nullopt;
  return std::exp2(log_rate_.at(solve(quality_, quality)));
}

std::vector<Curve> fit_curves(std::span<const Point> points) {
  std::vector<Resolution> sizes;
  for (const Point &p : points)
    if (std::find(sizes.begin(), sizes.end(), p.res) == sizes.end()) sizes.push_back(p.res);
  std::sort(sizes.begin(), sizes.end());
  std::vector<Curve> curves;
  for (const Resolution &res : sizes)
    if (auto curve = Curve::fit(res, points)) curves.push_back(std::move(*curve));
  return curves;
}

CrossOver cross_over(const Curve &smaller, const Curve &larger, double tie) {
  CrossOver result{smaller.res(), larger.res(), CrossKind::no_common_range, {}, {}};
  const double low = std::log2(std::max(smaller.bps_min(), larger.bps_min()));
  const double high = std::log2(std::min(smaller.bps_max(), larger.bps_max()));
  if (!(low < high)) return result;
  const auto lead = [&](double x) {
    return larger.quality_at(std::exp2(x)).value_or(0) - smaller.quality_at(std::exp2(x)).value_or(0);
  };
  constexpr int kSamples = 256;
  std::vector<double> x(kSamples), d(kSamples);
  for (int i = 0; i < kSamples; ++i) {
    x[i] = std::min(high, low + (high - low) * i / (kSamples - 1));
    d[i] = lead(x[i]);
  }
  const auto [least, most] = std::minmax_element(d.begin(), d.end());
  for (int i = 1; i < kSamples; ++i) {
    if ((d[i - 1] < 0) == (d[i] < 0)) continue;
    double a = x[i - 1], b = x[i];
    for (int step = 0; step < 50; ++step) {
      const double middle = (a + b) / 2;
      ((lead(middle) < 0) == (d[i - 1] < 0) ? a : b) = middle;
    }
    const double bps = std::exp2(b);
    result.all.push_back({bps, smaller.quality_at(bps).value_or(0), d[i] >= 0});
  }
  if (std::max(std::abs(*least), std::abs(*most)) < tie) {
    result.kind = CrossKind::tie;
    return result;
  }
  for (std::size_t n = 0; n < result.all.size() && result.kind != CrossKind::found; ++n) {
    if (!result.all[n].to_larger) continue;
    const bool last = n + 1 == result.all.size();
    const double end = last ? high : std::log2(result.all[n + 1].bps);
    // A lead that still grows where the measured rates end has not been seen to stay below the tie.
    const double enough =
        last && d[kSamples - 1] > 0 && d[kSamples - 1] == *most && *most > d[kSamples - 2] ? 0 : tie;
    for (int i = 0; i < kSamples; ++i)
      if (x[i] >= std::log2(result.all[n].bps) && x[i] <= end && d[i] >= enough) {
        result.use = result.all[n];
        result.kind = CrossKind::found;
        break;
      }
  }
  // Without a change that counts, whoever leads most of the range leads it.
  if (result.kind != CrossKind::found)
    result.kind = *most + *least > 0 ? CrossKind::below_range : CrossKind::above_range;
  return result;
}

} // namespace hull::ladder
