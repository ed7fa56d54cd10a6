#pragma once

#include "gst/core/result.h"
#include "gst/ladder/curve.h"

#include <limits>
#include <string>
#include <vector>

namespace hull::ladder {

/// What a ladder has to keep. Rates in bit/s, qualities in VMAF.
struct Rules {
  double top_quality = 95; ///< the top rung is the cheapest point that reaches this
  double cap_bps = std::numeric_limits<double>::infinity(); ///< no rung above
  double cap_share = 1;       ///< of the cap that estimates may take, where they were found to be low
  double floor_quality = 40;  ///< no rung below: nobody would watch it
  double floor_bps = 145'000; ///< nor below this rate, Apple's lowest row
  double start_bps =
      500'000;            ///< one rung at or below, so that a player starts quickly, if the title allows it
  double jnd = 6;         ///< least step in quality: one just noticeable difference (Ozer)
  double min_ratio = 1.5; ///< least and usual greatest ratio of neighbouring rates
  double max_ratio = 2.0;
  double tie = 1; ///< a larger picture has to lead by this much
  unsigned max_rungs = 8;
  std::vector<double> targets; ///< when given: one rung per quality instead of the walk down by steps
};

/// A point a rung may use: an integer quantizer of one resolution's curve.
struct Candidate {
  Point point;
  bool measured = false; ///< false: interpolated between measured quantizers
  double loss = 0;       ///< VMAF below the best of all resolutions at this rate
};

struct Rung {
  Point point;
  bool measured = false;
  std::string why; ///< one sentence for the report
};

/// Every integer quantizer of every curve, by rising rate, without those that a smaller picture beats or ties
/// (`tie` VMAF) at the same rate, or that lose more than 3 VMAF against the best.
std::vector<Candidate> candidates(std::span<const Curve> curves, double tie);

/// The frontier: the candidates that nobody beats, by rising rate.
std::vector<Point> frontier(std::span<const Curve> curves);

/// A ladder, highest rung first. The top is the cheapest candidate that reaches top_quality under the cap, or
/// the best one under it; below it a dynamic programme over (rung, candidate) takes steps of at least `jnd`
/// and `min_ratio`, at most `max_ratio` where quality falls fast enough, down to the floors, and never lets
/// the picture grow as the rate falls. No candidate under the cap is an error.
Result<std::vector<Rung>> choose(std::span<const Curve> curves, const Rules &rules);

} // namespace hull::ladder
