#include "gst/ladder/spline.h"

#include <algorithm>
#include <cmath>

namespace hull::ladder {
namespace {

Result<void> check_knots(const std::vector<double> &x, const std::vector<double> &y) {
  if (x.empty() || x.size() != y.size())
    return fail(ErrorCode::bad_data, "an interpolation needs as many values as knots, and at least one");
  for (std::size_t i = 0; i < x.size(); ++i) {
    if (!std::isfinite(x[i]) || !std::isfinite(y[i]))
      return fail(ErrorCode::bad_data, "a knot of an interpolation is not a finite number");
    if (i && x[i] <= x[i - 1])
      return fail(ErrorCode::bad_data, "the knots of an interpolation do not rise strictly");
  }
  return {};
}

std::vector<double> secants(const std::vector<double> &x, const std::vector<double> &y) {
  std::vector<double> m(x.size() - 1);
  for (std::size_t i = 0; i < m.size(); ++i)
    m[i] = (y[i + 1] - y[i]) / (x[i + 1] - x[i]);
  return m;
}

double end_slope(double h0, double h1, double m0, double m1) {
  const double d = ((2 * h0 + h1) * m0 - h0 * m1) / (h0 + h1);
  if (d * m0 <= 0) return 0;
  if (m0 * m1 <= 0 && std::abs(d) > 3 * std::abs(m0)) return 3 * m0;
  return d;
}

} // namespace

Result<Spline> Spline::pchip(std::vector<double> x, std::vector<double> y) {
  if (auto ok = check_knots(x, y); !ok) return tl::unexpected(ok.error());
  const std::size_t n = x.size();
  std::vector<double> slope(n, 0.0);
  if (n == 1) return Spline(std::move(x), std::move(y), std::move(slope));
  const std::vector<double> m = secants(x, y);
  if (n == 2) {
    slope.assign(2, m[0]);
    return Spline(std::move(x), std::move(y), std::move(slope));
  }
  const auto h = [&](std::size_t k) { return x[k + 1] - x[k]; };
  for (std::size_t k = 1; k + 1 < n; ++k) {
    if (m[k - 1] * m[k] <= 0) continue;
    const double w1 = 2 * h(k) + h(k - 1), w2 = h(k) + 2 * h(k - 1);
    slope[k] = (w1 + w2) / (w1 / m[k - 1] + w2 / m[k]);
  }
  slope[0] = end_slope(h(0), h(1), m[0], m[1]);
  slope[n - 1] = end_slope(h(n - 2), h(n - 3), m[n - 2], m[n - 3]);
  return Spline(std::move(x), std::move(y), std::move(slope));
}

Result<Spline> Spline::akima(std::vector<double> x, std::vector<double> y) {
  if (x.size() < 3) return pchip(std::move(x), std::move(y));
  if (auto ok = check_knots(x, y); !ok) return tl::unexpected(ok.error());
  const std::size_t n = x.size();
  const std::vector<double> inner = secants(x, y);
  std::vector<double> m(n + 3); // two ghosts, the secants, two ghosts
  std::copy(inner.begin(), inner.end(), m.begin() + 2);
  m[1] = 2 * m[2] - m[3];
  m[0] = 2 * m[1] - m[2];
  m[n + 1] = 2 * m[n] - m[n - 1];
  m[n + 2] = 2 * m[n + 1] - m[n];
  double largest = 0;
  for (std::size_t k = 0; k < n; ++k)
    largest = std::max(largest, std::abs(m[k + 3] - m[k + 2]) + std::abs(m[k + 1] - m[k]));
  std::vector<double> slope(n);
  for (std::size_t k = 0; k < n; ++k) {
    const double right = std::abs(m[k + 3] - m[k + 2]), left = std::abs(m[k + 1] - m[k]);
    // A sum that is rounding noise would make the weights random.
    slope[k] = right + left > 1e-9 * largest ? (right * m[k + 1] + left * m[k + 2]) / (right + left)
                                             : (m[k + 1] + m[k + 2]) / 2;
  }
  return Spline(std::move(x), std::move(y), std::move(slope));
}

std::size_t Spline::interval(double t) const {
  const auto above = std::upper_bound(x_.begin(), x_.end(), t);
  const auto k = above == x_.begin() ? 0 : static_cast<std::size_t>(above - x_.begin() - 1);
  return std::min(k, x_.size() - 2);
}

Spline::Cubic Spline::cubic(std::size_t k) const {
  const double h = x_[k + 1] - x_[k], m = (y_[k + 1] - y_[k]) / h;
  return {y_[k], slope_[k], (3 * m - 2 * slope_[k] - slope_[k + 1]) / h,
          (slope_[k] + slope_[k + 1] - 2 * m) / (h * h)};
}

double Spline::at(double t) const {
  if (t <= x_.front()) return y_.front();
  if (t >= x_.back()) return y_.back();
  const std::size_t k = interval(t);
  const Cubic c = cubic(k);
  const double s = t - x_[k];
  return c.c0 + s * (c.c1 + s * (c.c2 + s * c.c3));
}

double Spline::primitive(double t) const {
  double sum = 0;
  for (std::size_t k = 0; k + 1 < x_.size() && t > x_[k]; ++k) {
    const Cubic c = cubic(k);
    const double s = std::min(t, x_[k + 1]) - x_[k];
    sum += s * (c.c0 + s * (c.c1 / 2 + s * (c.c2 / 3 + s * c.c3 / 4)));
  }
  return sum;
}

double Spline::integral(double a, double b) const {
  return primitive(b) - primitive(a);
}

Result<CubicFit> CubicFit::make(const std::vector<double> &x, const std::vector<double> &y) {
  if (auto ok = check_knots(x, y); !ok) return tl::unexpected(ok.error());
  if (x.size() < 4) return fail(ErrorCode::bad_data, "a cubic fit needs at least four points");
  CubicFit fit;
  fit.center_ = (x.front() + x.back()) / 2;
  fit.scale_ = (x.back() - x.front()) / 2;
  // Normal equations: on [-1, 1] in long double they keep more digits than the data has.
  long double a[4][5] = {};
  for (std::size_t i = 0; i < x.size(); ++i) {
    const long double t = (x[i] - fit.center_) / fit.scale_;
    const long double power[4] = {1, t, t * t, t * t * t};
    for (int row = 0; row < 4; ++row) {
      for (int col = 0; col < 4; ++col)
        a[row][col] += power[row] * power[col];
      a[row][4] += power[row] * y[i];
    }
  }
  for (int pivot = 0; pivot < 4; ++pivot) {
    int best = pivot;
    for (int row = pivot + 1; row < 4; ++row)
      if (std::abs(a[row][pivot]) > std::abs(a[best][pivot])) best = row;
    std::swap(a[pivot], a[best]);
    for (int row = 0; row < 4; ++row) {
      if (row == pivot) continue;
      const long double factor = a[row][pivot] / a[pivot][pivot];
      for (int col = pivot; col < 5; ++col)
        a[row][col] -= factor * a[pivot][col];
    }
  }
  for (int i = 0; i < 4; ++i)
    fit.c_[i] = static_cast<double>(a[i][4] / a[i][i]);
  return fit;
}

double CubicFit::integral(double a, double b) const {
  const auto primitive = [this](double x) {
    const double t = (x - center_) / scale_;
    return scale_ * t * (c_[0] + t * (c_[1] / 2 + t * (c_[2] / 3 + t * c_[3] / 4)));
  };
  return primitive(b) - primitive(a);
}

} // namespace hull::ladder
