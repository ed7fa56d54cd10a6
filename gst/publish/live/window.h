#pragma once

// What is on air now, as plain state: tracks are rows of segments, a segment a row of chunks (one moof and
// mdat each, immutable once added), an HLS part a run of whole chunks of one segment. segments.h changes it;
// hls.h, dash.h and objects.h read it.
//
// Segment n of every track covers media time [n, n + 1) x segment_duration, so DASH's $Number$, HLS's media
// sequence number and the file name are one number. Media time 0 is `epoch_utc` on the wall clock:
// availabilityStartTime, PROGRAM-DATE-TIME and prft all come from it.

#include "gst/core/bytes.h"
#include "gst/publish/live/config.h"
#include "gst/publish/presentation.h"

#include <deque>
#include <memory>
#include <string_view>

namespace hull::publish {

using Chunk = std::shared_ptr<const ByteVector>;

struct Part {
  std::size_t first_chunk = 0, chunk_count = 0; ///< in the segment's chunks
  std::int64_t duration = 0;
  bool independent = false;
};

struct LiveSegment {
  std::uint64_t number = 0;
  std::int64_t start = 0, duration = 0; ///< ticks
  std::vector<Chunk> chunks;
  std::vector<Part> parts; ///< closed parts
  Part open;               ///< the chunks after them, which wait for their part to fill
  std::uint64_t bytes = 0;
  bool starts_with_sap = true;
  bool complete = false;
  bool gap = false;           ///< lost input: named in HLS with EXT-X-GAP, absent in DASH
  bool discontinuity = false; ///< an init segment or timeline change stands before it
  std::size_t init = 0;       ///< index of its initialisation segment
};

struct TrackState {
  Track info;
  std::vector<Chunk> inits;
  std::deque<LiveSegment> segments; ///< also those no longer listed but still served
  std::size_t listed_from = 0;      ///< index into segments of the first listed one
  std::uint64_t discontinuities_removed = 0;
  std::uint64_t peak_bandwidth = 0;
  std::uint64_t late_segments = 0; ///< begun without the key unit that was due
  std::int64_t next_start = -1;    ///< where the next chunk must begin
  std::int64_t listed_end = -1;    ///< how far the lists go: less where the last sample waited for the next
  std::int64_t part_target = 0;    ///< ticks; decided with the first chunk, for good
  std::int64_t full_chunk = 0;     ///< ticks of a chunk that nothing cut short
  bool trusts_grid = true;         ///< false once a segment went past its end on the grid
  bool next_is_discontinuity = false;
  bool ended = false;

  /// The segment that chunks are added to now; null between two.
  LiveSegment *open_segment() {
    return segments.empty() || segments.back().complete ? nullptr : &segments.back();
  }
  double seconds(std::int64_t ticks) const { return static_cast<double>(ticks) / info.timescale; }
};

struct LiveStats {
  std::uint64_t chunks = 0, segments = 0, bytes_held = 0;
  std::uint64_t late_segments = 0; ///< begun without the key unit that was due
  std::uint64_t gaps = 0;
};

struct LiveWindow {
  explicit LiveWindow(const LiveConfig &how) : config(how) {}

  const LiveConfig &config; ///< outlives the window
  std::vector<TrackState> tracks;
  std::int64_t epoch_utc = 0; ///< ns since 1970
  /// ns; decided with the first whole segment, for good and for all tracks (HLS-06, HLS-11).
  std::int64_t part_hold_back = 0;
  std::uint64_t version = 0; ///< counts every change that a waiting request could wait for
  LiveStats stats;
};

/// TARGETDURATION.
unsigned target_seconds(const LiveConfig &config);
/// Where segment `number` of a track begins by the grid, in its ticks.
std::int64_t grid(const LiveWindow &window, const TrackState &track, std::uint64_t number);
/// The segment that a chunk at `start` belongs to.
std::uint64_t number_for(const LiveWindow &window, const TrackState &track, std::int64_t start);
std::int64_t utc(const LiveWindow &window, const TrackState &track, std::int64_t ticks);
const TrackState *find_track(const LiveWindow &window, std::string_view id);
const LiveSegment *find_segment(const TrackState &track, std::uint64_t number);
/// Every track has ended and the end closes the manifests.
bool all_ended(const LiveWindow &window);
/// Enough is there for a manifest that names every track.
bool started(const LiveWindow &window);
/// Whether every listed segment begins with a key unit.
bool independent(const TrackState &track);
/// The tracks on air with what was measured of them.
Presentation on_air(const LiveWindow &window);

std::string init_name(const Track &track, std::size_t index);
std::string segment_name(const Track &track, std::uint64_t number);
std::string text_name(const Track &track, std::uint64_t number); ///< of a wvtt track's segment in HLS

/// The answer to a request for a manifest: `status` 0 = wait for the next change of the window.
struct PlaylistReply {
  int status = 0;
  std::string text;
};

} // namespace hull::publish
