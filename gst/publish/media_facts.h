#pragma once

// What manifests need to know of initialisation segments and fragments, read from their boxes.

#include "gst/isobmff/boxes/tree.h"
#include "gst/publish/presentation.h"

namespace hull::publish {

/// trex: what tfhd and trun may leave out.
struct SampleDefaults {
  std::uint32_t duration = 0;
  std::uint32_t flags = 0;
};

struct InitFacts {
  Track track; ///< kind, codecs, sizes, language, timescale, track_id
  SampleDefaults defaults;
};

/// Reads a moov with one track. bad_data where a box is missing or broken, unsupported for several tracks and
/// for media other than video, audio and text.
Result<InitFacts> read_movie(const isobmff::Node &moov);
/// The same from an initialisation segment's bytes.
Result<InitFacts> read_init(Bytes init);

/// A moof's first track fragment, in ticks of its track.
struct FragmentFacts {
  std::int64_t decode_time = 0;
  std::int64_t duration = 0;
  std::int64_t first_presentation = 0; ///< earliest
  std::int64_t end_presentation = 0;   ///< end of the sample shown last
  std::uint32_t first_sample_duration = 0, last_sample_duration = 0;
  std::uint64_t samples = 0;
  bool starts_with_sync = false;
  bool has_sync = false;
  bool constant_duration = true;
};

/// bad_data where tfhd or tfdt is missing, or times overflow.
Result<FragmentFacts> read_fragment(const isobmff::Node &moof, const SampleDefaults &defaults);

/// RFC 6381 codecs parameter of a sample entry (child of stsd): "avc1.64001f". Empty when its configuration
/// is missing or broken.
std::string codec_string(const isobmff::Node &sample_entry);

} // namespace hull::publish
