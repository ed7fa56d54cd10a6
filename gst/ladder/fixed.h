#pragma once

#include "gst/ladder/bdrate.h"
#include "gst/ladder/curve.h"

#include <span>
#include <string>
#include <vector>

namespace hull::ladder {

/// A row of a fixed ladder: a rate and the picture height it prescribes.
struct FixedRow {
  double bps = 0;
  unsigned height = 0;
};

/// The H.264 rows of Apple's HLS Authoring Specification for Apple Devices, 16:9, average rates.
std::span<const FixedRow> apple_rows();

/// Apple's row rate for a source of this height: what a fixed ladder's top rung would spend on it. Above
/// 1080 lines it grows with the 0.75th power of the area.
double apple_top_bps(unsigned height);

/// How a fixed row fares on this title.
struct FixedResult {
  FixedRow row;
  Resolution res;         ///< the measured resolution nearest to the row's height
  double quality = 0;     ///< VMAF the row gets; of its best measured point where the rate is above the range
  bool reachable = false; ///< false: the title cannot be coded this small at this picture size
  bool past_range = false; ///< the rate is above everything measured, so `quality` is a lower bound
  double needed_bps = 0;   ///< cheapest frontier rate with at least this quality, 0 if unreachable
};

/// Each row of a fixed ladder up to the source's height, against the measured curves; rows of larger pictures
/// are left out, which may leave none.
std::vector<FixedResult> compare_fixed(std::span<const Curve> curves, std::span<const FixedRow> rows);

struct Saving {
  double rate_percent = 0;    ///< mean over the reachable rows of (needed / row - 1) * 100
  double storage_percent = 0; ///< sum of our rungs against the sum of the rows
  double fixed_bps = 0;       ///< sums
  double ladder_bps = 0;
  std::string note;    ///< why there is nothing to compare with, else empty
  std::string bd_note; ///< why there is no BD-rate, else empty
  BdRate bd;           ///< of the frontier against the fixed rows' points
};

Saving savings(std::span<const FixedResult> fixed, std::span<const Point> frontier,
               std::span<const Point> ladder);

} // namespace hull::ladder
