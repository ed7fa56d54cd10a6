#include "gst/isobmff/file/recover_candidate.h"

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/recover_movie.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// Nothing in the box, nor between its children, is anything else than it should be.
bool whole_box(const Node &node) {
  return node.problem.empty() && std::ranges::all_of(node.tail, [](auto byte) { return byte == 0; }) &&
         std::ranges::none_of(node.children, &Node::raw);
}

} // namespace

std::string format_of(const Node &trak) {
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  return stsd && !stsd->children.empty() ? stsd->children[0].type().text() : "?";
}

Result<Node> parse_movie(const ByteVector &bytes) {
  MemorySource source(bytes);
  ParseLimits limits;
  limits.opaque_bytes = limits.table_bytes = limits.sample_table_bytes = kLargestBox; // nothing stays behind
  return parse_box_at(source, 0, bytes.size(), limits);
}

bool broken_headers(const Node &child) {
  if (child.type() != FourCC("trak")) return false;
  if (!whole_box(child)) return true;
  for (const char *path : {"tkhd", "mdia", "mdia/mdhd", "mdia/minf", "mdia/minf/stbl"})
    if (const Node *box = find(child, path); !box || !whole_box(*box)) return true;
  for (const char *path : {"mdia/minf/dinf", "mdia/minf/dinf/dref", "mdia/minf/stbl/stsd"})
    if (const Node *box = find(child, path); box && !whole_box(*box)) return true;
  return std::ranges::count(child.children, FourCC("mdia"), &Node::type) > 1;
}

bool broken_track(const Node &child) {
  if (child.type() != FourCC("trak")) return false;
  const auto places = track_places(child);
  return !places || places->contradicts || broken_headers(child);
}

void assess(Movie &movie, std::uint64_t file_size) {
  auto node = parse_movie(movie.bytes);
  if (!node) return;
  movie.node = std::move(*node);
  movie.fragmented = movie.node.child("mvex") != nullptr;
  const auto *mvhd = std::as_const(movie.node).get<MovieHeader>();
  for (const Node &trak : movie.node.children) {
    if (trak.type() != FourCC("trak")) continue;
    const bool described = mvhd && mvhd->timescale > 0 && find(trak, "mdia/minf/stbl/stsd") != nullptr;
    movie.usable |= described;
    movie.tracks += described && !broken_headers(trak);
    const auto places = track_places(trak, file_size);
    movie.agrees &= places && tables_agree(trak, *places);
    if (!places || has_external_media(trak)) continue;
    movie.samples += places->count;
    const std::uint64_t present = present_samples(*places, file_size).all;
    movie.present += present;
    if (!broken_track(trak)) movie.readable += present;
  }
}

Result<Movie> read_movie(Source &source, const Piece &piece) {
  Movie movie;
  movie.piece = piece;
  if (piece.size > kLargestBox || piece.size < 16) return movie;
  movie.bytes.resize(piece.size);
  if (auto ok = source.read(piece.offset, movie.bytes); !ok) return tl::unexpected(ok.error());
  Movie raw;
  raw.piece = piece;
  raw.bytes = movie.bytes;
  if (load_be(movie.bytes.data(), 4) != 1) movie.mended = mend_movie(movie.bytes);
  assess(movie, source.size());
  if (movie.mended == 0) return movie;
  assess(raw, source.size());
  const auto reads = [](const Movie &one) { return std::pair(one.present, one.tracks); };
  return std::pair(movie.readable, movie.tracks) < reads(raw) ? std::move(raw) : std::move(movie);
}

} // namespace hull::isobmff
