#include "gst/isobmff/file/progressive.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/roll.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

bool is(const Node &node, FourCC type) {
  return node.type() == type;
}

} // namespace

std::uint64_t complete_track(Node &trak, const SampleTable &table, const TrackEdit &edit,
                             std::uint32_t movie_timescale, std::int64_t shift, bool wide) {
  const auto media = static_cast<std::int64_t>(table.duration());
  const std::int64_t media_time = edit.priming + edit.reorder_shift + edit.composed;
  // Rounded up: readers of frames cut off what lies behind the end (qtdemux took 16 frames of PCM away).
  const std::int64_t shown =
      std::max<std::int64_t>(-rescale_floor(edit.priming - media, movie_timescale, edit.timescale), 0);
  const auto duration = static_cast<std::uint64_t>(edit.delay + shown);
  if (auto *tkhd = trak.get<TrackHeader>()) tkhd->duration = duration;
  if (Node *mdia = trak.child("mdia"))
    if (auto *mdhd = mdia->get<MediaHeader>()) mdhd->duration = table.duration();
  std::erase_if(trak.children, [](const Node &child) { return is(child, "edts"); });
  if (media_time != 0 || edit.delay != 0) {
    Node edts("edts");
    auto &elst = edts.add<EditList>();
    if (edit.delay > 0) elst.entries.push_back({static_cast<std::uint64_t>(edit.delay), -1, 1, 0});
    elst.entries.push_back({static_cast<std::uint64_t>(shown), media_time, 1, 0});
    const auto mdia = std::find_if(trak.children.begin(), trak.children.end(),
                                   [](const Node &child) { return is(child, "mdia"); });
    trak.children.insert(mdia, std::move(edts));
  }
  if (Node *stbl = find(trak, "mdia/minf/stbl")) {
    auto roll = take_roll_description(*stbl);
    std::erase_if(stbl->children, [](const Node &child) { return !is(child, "stsd"); });
    table.write(*stbl, shift, edit.reorder_shift, wide);
    if (roll && table.samples() > 0) {
      stbl->add(std::move(*roll));
      stbl->add(roll_group(table.samples()));
    }
  }
  return duration;
}

std::uint64_t expected_movie_size(std::span<const ExpectedTrack> tracks, std::uint64_t duration,
                                  std::uint64_t interleave) {
  double rate = 0; // bytes a second
  for (const ExpectedTrack &track : tracks) {
    const double chunks =
        std::min(1e9 / static_cast<double>(std::max<std::uint64_t>(interleave, 1)), track.samples_per_second);
    rate += track.samples_per_second * (track.pictures ? 12 : 4) + (track.pictures ? 4 : 0) + 24 * chunks;
  }
  return 8192 + static_cast<std::uint64_t>(1.25 * rate * static_cast<double>(duration) / 1e9);
}

Node progressive_movie_box(const std::vector<ProgressiveTrack> &tracks, const InitOptions &options,
                           std::int64_t shift) {
  Node moov("moov");
  auto &mvhd = moov.add<MovieHeader>();
  mvhd.creation_time = mvhd.modification_time = options.creation_time;
  std::vector<TrackConfig> configs;
  for (const ProgressiveTrack &track : tracks)
    configs.push_back(track.config);
  mvhd.timescale = movie_timescale(configs);
  // One width for all: players that read stco of one track and co64 of another have been seen to stumble.
  const bool wide = std::any_of(tracks.begin(), tracks.end(),
                                [shift](const auto &track) { return track.table->needs_wide(shift); });
  for (const ProgressiveTrack &track : tracks) {
    mvhd.next_track_id = std::max(mvhd.next_track_id, track.config.id + 1);
    Node trak = track_box(track.config, 0, 0, options.creation_time);
    const TrackEdit edit{track.config.timescale, track.config.priming, track.reorder_shift, 0,
                         rescale(track.config.delay, mvhd.timescale, kNanoseconds)};
    if (track.config.roll_distance != 0)
      find(trak, "mdia/minf/stbl")->add(roll_description(track.config.roll_distance));
    mvhd.duration =
        std::max(mvhd.duration, complete_track(trak, *track.table, edit, mvhd.timescale, shift, wide));
    moov.add(std::move(trak));
  }
  for (const Opaque &box : options.movie_boxes)
    moov.add(Node(box));
  return moov;
}

} // namespace hull::isobmff
