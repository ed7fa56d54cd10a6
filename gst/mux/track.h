#pragma once

#include "gst/core/log.h"
#include "gst/core/time.h"
#include "gst/isobmff/file/track.h"
#include "gst/mux/payload.h"
#include "gst/mux/protector.h"
#include "gst/mux/text_input.h"
#include "gst/mux/timeline.h"

#include <memory>
#include <optional>

namespace hull::mux {

/// A sample on its way: its place on the track's timeline and its bytes.
struct MuxSample {
  isobmff::Sample sample;
  bool duration_known = false;
  std::int64_t early = 0; ///< Placed::early
  Payload payload;
  ByteVector bytes;                                      ///< where there is no payload: text
  std::int64_t running_time = 0;                         ///< presentation, nanoseconds
  std::unique_ptr<isobmff::SampleProtection> protection; ///< of an encrypted sample
};

/// One track of a file that is being written.
struct Track {
  isobmff::TrackConfig config;
  std::optional<Timeline> timeline;
  std::uint32_t nominal_duration = 0;   ///< ticks of one sample, 0 = unknown
  std::uint32_t format_index = 1;       ///< sample_description_index of the samples that come
  std::size_t index = 0;                ///< among the tracks of the header
  std::optional<MuxSample> head;        ///< the next sample, as far as it is there
  std::unique_ptr<Protector> protector; ///< where the track is encrypted
  std::unique_ptr<TextInput> text;      ///< where it is text
  LogSink log;

  std::int64_t in_nanoseconds(std::int64_t ticks) const {
    return rescale(ticks, kNanoseconds, config.timescale);
  }
};

/// A text sample as the outputs take it.
inline MuxSample sample_of(const Track &track, TextSample text) {
  MuxSample made;
  made.sample = {text.start, text.duration, 0, static_cast<std::uint32_t>(text.data.size()), true, false};
  made.duration_known = true;
  made.running_time = track.in_nanoseconds(text.start);
  made.bytes = std::move(text.data);
  return made;
}

} // namespace hull::mux
