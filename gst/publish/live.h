#pragma once

// The live window: what is on air now, by the same bytes for DASH and HLS.
//
// A track is a row of segments, a segment a row of chunks (one moof and mdat each, immutable once added), an
// HLS part a run of whole chunks of one segment. Segment n of every track covers media time [n, n + 1) x
// segment_duration, so DASH's $Number$, HLS's media sequence number and the file name are one number.
// Media time 0 is `epoch_utc` on the wall clock: availabilityStartTime, PROGRAM-DATE-TIME and prft all come
// from it.
//
// Threads: every function may be called from any thread. One mutex, a leaf, held for a lookup or for writing
// one playlist; the observer is called without it.

#include "gst/core/bytes.h"
#include "gst/core/mutex.h"
#include "gst/publish/presentation.h"

#include <deque>
#include <functional>
#include <memory>
#include <optional>

namespace hull::publish {

using Chunk = std::shared_ptr<const ByteVector>;

/// Cameras' times jitter: a chunk or part of pictures may last this share (one 40th) longer than configured,
/// so that five pictures of 25/s still fit into 0.2 s. PART-TARGET counts it in.
constexpr std::int64_t kGraceShare = 40;

enum class PlaylistType { live, event, vod };

struct LiveConfig {
  std::int64_t segment_duration = 2'000'000'000; ///< ns
  std::int64_t chunk_duration = 200'000'000;     ///< ns; longest chunk a muxer may deliver
  std::int64_t part_duration = 200'000'000;      ///< ns; longest part, at least chunk_duration
  std::int64_t dvr_window = 60'000'000'000;      ///< ns that stay listed; at least 3 segments are
  std::int64_t target_latency = 1'000'000'000;   ///< ns, ServiceDescription
  std::int64_t part_hold_back = 0;               ///< ns; 0 = 3 of the longest part
  double playback_rate_min = 0.96, playback_rate_max = 1.04;
  PlaylistType playlist_type = PlaylistType::live;
  bool enable_endlist = true; ///< the end of stream closes the manifests
  bool dash = true, hls = true;
  std::string utc_timing_url = "time"; ///< relative to the MPD, or absolute
  unsigned leap_offset = 37; ///< s, TAI - UTC since 2017 (IERS Bulletin C); 0 = no LeapSecondInformation
  std::function<std::int64_t()> clock; ///< UTC of the stream's clock, ns since 1970; empty = the system's
};

/// What one chunk is; times in ticks of its track.
struct ChunkInfo {
  Chunk bytes;                      ///< [styp] [prft] [emsg] moof mdat
  std::int64_t start = 0;           ///< base media decode time
  std::int64_t duration = 0;        ///< of all its samples
  std::int64_t sample_duration = 0; ///< of its last sample: how near to the grid a segment can end
  bool starts_segment = false;      ///< the muxer began a segment here
  bool ends_segment = false;        ///< the muxer says the next chunk begins one
  bool independent = false;         ///< it holds a sync sample
};

struct Part {
  std::size_t first_chunk = 0, chunk_count = 0; ///< in the segment's chunks
  std::int64_t duration = 0;
  bool independent = false;
  bool gap = false; ///< lost input: there is nothing at its URI
};

struct LiveSegment {
  std::uint64_t number = 0;
  std::int64_t start = 0, duration = 0;
  std::vector<Chunk> chunks;
  std::vector<Part> parts; ///< closed parts; chunks after them wait for their part to fill
  std::uint64_t bytes = 0;
  std::uint64_t open_chunk = 0; ///< first chunk that belongs to no closed part
  std::int64_t open_duration = 0;
  bool open_independent = false;
  bool starts_with_sap = true;
  bool complete = false;
  bool gap = false;           ///< lost input: named in HLS with EXT-X-GAP, absent in DASH
  bool discontinuity = false; ///< an init segment or timeline change stands before it
  std::size_t init = 0;       ///< index of its initialisation segment
};

enum class Found { ready, growing, hold, gone, unknown };

/// An object as it is now: `growing` objects get more chunks later; `hold` ones will exist soon.
struct ObjectView {
  Found found = Found::unknown;
  std::vector<Chunk> chunks;
  std::string content_type;
  std::uint64_t bytes = 0;
};

/// `_HLS_msn`, `_HLS_part` and `_HLS_skip` of a playlist request.
struct PlaylistQuery {
  std::optional<std::uint64_t> msn;
  std::optional<std::uint64_t> part;
  bool skip = false;
};

/// The answer to a playlist request: `status` 0 = wait for the next change of the track.
struct PlaylistReply {
  int status = 0;
  std::string text;
};

/// What happened, for outputs that write or push. Called on the thread that added the chunk, in order.
struct LiveEvent {
  enum class Kind { init, chunk, segment, removed, ended } kind;
  std::size_t track = 0;
  std::string name; ///< of the init segment or segment
  std::uint64_t number = 0;
  Chunk chunk;                ///< kind chunk and init
  double seconds = 0;         ///< duration of the chunk or segment
  std::int64_t start_utc = 0; ///< ns since 1970, of the chunk or segment
};

class Live {
 public:
  explicit Live(LiveConfig config);

  const LiveConfig &config() const { return config_; }
  void observe(std::function<void(const LiveEvent &)> observer) { observer_ = std::move(observer); }

  /// UTC of media time 0 in ns since 1970; set before the first chunk.
  void set_epoch(std::int64_t utc_ns);
  std::int64_t epoch() const;

  /// Adds a track; `track.id` names its folder and playlist and must be unique. Returns its index.
  std::size_t add_track(Track track);
  /// An initialisation segment with what `track` says of it (codecs, size, timescale). A second one that
  /// differs starts a discontinuity.
  void set_init(std::size_t track, Track description, Chunk bytes);
  /// Appends a chunk. `settings`/`state` errors name what the caller broke; the chunk is then not published.
  Result<void> add_chunk(std::size_t track, ChunkInfo chunk);
  /// No more chunks on this track; the last one ends the presentation.
  void end_track(std::size_t track);
  bool ended() const;

  // Texts. `now` is UTC in ns since 1970.
  PlaylistReply multivariant() const;
  PlaylistReply playlist(std::string_view track_id, const PlaylistQuery &query) const;
  PlaylistReply mpd(std::int64_t now) const;
  /// The same without low latency, for web servers that know nothing of growing objects.
  PlaylistReply plain_playlist(std::string_view track_id) const;
  PlaylistReply plain_mpd(std::int64_t now) const;

  /// Initialisation segments, segments and parts by the names the manifests give them; the view leaves the
  /// first `from_chunk` chunks out.
  ObjectView object(std::string_view name, std::size_t from_chunk = 0) const;
  /// UTC by the stream's own clock: what a player shall take for now.
  std::int64_t now() const;
  /// Counts every change that a waiting request could wait for.
  std::uint64_t version() const;

  struct Stats {
    std::uint64_t chunks = 0, segments = 0, bytes_held = 0;
    std::uint64_t late_segments = 0; ///< begun without the key frame that was due
    std::uint64_t gaps = 0;
  };
  Stats stats() const;
  std::vector<Track> tracks() const;

 private:
  struct Row {
    Track info;
    std::vector<Chunk> inits;
    std::deque<LiveSegment> segments; ///< also those no longer listed but still served
    std::size_t listed_from = 0;      ///< index into segments of the first listed one
    std::uint64_t discontinuities_removed = 0;
    std::uint64_t peak_bandwidth = 0;
    std::int64_t next_start = -1; ///< where the next chunk must begin
    std::int64_t part_target = 0; ///< ticks; decided with the first chunk, for good
    bool trusts_grid = true;      ///< false once a segment went past its end on the grid
    bool next_is_discontinuity = false;
    bool ended = false;
  };

  std::int64_t grid(const Row &row, std::uint64_t number) const;
  std::uint64_t number_for(const Row &row, std::int64_t start) const;
  void open_segment(Row &row, const ChunkInfo &chunk, std::vector<LiveEvent> &events, std::size_t index)
      HULL_REQUIRES(mutex_);
  std::int64_t latest_end(const Row &row, std::uint64_t number) const;
  std::int64_t part_target(const Row &row) const;
  std::int64_t one_sample(const Row &row) const;
  void fill_hole(const Row &row, LiveSegment &segment, std::int64_t until) const;
  void close_part(LiveSegment &segment) const;
  void append_parts(Row &row, LiveSegment &segment, const ChunkInfo &chunk) const;
  void complete_segment(Row &row, std::vector<LiveEvent> &events, std::size_t index) HULL_REQUIRES(mutex_);
  void slide(Row &row, std::vector<LiveEvent> &events, std::size_t index) HULL_REQUIRES(mutex_);
  std::string segment_name(const Row &row, std::uint64_t number) const;
  std::string text_name(const Row &row, std::uint64_t number) const; ///< of a wvtt track's segment in HLS
  double seconds(const Row &row, std::int64_t ticks) const;
  std::int64_t utc(const Row &row, std::int64_t ticks) const HULL_REQUIRES(mutex_);
  bool all_ended() const HULL_REQUIRES(mutex_);
  unsigned target_seconds() const;
  std::size_t skippable(const Row &row) const;
  double listed_seconds(const Row &row) const;
  bool independent(const Row &row) const;

  // live_playlist.cpp
  std::string write_playlist(const Row &row, bool skip, bool low_latency) const HULL_REQUIRES(mutex_);
  void write_segment(std::string &out, const Row &row, const LiveSegment &segment, bool with_parts) const
      HULL_REQUIRES(mutex_);
  void write_tail(std::string &out, const Row &row) const HULL_REQUIRES(mutex_);
  bool started() const HULL_REQUIRES(mutex_);
  Presentation on_air() const HULL_REQUIRES(mutex_);
  bool holds(const Row &row, const PlaylistQuery &query) const;
  const Row *find_row(std::string_view id) const HULL_REQUIRES(mutex_);
  // live_mpd.cpp
  std::string write_mpd(std::int64_t now, bool low_latency) const HULL_REQUIRES(mutex_);
  std::string write_adaptation_set(std::size_t id, const std::vector<const Row *> &rows, bool dynamic,
                                   bool low_latency) const HULL_REQUIRES(mutex_);
  std::string write_live_template(const Row &row, bool dynamic, bool low_latency) const HULL_REQUIRES(mutex_);

  const LiveConfig config_;
  std::function<void(const LiveEvent &)> observer_;
  mutable Mutex mutex_; // leaf
  std::vector<Row> rows_ HULL_GUARDED_BY(mutex_);
  std::int64_t epoch_utc_ HULL_GUARDED_BY(mutex_) = 0;
  std::uint64_t version_ HULL_GUARDED_BY(mutex_) = 0;
  Stats stats_ HULL_GUARDED_BY(mutex_);
};

} // namespace hull::publish
