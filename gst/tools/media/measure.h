#pragma once

#include "gst/ladder/point.h"
#include "gst/tools/media/decoded_source.h"

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace hull::tools {

/// From this picture on, this quantizer.
struct QpChange {
  std::uint64_t picture = 0;
  int qp = 0;
};

/// One encode of a title.
struct Rendition {
  ladder::Resolution res;
  int qp = 0;
  std::vector<QpChange> schedule; ///< per shot, counted from the window; empty = `qp` throughout
  bool score = true;
  std::string media; ///< CMAF track file to write; empty = only measured
};

/// What an encode cost and what it is worth, picture by picture in the order of time.
struct Measured {
  std::vector<std::uint32_t> sizes; ///< bytes of each access unit
  std::vector<bool> keys;
  std::vector<double> vmaf; ///< empty when not scored
  std::string media_file;
};

struct Measurement {
  std::uint64_t pictures = 0;
  double seconds = 0;               ///< of the pictures measured
  std::vector<Measured> renditions; ///< in the order asked for
};

struct MeasureJob {
  Source source;
  Window window; ///< what is measured; without a count the whole title
  /// Pictures around the window that are encoded and scored, too, but not reported: motion looks one picture
  /// back and one ahead, so a window measured with them scores as it does inside the whole. `lead` is a
  /// multiple of `subsample`.
  unsigned lead = 0, tail = 0;
  std::vector<Rendition> renditions;
  std::vector<std::uint64_t> key_pictures; ///< exact places of IDR pictures, counted from the window
  std::string model = "vmaf_v0.6.1";
  unsigned subsample = 1; ///< score every n-th picture
  bool reread = true;     ///< where seeking misses the window, read the source from its start
};

/// Encodes and scores all renditions from one decode: the pictures are scaled once per size and the
/// reference's part of VMAF is worked out once. Queues hold a few pictures each, so memory does not grow with
/// the title. `progress` is told the number of pictures decoded. Fails with what the pipeline says, with
/// ErrorCode::stopped when `stop` is set, and when the renditions do not have as many pictures as the source
/// or the window.
Result<Measurement> measure(const MeasureJob &job, const std::atomic<int> &stop,
                            const std::function<void(std::uint64_t)> &progress = {});

} // namespace hull::tools
