#pragma once

#include "gst/tools/title/engine.h"
#include "gst/tools/title/options.h"
#include "gst/tools/title/outcome.h"
#include "gst/tools/title/title_result.h"

#include <atomic>
#include <functional>

namespace hull::tools {

/// How a run ends. Whatever it is, finished tasks are in OUT/cache, so the next run loses only the tasks this
/// one was in.
using Run = std::variant<TitleResult, Stopped, Listed, Error>;

/// Probe, scan, search and choose: the measured points are written, and no rung is encoded.
Run analyze_title(const TitleOptions &options, Engine &engine, const std::atomic<int> &stop);

/// Writes what a person reads of a title into the folder `options.out`.
using Report = std::function<Result<void>(const TitleResult &, const TitleOptions &options)>;

/// As analyze_title(), then the rungs are encoded, verified and published. The result of an earlier run is
/// replaced only by a whole new one: ladder.json is written last, after `report`, so where it is, all of the
/// title is.
Run make_title(const TitleOptions &options, Engine &engine, const std::atomic<int> &stop,
               const Report &report);

} // namespace hull::tools
