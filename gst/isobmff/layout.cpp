#include "gst/isobmff/layout.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes_file.h"
#include "gst/isobmff/boxes_movie.h"
#include "gst/isobmff/boxes_sample.h"
#include "gst/isobmff/fragment_scan.h"
#include "gst/isobmff/progressive.h"

#include <algorithm>
#include <cstdio>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kHeader = 8;
constexpr std::uint64_t kLargeHeader = 16;

using Sequence = std::function<Result<void>(const Sink &)>;

/// Boxes that go in front of a file. `prepare` makes them for a file that is moved back by `shift` bytes and
/// says how long they are; `write` then gives them; `fill` what takes the rest of the inserted blocks, which
/// are `left` bytes.
struct Front {
  std::function<Result<std::uint64_t>(std::uint64_t shift)> prepare;
  Sequence write;
  std::function<ByteVector(std::uint64_t left)> fill;
};

// Writes pieces one behind the other. The file's first bytes come last: until then it begins with zeros,
// which is how recover() knows.
class FrontWriter {
 public:
  explicit FrontWriter(OutputFile &file) : file_(file) {}
  Result<void> put(Bytes piece) {
    const std::size_t held = std::min(kHeader - first_.size(), piece.size());
    append(first_, piece.first(held));
    piece = piece.subspan(held);
    at_ += held;
    auto ok = piece.empty() ? Result<void>() : file_.write(at_, piece);
    at_ += piece.size();
    return ok;
  }
  Result<void> finish() { return file_.write(0, first_); }

 private:
  OutputFile &file_;
  ByteVector first_;
  std::uint64_t at_ = 0;
};

// Inserts blocks and fills them; at least `least` bytes are left for `fill`.
Result<std::uint64_t> insert_front(OutputFile &file, const Front &front, std::uint64_t least,
                                   std::uint64_t expected, bool sync) {
  const std::uint64_t block = file.block_size();
  std::uint64_t shift = (expected + least + block) / block * block;
  Result<std::uint64_t> size;
  for (;;) { // the boxes grow with the shift only where 32-bit offsets become 64-bit ones, so this settles
    size = front.prepare(shift);
    if (!size) return tl::unexpected(size.error());
    const std::uint64_t needed = (*size + least + block - 1) / block * block;
    if (needed <= shift) break;
    shift = needed;
  }
  // The kernel flushes what lies behind the insertion; done before, the window between the calls is short.
  if (sync)
    if (auto ok = file.sync(); !ok) return tl::unexpected(ok.error());
  if (auto ok = file.insert(0, shift); !ok) return tl::unexpected(ok.error());
  FrontWriter writer(file);
  auto ok = front.write([&writer](Bytes piece) { return writer.put(piece); });
  if (ok) ok = writer.put(front.fill(shift - *size));
  if (ok) ok = writer.finish();
  if (ok && sync) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  return shift;
}

void append_filler(ByteVector &front, std::uint64_t size) {
  if (size < kHeader) return;
  append_box_header(front, "free", size - kHeader);
  front.resize(front.size() + size - kHeader);
}

Result<FragmentScan> scan_file(const std::string &path, bool tables, bool fragments) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  return scan_fragments(*source, tables, fragments);
}

// Makes the init segment's moov that of a whole file; returned is its size.
Result<std::uint64_t> whole_movie(FragmentScan &scan, std::uint64_t shift) {
  Node &moov = *scan.moov;
  std::erase_if(moov.children, [](const Node &child) { return child.type() == FourCC("mvex"); });
  auto *mvhd = moov.get<MovieHeader>();
  if (!mvhd || mvhd->timescale == 0) return fail(ErrorCode::bad_data, "The movie box has no usable header.");
  const bool wide = std::any_of(scan.tracks.begin(), scan.tracks.end(), [shift](const auto &entry) {
    return entry.second.table.needs_wide(static_cast<std::int64_t>(shift));
  });
  // Movie time starts with the first track that does.
  const auto starts_at = [](const ScannedTrack &track, std::uint32_t timescale) {
    return rescale(static_cast<std::int64_t>(track.first_decode_time), kNanoseconds, timescale);
  };
  std::int64_t start = std::numeric_limits<std::int64_t>::max();
  for (const bool measuring : {true, false}) {
    for (Node &trak : moov.children) {
      if (trak.type() != FourCC("trak")) continue;
      const auto *tkhd = static_cast<const Node &>(trak).get<TrackHeader>();
      const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
      if (!tkhd || !mdhd || mdhd->timescale == 0)
        return fail(ErrorCode::bad_data, "A track has no usable header.");
      ScannedTrack &track = scan.tracks[tkhd->track_id];
      const std::int64_t begin = starts_at(track, mdhd->timescale);
      if (measuring) {
        if (track.any) start = std::min(start, begin);
        continue;
      }
      TrackEdit edit;
      edit.timescale = mdhd->timescale;
      edit.reorder_shift = -track.table.least_composition_offset();
      if (track.any) edit.delay = rescale(begin - start, mvhd->timescale, kNanoseconds);
      // Pictures start late because they are reordered, which shows all of them; sound because it is primed.
      const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
      (hdlr && hdlr->handler_type == FourCC("vide") ? edit.composed : edit.priming) = track.media_start;
      const std::uint64_t shown =
          complete_track(trak, track.table, edit, mvhd->timescale, static_cast<std::int64_t>(shift), wide);
      mvhd->duration = std::max(mvhd->duration, shown);
    }
  }
  return tree_size(moov);
}

bool is_protected(const Node &moov) {
  for (const Node &trak : moov.children)
    if (const Node *stsd = find(trak, "mdia/minf/stbl/stsd"))
      for (const Node &entry : stsd->children)
        if (entry.child("sinf")) return true;
  return false;
}

Relocation relocation(Placement how, const OutputFile &file, std::uint64_t moov_size) {
  return {how, moov_size, file.bytes_written(), true};
}

// moov at the end, and one mdat from the gap to there: what OBS does.
Result<Relocation> unfragment_at_tail(OutputFile &file, FragmentScan &scan, bool sync) {
  if (scan.gap == 0)
    return fail(ErrorCode::unsupported, "'" + file.path() +
                                            "' has no gap behind its ftyp, so its fragments "
                                            "cannot become one mdat.");
  const auto moov_size = whole_movie(scan, 0);
  if (!moov_size) return tl::unexpected(moov_size.error());
  std::uint64_t at = scan.whole_end;
  auto ok = stream_tree(*scan.moov, [&](Bytes piece) {
    at += piece.size();
    return file.write(at - piece.size(), piece);
  });
  if (ok && sync) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  ByteVector header;
  append_box_header(header, "mdat", scan.whole_end - scan.gap - kLargeHeader, true);
  ok = file.write(scan.gap, header);
  if (ok && sync) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  return relocation(Placement::tail, file, *moov_size);
}

} // namespace

ByteVector recording_gap() {
  ByteVector gap;
  append_box_header(gap, "free", 8);
  append_be(gap, 8, 0);
  return gap;
}

Result<Relocation> unfragment(const std::string &path, Placement placement, bool sync) {
  auto scan = scan_file(path, true, false);
  if (!scan) return tl::unexpected(scan.error());
  if (scan->moofs == 0 || !scan->moov || !scan->ftyp) return Relocation{};
  if (is_protected(*scan->moov)) return Relocation{}; // what senc says of each sample stands in the moofs
  auto file = OutputFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (scan->whole_end < scan->size)
    if (auto ok = file->truncate(scan->whole_end); !ok) return tl::unexpected(ok.error());
  if (placement == Placement::tail) return unfragment_at_tail(*file, *scan, sync);

  const auto ftyp = write_tree(*scan->ftyp);
  if (!ftyp) return tl::unexpected(ftyp.error());
  std::uint64_t moov_size = 0;
  Front front;
  front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
    const auto size = whole_movie(*scan, shift);
    if (!size) return size;
    moov_size = *size;
    return ftyp->size() + moov_size;
  };
  front.write = [&](const Sink &sink) -> Result<void> {
    if (auto ok = sink(*ftyp); !ok) return ok;
    return stream_tree(*scan->moov, sink);
  };
  // What was recorded becomes the payload of one mdat, whose header ends the inserted blocks.
  front.fill = [&](std::uint64_t left) {
    ByteVector filler;
    append_filler(filler, left - kLargeHeader);
    append_box_header(filler, "mdat", scan->whole_end, true);
    return filler;
  };
  auto done = insert_front(*file, front, kLargeHeader + kHeader, 0, sync);
  if (!done) {
    if (placement == Placement::automatic && done.error().code == ErrorCode::unsupported)
      return unfragment_at_tail(*file, *scan, sync);
    return tl::unexpected(done.error());
  }
  return relocation(Placement::insert, *file, moov_size);
}

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
  limits.opaque_bytes = limits.table_bytes = 1 << 16;
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
  auto made = OutputFile::create(path + ".part");
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
  if (ok) ok = made->sync();
  if (!ok || std::rename(made->path().c_str(), path.c_str()) != 0) {
    std::remove(made->path().c_str());
    return ok ? fail(ErrorCode::io, "'" + path + "' cannot be replaced by its new version.")
              : tl::unexpected(ok.error());
  }
  return relocation(Placement::copy, *made, grown);
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

namespace {

Result<ByteVector> segment_index(const FragmentScan &scan, std::uint64_t first_offset) {
  SegmentIndex sidx;
  const Node *trak = scan.moov->child("trak");
  const auto *tkhd = trak ? trak->get<TrackHeader>() : nullptr;
  const auto *mdhd = trak ? find_box<MediaHeader>(*trak, "mdia/mdhd") : nullptr;
  if (!tkhd || !mdhd) return fail(ErrorCode::bad_data, "The movie box has no usable track.");
  sidx.reference_id = tkhd->track_id;
  sidx.timescale = mdhd->timescale;
  sidx.earliest_presentation_time =
      static_cast<std::uint64_t>(std::max<std::int64_t>(scan.fragments.front().earliest_presentation, 0));
  sidx.first_offset = first_offset;
  for (std::size_t i = 0; i < scan.fragments.size(); ++i) {
    const ScannedFragment &fragment = scan.fragments[i];
    const std::int64_t end =
        i + 1 < scan.fragments.size() ? scan.fragments[i + 1].earliest_presentation : fragment.end;
    SegmentIndex::Reference reference;
    reference.referenced_size = static_cast<std::uint32_t>(fragment.size);
    reference.subsegment_duration = static_cast<std::uint32_t>(end - fragment.earliest_presentation);
    sidx.references.push_back(reference);
  }
  return write_box(sidx);
}

} // namespace

Result<Relocation> add_segment_index(const std::string &path, std::uint64_t copy_limit) {
  auto scan = scan_file(path, false, true);
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->moov || scan->fragments.empty() || scan->has_index || scan->tracks.size() != 1)
    return Relocation{};
  if (scan->fragments.size() > 0xffff)
    return fail(ErrorCode::unsupported,
                "A sidx holds at most 65535 fragments: set fragment-duration to more.");
  auto file = OutputFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (scan->size > copy_limit) {
    auto source = FileSource::open(path);
    if (!source) return tl::unexpected(source.error());
    ByteVector head(scan->moov_end);
    if (auto ok = source->read(0, head); !ok) return tl::unexpected(ok.error());
    Result<ByteVector> sidx;
    Front front;
    front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
      sidx = segment_index(*scan, 0);
      if (!sidx) return tl::unexpected(sidx.error());
      const std::uint64_t size = head.size() + sidx->size();
      sidx = segment_index(*scan, shift - size + scan->first_media);
      if (!sidx) return tl::unexpected(sidx.error());
      return size;
    };
    front.write = [&](const Sink &sink) -> Result<void> {
      if (auto ok = sink(head); !ok) return ok;
      return sink(*sidx);
    };
    front.fill = [&](std::uint64_t left) {
      ByteVector filler;
      append_box_header(filler, "free", left - kHeader + scan->first_media);
      filler.resize(left);
      return filler;
    };
    auto done = insert_front(*file, front, kHeader, head.size(), true);
    if (done) return relocation(Placement::insert, *file, 0);
    if (done.error().code != ErrorCode::unsupported) return tl::unexpected(done.error());
  }
  auto sidx = segment_index(*scan, 0);
  if (!sidx) return tl::unexpected(sidx.error());
  auto made = OutputFile::create(path + ".part");
  if (!made) return tl::unexpected(made.error());
  auto ok = made->copy_from(*file, 0, 0, scan->moov_end);
  if (ok) ok = made->write(scan->moov_end, *sidx);
  if (ok)
    ok = made->copy_from(*file, scan->first_media, scan->moov_end + sidx->size(),
                         scan->size - scan->first_media);
  if (!ok || std::rename(made->path().c_str(), path.c_str()) != 0) {
    std::remove(made->path().c_str());
    return ok ? fail(ErrorCode::io, "'" + path + "' cannot be replaced by its new version.")
              : tl::unexpected(ok.error());
  }
  return relocation(Placement::copy, *made, 0);
}

namespace {

// Bytes of zeros in front of a file that was being moved back when its writer died.
Result<std::uint64_t> empty_front(const std::string &path, std::uint64_t block) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  ByteVector head(8);
  if (source->size() < block || !source->read(0, head)) return std::uint64_t{0};
  if (std::any_of(head.begin(), head.end(), [](std::uint8_t byte) { return byte != 0; }))
    return std::uint64_t{0};
  for (std::uint64_t at = block; at + 8 <= source->size(); at += block) {
    if (auto ok = source->read(at, head); !ok) return tl::unexpected(ok.error());
    if (load_be(head.data() + 4, 4) == FourCC("ftyp").value) return at;
  }
  return fail(ErrorCode::bad_data, "'" + path + "' begins with zeros, and no recording follows them.");
}

} // namespace

Result<Recovered> recover(const std::string &path, Placement placement, bool keep_fragments) {
  Recovered recovered;
  {
    auto file = OutputFile::open(path);
    if (!file) return tl::unexpected(file.error());
    auto zeros = empty_front(path, file->block_size());
    if (!zeros) return tl::unexpected(zeros.error());
    if (*zeros > 0)
      if (auto ok = file->collapse(0, *zeros); !ok) return tl::unexpected(ok.error());
    auto scan = scan_file(path, false, false);
    if (!scan) return tl::unexpected(scan.error());
    if (!scan->moov)
      return fail(ErrorCode::bad_data, "'" + path +
                                           "' was cut before its movie box: there is nothing to tell its "
                                           "samples apart. Record with layout=hybrid.");
    recovered.fragments = scan->moofs;
    if (scan->moofs == 0 && scan->has_mdat) return recovered; // whole already
    recovered.cut_bytes = scan->size - scan->whole_end;
    if (recovered.cut_bytes > 0)
      if (auto ok = file->truncate(scan->whole_end); !ok) return tl::unexpected(ok.error());
  }
  if (keep_fragments) return recovered;
  auto placed = unfragment(path, placement);
  if (!placed) return tl::unexpected(placed.error());
  recovered.placed = *placed;
  return recovered;
}

} // namespace hull::isobmff
