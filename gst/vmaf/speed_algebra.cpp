// Eigenvalues and equations of SpEED's covariance matrices. All in single precision and in libvmaf's order of
// operations, roots in double precision: scores are compared to the last digit.

#include "gst/vmaf/speed.h"

#include <algorithm>
#include <cmath>

namespace hull::vmaf {
namespace {

constexpr int kOrder = kSpeedOrder;
constexpr float kTiny = 1e-6f;

float root(float value) {
  return static_cast<float>(std::sqrt(static_cast<double>(value)));
}
float inverse_root(float value) {
  return static_cast<float>(1.0 / std::sqrt(static_cast<double>(value)));
}
float length(float x, float y) {
  return root(x * x + y * y);
}
float sign(float value) {
  return value >= 0 ? 1.0f : -1.0f;
}

class Square {
 public:
  Square() : values_(kOrder * kOrder) {}
  explicit Square(const SpeedMatrix &values) : values_(values) {}
  float &operator()(int row, int column) { return values_[static_cast<std::size_t>(row * kOrder + column)]; }
  float operator()(int row, int column) const {
    return values_[static_cast<std::size_t>(row * kOrder + column)];
  }
  const SpeedMatrix &values() const { return values_; }

 private:
  SpeedMatrix values_;
};

struct Tridiagonal {
  float diagonal[kOrder];
  float beside[kOrder - 1];
};

/// Turns column i's part below the sub-diagonal to zero; gives tau, and the reflection's vector in the column.
float reflect_column(Square &a, int i) {
  float below = 0;
  for (int r = i + 2; r < kOrder; ++r)
    below += a(r, i) * a(r, i);
  below = root(below);
  if (below == 0) return 0;
  const float alpha = a(i + 1, i);
  const float beta = -sign(alpha) * root(alpha * alpha + below * below);
  const float tau = (beta - alpha) / beta, t = alpha - beta;
  if (t != 0) {
    for (int r = i + 1; r < kOrder; ++r)
      a(r, i) /= t;
    a(i + 1, i) = beta;
  }
  return tau;
}

void reflect_rest(Square &a, int i, float tau) {
  float v[kOrder] = {}, x[kOrder] = {};
  for (int r = i + 1; r < kOrder; ++r)
    v[r] = a(r, i);
  v[i + 1] = 1;
  float product = 0;
  for (int r = i + 1; r < kOrder; ++r) {
    float sum = 0;
    for (int j = i + 1; j < kOrder; ++j)
      sum += tau * a(r, j) * v[j];
    x[r] = sum;
  }
  for (int r = i + 1; r < kOrder; ++r)
    product += x[r] * v[r];
  const auto alpha = static_cast<float>(-0.5 * static_cast<double>(tau) * static_cast<double>(product));
  for (int r = i + 1; r < kOrder; ++r)
    x[r] += alpha * v[r];
  for (int r = i + 1; r < kOrder; ++r)
    for (int j = i + 1; j < kOrder; ++j)
      a(r, j) -= x[r] * v[j] + v[r] * x[j];
}

Tridiagonal tridiagonal(Square a) {
  for (int i = 0; i + 2 < kOrder; ++i)
    if (const float tau = reflect_column(a, i); tau != 0) reflect_rest(a, i, tau);
  Tridiagonal made{};
  for (int i = 0; i < kOrder; ++i)
    made.diagonal[i] = a(i, i);
  for (int i = 0; i + 1 < kOrder; ++i)
    made.beside[i] = a(i + 1, i);
  return made;
}

/// Sets what is next to nothing beside the diagonal to zero.
void chop(Tridiagonal &t, int begin, int end) {
  for (int i = begin; i < end; ++i)
    if (static_cast<double>(std::abs(t.beside[i])) <
        1e-6 * static_cast<double>(std::abs(t.diagonal[i]) + std::abs(t.diagonal[i + 1])))
      t.beside[i] = 0;
}

/// Wilkinson's shift of a block of `size` rows.
float shift_of(const float *d, const float *e, int size) {
  const float ta = d[size - 2], tb = d[size - 1], o = e[size - 2];
  const float half = (ta - tb) / 2;
  float shift = 0;
  if (half > 0)
    shift = tb - o * (o / (half + length(half, o)));
  else if (half == 0)
    shift = tb - std::abs(o);
  else
    shift = tb + o * (o / (-half + length(half, o)));
  const float first = std::abs(d[0]) + std::abs(e[0]);
  return 1e-6 * static_cast<double>(std::abs(shift)) > static_cast<double>(first) ? 0.0f : shift;
}

struct Rotation {
  float c, s;
};

Rotation rotation_of(float x, float z) {
  if (z == 0) return {1, 0};
  if (std::abs(z) > std::abs(x)) {
    const float t = -x / z, s = inverse_root(1 + t * t);
    return {s * t, s};
  }
  const float t = -z / x, c = inverse_root(1 + t * t);
  return {c, c * t};
}

/// One implicit step on a block of `size` rows.
void step(float *d, float *e, int size) {
  float x = d[0] - shift_of(d, e, size), z = e[0];
  float ap = d[0], bp = e[0], aq = d[1], bq = size > 2 ? e[1] : 0, bk = 0, zk = 0;
  for (int k = 0; k + 1 < size; ++k) {
    const auto [c, s] = rotation_of(x, z);
    const float bk1 = c * bk - s * zk;
    const float ap1 = c * (c * ap - s * bp) + s * (s * aq - c * bp);
    const float bp1 = c * (s * ap + c * bp) - s * (s * bp + c * aq);
    const float zp1 = -s * bq;
    const float aq1 = s * (s * ap + c * bp) + c * (s * bp + c * aq);
    const float bq1 = c * bq;
    bk = bp1;
    zk = zp1;
    ap = aq1;
    bp = bq1;
    if (k + 2 < size) aq = d[k + 2];
    if (k + 3 < size) bq = e[k + 2];
    d[k] = ap1;
    if (k > 0) e[k - 1] = bk1;
    if (k + 2 < size) e[k + 1] = bp;
    x = bk;
    z = zk;
  }
  d[size - 1] = ap;
  e[size - 2] = bk;
}

/// The k-th reflection of a QR decomposition, from the rest of `z`.
Square reflection(const Square &z, float original, int k) {
  float v[kOrder] = {};
  float sum = 0;
  for (int i = k; i < kOrder; ++i) {
    v[i] = z(i, k);
    sum += v[i] * v[i];
  }
  v[k] += sign(original) * root(sum);
  sum = 0;
  for (int i = k; i < kOrder; ++i)
    sum += v[i] * v[i];
  const float norm = root(sum);
  for (int i = k; i < kOrder; ++i)
    v[i] /= norm;
  Square made;
  for (int i = 0; i < kOrder; ++i)
    for (int j = 0; j < kOrder; ++j)
      made(i, j) = -2 * v[i] * v[j];
  for (int i = 0; i < kOrder; ++i)
    made(i, i) += 1;
  return made;
}

/// `left` times a matrix of `columns` columns; `left` is the identity outside rows and columns from `first` on.
SpeedMatrix product(const Square &left, const SpeedMatrix &right, int columns, int first = 0) {
  SpeedMatrix made(right.size());
  const auto width = static_cast<std::size_t>(columns);
  std::copy_n(right.begin(), static_cast<std::size_t>(first) * width, made.begin());
  for (int i = first; i < kOrder; ++i) {
    float *out = &made[static_cast<std::size_t>(i) * width];
    for (int k = first; k < kOrder; ++k) {
      const float factor = left(i, k);
      const float *in = &right[static_cast<std::size_t>(k) * width];
      for (std::size_t j = 0; j < width; ++j)
        out[j] += factor * in[j];
    }
  }
  return made;
}

/// Rows and columns below `k` become those of the identity.
void reset(Square &z, int k) {
  for (int i = 0; i < k; ++i)
    for (int j = 0; j < kOrder; ++j)
      z(i, j) = z(j, i) = i == j ? 1.0f : 0.0f;
}

} // namespace

std::vector<float> speed_eigenvalues(const SpeedMatrix &matrix) {
  Tridiagonal t = tridiagonal(Square(matrix));
  chop(t, 0, kOrder - 1);
  constexpr int kMostSteps = 500;
  int last = kOrder - 1;
  for (int steps = 0; last > 0 && steps < kMostSteps;) {
    if (t.beside[last - 1] == 0) {
      --last;
      continue;
    }
    int first = last - 1;
    while (first > 0 && t.beside[first - 1] != 0)
      --first;
    step(t.diagonal + first, t.beside + first, last - first + 1);
    chop(t, first, last);
    ++steps;
  }
  return {t.diagonal, t.diagonal + kOrder};
}

SpeedMatrix speed_solve(const SpeedMatrix &matrix, const SpeedMatrix &y, int columns) {
  Square z(matrix), q;
  for (int i = 0; i < kOrder; ++i)
    q(i, i) = 1;
  const Square k_matrix(matrix);
  for (int k = 0; k + 1 < kOrder; ++k) {
    reset(z, k);
    const Square h = reflection(z, k_matrix(k, k), k);
    z = Square(product(h, z.values(), kOrder, k));
    q = Square(product(h, q.values(), kOrder, k));
  }
  const Square r(product(q, matrix, kOrder));
  const SpeedMatrix t = product(q, y, columns);
  SpeedMatrix x(y.size());
  const auto width = static_cast<std::size_t>(columns);
  for (int i = kOrder - 1; i >= 0; --i) {
    if (std::abs(r(i, i)) < kTiny) return {};
    float *out = &x[static_cast<std::size_t>(i) * width];
    std::copy_n(&t[static_cast<std::size_t>(i) * width], width, out);
    for (int k = i + 1; k < kOrder; ++k) {
      const float *known = &x[static_cast<std::size_t>(k) * width];
      for (std::size_t j = 0; j < width; ++j)
        out[j] -= known[j] * r(i, k);
    }
    for (std::size_t j = 0; j < width; ++j)
      out[j] /= r(i, i);
  }
  return x;
}

} // namespace hull::vmaf
