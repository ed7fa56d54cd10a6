#pragma once

// Chapters as two kinds of readers look for them: Nero's list in moov/udta, and QuickTime's text track, which the tracks
// of pictures and sound name in tref/chap.

#include "gst/isobmff/file/sample_table.h"
#include "gst/isobmff/file/track.h"

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace hull::isobmff {

struct Chapter {
  std::int64_t start = 0; ///< nanoseconds
  std::string title;      ///< UTF-8
  bool operator==(const Chapter &) const = default;
};
using Chapters = std::vector<Chapter>;

/// By time, each once, counted from `start` nanoseconds on: of those before, the last one goes on and begins at 0.
Chapters chapters_from(Chapters chapters, std::int64_t start);

inline constexpr std::size_t kMostInChapterList = 255,
                             kLongestInChapterList = 255; ///< chapters; bytes of a title

/// Puts the list of chapters into moov's udta in place of the one that stands there; no chapters: no list. It has room
/// for 255 chapters and for 255 bytes of a title: what is longer is cut, whole characters at a time.
void set_chapter_list(Node &moov, std::span<const Chapter> chapters);

/// The chapters of the list in moov's udta.
Chapters chapter_list(const Node &moov);

/// QuickTime's text track of chapters: a sample is a title, which lasts until the next one.
struct ChapterTrack {
  TrackConfig config; ///< not enabled: readers look for it, nobody plays it
  SampleTable table;  ///< the samples' places, where `texts` stands at the offset that was given
  ByteVector texts;   ///< the samples
};

/// `chapters` by time, not empty; `end` of the last one in nanoseconds; `offset` of the samples in the file. A first
/// chapter that begins later has an empty title before it, as readers count from the track's first sample.
ChapterTrack chapter_track(std::span<const Chapter> chapters, std::int64_t end, std::uint32_t id,
                           std::uint64_t offset);

/// Lets each track of pictures and sound name the track of chapters.
void refer_to_chapters(Node &moov, std::uint32_t chapter_track_id);

/// Whether a track names one already.
bool has_chapter_track(const Node &moov);

} // namespace hull::isobmff
