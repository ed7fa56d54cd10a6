#pragma once

#include "gst/core/time.h"
#include "gst/isobmff/file/track.h"
#include "gst/mux/picture_order.h"
#include "gst/mux/protector.h"
#include "gst/mux/text_input.h"
#include "gst/mux/timeline.h"
#include "plugins/mp4/mux_pad.h"
#include "plugins/mp4/track_caps.h"

#include <deque>
#include <limits>
#include <memory>
#include <optional>
#include <string>

namespace hull {

/// Running time of a timestamp, negative in front of the segment's start; none where it has no meaning.
std::optional<std::int64_t> running_time(const GstSegment &segment, GstClockTime time);

/// A sample on its way: its place on the track's timeline and its bytes.
struct MuxSample {
  isobmff::Sample sample;
  bool duration_known = false;
  BufferRef buffer;
  std::int64_t running_time = 0;                         ///< presentation, nanoseconds
  std::unique_ptr<isobmff::SampleProtection> protection; ///< of an encrypted sample
};

/// One track as the aggregating thread sees it.
struct MuxInput {
  explicit MuxInput(GstAggregatorPad *from) : pad(PadRef::retain(GST_PAD(from))) {}

  GstAggregatorPad *aggregator_pad() const { return GST_AGGREGATOR_PAD(pad.get()); }
  std::int64_t in_nanoseconds(std::int64_t ticks) const {
    return rescale(ticks, kNanoseconds, config.timescale);
  }

  PadRef pad;
  std::deque<Arrival> arrivals;
  std::optional<TrackCaps> caps;
  isobmff::TrackConfig config;
  std::vector<ByteVector> described; ///< sample entries of config.formats as the caps gave them
  std::optional<mux::Timeline> timeline;
  std::uint32_t format_index = 1; ///< sample_description_index of the samples that come
  std::optional<MuxSample> head;  ///< placed, not yet handed to the output
  std::int64_t head_time = 0;     ///< its decode time in nanoseconds, for the order between tracks
  static constexpr std::int64_t kNotIdle = std::numeric_limits<std::int64_t>::min();
  std::int64_t idle_until = kNotIdle;        ///< running time up to which gaps say that no sample comes
  bool in_file = false;                      ///< the header names this track
  std::size_t index = 0;                     ///< among the tracks of the header
  mux::PictureOrder order;                   ///< of H.264 whose buffers have no PTS
  std::int64_t idr_time = 0;                 ///< decode time of the last IDR picture, nanoseconds
  std::unique_ptr<mux::Protector> protector; ///< of a track that is encrypted
  std::unique_ptr<mux::TextInput> text;      ///< of a text track
  std::string orientation;                   ///< of pictures, as GST_TAG_IMAGE_ORIENTATION says it
  bool released = false;                     ///< the pad has left the element
  bool ended = false;                        ///< EOS came
  bool heard = false;                        ///< a buffer or a gap came
  bool given_up = false;                     ///< nothing came for too long: nobody waits for it
  std::uint64_t dropped = 0; ///< samples before the first sync sample, or that cannot be placed
  std::uint64_t empty = 0;   ///< buffers without bytes
  std::uint64_t samples = 0;
  std::uint64_t placed = 0; ///< samples on the timeline
};

} // namespace hull
