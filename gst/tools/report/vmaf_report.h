#pragma once

#include "gst/core/json.h"
#include "gst/core/result.h"

#include <cstdint>
#include <string>
#include <vector>

#include <gst/gst.h>

namespace hull::tools {

/// One distorted file with hullvmafsink's result.
struct ScoredFile {
  std::string path;
  Json result;
};

/// Pooled figures of each file as a table for a terminal.
std::string score_table(const std::vector<ScoredFile> &files);

/// Where a scored frame is: its number, and its time where frames are paired by time.
struct FrameTime {
  std::uint64_t index = 0;
  GstClockTime pts = GST_CLOCK_TIME_NONE;
};

/// One file without any reference to the network: a table, the curve of every file over time with hover, and
/// each file's three worst frames beside the reference as pictures. `times[i]` belongs to frame number i.
Result<std::string> score_html(const std::string &reference, const std::vector<ScoredFile> &files,
                               const std::vector<FrameTime> &times);

} // namespace hull::tools
