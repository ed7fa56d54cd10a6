#pragma once

#include "gst/tools/report/pictures.h"

namespace hull::tools {

/// OUT/report.html: one file without any reference to the network. Rate-quality chart with hover and a switch
/// between a logarithmic and a linear rate axis, ladder with reasons, cross-overs, savings, authoring checks,
/// VMAF over time of each rung.
Result<void> write_report(const TitleResult &result, const TitleOptions &options,
                          const WorstPictures &pictures);
std::string report_html(const TitleResult &result, const TitleOptions &options,
                        const WorstPictures &pictures);

} // namespace hull::tools
