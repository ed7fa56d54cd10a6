#include "gst/isobmff/file/file.h"

#include "gst/isobmff/boxes/fields.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/item.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/edit.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace hull::isobmff {
namespace {

// Boxes that cannot be taken away from a file that shall still play.
const std::set<FourCC> kNeeded = {"ftyp", "moov", "mdat", "moof", "mvhd", "trak", "tkhd", "mdia", "mdhd",
                                  "hdlr", "minf", "stbl", "stsd", "stts", "stsc", "stsz", "stz2", "stco",
                                  "co64", "mvex", "trex", "mfhd", "traf", "tfhd", "tfdt", "trun", "ctts",
                                  "dinf", "dref", "stss", "frma", "schm", "schi", "tenc", "senc", "saiz",
                                  "saio", "avcC", "hvcC", "av1C", "vpcC", "esds", "dOps", "dfLa"};

template <class T> Result<void> shift_values(std::vector<T> &values, std::uint64_t from, std::int64_t delta) {
  for (T &value : values) {
    if (value < from) continue;
    const auto moved = static_cast<std::int64_t>(value) + delta;
    if (moved < 0) return fail(ErrorCode::bad_data, "a chunk offset would become negative");
    value = static_cast<T>(moved);
  }
  return {};
}

bool passes_32_bits(const ChunkOffset &table, std::uint64_t from, std::int64_t delta) {
  return std::ranges::any_of(table.chunk_offsets, [&](std::uint32_t offset) {
    return offset >= from && static_cast<std::int64_t>(offset) + delta > 0xffffffffll;
  });
}

// An item's bytes lie at its base and an extent's offset; the base moves where there is one.
Result<void> shift_items(ItemLocation &iloc, std::uint64_t from, std::int64_t delta) {
  constexpr std::uint8_t kInFile = 0;
  for (auto &item : iloc.items) {
    if (item.construction_method != kInFile || item.data_reference_index != 0) continue;
    const bool by_base = iloc.base_offset_size > 0 && item.base_offset > 0;
    const std::uint64_t least = std::ranges::empty(item.extents) ? 0 : item.extents.front().extent_offset;
    if (by_base && item.base_offset + least >= from) item.base_offset += static_cast<std::uint64_t>(delta);
    for (auto &extent : item.extents)
      if (!by_base && extent.extent_offset >= from) extent.extent_offset += static_cast<std::uint64_t>(delta);
  }
  const auto written = write_payload(iloc);
  return written ? Result<void>{} : tl::unexpected(written.error());
}

Result<bool> shift_table(Node &node, std::uint64_t from, std::int64_t delta) {
  if (auto *wide = node.as<ChunkLargeOffset>()) {
    auto done = shift_values(wide->chunk_offsets, from, delta);
    return done ? Result<bool>(false) : tl::unexpected(done.error());
  }
  if (auto *saio = node.as<SampleAuxiliaryInfoOffsets>()) {
    auto done = shift_values(saio->offsets, from, delta);
    return done ? Result<bool>(false) : tl::unexpected(done.error());
  }
  if (auto *iloc = node.as<ItemLocation>()) {
    auto done = shift_items(*iloc, from, delta);
    return done ? Result<bool>(false) : tl::unexpected(done.error());
  }
  auto *narrow = node.as<ChunkOffset>();
  if (!narrow) return false;
  if (!passes_32_bits(*narrow, from, delta)) {
    auto done = shift_values(narrow->chunk_offsets, from, delta);
    return done ? Result<bool>(false) : tl::unexpected(done.error());
  }
  ChunkLargeOffset wide;
  wide.chunk_offsets.assign(narrow->chunk_offsets.begin(), narrow->chunk_offsets.end());
  auto done = shift_values(wide.chunk_offsets, from, delta);
  if (!done) return tl::unexpected(done.error());
  node.box = std::make_unique<ChunkLargeOffset>(std::move(wide));
  return true;
}

// Boxes of the top level whose tables count from the file's start.
bool has_offsets(FourCC type) {
  return type == FourCC("moov") || type == FourCC("meta");
}

// Offsets that stand outside the box that was written: tfhd.base_data_offset, tfra, and the tables of moov and meta.
// They are patched where they lie.
Result<std::uint64_t> patch_elsewhere(const std::string &path, FourCC written, std::uint64_t from,
                                      std::int64_t delta) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  auto file = EditFile::open(path);
  if (!file) return tl::unexpected(file.error());
  Result<void> done;
  const auto moved = [&](std::uint64_t value) {
    return value < from ? value : value + static_cast<std::uint64_t>(delta);
  };
  const auto visit = [&](Node &node) {
    bool changed = false;
    if (has_offsets(node.type()) && node.type() != written) {
      const auto grew = shift_offsets(node, from, delta);
      if (!grew) done = tl::unexpected(grew.error());
      if (!grew) return false;
      changed = true;
    }
    for (Node &child : node.children) {
      if (auto *tfra = node.type() == FourCC("mfra") ? child.as<TrackFragmentRandomAccess>() : nullptr)
        for (auto &entry : tfra->entries) {
          entry.moof_offset = moved(entry.moof_offset);
          changed = true;
        }
      const auto *seen =
          node.type() == FourCC("moof") ? std::as_const(child).get<TrackFragmentHeader>() : nullptr;
      if (!seen || !(seen->flags & TrackFragmentHeader::kBaseDataOffset)) continue;
      auto *tfhd = child.get<TrackFragmentHeader>();
      tfhd->base_data_offset = moved(tfhd->base_data_offset);
      changed = true;
    }
    if (!changed) return true;
    const auto bytes = write_tree(node);
    done = bytes && bytes->size() == node.size
               ? file->write(node.offset, *bytes)
               : fail(ErrorCode::unsupported, "a table of the file cannot hold the new offsets");
    return done.has_value();
  };
  const auto end = for_each_box(*source, visit);
  if (!end) return tl::unexpected(end.error());
  if (!done) return tl::unexpected(done.error());
  return file->bytes_written();
}

// When a moof changes its size its samples move with it: data offsets count from its first byte.
void follow_moof(Node &moof, std::int64_t delta) {
  for (Node &traf : moof.children)
    for (Node &box : traf.children) {
      if (auto *run = box.as<TrackRun>(); run && run->flags & TrackRun::kDataOffset)
        run->data_offset += static_cast<std::int32_t>(delta);
    }
}

// Writes `top` back, which was read from the file and changed.
Result<EditReport> write_back(const std::string &path, Node &top) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  auto file = EditFile::open(path);
  if (!file) return tl::unexpected(file.error());
  const std::uint64_t begin = top.offset, end = top.offset + top.size;
  const bool is_moof = top.type() == FourCC("moof"), counts = has_offsets(top.type());
  if (top.to_end && tree_size(top) != top.size) top.to_end = false;
  Replacement range;
  range.begin = begin;
  range.end = end;
  std::int64_t applied = 0; // bytes() may be asked several times
  range.bytes = [&](std::int64_t shift) -> Result<ByteVector> {
    if (counts && shift != applied) {
      // Offsets past the box have been moved by `applied` already.
      const auto from = static_cast<std::uint64_t>(static_cast<std::int64_t>(end) + applied);
      if (auto done = shift_offsets(top, from, shift - applied); !done) return tl::unexpected(done.error());
    }
    if (is_moof && shift != applied) follow_moof(top, shift - applied);
    applied = shift;
    return write_tree(top, &*source);
  };
  range.is_box = !is_moof; // nothing may stand between a moof and its mdat
  auto report = replace_range(*file, range);
  if (!report || report->shifted == 0) return report;
  const auto patched = patch_elsewhere(path, top.type(), end, static_cast<std::int64_t>(report->shifted));
  if (!patched) return tl::unexpected(patched.error());
  report->bytes_written += *patched;
  return report;
}

Result<Located> open_and_locate(const std::string &path, std::string_view box) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  return locate(*source, box);
}

// The children the box at `path` is one of, and its place among them.
struct Siblings {
  Node *parent = nullptr;
  std::size_t index = 0;
};
Siblings siblings_of(Node &root, const Node *wanted) {
  for (std::size_t i = 0; i < root.children.size(); ++i) {
    if (&root.children[i] == wanted) return {&root, i};
    if (auto below = siblings_of(root.children[i], wanted); below.parent) return below;
  }
  return {};
}

Result<EditReport> insert_at_top(const std::string &path, std::uint64_t at, Node box) {
  const auto bytes = write_tree(box);
  if (!bytes) return tl::unexpected(bytes.error());
  auto file = EditFile::open(path);
  if (!file) return tl::unexpected(file.error());
  if (at == file->size()) {
    if (auto done = file->write(at, *bytes); !done) return tl::unexpected(done.error());
    return EditReport{EditMethod::append, bytes->size(), 0};
  }
  // What moov says of the bytes behind must be right when the new file replaces the old one: it is changed
  // first where it lies in front, and in a copy.
  return fail(ErrorCode::unsupported,
              "a box can be put into a file's top level only at its end; put it into moov, or "
              "let the muxer place it");
}

} // namespace

const char *name(EditMethod method) {
  static constexpr const char *kNames[] = {"none", "in place", "padding", "append", "insert", "copy"};
  return kNames[static_cast<int>(method)];
}

Result<bool> shift_offsets(Node &node, std::uint64_t from, std::int64_t delta) {
  bool grew = false;
  for (Node &child : node.children) {
    auto below = child.children.empty() ? shift_table(child, from, delta) : shift_offsets(child, from, delta);
    if (!below) return below;
    grew = grew || *below;
  }
  return grew;
}

Result<EditReport> set_in_file(const std::string &file, std::string_view field_path, std::string_view value) {
  const FieldPath path = split_field(field_path);
  if (path.field.empty())
    return fail(ErrorCode::settings,
                fmt::format("'{}' names no field; write it like moov/trak[1]/tkhd.width", field_path));
  auto found = open_and_locate(file, path.box);
  if (!found) return tl::unexpected(found.error());
  if (found->node->as<Stored>()) return fail(ErrorCode::settings, path.box + " has no fields");
  found->node->original_bytes.clear();
  if (auto done = set_field(*found->node->box, path.field, value); !done) return tl::unexpected(done.error());
  return write_back(file, *found->top);
}

Result<EditReport> insert_in_file(const std::string &file, const InsertPlace &place, Bytes box) {
  if (place.path.empty()) {
    auto source = FileSource::open(file);
    if (!source) return tl::unexpected(source.error());
    auto node = check_injected(box, FourCC{});
    if (!node) return tl::unexpected(node.error());
    return insert_at_top(file, source->size(), std::move(*node));
  }
  auto found = open_and_locate(file, place.path);
  if (!found) return tl::unexpected(found.error());
  Node *parent = found->node;
  std::size_t index = parent->children.size();
  if (place.side != InsertPlace::Side::inside) {
    const Siblings siblings = siblings_of(*found->top, found->node);
    if (!siblings.parent) {
      auto node = check_injected(box, FourCC{});
      if (!node) return tl::unexpected(node.error());
      const bool after = place.side == InsertPlace::Side::after;
      return insert_at_top(file, found->top->offset + (after ? found->top->size : 0), std::move(*node));
    }
    parent = siblings.parent;
    index = siblings.index + (place.side == InsertPlace::Side::after ? 1 : 0);
  }
  if (!parent->box->has_children())
    return fail(ErrorCode::settings, fmt::format("{} cannot hold boxes", parent->type().text()));
  auto node = check_injected(box, parent->type(), parent->children);
  if (!node) return tl::unexpected(node.error());
  parent->children.insert(parent->children.begin() + static_cast<std::ptrdiff_t>(index), std::move(*node));
  return write_back(file, *found->top);
}

Result<EditReport> remove_from_file(const std::string &file, std::string_view path) {
  auto found = open_and_locate(file, path);
  if (!found) return tl::unexpected(found.error());
  const FourCC type = found->node->type();
  const Siblings siblings = siblings_of(*found->top, found->node);
  if (kNeeded.contains(type) || !siblings.parent || siblings.parent->type() == FourCC("stsd"))
    return fail(ErrorCode::settings,
                fmt::format("{} cannot be removed: the file would not play without it", path));
  siblings.parent->children.erase(siblings.parent->children.begin() +
                                  static_cast<std::ptrdiff_t>(siblings.index));
  return write_back(file, *found->top);
}

} // namespace hull::isobmff
