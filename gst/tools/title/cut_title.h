#pragma once

#include "gst/tools/media/scan.h"
#include "gst/tools/title/options.h"
#include "gst/tools/title/work_units.h"

#include <vector>

namespace hull::tools {

/// A title whose length, clock and shots are known, cut into what is measured and encoded by itself.
struct CutTitle {
  Source source; ///< with what the scan found
  Scan scan;
  std::vector<WorkUnit> units;   ///< the whole title
  std::vector<WorkUnit> samples; ///< what the search measures; of most titles all
  unsigned subsample = 1;        ///< the search scores every so many-th picture
  bool is_sampled = false;       ///< `samples` leave pictures out

  /// Every picture of the title was encoded and scored.
  bool has_whole(const RenditionResult &result) const {
    return result.pictures == source.frames && result.scored.empty();
  }
};

CutTitle cut_title(const Source &source, const Scan &scan, const TitleOptions &options);

} // namespace hull::tools
