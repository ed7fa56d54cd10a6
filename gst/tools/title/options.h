#pragma once

#include "gst/ladder/choose.h"
#include "gst/ladder/fixed.h"
#include "gst/tools/support/progress.h"
#include "gst/tools/title/rendition_result.h"

#include <string>
#include <vector>

namespace hull::tools {

struct TitleOptions {
  std::string file, out;
  std::vector<unsigned> heights; ///< empty = the standard ones
  std::vector<int> qps;          ///< empty = search in rounds; else measure these at every size
  bool quick = false;        ///< fewer encodes, every fifth picture scored; the rungs are verified in full
  bool shots = false;        ///< a quantizer per shot, by equal slope
  double budget_seconds = 0; ///< 0 = none; what the search may take, its rungs included
  ladder::Rules rules;       ///< cap_bps infinite = usual_cap()
  std::string model = "vmaf_v0.6.1";
  Pool pool = Pool::mean;
  std::vector<ladder::FixedRow> against; ///< empty = Apple's rows
  std::string against_name = "Apple's ladder";
  Progress::Style style = Progress::Style::automatic;
};

} // namespace hull::tools
