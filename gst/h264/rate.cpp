#include "gst/h264/rate.h"

#include <algorithm>
#include <cmath>

namespace hull::h264 {
namespace {

// Quantizers between a key picture and those that refer to it: what it shows well serves them all.
constexpr double kKeyBonus = 3;
// Where pictures come slowly, seconds are too short to make up for anything.
constexpr double kFewPictures = 10;
// Bits of headers and skipped macroblocks.
constexpr double kOverhead = 160;

std::size_t index(PictureKind kind) {
  return static_cast<std::size_t>(kind);
}

} // namespace

void LeakyBucket::set(double rate, double size) {
  if (rate == rate_ && size == size_) return;
  level_ = exists() ? std::min(level_ * size / size_, size) : size;
  rate_ = rate;
  size_ = size;
}

void LeakyBucket::wait(double seconds) {
  level_ = std::min(size_, level_ + rate_ * seconds);
}

void LeakyBucket::take(double bits) {
  // More than two buckets are not remembered: what is late by then is lost, and quality must come back.
  level_ = std::max(level_ - bits, -2 * size_);
}

void SizeModel::Gain::follow(double bits, double bound, double share) {
  bits_ += (bits - bits_) * share;
  bound_ += (bound - bound_) * share;
}

double SizeModel::Gain::value() const {
  return bound_ > 0 ? std::clamp(bits_ / bound_, 0.001, 4.0) : 1;
}

double SizeModel::gain(PictureKind kind, const Activity &activity) const {
  const double own = gain_[index(kind)].value(), key = gain_[0].value();
  if (kind == PictureKind::key || key <= own) return own;
  // More than usual that the picture before does not predict costs as much as in a key picture.
  const double more = activity.unpredicted - usual_unpredicted_;
  return own + (key - own) * std::clamp(more / (1.001 - usual_unpredicted_), 0.0, 1.0);
}

double SizeModel::bound(PictureKind kind, const Activity &activity, double quantizer) {
  return kind == PictureKind::key ? activity.worst_bits(quantizer) : activity.inter.bits(quantizer);
}

double SizeModel::expect(PictureKind kind, const Activity &activity, double quantizer) const {
  return gain(kind, activity) * bound(kind, activity, quantizer) + kOverhead;
}

double SizeModel::expect_usual(double quantizer) const {
  return usual_gain_.value() * usual_.bits(quantizer) + kOverhead;
}

void SizeModel::learn(PictureKind kind, const Activity &activity, double quantizer, double bits) {
  constexpr double kKeyShare = 0.5, kShare = 0.06;
  const double most = bound(kind, activity, quantizer), own = std::max(0.0, bits - kOverhead);
  const bool key = kind == PictureKind::key;
  gain_[index(kind)].follow(own, most, std::max(key ? kKeyShare : kShare, 1.0 / ++count_[index(kind)]));
  if (key) return;
  const double share = std::max(kShare, 1.0 / ++usual_count_);
  usual_gain_.follow(own, most, share);
  usual_.follow(activity.inter, static_cast<float>(share));
  usual_unpredicted_ += (activity.unpredicted - usual_unpredicted_) * share;
}

void RateController::aim(const RateGoal &goal) {
  if (goal.bits_per_second != goal_.bits_per_second) {
    debt_ = key_debt_ = 0;
    quantizer_ = -1;
    pictures_ = 0;
  }
  goal_ = goal;
}

// Bits of a mean picture, when `quantizer` were that of all predicted ones of a group.
double RateController::expected_mean(const Activity &activity, const SizeModel &model,
                                     double quantizer) const {
  const double key = model.expect(PictureKind::key, activity, std::max(quantizer - kKeyBonus, goal_.lowest));
  // Until there was a predicted picture: a third of what it would take as a key picture.
  const double other = model.has_usual() ? model.expect_usual(quantizer)
                                         : model.expect(PictureKind::key, activity, quantizer) / 3;
  return (key + (goal_.key_interval - 1) * other) / goal_.key_interval;
}

double RateController::solve(const Activity &activity, const SizeModel &model, double bits) const {
  double low = goal_.lowest, high = goal_.highest;
  for (int i = 0; i < 12; ++i) {
    const double middle = (low + high) / 2;
    (expected_mean(activity, model, middle) > bits ? low : high) = middle;
  }
  return (low + high) / 2;
}

double RateController::choose(PictureKind kind, const Activity &activity, const SizeModel &model,
                              double seconds) {
  if (goal_.bits_per_second <= 0) return goal_.constant;
  // Slow: a step down costs more at once than it does later, and a step up saves more.
  constexpr double kMostDown = 0.25, kMostUp = 0.5, kRounding = 0.5;
  allowance_ = goal_.bits_per_second * seconds;
  const bool key = kind == PictureKind::key;
  const double mean = goal_.bits_per_second * goal_.picture_seconds;
  const double owed = debt_ / std::max(goal_.bits_per_second * goal_.horizon, kFewPictures * mean);
  double wanted = solve(activity, model, mean * (1 - std::clamp(owed, -1.0, 0.8)));
  // At first little is known, and far to go.
  const double hurry = 1 + 7 * std::exp2(-static_cast<double>(pictures_++) / 8);
  if (quantizer_ >= 0)
    wanted = std::clamp(wanted, quantizer_ - kMostDown * hurry, quantizer_ + kMostUp * hurry);
  quantizer_ = std::clamp(wanted, goal_.lowest, goal_.highest);
  // Where even the coarsest is too much there is nothing to spend on key pictures.
  const bool reachable = expected_mean(activity, model, goal_.highest) <= mean;
  const double exact = key && reachable ? std::max(quantizer_ - kKeyBonus, goal_.lowest) : quantizer_;
  double whole =
      std::clamp(std::round(exact + rounding_), std::ceil(goal_.lowest), std::floor(goal_.highest));
  rounding_ = std::clamp(rounding_ + exact - whole, -kRounding, kRounding);
  // One predicted picture may take a quarter of a second's bits, or three pictures'.
  const double most =
      key ? std::max(goal_.bits_per_second, 3 * mean) : std::max(goal_.bits_per_second / 4, 3 * mean);
  while (whole < goal_.highest && model.expect(kind, activity, whole) > most)
    ++whole;
  return std::min(whole, std::floor(goal_.highest));
}

void RateController::coded(bool key, double quantizer, double bits) {
  if (goal_.bits_per_second <= 0) return;
  // Who had to take a coarser one goes on from there.
  quantizer_ = std::max(quantizer_, quantizer - 1);
  if (key) {
    debt_ += key_debt_;
    key_debt_ = bits - allowance_;
    instalment_ = key_debt_ / std::max(1.0, goal_.key_interval - 1);
  } else {
    debt_ += bits - allowance_;
    const double paid = std::abs(instalment_) < std::abs(key_debt_) ? instalment_ : key_debt_;
    debt_ += paid;
    key_debt_ -= paid;
  }
  bound_debt();
}

void RateController::skipped() {
  debt_ -= allowance_;
  bound_debt();
}

void RateController::bound_debt() {
  const double much =
      std::max(goal_.bits_per_second, kFewPictures * goal_.bits_per_second * goal_.picture_seconds);
  debt_ = std::clamp(debt_, -much, 4 * much);
}

} // namespace hull::h264
