#pragma once

// The live presentation for many threads: one window behind one lock, and an observer that hears of changes.
//
// Every function may be called from any thread. The mutex is a leaf, held for a lookup or for writing one
// playlist; the observer is called without it.

#include "gst/core/mutex.h"
#include "gst/publish/live/hls.h"
#include "gst/publish/live/objects.h"
#include "gst/publish/live/segments.h"

#include <functional>

namespace hull::publish {

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
  /// What changes the track's segments: see segments.h.
  void set_init(std::size_t track, Track description, Chunk bytes);
  Result<void> add_chunk(std::size_t track, ChunkInfo chunk);
  void end_track(std::size_t track);
  bool ended() const;

  // Texts. `now` is UTC in ns since 1970.
  PlaylistReply multivariant() const;
  PlaylistReply playlist(std::string_view track_id, const PlaylistQuery &query) const;
  PlaylistReply mpd(std::int64_t now) const;
  /// The same without low latency, for web servers that know nothing of growing objects.
  PlaylistReply plain_playlist(std::string_view track_id) const;
  PlaylistReply plain_mpd(std::int64_t now) const;

  ObjectView object(std::string_view name, std::size_t from_chunk = 0) const;
  /// UTC by the stream's own clock: what a player shall take for now.
  std::int64_t now() const;
  /// Counts every change that a waiting request could wait for.
  std::uint64_t version() const;

  using Stats = LiveStats;
  Stats stats() const;
  std::uint64_t late_segments(std::size_t track) const;
  std::vector<Track> tracks() const;

 private:
  void tell(const Changes &changes) const;

  const LiveConfig config_;
  std::function<void(const LiveEvent &)> observer_;
  mutable Mutex mutex_; // leaf
  LiveWindow window_ HULL_GUARDED_BY(mutex_);
};

} // namespace hull::publish
