#pragma once

#include "gst/ladder/checks.h"
#include "gst/tools/media/package.h"
#include "gst/tools/media/scan.h"
#include "gst/tools/title/decision.h"

#include <vector>

namespace hull::tools {

/// One rung as it was encoded, verified and packaged.
struct FinalRung {
  ladder::Rung rung;
  RenditionResult result; ///< with its scores
  ladder::RungFacts facts;
};

/// All that is known of a title in the end: what reports and manifests are made of. The folder holds the
/// same.
struct TitleResult {
  Source source;
  Scan scan;
  std::vector<RenditionResult> measured; ///< points, sorted by size and quantizer
  Decision decision;
  std::vector<FinalRung> rungs; ///< highest rate first; empty when only analyzed
  Package package;
  std::vector<ladder::Check> checks;
  unsigned encodes = 0; ///< points encoded or taken from the cache to find the ladder
};

} // namespace hull::tools
