#pragma once

#include "gst/vmaf/result_notes.h"
#include "plugins/vmaf/pad.h"

namespace hull {

vmaf::SourceFacts source_facts(const GstVideoInfo &info, const VmafPadSettings &crop);

/// What makes comparing these two doubtful; empty when nothing does.
std::vector<std::string> doubts_about(const GstVideoInfo &reference, const VmafPadSettings &reference_crop,
                                      const GstVideoInfo &distorted, const VmafPadSettings &crop);

} // namespace hull
