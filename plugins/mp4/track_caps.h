#pragma once

#include "gst/core/result.h"
#include "gst/isobmff/file/track.h"
#include "gst/mux/text_input.h"
#include "gst/mux/timeline.h"

#include <optional>

#include <gst/gst.h>

namespace hull {

/// What a pad's caps say about its track.
struct TrackCaps {
  isobmff::Media media = isobmff::Media::video;
  isobmff::SampleFormat format;
  mux::Pacing pacing = mux::Pacing::reordered;
  std::uint32_t timescale = 90'000;
  std::uint32_t nominal_duration = 0;                                 ///< ticks of one sample, 0 = unknown
  std::uint32_t frame_rate_numerator = 0, frame_rate_denominator = 1; ///< of pictures, 0 = unknown
  std::uint32_t priming = 0; ///< ticks a decoder drops at the start (Opus)
  bool is_h264 = false, is_mp3 = false;
  std::optional<mux::TextForm> text;
};

/// Caps the templates of hullmp4mux list.
extern const char kVideoCaps[];
extern const char kAudioCaps[];
extern const char kTextCaps[];

/// Whether nothing in the caps contradicts the templates, although fields that they ask for may be missing.
bool is_known_media(const GstCaps *caps);

/// Track and sample entry for fixed `caps`. Fails with `unsupported` for caps no entry exists for and with
/// `bad_data` when codec_data is missing or broken; the text says which element to put in front.
Result<TrackCaps> track_from_caps(const GstCaps *caps);

/// The entry of a QuickTime file for a format whose samples it takes.
void adapt_to_quicktime(const TrackCaps &track, isobmff::SampleFormat &format);

/// Adds the codec record of formats whose caps have none (AC-3, E-AC-3, AV1 of older GStreamer); all others
/// are left alone.
Result<void> complete_from_sample(isobmff::SampleFormat &format, Bytes sample);

} // namespace hull
