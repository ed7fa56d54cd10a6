#pragma once

#include "gst/mux/settings.h"
#include "plugins/mp4/mux_waiting.h"

namespace hull {

// Text tracks beside others: cues that overlap become samples that follow each other, and in fragments those
// join the fragments of the other tracks.

/// Text begins where the other tracks of the header do. Alone it begins with its segment, on the fragments'
/// grid, so that muxers of several tracks cut alike.
void begin_text(const std::vector<MuxInput *> &tracks, const mux::MuxSettings &settings,
                mux::Variant variant);

/// Lets the text tracks that join the others take in what concerns the time of `next`. `cut`: what has not
/// come yet is cut off at that sample's end, not waited for.
void join_text(const MuxWaiting::Inputs &inputs, const MuxInput &next, bool cut);

/// Takes in what the text tracks that join others still have.
void finish_joined_text(const MuxWaiting::Inputs &inputs);

} // namespace hull
