#pragma once

// A movie box that may be damaged, and sample tables made to fit the media that are there.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/sample_table.h"

#include <span>
#include <vector>

namespace hull::isobmff {

/// The names are a few bits or one byte apart.
bool may_have_been(FourCC damaged, FourCC name);

/// Repairs what the boxes around a broken one tell of it: sizes that do not lead to the next sibling, names a
/// bit or two away from one that is missing, counts beyond the box. `moov` is the whole box; its own size and
/// name are made right too. Returns how many places were changed.
unsigned mend_movie(ByteVector &moov);
/// The same for a moof.
unsigned mend_fragment(ByteVector &moof);

/// A size of 1 GiB or more has a damaged bit; common readers keep 30.
constexpr std::uint32_t possible_size(std::uint32_t size) {
  return size & 0x3fffffffu;
}

/// Where a track's samples are, as its tables say it.
struct TrackPlaces {
  struct Chunk {
    std::uint64_t offset = 0;
    std::uint32_t samples = 0;
    std::uint32_t description = 1;
  };
  std::vector<Chunk> chunks;
  std::vector<std::uint32_t> sizes; ///< empty when all are equal
  std::uint32_t equal_size = 0;
  std::uint64_t count = 0;   ///< samples
  std::uint64_t nowhere = 0; ///< samples that no chunk holds
  bool disordered = false;   ///< the table of samples to chunks was out of order, and was understood
  bool contradicts = false;  ///< chunks without samples to them or the other way round: readers refuse it
  std::uint64_t offsets = 0; ///< entries of the table of chunks
  // Sound of QuickTime: so many samples of the tables are a packet of so many bytes.
  std::uint32_t packet_samples = 0, packet_bytes = 0;

  std::uint64_t size_of(std::uint64_t first, std::uint64_t samples) const; ///< bytes
};

/// Reads a trak's tables. bad_data when a table is missing or they do not fit each other; no chunks and no
/// samples when they are empty.
Result<TrackPlaces> track_places(const Node &trak, std::uint64_t file_size = ~std::uint64_t{0});

/// Whether the tables agree with each other on how many samples and chunks there are.
bool tables_agree(const Node &trak, const TrackPlaces &places);

/// The track has its media in other files.
bool has_external_media(const Node &trak);

/// The codec's frames say themselves where they begin, and readers look for them: part of a sample is worth
/// something.
bool frames_are_found(const Node &trak);

/// Cuts the sizes of samples of such a track that reach beyond `size` bytes. Returns whether any did.
bool clip_samples(const Node &trak, TrackPlaces &places, std::uint64_t size);

/// How many samples lie within a file of `size` bytes.
struct Present {
  std::uint64_t leading = 0; ///< before the first that does not
  std::uint64_t all = 0;
};
Present present_samples(const TrackPlaces &places, std::uint64_t size);

/// Cuts a trak's tables and durations to its first `count` samples.
void shorten_tables(Node &trak, const TrackPlaces &places, std::uint64_t count,
                    std::uint32_t movie_timescale);

/// Takes out an edit list that shows more than there is: one that was damaged hides media.
void drop_wrong_edits(Node &trak, std::uint32_t movie_timescale);

/// Samples and chunks of a trak as a table, without what lies beyond `size` bytes: the time of a sample that
/// is left out goes to the one before it.
SampleTable table_within(const Node &trak, const TrackPlaces &places, std::uint64_t size);

/// Puts the tables of `table` into the trak, which keeps its edit list; its durations follow.
void replace_tables(Node &trak, const SampleTable &table, std::uint32_t movie_timescale, std::int64_t shift,
                    bool wide);

/// The longest track's duration becomes the movie's.
void update_movie_duration(Node &moov);

} // namespace hull::isobmff
