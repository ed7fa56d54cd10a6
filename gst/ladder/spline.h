#pragma once

#include "gst/core/result.h"

#include <vector>

namespace hull::ladder {

/// A piecewise cubic in Hermite form: values `y` and slopes `slope` at strictly rising knots `x`.
class Spline {
 public:
  /// Monotone: never leaves the range of neighbouring knots. Slopes by Fritsch and Butland's weighted
  /// harmonic mean (1984), one-sided three-point ends held to the sign and to three times the end secant. Two
  /// knots make a line, one a constant. Knots that do not rise strictly are an error.
  static Result<Spline> pchip(std::vector<double> x, std::vector<double> y);
  /// Akima (1970) with two ghost secants a side; where both weights vanish, the mean of the two secants.
  static Result<Spline> akima(std::vector<double> x, std::vector<double> y);

  /// Value at `t`, held inside [first(), last()]: a spline never extrapolates.
  double at(double t) const;
  /// Closed-form integral from `a` to `b`, both inside [first(), last()].
  double integral(double a, double b) const;
  double first() const { return x_.front(); }
  double last() const { return x_.back(); }

 private:
  Spline(std::vector<double> x, std::vector<double> y, std::vector<double> slope)
      : x_(std::move(x)), y_(std::move(y)), slope_(std::move(slope)) {}
  struct Cubic {
    double c0, c1, c2, c3; // in powers of the distance to the interval's left knot
  };
  std::size_t interval(double t) const;
  Cubic cubic(std::size_t k) const;
  double primitive(double t) const; // integral from first() to t

  std::vector<double> x_, y_, slope_;
};

/// Least-squares polynomial of degree 3 through at least four points, and its integral: the interpolation of
/// Bjøntegaard's first proposal (VCEG-M33).
class CubicFit {
 public:
  static Result<CubicFit> make(const std::vector<double> &x, const std::vector<double> &y);
  double integral(double a, double b) const;

 private:
  double center_ = 0, scale_ = 1;
  double c_[4] = {0, 0, 0, 0}; // in powers of (x - center_) / scale_
};

} // namespace hull::ladder
