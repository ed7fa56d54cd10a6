#pragma once

// Where moov goes once the media are on disk. Nothing here moves the media unless it says `copy`.
//
// Insertion: the file system puts empty blocks in front of the file (FALLOC_FL_INSERT_RANGE, ext4 and xfs),
// and one write fills them with everything a reader wants first. The header the file began with stays where
// it was, inside a box that readers skip.
//
//   recorded      [ftyp][free 16][moov of a fragmented file][moof mdat]…
//   afterwards    [ftyp][moov, whole][free][mdat … the recorded bytes …]
//
// Between the two system calls the file begins with zeros; recover() knows that and goes on from there.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/file/output_file.h"

#include <string>

namespace hull::isobmff {

enum class Placement {
  insert,   ///< blocks in front of the file; `unsupported` where the file system cannot
  tail,     ///< at the end: nothing is moved
  copy,     ///< a new file beside the old one, which it replaces when it is complete
  automatic ///< insert, else tail
};

/// What a placement did.
struct Relocation {
  Placement how = Placement::tail;
  std::uint64_t moov_size = 0;
  std::uint64_t bytes_written = 0; ///< by this step
  bool changed = false;
};

/// Bytes of the 16-byte free box a recording carries after ftyp, which becomes an mdat header.
ByteVector recording_gap();

/// Turns a recording in fragments into an unfragmented file: the movie box is rebuilt from the file's own
/// moofs, which are read again (0.1 % of a video at 2 s fragments), so recording needs no index in memory.
/// `automatic` falls back to `tail`. bad_data when the file has no init segment; a file without fragments is
/// left alone.
Result<Relocation> unfragment(const std::string &path, Placement placement, bool sync = true);

/// Moves moov in front of the media. A file that has it there already is left alone; `automatic` falls back
/// to `copy`. unsupported for fragmented files, which unfragment() is for.
Result<Relocation> fast_start(const std::string &path, Placement placement, bool sync = true);

/// Puts a sidx with one reference per fragment behind the header of a track file: a fragment starts at a sync
/// sample of the track. Files up to `copy_limit` bytes are written anew with first_offset 0; larger ones get
/// it by insertion, with a free box between.
Result<Relocation> add_segment_index(const std::string &path, std::uint64_t copy_limit = 256ull << 20);

} // namespace hull::isobmff
