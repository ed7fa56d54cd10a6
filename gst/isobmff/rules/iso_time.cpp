// Rules of durations and edit lists.

#include "gst/isobmff/rules/iso.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull::isobmff::iso {
namespace {

bool known(std::uint64_t duration) {
  return duration != 0 && duration != 0xffffffffu && duration != ~std::uint64_t{0};
}

std::uint64_t distance(std::uint64_t a, std::uint64_t b) {
  return a > b ? a - b : b - a;
}

// By how many ticks writers' ideas of a track's end differ: the last sample's duration, and reordering.
std::uint64_t uncertainty(const Tables &tables) {
  std::int64_t longest = 0, offset = 0;
  if (tables.times)
    for (const auto &entry : tables.times->entries)
      longest = std::max<std::int64_t>(longest, entry.sample_delta);
  if (tables.compositions)
    for (const auto &entry : tables.compositions->entries)
      offset = std::max(offset, std::abs(entry.sample_offset));
  return static_cast<std::uint64_t>(longest + offset);
}

// Seconds are exact enough to compare two clocks of which one counts milliseconds.
double seconds(std::uint64_t ticks, std::uint32_t timescale) {
  return static_cast<double>(ticks) / timescale;
}

const EditList *edits_of(const Track &track) {
  const auto *elst = find_box<EditList>(*track.trak, "edts/elst");
  return elst && !elst->entries.empty() ? elst : nullptr;
}

void check_media(const Track &track, const MediaHeader &mdhd, Findings &out) {
  const std::uint64_t media = track.tables.duration();
  if (!known(mdhd.duration) || media == 0) return;
  if (distance(mdhd.duration, media) <= uncertainty(track.tables)) return;
  report(out, "ISO-13", find(*track.trak, "mdia/mdhd"),
         fmt::format("track {}: mdhd says {:.3f} s, its samples last {:.3f} s", track.id,
                     seconds(mdhd.duration, track.timescale), seconds(media, track.timescale)));
}

void check_header(const Movie &movie, const Track &track, const TrackHeader &tkhd, Findings &out) {
  constexpr std::uint32_t kRepeat =
      1; // 14496-12 8.6.6: the list is played again until tkhd's duration is over
  const EditList *edits = edits_of(track);
  if (!known(tkhd.duration) || (edits && edits->flags & kRepeat)) return;
  const double tick = 1.0 / movie.timescale, said = seconds(tkhd.duration, movie.timescale);
  double right = 0, slack = tick;
  if (edits) {
    for (const auto &entry : edits->entries)
      right += seconds(entry.segment_duration, movie.timescale);
    slack *= static_cast<double>(edits->entries.size());
  } else {
    right = seconds(track.tables.duration(), track.timescale);
    slack += seconds(uncertainty(track.tables), track.timescale);
  }
  if (right > 0 && std::abs(said - right) > slack + tick / 2)
    report(out, "ISO-13", track.trak->child("tkhd"),
           fmt::format("track {}: tkhd says {:.3f} s, its {} last {:.3f} s", track.id, said,
                       edits ? "edits" : "media", right));
}

// 8.6.6: the last tick a track's samples are shown at.
std::uint64_t end_of_media(const Track &track) {
  return track.tables.duration() + uncertainty(track.tables);
}

void check_edit(const Movie &movie, const Track &track, const EditList::Entry &edit, Findings &out) {
  const Node *where = find(*track.trak, "edts/elst");
  const auto complain = [&](Level level, std::string text) {
    report_as(out, "ISO-14", level, where, fmt::format("track {}: {}", track.id, text));
  };
  const bool plain =
      edit.media_rate_fraction == 0 && (edit.media_rate_integer == 1 || edit.media_rate_integer == 0);
  if (edit.media_time < -1) complain(Level::must, fmt::format("an edit begins at {}", edit.media_time));
  if (!plain && !movie.quicktime)
    complain(Level::should, fmt::format("an edit plays at rate {}.{:04x}", edit.media_rate_integer,
                                        static_cast<std::uint16_t>(edit.media_rate_fraction)));
  if (movie.fragmented || edit.media_time < 0 || track.tables.duration() == 0 || !plain) return;
  const auto begin = static_cast<std::uint64_t>(edit.media_time);
  if (begin >= end_of_media(track) && edit.segment_duration > 0)
    return complain(Level::must, fmt::format("an edit begins at {:.3f} s, the media end at {:.3f} s",
                                             seconds(begin, track.timescale),
                                             seconds(track.tables.duration(), track.timescale)));
  const double end = seconds(begin, track.timescale) + seconds(edit.segment_duration, movie.timescale);
  const double media_end = seconds(end_of_media(track), track.timescale);
  if (edit.media_rate_integer == 1 && end > media_end + 1.5 / movie.timescale)
    complain(Level::should, fmt::format("an edit ends at {:.3f} s of the media, which end at {:.3f} s", end,
                                        seconds(track.tables.duration(), track.timescale)));
}

} // namespace

void iso_13(const Movie &movie, Findings &out) {
  if (movie.fragmented || movie.timescale == 0) return;
  std::uint64_t longest = 0;
  for (const Track &track : movie.tracks) {
    const auto *mdhd = find_box<MediaHeader>(*track.trak, "mdia/mdhd");
    const auto *tkhd = track.trak->get<TrackHeader>();
    if (tkhd && known(tkhd->duration)) longest = std::max(longest, tkhd->duration);
    if (track.timescale == 0) continue;
    if (mdhd) check_media(track, *mdhd, out);
    if (tkhd) check_header(movie, track, *tkhd, out);
  }
  const auto *mvhd = movie.moov->get<MovieHeader>();
  if (mvhd && known(mvhd->duration) && longest > 0 && distance(mvhd->duration, longest) > 1)
    report(out, "ISO-13", movie.moov->child("mvhd"),
           fmt::format("mvhd says {:.3f} s, the longest track {:.3f} s",
                       seconds(mvhd->duration, movie.timescale), seconds(longest, movie.timescale)));
}

void iso_14(const Movie &movie, Findings &out) {
  if (movie.timescale == 0) return;
  for (const Track &track : movie.tracks)
    if (const EditList *elst = edits_of(track); elst && track.timescale != 0)
      for (const auto &edit : elst->entries)
        check_edit(movie, track, edit, out);
}

} // namespace hull::isobmff::iso
