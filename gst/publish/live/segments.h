#pragma once

// What changes the window: initialisation segments and chunks come in, segments begin, end, leave the list
// and then the store. Functions over the state; live.h calls them under its lock.

#include "gst/core/result.h"
#include "gst/publish/live/window.h"

namespace hull::publish {

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

/// What happened, for outputs that write or push. Told on the thread that added the chunk, in order.
struct LiveEvent {
  enum class Kind { init, chunk, segment, removed, ended } kind;
  std::size_t track = 0;
  std::string name; ///< of the init segment or segment
  std::uint64_t number = 0;
  Chunk chunk;                ///< kind chunk and init
  double seconds = 0;         ///< duration of the chunk or segment
  std::int64_t start_utc = 0; ///< ns since 1970, of the chunk or segment
};

/// What a change has led to, as events and in words; told once the window is unlocked.
struct Changes {
  struct Line {
    LogLevel level;
    std::string text;
    Place at;
  };
  std::vector<LiveEvent> events;
  std::vector<Line> lines;
};

/// An initialisation segment with what `description` says of it. A second one that differs starts a
/// discontinuity.
void set_init(LiveWindow &window, std::size_t track, Track description, Chunk bytes, Changes &changes);
/// Appends a chunk. state and bad_data errors name what the caller broke; the chunk is then not published.
Result<void> append_chunk(LiveWindow &window, std::size_t track, ChunkInfo chunk, Changes &changes);
/// No more chunks on this track; the last one ends the presentation.
void end_track(LiveWindow &window, std::size_t track, Changes &changes);

} // namespace hull::publish
