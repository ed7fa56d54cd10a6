#pragma once

#include "gst/tools/title/title.h"

#include <string>

namespace hull::tools {

/// The rate-quality chart as SVG: a line per resolution through its interpolated curve, every measured point,
/// the hull as a broad band, the frontier as a thin dark line, chosen rungs ringed and numbered, cross-overs
/// as dashed marks and the fixed ladder as grey crosses. Points carry data-tip for the page's hover and
/// <title> for everyone else. Numbers are printed with fixed decimals, so equal data gives equal text.
std::string chart_svg(const TitleResult &result, bool log_rate);

/// VMAF of one rung over time, `floor` to 100, as a strip: the lowest score of each of at most 600 spans of
/// pictures, with shot starts marked.
std::string timeline_svg(const FinalRung &rung, const std::vector<std::uint64_t> &shots, double floor);

/// A row per rung, a block per shot, the darker the higher its VMAF; rate and VMAF in the hover.
std::string shots_svg(const TitleResult &result);

/// Colour of the n-th resolution, told apart also by people who do not see red or green (Okabe and Ito).
const char *colour_of(std::size_t n);

} // namespace hull::tools
