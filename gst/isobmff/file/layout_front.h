#pragma once

// Insertion in front of a file, which all placements of layout.h share.

#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout.h"

#include <functional>

namespace hull::isobmff {

inline constexpr std::uint64_t kHeader = 8;       ///< bytes of a box header
inline constexpr std::uint64_t kLargeHeader = 16; ///< with a 64-bit size

using Sequence = std::function<Result<void>(const Sink &)>;

/// Boxes that go in front of a file. `prepare` makes them for a file that is moved back by `shift` bytes and
/// says how long they are; `write` then gives them; `fill` what takes the rest of the inserted blocks, which
/// are `left` bytes.
struct Front {
  std::function<Result<std::uint64_t>(std::uint64_t shift)> prepare;
  Sequence write;
  std::function<ByteVector(std::uint64_t left)> fill;
};

/// Inserts blocks and fills them; at least `least` bytes are left for `fill`. `expected`: the boxes' size as
/// far as it is known. Returned is by how much the file moved back.
Result<std::uint64_t> insert_front(OutputFile &file, const Front &front, std::uint64_t least,
                                   std::uint64_t expected, bool sync);

/// A free box of `size` bytes, header included; nothing below 8.
void append_filler(ByteVector &front, std::uint64_t size);

Result<FragmentScan> scan_file(const std::string &path, bool tables, bool fragments);

/// Makes an init segment's moov that of a whole file, whose tables are the scan's, moved by `shift` bytes.
/// Returned is its size. The tables are written from the scan, which must outlive the box.
Result<std::uint64_t> whole_movie(FragmentScan &scan, std::uint64_t shift);

/// Whether a track's samples are encrypted: what senc says of each stands in the moofs.
bool is_protected(const Node &moov);

Relocation relocation(Placement how, const OutputFile &file, std::uint64_t moov_size);

} // namespace hull::isobmff
