// moov in front of an unfragmented file's media.

#include "gst/core/file.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/layout_front.h"

#include <algorithm>
#include <cstdio>

namespace hull::isobmff {
namespace {

using OffsetMap = std::function<std::uint64_t(std::uint64_t)>;

// Moves the chunk offsets of all tracks; 64-bit ones for all when one no longer fits.
void move_chunks(Node &moov, const OffsetMap &map) {
  std::vector<std::pair<Node *, std::vector<std::uint64_t>>> tables;
  bool wide = false;
  for (Node &trak : moov.children) {
    Node *stbl = trak.type() == FourCC("trak") ? find(trak, "mdia/minf/stbl") : nullptr;
    if (!stbl) continue;
    for (Node &child : stbl->children) {
      std::vector<std::uint64_t> offsets;
      if (const auto *stco = static_cast<const Node &>(child).as<ChunkOffset>())
        offsets.assign(stco->chunk_offsets.begin(), stco->chunk_offsets.end());
      else if (const auto *co64 = static_cast<const Node &>(child).as<ChunkLargeOffset>()) {
        offsets = co64->chunk_offsets;
        wide = true;
      } else
        continue;
      for (std::uint64_t &offset : offsets) {
        offset = map(offset);
        wide |= offset > 0xffffffffu;
      }
      tables.emplace_back(&child, std::move(offsets));
    }
  }
  for (auto &[node, offsets] : tables) {
    if (wide) {
      ChunkLargeOffset co64;
      co64.chunk_offsets = std::move(offsets);
      *node = Node(std::move(co64));
    } else {
      ChunkOffset stco;
      stco.chunk_offsets.assign(offsets.begin(), offsets.end());
      *node = Node(std::move(stco));
    }
  }
}

// moov with offsets moved; the tree is read anew each time, so that maps do not add up. Tables that say
// nothing of places stay in the file.
Result<Node> moved_movie(Source &source, const FragmentScan &scan, const OffsetMap &map) {
  ParseLimits limits;
  limits.opaque_bytes = limits.sample_table_bytes = 1 << 16;
  auto moov = parse_box_at(source, scan.moov_offset, scan.size, limits);
  if (!moov) return moov;
  for (Node &trak : moov->children) {
    Node *stbl = trak.type() == FourCC("trak") ? find(trak, "mdia/minf/stbl") : nullptr;
    for (std::size_t i = 0; stbl && i < stbl->children.size(); ++i) {
      Node &table = stbl->children[i];
      if (table.type() != FourCC("stco") && table.type() != FourCC("co64")) continue;
      auto whole = parse_box_at(source, table.offset, table.offset + table.size);
      if (whole) table = std::move(*whole);
    }
  }
  move_chunks(*moov, map);
  return moov;
}

void move_stored(Node &node, std::uint64_t by) {
  if (auto *stored = node.as<Stored>()) stored->offset += by;
  for (Node &child : node.children)
    move_stored(child, by);
}

Result<Relocation> fast_start_by_copy(const std::string &path, OutputFile &file, const FragmentScan &scan) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  const std::uint64_t moov_size = scan.moov_end - scan.moov_offset;
  std::uint64_t grown = moov_size;
  Result<Node> moov;
  for (;;) {
    const std::uint64_t shift = grown;
    moov = moved_movie(*source, scan, [&](std::uint64_t offset) {
      return offset < scan.moov_offset ? offset + shift : offset + shift - moov_size;
    });
    if (!moov) return tl::unexpected(moov.error());
    const auto size = tree_size(*moov);
    if (!size) return tl::unexpected(size.error());
    grown = *size;
    if (grown == shift) break;
  }
  AtomicFile whole(path);
  auto made = OutputFile::create(whole.part());
  if (!made) return tl::unexpected(made.error());
  auto ok = made->copy_from(file, 0, 0, scan.ftyp_end);
  std::uint64_t behind = scan.ftyp_end;
  const auto put = [&](Bytes piece) {
    behind += piece.size();
    return made->write(behind - piece.size(), piece);
  };
  if (ok) ok = stream_tree(*moov, put, &*source);
  if (ok) ok = made->copy_from(file, scan.ftyp_end, behind, scan.moov_offset - scan.ftyp_end);
  if (ok)
    ok = made->copy_from(file, scan.moov_end, behind + scan.moov_offset - scan.ftyp_end,
                         scan.size - scan.moov_end);
  if (!ok) return tl::unexpected(ok.error());
  if (whole.commit()) return fail(ErrorCode::io, "'" + path + "' cannot be replaced by its new version.");
  return relocation(Placement::copy, *made, grown);
}

// Whether a meta box of the top level names bytes of the file (the images of HEIF), which nobody moves here.
bool has_items_in_file(Source &source) {
  constexpr std::uint8_t kInFile = 0;
  for (std::uint64_t at = 0; at + 8 <= source.size();) {
    std::uint8_t start[32] = {};
    const std::uint64_t left = source.size() - at;
    const std::span bytes(start, std::min<std::uint64_t>(sizeof start, left));
    if (!source.read(at, bytes)) return false;
    const auto header = read_box_header(bytes, left);
    if (!header) return false;
    if (header->type == Meta::kType) {
      const auto meta = parse_box_at(source, at, source.size());
      const auto *iloc = meta ? std::as_const(*meta).get<ItemLocation>() : nullptr;
      const auto in_file = [](const auto &item) { return item.construction_method == kInFile; };
      if (iloc && std::ranges::any_of(iloc->items, in_file)) return true;
    }
    at += header->size;
  }
  return false;
}

} // namespace

Result<Relocation> fast_start(const std::string &path, Placement placement, bool sync) {
  auto scan = scan_file(path, false, false);
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->moov)
    return fail(ErrorCode::bad_data, "'" + path +
                                         "' has no movie box; a recording that was cut may be "
                                         "repaired with 'gst-hull-1.0 atoms recover'.");
  if (scan->moofs > 0)
    return fail(ErrorCode::unsupported, "'" + path + "' is fragmented: it plays from its start as it is.");
  if (!scan->has_mdat || scan->moov_offset < scan->first_media || placement == Placement::tail)
    return Relocation{};
  if (auto source = FileSource::open(path); source && has_items_in_file(*source))
    return fail(ErrorCode::unsupported, "'" + path +
                                            "' holds images whose places stand in its meta box: moov stays "
                                            "where it is.");
  auto file = OutputFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (placement == Placement::copy) return fast_start_by_copy(path, *file, *scan);

  ByteVector ftyp;
  if (scan->ftyp) {
    auto bytes = write_tree(*scan->ftyp);
    if (!bytes) return tl::unexpected(bytes.error());
    ftyp = std::move(*bytes);
  }
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  std::uint64_t moov_size = 0;
  Result<Node> moov;
  Front front;
  front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
    moov = moved_movie(*source, *scan, [shift](std::uint64_t offset) { return offset + shift; });
    if (!moov) return tl::unexpected(moov.error());
    const auto size = tree_size(*moov);
    if (!size) return size;
    moov_size = *size;
    return ftyp.size() + moov_size;
  };
  // Its stored tables are read where insertion has moved them to.
  front.write = [&](const Sink &sink) -> Result<void> {
    if (auto ok = sink(ftyp); !ok) return ok;
    auto again = FileSource::open(path);
    if (!again) return tl::unexpected(again.error());
    move_stored(*moov, again->size() - source->size());
    return stream_tree(*moov, sink, &*again);
  };
  // The filler swallows the old ftyp too.
  front.fill = [&](std::uint64_t left) {
    ByteVector filler;
    append_box_header(filler, "free", left - kHeader + scan->ftyp_end);
    filler.resize(left);
    return filler;
  };
  auto shift = insert_front(*file, front, kHeader, ftyp.size() + scan->moov_end - scan->moov_offset, sync);
  if (!shift) {
    if (placement == Placement::automatic && shift.error().code == ErrorCode::unsupported)
      return fast_start_by_copy(path, *file, *scan);
    return tl::unexpected(shift.error());
  }
  // The old movie box: cut off at the end of the file, hidden elsewhere.
  Result<void> ok;
  if (scan->moov_end == scan->size) {
    ok = file->truncate(scan->moov_offset + *shift);
  } else {
    const std::uint8_t hidden[] = {'f', 'r', 'e', 'e'};
    ok = file->write(scan->moov_offset + *shift + 4, Bytes(hidden));
  }
  if (!ok) return tl::unexpected(ok.error());
  return relocation(Placement::insert, *file, moov_size);
}

} // namespace hull::isobmff
