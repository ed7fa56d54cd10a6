#pragma once

#include "gst/mux/settings.h"
#include "plugins/mp4/timecode.h"

namespace hull {

// What is decided once, when the first samples are there: the numbers and the form of the tracks, their keys,
// the room for the movie box.

/// Makes the input track `id` of the file, `index` of its header.
void begin_track(MuxInput &input, std::size_t index, std::uint32_t id, mux::Variant variant);

/// Several tracks of sound, or of text, are alternatives: the first one is played.
void group_alternatives(const std::vector<MuxInput *> &tracks);

/// QuickTime's form of the tracks. unsupported: what QuickTime and AVFoundation do not read.
Result<void> make_quicktime(const std::vector<MuxInput *> &tracks);

/// The track of labels, number `id`, for the first picture track, which learns that; null where none is
/// wanted.
Result<std::unique_ptr<mux::TimecodeTrack>> make_timecode(const std::vector<MuxInput *> &tracks,
                                                          const std::string &label, std::uint32_t id);

/// Gives a track of pictures or sound its key, from who answers the signal, else from the properties.
Result<void> protect(GstElement *element, MuxInput &input, const mux::MuxSettings &settings);

/// Longest duration that upstream knows, nanoseconds; 0: nobody does.
std::uint64_t upstream_duration(const std::vector<MuxInput *> &inputs);

/// Bytes that the movie box of these tracks takes after `duration` nanoseconds, at most.
std::uint64_t movie_size(const std::vector<MuxInput *> &inputs, std::uint64_t duration,
                         std::uint64_t interleave_time);

} // namespace hull
