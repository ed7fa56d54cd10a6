#pragma once

#include "gst/tools/title/decision.h"
#include "gst/tools/title/search.h"

namespace hull::tools {

/// A ladder that was chosen from a title's points, and what it was chosen under.
struct Choice {
  Decision decision;
  double cap_bps = 0; ///< no rung was to be above
  /// Of all sizes, when every shot has a quantizer of its own, with the curves through them; else empty.
  std::vector<ladder::ShotPlan> plans;
  std::vector<ladder::Curve> plan_curves;
};

/// Decides from `points`; with --shots, among plans made of their slices.
Result<Choice> choose(const CutTitle &title, const Points &points, const TitleOptions &options);

/// Decides anew under `rules`: from points that are better known by now, or among the same plans.
Result<Choice> choose_again(const Choice &before, const CutTitle &title, const Points &points,
                            const TitleOptions &options, const ladder::Rules &rules);

} // namespace hull::tools
