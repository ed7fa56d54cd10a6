#include "gst/isobmff/progressive.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes_movie.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

constexpr std::int64_t kMovieTimescale = 1000;

// The edit list, or nothing where the media start at zero with the movie.
std::optional<EditList> edits_of(std::int64_t media_time, std::int64_t delay, std::int64_t shown) {
  if (media_time == 0 && delay == 0) return std::nullopt;
  EditList elst;
  if (delay > 0) elst.entries.push_back({static_cast<std::uint64_t>(delay), -1, 1, 0});
  elst.entries.push_back({static_cast<std::uint64_t>(std::max<std::int64_t>(shown, 0)), media_time, 1, 0});
  return elst;
}

} // namespace

Node progressive_movie_box(const std::vector<ProgressiveTrack> &tracks, const InitOptions &options,
                           std::int64_t shift) {
  Node moov("moov");
  auto &mvhd = moov.add<MovieHeader>();
  mvhd.creation_time = mvhd.modification_time = options.creation_time;
  mvhd.timescale = kMovieTimescale;
  // One width for all: players that read stco of one track and co64 of another have been seen to stumble.
  const bool wide = std::any_of(tracks.begin(), tracks.end(),
                                [shift](const auto &track) { return track.table->needs_wide(shift); });
  for (const ProgressiveTrack &track : tracks) {
    const std::int64_t timescale = track.config.timescale;
    const auto media = static_cast<std::int64_t>(track.table->duration());
    const std::int64_t media_time = track.config.priming + track.reorder_shift;
    const std::int64_t delay = rescale(track.config.delay, kMovieTimescale, kNanoseconds);
    const std::int64_t shown = rescale(media - track.config.priming, kMovieTimescale, timescale);
    const auto duration = static_cast<std::uint64_t>(std::max<std::int64_t>(delay + shown, 0));
    mvhd.next_track_id = std::max(mvhd.next_track_id, track.config.id + 1);
    mvhd.duration = std::max(mvhd.duration, duration);
    Node trak = track_box(track.config, duration, track.table->duration(), options.creation_time);
    if (auto elst = edits_of(media_time, delay, shown)) {
      Node edts("edts");
      edts.add(std::move(*elst));
      auto mdia = std::find_if(trak.children.begin(), trak.children.end(),
                               [](const Node &child) { return child.type() == FourCC("mdia"); });
      trak.children.insert(mdia, std::move(edts));
    }
    track.table->write(*find(trak, "mdia/minf/stbl"), shift, track.reorder_shift, wide);
    moov.add(std::move(trak));
  }
  for (const Opaque &box : options.movie_boxes)
    moov.add(Node(box));
  return moov;
}

} // namespace hull::isobmff
