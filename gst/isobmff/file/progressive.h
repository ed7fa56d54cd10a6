#pragma once

#include "gst/isobmff/file/sample_table.h"
#include "gst/isobmff/file/track.h"

namespace hull::isobmff {

/// A track of an unfragmented file with everything its trak needs.
struct ProgressiveTrack {
  TrackConfig config; ///< priming and delay become its edit list
  const SampleTable *table = nullptr;
  std::int64_t reorder_shift = 0; ///< ticks added to composition offsets so that none is negative
};

/// How a track's media lie in the movie.
struct TrackEdit {
  std::uint32_t timescale = 1;
  std::int64_t priming = 0;       ///< ticks not shown at the start
  std::int64_t reorder_shift = 0; ///< ticks added to composition offsets
  std::int64_t composed = 0;      ///< ticks that the offsets hold already
  std::int64_t delay = 0;         ///< movie ticks before the first sample is shown
};

/// Gives a trak its durations, edit list and sample tables; stbl keeps stsd only. Returns the track's
/// duration in movie ticks.
std::uint64_t complete_track(Node &trak, const SampleTable &table, const TrackEdit &edit,
                             std::uint32_t movie_timescale, std::int64_t shift, bool wide);

/// What is known of a track before it is written.
struct ExpectedTrack {
  double samples_per_second = 0;
  bool pictures = false;
};

/// Bytes that the moov of a file of `duration` nanoseconds will hardly exceed, for room kept in front of the
/// media: 4 bytes a sample for its size, 8 more for a picture's place among reordered ones, 4 a second for
/// its sync samples, 24 for each chunk of `interleave` nanoseconds, a quarter on top, and 8 KiB for all the
/// rest.
std::uint64_t expected_movie_size(std::span<const ExpectedTrack> tracks, std::uint64_t duration,
                                  std::uint64_t interleave);

/// moov of an unfragmented file, its chunk offsets moved by `shift` bytes. Movie times are in units of
/// movie_timescale().
/// `ISO/IEC 14496-12` 8.2.1; the edit list starts the media at its priming plus the reordering, after an
/// empty edit as long as the track's delay.
Node progressive_movie_box(const std::vector<ProgressiveTrack> &tracks, const InitOptions &options,
                           std::int64_t shift);

} // namespace hull::isobmff
