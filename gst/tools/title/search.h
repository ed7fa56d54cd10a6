#pragma once

#include "gst/tools/title/task_runner.h"
#include "gst/tools/title/work_estimate.h"

namespace hull::tools {

/// Measured points of a title, sorted by size and quantizer.
using Points = std::vector<RenditionResult>;

const RenditionResult *find(const Points &points, const ladder::Resolution &res, int qp);
void sort(Points &points);

/// What a search has found.
struct SearchResult {
  Points points;
  unsigned encodes = 0; ///< asked for, in the cache already or not
};

/// Measures what the options name or, where they name nothing, as much in two rounds as a ladder needs.
Step<SearchResult> search(const TitleContext &context, TaskRunner &runner, const CutTitle &title,
                          const WorkEstimate &estimate);

} // namespace hull::tools
