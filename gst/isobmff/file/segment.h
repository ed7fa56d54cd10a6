#pragma once

// Boxes that stand in front of a moof: styp, prft, and the random access index behind the last fragment.

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/tree.h"

namespace hull::isobmff {

/// Where in its segment the chunk stands that a styp announces; here a segment is one fragment.
struct SegmentPlace {
  bool starts_fragment = true;
  bool ends_fragment = false; ///< the chunk is a fragment's only one
  bool last = false;          ///< nothing follows: brand lmsg
  bool cmaf = false;          ///< brands cmfs, cmff, cmfl as they apply
};

/// styp, ISO/IEC 23009-1 6.3.4.2 and CMAF 7.3.1: msdh always, lmsg on the last one.
Node segment_type_box(const SegmentPlace &place);

/// NTP timestamp (seconds since 1900 in 32.32) of nanoseconds since 1970-01-01 UTC, 0 before 1900.
std::uint64_t ntp_of_unix(std::int64_t nanoseconds);

/// What the wall clock of a prft was read at, ISO/IEC 14496-12 8.16.5 flags.
enum class ClockMoment : std::uint32_t {
  encoder_input = 0,
  encoder_output = 1,
  moof_finished = 2,
  constant_offset = 8, ///< somewhere before the encoder, always at the same distance
};

/// prft: the wall clock at presentation time `media_time` (ticks) of the track.
Node producer_reference_time_box(std::uint32_t track_id, std::uint64_t ntp, std::uint64_t media_time,
                                 ClockMoment moment);

/// Where one fragment starts, as tfra lists it.
struct RandomAccess {
  std::uint64_t time = 0;        ///< presentation time of the first sample, ticks
  std::uint64_t moof_offset = 0; ///< from the file's start
};

/// mfra of one track, its mfro with the box's size as last 4 bytes, as readers look for it from the end.
Result<ByteVector> random_access_box(std::uint32_t track_id, std::span<const RandomAccess> places);

} // namespace hull::isobmff
