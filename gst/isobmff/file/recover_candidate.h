#pragma once

// Movie boxes among which a recovery chooses.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/recover_survey.h"

#include <string>

namespace hull::isobmff {

/// A movie box as it can be read, and what is left of its samples.
struct Movie {
  Piece piece;
  ByteVector bytes; ///< mended
  Node node;
  unsigned mended = 0;
  std::uint64_t samples = 0, present = 0;
  std::uint64_t readable = 0; ///< present, in tracks that no reader refuses
  unsigned tracks = 0;        ///< that no reader refuses
  bool fragmented = false;    ///< has mvex
  bool agrees = true;         ///< its tables do
  bool usable = false;        ///< has a header and a track with a sample entry
};

/// The type of its first sample entry.
std::string format_of(const Node &trak);

/// The whole box with all its tables in memory.
Result<Node> parse_movie(const ByteVector &bytes);

/// The boxes around its tables are damaged.
bool broken_headers(const Node &child);
/// Those or the tables are: one such track keeps readers from all others.
bool broken_track(const Node &child);

/// Reads the movie box as its bytes stand.
void assess(Movie &movie, std::uint64_t file_size);

/// The movie box at `piece`: mended, unless more of it can be read as it is.
Result<Movie> read_movie(Source &source, const Piece &piece);

} // namespace hull::isobmff
