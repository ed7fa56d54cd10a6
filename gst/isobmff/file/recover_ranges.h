#pragma once

// Which bytes of a file are media, and which may be written over.

#include "gst/isobmff/file/recover.h"
#include "gst/isobmff/file/recover_movie.h"

namespace hull::isobmff {

/// The ranges of a plan while it is made.
class MediaRanges {
 public:
  MediaRanges(Source &source, RecoveryPlan &plan) : source_(source), plan_(plan) {}

  /// The chunks of a track are kept.
  void remember_media(const TrackPlaces &places);
  /// Ranges in order and joined; what they leave of the media is given up.
  void settle_ranges();
  /// Once settled: whether something that is kept lies there.
  bool used(std::uint64_t offset, std::uint64_t size) const;
  /// What stands where a box should begin was a header, and no media: it says its size, or is named nearly
  /// right.
  bool begins_with_header(const Piece &piece);
  /// Other lost bytes may be media: the mdat or free box in front of them takes them in, and no byte of them
  /// is written over.
  void cover_lost_media();

 private:
  Source &source_;
  RecoveryPlan &plan_;
};

} // namespace hull::isobmff
