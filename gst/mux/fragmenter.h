#pragma once

#include "gst/isobmff/file/sample.h"

#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

namespace hull::mux {

/// Decides where chunks and fragments end. Pure arithmetic: the caller keeps the samples' bytes in the same
/// order and takes as many as a chunk names.
///
/// A fragment starts at a sync sample of the reference track (the first picture track, else the first track)
/// once its target has passed; a track of sync samples only is cut at the sample nearest to the multiple of
/// the target, so audio stays within half a frame of the pictures however long it runs. A chunk is never
/// longer than its target unless one sample is. A chunk closes as soon as no further sample of the same
/// length would fit, without waiting for that sample.
class Fragmenter {
 public:
  struct Settings {
    std::int64_t fragment_duration = 2'000'000'000; ///< nanoseconds
    std::int64_t chunk_duration = 0;                ///< nanoseconds; 0 = one chunk per fragment
    bool manual = false;                            ///< fragments start only where split() says
    std::optional<std::int64_t> grid_origin;        ///< ns of decode time; none = the first sample
    std::int64_t longest_chunk = 10'000'000'000;    ///< without sync samples, to bound memory
    std::uint64_t largest_chunk = 64u << 20;        ///< bytes, for the same reason
  };
  struct Track {
    std::uint32_t timescale = 1;
    bool all_sync = false; ///< every sample is a sync sample (audio, text)
  };

  Fragmenter(const Settings &settings, std::vector<Track> tracks, std::size_t reference);

  /// The chunk that must leave before `sample` is added, if any. Call before the timeline of other tracks
  /// goes on: its last samples leave with their present duration, so each track named in it must be frozen.
  /// `early`: as Placed says it; fragments start where samples would stand without.
  std::optional<isobmff::Chunk> before(std::size_t track, const isobmff::Sample &sample,
                                       std::int64_t early = 0);

  /// Adds the next sample in decode order of its track and returns the chunk that is complete with it. The
  /// duration of the track's sample before is corrected to reach this one.
  std::optional<isobmff::Chunk> add(std::size_t track, const isobmff::Sample &sample, bool duration_known);

  /// Everything pending, at the end of the stream or where the application wants it out.
  std::optional<isobmff::Chunk> drain();

  /// Start a fragment at the first sync sample of the reference track at or after `time` (ns, decode time).
  void split(std::int64_t time) { splits_.push_back(time); }

  /// Where the next fragment is due, in nanoseconds of decode time; none before the first sample.
  std::optional<std::int64_t> next_boundary() const;

  /// Why the last chunk ended where it did, in words for a log.
  const char *reason() const { return reason_; }

  std::size_t reference() const { return reference_; }
  std::uint64_t pending_bytes() const { return pending_bytes_; }
  std::size_t pending(std::size_t track) const { return pending_[track].size(); }

 private:
  std::int64_t nanoseconds(std::size_t track, std::int64_t ticks) const;
  std::int64_t in_ticks(std::int64_t nanoseconds) const;
  // Null where nothing is due.
  const char *why_fragment(const isobmff::Sample &sample, std::int64_t decode_time) const;
  const char *why_chunk(const isobmff::Sample &next) const;
  isobmff::Chunk take();
  std::optional<isobmff::Chunk> drain_since(const char *reason);
  void begin_fragment(std::int64_t decode_time); // where it would stand

  Settings settings_;
  std::vector<Track> tracks_;
  std::size_t reference_;
  std::vector<std::vector<isobmff::Sample>> pending_;
  std::uint64_t pending_bytes_ = 0;
  std::vector<std::int64_t> splits_;
  bool started_ = false;
  const char *reason_ = "";
  bool fragment_pending_ = true; // the next chunk starts a fragment
  std::int64_t base_ = 0;        // first decode time of the reference track: the grid's zero, ticks
  std::int64_t fragment_start_ = 0;
  std::int64_t next_grid_ = 0; // ticks of the reference track
};

} // namespace hull::mux
