#include "gst/publish/live/window.h"

#include "gst/core/time.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::publish {

LiveConfig checked(LiveConfig config) {
  config.segment_duration = std::max<std::int64_t>(config.segment_duration, 100'000'000);
  config.chunk_duration = std::clamp<std::int64_t>(config.chunk_duration, 1'000'000, config.segment_duration);
  config.part_duration =
      std::clamp<std::int64_t>(config.part_duration, config.chunk_duration, config.segment_duration);
  return config;
}

unsigned target_seconds(const LiveConfig &config) {
  const double seconds = static_cast<double>(config.segment_duration) / kNanoseconds;
  return std::max(1u, static_cast<unsigned>(std::lround(seconds)));
}

std::int64_t grid(const LiveWindow &window, const TrackState &track, std::uint64_t number) {
  const auto ns = static_cast<Int128>(number) * window.config.segment_duration;
  return static_cast<std::int64_t>((ns * track.info.timescale + kNanoseconds / 2) / kNanoseconds);
}

// A quarter of a segment early still counts as the next one: audio is cut at the frame nearest to the grid,
// and DASH allows half a segment (DSH-25).
std::uint64_t number_for(const LiveWindow &window, const TrackState &track, std::int64_t start) {
  const std::int64_t duration = grid(window, track, 1);
  return static_cast<std::uint64_t>(std::max<std::int64_t>(0, start + duration / 4) / duration);
}

std::int64_t utc(const LiveWindow &window, const TrackState &track, std::int64_t ticks) {
  return window.epoch_utc + rescale(ticks, kNanoseconds, track.info.timescale);
}

const TrackState *find_track(const LiveWindow &window, std::string_view id) {
  for (const TrackState &track : window.tracks)
    if (track.info.id == id) return &track;
  return nullptr;
}

const LiveSegment *find_segment(const TrackState &track, std::uint64_t number) {
  const auto found = std::lower_bound(track.segments.begin(), track.segments.end(), number,
                                      [](const LiveSegment &s, std::uint64_t n) { return s.number < n; });
  return found != track.segments.end() && found->number == number ? &*found : nullptr;
}

bool all_ended(const LiveWindow &window) {
  return window.config.enable_endlist && !window.tracks.empty() &&
         std::all_of(window.tracks.begin(), window.tracks.end(),
                     [](const TrackState &track) { return track.ended; });
}

// Tracks without a picture or sound yet keep everyone waiting only until the others have two segments.
bool started(const LiveWindow &window) {
  bool all = !window.tracks.empty(), some = false;
  for (const TrackState &track : window.tracks) {
    if (track.info.kind == Kind::text && window.tracks.size() > 1 && track.inits.empty())
      continue; // nothing was said yet
    all = all && !track.segments.empty();
    some = some || track.segments.size() > 2;
  }
  return all || some;
}

bool independent(const TrackState &track) {
  return std::all_of(track.segments.begin() + static_cast<std::ptrdiff_t>(track.listed_from),
                     track.segments.end(),
                     [](const LiveSegment &segment) { return segment.gap || segment.starts_with_sap; });
}

Presentation on_air(const LiveWindow &window) {
  Presentation show;
  for (const TrackState &state : window.tracks) {
    if (state.segments.empty()) continue;
    Track track = state.info;
    std::uint64_t bits = 0;
    double time = 0;
    for (const LiveSegment &segment : state.segments) {
      bits += segment.bytes * 8;
      time += segment.gap ? 0 : state.seconds(segment.duration);
    }
    const auto average = time > 0 ? static_cast<std::uint64_t>(static_cast<double>(bits) / time) : 0;
    // A tenth above the greatest segment seen, in steps of 10 kbit/s, so that the figure seldom changes.
    const std::uint64_t peak = std::max({state.peak_bandwidth, average, track.peak_bandwidth});
    track.peak_bandwidth = (peak * 11 / 10 / 10'000 + 1) * 10'000;
    track.average_bandwidth = std::max(average, track.average_bandwidth);
    show.tracks.push_back(std::move(track));
  }
  return show;
}

std::string init_name(const Track &track, std::size_t index) {
  return index == 0 ? track.id + "/init.mp4" : fmt::format("{}/init-{}.mp4", track.id, index);
}

std::string segment_name(const Track &track, std::uint64_t number) {
  return fmt::format("{}/{}.m4s", track.id, number);
}

std::string text_name(const Track &track, std::uint64_t number) {
  return fmt::format("{}/{}.vtt", track.id, number);
}

} // namespace hull::publish
