#pragma once

#include "gst/ladder/point.h"
#include "gst/ladder/spline.h"

#include <optional>
#include <span>
#include <string>
#include <vector>

namespace hull::ladder {

/// What one resolution does: rate and quality as monotone functions of the quantizer. Interpolating both over
/// the quantizer follows jagged content better than quality over rate.
class Curve {
 public:
  /// From the measured points of one resolution. Points that another one beats are left out, and so is a
  /// quantizer that spends more than a lower one: encoders do that near the end of their range. No usable
  /// point is an error.
  static Result<Curve> fit(const Resolution &res, std::span<const Point> points);

  const Resolution &res() const { return res_; }
  int qp_min() const { return qp_min_; }
  int qp_max() const { return qp_max_; }
  /// Rate and quality at a quantizer inside [qp_min(), qp_max()], held at the ends.
  Point at(double qp) const;
  bool measured(int qp) const;
  double bps_min() const { return at(qp_max_).bps; }
  double bps_max() const { return at(qp_min_).bps; }
  /// Quality at a rate; nothing outside the measured range.
  std::optional<double> quality_at(double bps) const;
  /// Rate for a quality; nothing outside the measured range.
  std::optional<double> bps_for(double quality) const;

 private:
  Curve(Resolution res, std::vector<int> qps, Spline log_rate, Spline quality)
      : res_(res),
        qps_(std::move(qps)),
        qp_min_(qps_.front()),
        qp_max_(qps_.back()),
        log_rate_(std::move(log_rate)),
        quality_(std::move(quality)) {}
  double solve(const Spline &falling, double value) const;

  Resolution res_;
  std::vector<int> qps_; // rising
  int qp_min_, qp_max_;
  Spline log_rate_; // log2 bit/s over QP
  Spline quality_;  // over QP
};

/// One curve per resolution, smallest picture first.
std::vector<Curve> fit_curves(std::span<const Point> points);

/// A rate at which the better one of two resolutions changes.
struct Crossing {
  double bps = 0;
  double quality = 0;
  bool to_larger = true; ///< true: above this rate the larger picture is ahead
};

enum class CrossKind {
  found,          ///< `use` is where the larger resolution takes over
  above_range,    ///< the smaller one leads everywhere both were measured
  below_range,    ///< the larger one leads everywhere both were measured
  tie,            ///< never `tie` VMAF apart: take the smaller one, it decodes cheaper
  no_common_range ///< no rate was measured at both
};

struct CrossOver {
  Resolution smaller, larger;
  CrossKind kind = CrossKind::no_common_range;
  /// The first change to the larger one that leads by `tie` VMAF later, or whose lead still grows at the last
  /// common rate.
  Crossing use;
  std::vector<Crossing> all; ///< every change, by rising rate
};

/// Where `larger` takes over from `smaller`: 256 samples of log2 rate over the common range, then bisection.
/// `tie` in VMAF.
CrossOver cross_over(const Curve &smaller, const Curve &larger, double tie = 1.0);

} // namespace hull::ladder
