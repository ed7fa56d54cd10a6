// Doing what a recovery plan says, so that a kill at any moment loses nothing.

#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/recover.h"

#include <algorithm>
#include <cstdio>
#include <optional>

namespace hull::isobmff {
namespace {

Result<void> write_patches(OutputFile &file, const RecoveryPlan &plan, std::uint64_t moved, bool sync) {
  for (const HeaderPatch &patch : plan.patches)
    if (auto ok = file.write(patch.offset + moved, patch.bytes); !ok) return ok;
  return sync ? file.sync() : Result<void>();
}

// In front of the file, by insertion: what the file was becomes the payload of one mdat.
Result<Relocation> insert_movie(OutputFile &file, RecoveryPlan &plan) {
  if (!plan.begins_with_ftyp) // a recovery that is interrupted finds the file's start by its ftyp
    return fail(ErrorCode::unsupported, "'" + file.path() + "' does not begin with ftyp.");
  std::uint64_t moov_size = 0;
  Result<Node> moov;
  Front front;
  front.prepare = [&](std::uint64_t shift) -> Result<std::uint64_t> {
    moov = plan.movie(static_cast<std::int64_t>(shift));
    if (!moov) return tl::unexpected(moov.error());
    const auto size = tree_size(*moov);
    if (!size) return size;
    moov_size = *size;
    return plan.head.size() + moov_size;
  };
  front.write = [&](const Sink &sink) -> Result<void> {
    if (auto ok = sink(plan.head); !ok) return ok;
    return stream_tree(*moov, sink);
  };
  front.fill = [&](std::uint64_t left) {
    ByteVector filler;
    append_filler(filler, left - kLargeHeader);
    append_box_header(filler, "mdat", plan.size, true);
    return filler;
  };
  const auto shift = insert_front(file, front, kLargeHeader + kHeader, 0, true);
  if (!shift) return tl::unexpected(shift.error());
  return relocation(Placement::insert, file, moov_size);
}

// The header that becomes an mdat up to the new movie box at the end: that of the first box readers would
// stumble over, or of a free box in front of it. No sample may need its bytes.
std::optional<std::pair<std::uint64_t, std::uint64_t>> swallowing_header(const RecoveryPlan &plan) {
  std::size_t at = 0;
  const auto harmless = [](const Piece &piece) {
    constexpr FourCC kHarmless[] = {"ftyp", "free", "skip", "wide", "uuid", "meta", "udta"};
    return piece.state == Piece::State::whole &&
           std::ranges::find(kHarmless, piece.type) != std::end(kHarmless);
  };
  while (at < plan.pieces.size() && harmless(plan.pieces[at]))
    ++at;
  if (at == 0 || at == plan.pieces.size()) return std::nullopt;
  const FourCC before = plan.pieces[at - 1].type;
  if (before == FourCC("free") || before == FourCC("wide") || before == FourCC("skip")) --at;
  const std::uint64_t offset = plan.pieces[at].offset;
  const std::uint64_t length = plan.size - offset > 0xffffffffu ? kLargeHeader : kHeader;
  const std::uint64_t room =
      plan.kept.empty() || plan.kept.front().offset <= offset ? 0 : plan.kept.front().offset - offset;
  if (at == 0 || room < length) return std::nullopt;
  return std::pair(offset,
                   room >= kLargeHeader && plan.pieces[at].size == kLargeHeader ? kLargeHeader : length);
}

// At the end. The file is as it was until one write of a header joins the new box to it.
Result<Relocation> append_movie(OutputFile &file, RecoveryPlan &plan) {
  const auto header = swallowing_header(plan);
  if (!header)
    return fail(ErrorCode::unsupported,
                "'" + file.path() + "' has no room for the header of an mdat in front of its media.");
  auto moov = plan.movie(0);
  if (!moov) return tl::unexpected(moov.error());
  const auto size = tree_size(*moov);
  if (!size) return tl::unexpected(size.error());
  std::uint64_t at = plan.size;
  auto ok = stream_tree(*moov, [&](Bytes piece) {
    at += piece.size();
    return file.write(at - piece.size(), piece);
  });
  if (ok) ok = file.sync();
  ByteVector mdat;
  append_box_header(mdat, "mdat", plan.size - header->first - header->second, header->second == kLargeHeader);
  if (ok) ok = file.write(header->first, mdat);
  if (ok) ok = file.sync();
  if (!ok) return tl::unexpected(ok.error());
  return relocation(Placement::tail, file, *size);
}

// A new file: head, movie box, and `range` of the old one as an mdat.
Result<Relocation> copy_movie(OutputFile &file, RecoveryPlan &plan, const std::string &to,
                              const ByteRange &range) {
  std::uint64_t front = 0, moov_size = 0;
  Result<Node> moov;
  for (std::uint64_t guess = 1 << 16;;) { // grows only where offsets become 64-bit ones
    moov = plan.movie(static_cast<std::int64_t>(guess) - static_cast<std::int64_t>(range.offset));
    if (!moov) return tl::unexpected(moov.error());
    const auto size = tree_size(*moov);
    if (!size) return tl::unexpected(size.error());
    moov_size = *size;
    front = plan.head.size() + *size + kLargeHeader;
    if (front == guess) break;
    guess = front;
  }
  auto made = OutputFile::create(to);
  if (!made) return tl::unexpected(made.error());
  std::uint64_t at = 0;
  const auto put = [&](Bytes piece) {
    at += piece.size();
    return made->write(at - piece.size(), piece);
  };
  auto ok = put(plan.head);
  if (ok) ok = stream_tree(*moov, put);
  ByteVector mdat;
  append_box_header(mdat, "mdat", range.size, true);
  if (ok) ok = put(mdat);
  if (ok) ok = made->copy_from(file, plan.skipped + range.offset, at, range.size);
  if (ok) ok = made->sync();
  if (!ok) {
    std::remove(to.c_str());
    return tl::unexpected(ok.error());
  }
  return relocation(Placement::copy, *made, moov_size);
}

Result<Relocation> replace_by_copy(OutputFile &file, RecoveryPlan &plan, const std::string &path) {
  const std::string part = path + ".part";
  auto done = copy_movie(file, plan, part, {0, plan.size, {}});
  if (done && std::rename(part.c_str(), path.c_str()) != 0) {
    std::remove(part.c_str());
    return fail(ErrorCode::io, "'" + path + "' cannot be replaced by its repaired version.");
  }
  return done;
}

Result<Relocation> place_movie(OutputFile &file, RecoveryPlan &plan, const std::string &path,
                               Placement placement) {
  if (placement == Placement::copy) return replace_by_copy(file, plan, path);
  Result<Relocation> done = fail(ErrorCode::unsupported, "");
  if (placement != Placement::tail) done = insert_movie(file, plan);
  if (!done && done.error().code == ErrorCode::unsupported && placement != Placement::insert)
    done = append_movie(file, plan);
  if (!done && done.error().code == ErrorCode::unsupported && placement == Placement::automatic)
    done = replace_by_copy(file, plan, path);
  return done;
}

// A file of its own: only the media that are kept.
Result<Relocation> write_output(OutputFile &file, RecoveryPlan &plan, const std::string &to) {
  if (plan.remedy == Remedy::movie && !plan.kept.empty()) {
    const ByteRange &last = plan.kept.back();
    const std::uint64_t begin = plan.kept.front().offset;
    return copy_movie(file, plan, to, {begin, last.offset + last.size - begin, {}});
  }
  auto made = OutputFile::create(to);
  if (!made) return tl::unexpected(made.error());
  auto ok = made->copy_from(file, plan.skipped, 0, plan.size);
  if (ok) ok = write_patches(*made, plan, 0, true);
  if (!ok) {
    std::remove(to.c_str());
    return tl::unexpected(ok.error());
  }
  return relocation(Placement::copy, *made, 0);
}

Result<Relocation> repair_in_place(OutputFile &file, RecoveryPlan &plan, const std::string &path,
                                   Placement placement) {
  if (plan.skipped > 0)
    if (auto ok = file.collapse(0, plan.skipped); !ok) return tl::unexpected(ok.error());
  plan.skipped = 0;
  if (plan.remedy == Remedy::movie) return place_movie(file, plan, path, placement);
  if (auto ok = write_patches(file, plan, 0, true); !ok) return tl::unexpected(ok.error());
  return Relocation{Placement::tail, 0, file.bytes_written(), plan.remedy == Remedy::headers};
}

} // namespace

Result<Recovered> carry_out(RecoveryPlan &plan, const std::string &path, const RecoverOptions &options) {
  Recovered recovered;
  recovered.remedy = plan.remedy;
  recovered.fragments = plan.fragments;
  for (const ByteRange &range : plan.given_up)
    recovered.cut_bytes += range.size;
  const bool in_place = options.output.empty();
  if (in_place && plan.remedy == Remedy::none && plan.skipped == 0) return recovered;
  auto file = in_place ? OutputFile::open(path) : OutputFile::open_to_read(path);
  if (!file) return tl::unexpected(file.error());
  auto placed = in_place ? repair_in_place(*file, plan, path, options.placement)
                         : write_output(*file, plan, options.output);
  if (!placed) return tl::unexpected(placed.error());
  recovered.placed = *placed;
  return recovered;
}

} // namespace hull::isobmff
