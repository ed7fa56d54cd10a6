#include "gst/publish/live/live.h"

#include "gst/publish/live/dash.h"
#include "gst/publish/utc.h"

namespace hull::publish {

Live::Live(LiveConfig config) : config_(checked(std::move(config))), window_(config_) {}

void Live::tell(const Changes &changes) const {
  for (const Changes::Line &line : changes.lines)
    config_.log.write(line.level, line.text, line.at);
  if (!observer_) return;
  for (const LiveEvent &event : changes.events)
    observer_(event);
}

void Live::set_epoch(std::int64_t utc_ns) {
  const Lock lock(mutex_);
  window_.epoch_utc = utc_ns / 1'000'000 * 1'000'000; // what the manifests can say exactly
}

std::int64_t Live::epoch() const {
  const Lock lock(mutex_);
  return window_.epoch_utc;
}

std::size_t Live::add_track(Track track) {
  const Lock lock(mutex_);
  window_.tracks.emplace_back().info = std::move(track);
  ++window_.version;
  return window_.tracks.size() - 1;
}

void Live::set_init(std::size_t track, Track description, Chunk bytes) {
  Changes changes;
  {
    const Lock lock(mutex_);
    publish::set_init(window_, track, std::move(description), std::move(bytes), changes);
  }
  tell(changes);
}

Result<void> Live::add_chunk(std::size_t track, ChunkInfo chunk) {
  Changes changes;
  Result<void> added;
  {
    const Lock lock(mutex_);
    added = append_chunk(window_, track, std::move(chunk), changes);
  }
  tell(changes);
  return added;
}

void Live::end_track(std::size_t track) {
  Changes changes;
  {
    const Lock lock(mutex_);
    publish::end_track(window_, track, changes);
  }
  tell(changes);
}

bool Live::ended() const {
  const Lock lock(mutex_);
  return all_ended(window_);
}

std::uint64_t Live::version() const {
  const Lock lock(mutex_);
  return window_.version;
}

Live::Stats Live::stats() const {
  const Lock lock(mutex_);
  return window_.stats;
}

std::uint64_t Live::late_segments(std::size_t track) const {
  const Lock lock(mutex_);
  return window_.tracks.at(track).late_segments;
}

std::vector<Track> Live::tracks() const {
  const Lock lock(mutex_);
  std::vector<Track> all;
  for (const TrackState &track : window_.tracks)
    all.push_back(track.info);
  return all;
}

std::int64_t Live::now() const {
  return config_.clock ? config_.clock() : utc_now();
}

ObjectView Live::object(std::string_view name, std::size_t from_chunk) const {
  const Lock lock(mutex_);
  return find_object(window_, name, from_chunk);
}

PlaylistReply Live::multivariant() const {
  const Lock lock(mutex_);
  return live_multivariant(window_);
}

PlaylistReply Live::playlist(std::string_view track_id, const PlaylistQuery &query) const {
  const Lock lock(mutex_);
  return live_playlist(window_, track_id, query);
}

PlaylistReply Live::plain_playlist(std::string_view track_id) const {
  const Lock lock(mutex_);
  return live_plain_playlist(window_, track_id);
}

PlaylistReply Live::mpd(std::int64_t now) const {
  const Lock lock(mutex_);
  return live_mpd(window_, now, Latency::low);
}

PlaylistReply Live::plain_mpd(std::int64_t now) const {
  const Lock lock(mutex_);
  return live_mpd(window_, now, Latency::plain);
}

} // namespace hull::publish
