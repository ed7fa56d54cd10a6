#pragma once

#include "gst/core/json.h"
#include "gst/tools/title/options.h"
#include "gst/tools/title/title_result.h"

namespace hull::tools {

/// OUT/points.csv and OUT/points.json: every measured point, and the source's facts.
Result<void> write_points(const TitleResult &result, const TitleOptions &options);

/// OUT/ladder.json: rungs with reasons and files, cross-overs, fixed ladder, savings, checks, versions.
Result<void> write_ladder(const TitleResult &result, const TitleOptions &options);
Json ladder_json(const TitleResult &result, const TitleOptions &options);

/// The measured points of an earlier run's folder, scores and all: what the commands that only decide or draw
/// work from. Fails with not_found when nothing was measured there.
Result<TitleResult> load_points(const std::string &folder);

/// load_points, and the ladder of that run with its rungs' scores and facts from the files: what a report
/// needs.
Result<TitleResult> load_result(const std::string &folder);

} // namespace hull::tools
