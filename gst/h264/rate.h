#pragma once

#include "gst/h264/activity.h"

#include <array>
#include <cstdint>

namespace hull::h264 {

/// The bucket of an HRD that receives bits at up to `rate` until it is full and gives each picture's at once
/// when that is decoded (Annex C, cbr_flag 0). Counted from full.
class LeakyBucket {
 public:
  /// Bits per second and bits; a rate of 0 means that there is no bucket. What is in it keeps its share.
  void set(double rate, double size);
  bool exists() const { return rate_ > 0; }
  double rate() const { return rate_; }
  double size() const { return size_; }
  double level() const { return level_; } ///< bits that may be taken now; below 0 after an overrun
  void fill() { level_ = size_; }
  void wait(double seconds);
  void take(double bits);

 private:
  double rate_ = 0, size_ = 0, level_ = 0;
};

/// What kind of picture is coded: key pictures, and predicted ones of a temporal layer.
enum class PictureKind : std::uint8_t { key, layer0, layer1, layer2, layer3 };

/// Expects the size of a picture from its activity and quantizer, by what came of earlier ones.
class SizeModel {
 public:
  double expect(PictureKind kind, const Activity &activity, double quantizer) const; ///< bits
  void learn(PictureKind kind, const Activity &activity, double quantizer, double bits);
  /// As expect(), of a predicted picture like the last ones, once there were any.
  double expect_usual(double quantizer) const;
  bool has_usual() const { return usual_count_ > 0; }

 private:
  /// Bits that came for bits that could have come at most, over the last pictures: a mean of sums, so that
  /// what is expected is right in the mean.
  class Gain {
   public:
    explicit Gain(double value = 1) : bits_(value), bound_(1) {}
    void follow(double bits, double bound, double share);
    double value() const;

   private:
    double bits_, bound_;
  };
  double gain(PictureKind kind, const Activity &activity) const;
  static double bound(PictureKind kind, const Activity &activity, double quantizer);
  std::array<Gain, 5> gain_{Gain(0.5), Gain(0.35), Gain(0.35), Gain(0.35), Gain(0.35)};
  std::array<unsigned, 5> count_{}; // pictures of each kind so far
  Gain usual_gain_;                 // of predicted pictures, whatever their layer
  BlockHistogram usual_;            // theirs, over the last half second or so
  double usual_unpredicted_ = 0;
  unsigned usual_count_ = 0;
};

/// What a stream is steered to.
struct RateGoal {
  double bits_per_second = 0; ///< 0: the constant quantizer
  double picture_seconds = 1.0 / 30;
  double key_interval = 60; ///< pictures
  double horizon = 2;       ///< seconds in which what was spent too much or too little is made up for
  double constant = 26;
  double lowest = 0, highest = 51; ///< quantizers
};

/// Chooses quantizers, whole ones, so that the average holds over the horizon and neighbours differ little.
class RateController {
 public:
  /// A new bitrate begins without debts.
  void aim(const RateGoal &goal);
  const RateGoal &goal() const { return goal_; }
  /// Quantizer for the next picture, which comes `seconds` after the one before.
  double choose(PictureKind kind, const Activity &activity, const SizeModel &model, double seconds);
  /// What became of it; `quantizer` is the one that was used in the end.
  void coded(bool key, double quantizer, double bits);
  /// It was left out.
  void skipped();
  /// What was spent beyond the goal, in seconds of it.
  double debt_seconds() const { return goal_.bits_per_second > 0 ? debt_ / goal_.bits_per_second : 0; }

 private:
  double expected_mean(const Activity &activity, const SizeModel &model, double quantizer) const;
  double solve(const Activity &activity, const SizeModel &model, double bits) const;
  void bound_debt();
  RateGoal goal_;
  double debt_ = 0;       // bits spent beyond the goal
  double key_debt_ = 0;   // of the last key picture: those that follow pay it in instalments
  double instalment_ = 0; // of each of them
  double allowance_ = 0;  // bits that the time before this picture brought
  unsigned pictures_ = 0; // since this goal
  double quantizer_ = -1; // of predicted pictures, before rounding
  double rounding_ = 0;   // what rounding has left out so far
};

} // namespace hull::h264
