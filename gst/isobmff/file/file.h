#pragma once

// Changing boxes of files that exist. The media are not rewritten where that can be avoided, and offsets that
// count from the file's start are kept right.

#include "gst/isobmff/boxes/tree.h"
#include "gst/isobmff/rules/cmaf.h"

#include <string>

namespace hull::isobmff {

/// How an edit reached the file, from the cheapest to the dearest.
enum class EditMethod {
  none,     ///< the bytes are what they were
  in_place, ///< as many bytes as before
  padding,  ///< a free box behind took up the difference
  append,   ///< a new box at the end; the old one became free
  insert,   ///< the file system put blocks in front (FALLOC_FL_INSERT_RANGE)
  copy,     ///< a new file, which replaced the old one when it was complete
};
const char *name(EditMethod method);

struct EditReport {
  EditMethod method = EditMethod::none;
  std::uint64_t bytes_written = 0;
  std::uint64_t shifted = 0; ///< bytes by which what follows the box moved
};

/// Sets one field, "moov/trak[1]/tkhd.width". settings when path or value are wrong, with the file unchanged.
Result<EditReport> set_in_file(const std::string &file, std::string_view field_path, std::string_view value);

/// Where a new box goes.
struct InsertPlace {
  enum class Side { inside, before, after } side = Side::inside;
  std::string
      path; ///< inside: the parent, which gets it as last child; empty = the file's top level, at its end
};
/// Inserts one whole box. Refuses what check_injected() refuses.
Result<EditReport> insert_in_file(const std::string &file, const InsertPlace &place, Bytes box);

/// Removes a box; mdat, moov and boxes a reader cannot do without are refused.
Result<EditReport> remove_from_file(const std::string &file, std::string_view path);

/// The one box in `bytes`, if it may be added below `parent` (0 = the top level): it must be whole and sound,
/// of a kind that can stand there, and not a second one of a kind that is single (`siblings` = the parent's
/// children). With `track` the CMAF rules apply too. The error names the rule that refuses it.
Result<Node> check_injected(Bytes bytes, FourCC parent, std::span<const Node> siblings = {},
                            const cmaf::Track *track = nullptr);

/// Moves every offset in `moov` that counts from the file's start and is at or past `from` by `delta` bytes.
/// stco becomes co64 where it must, which makes moov larger: true is returned then. bad_data below 0.
Result<bool> shift_offsets(Node &moov, std::uint64_t from, std::int64_t delta);

} // namespace hull::isobmff
