#pragma once

#include "gst/vmaf/frame_matcher.h"
#include "gst/vmaf/scores.h"
#include "plugins/vmaf/scorer.h"

namespace hull {

/// "hull-vmaf-frame": one scored frame of one input.
StructureRef frame_message(const std::string &pad, const vmaf::FrameScore &score, const FrameTimes &times);

/// "hull-vmaf-result": an input's figures at the end.
StructureRef result_message(const std::string &pad, const vmaf::StreamScores &scores,
                            const vmaf::MatchCounts &counts);

} // namespace hull
