#pragma once

#include "gst/core/result.h"
#include "gst/isobmff/timeline.h"
#include "gst/isobmff/track.h"

#include <gst/gst.h>

namespace hull {

/// What a pad's caps say about its track.
struct TrackCaps {
  isobmff::Media media = isobmff::Media::video;
  isobmff::SampleFormat format;
  isobmff::Pacing pacing = isobmff::Pacing::reordered;
  std::uint32_t timescale = 90'000;
  std::uint32_t nominal_duration = 0; ///< ticks of one sample, 0 = unknown
  std::uint32_t priming = 0;          ///< ticks a decoder drops at the start (Opus)
  bool is_h264 = false;
  bool needs_first_sample = false; ///< the codec record is made from the first sample (AC-3)
};

/// Caps the templates of hullmp4mux list.
extern const char kVideoCaps[];
extern const char kAudioCaps[];
extern const char kTextCaps[];

/// Track and sample entry for fixed `caps`. Fails with `unsupported` for caps no entry exists for and with
/// `bad_data` when codec_data is missing or broken; the text says which element to put in front.
Result<TrackCaps> track_from_caps(const GstCaps *caps);

} // namespace hull
