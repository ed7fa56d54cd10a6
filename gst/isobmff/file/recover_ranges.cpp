#include "gst/isobmff/file/recover_ranges.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// Bytes of the first of `samples` samples that fit into `room` bytes.
std::uint64_t whole_samples(const TrackPlaces &places, std::uint64_t first, std::uint64_t samples,
                            std::uint64_t room) {
  if (places.sizes.empty()) {
    const std::uint32_t unit = places.packet_samples > 0 ? places.packet_bytes : places.equal_size;
    return unit > 0 ? room / unit * unit : 0;
  }
  std::uint64_t used = 0;
  for (std::uint64_t i = first; i < first + samples && i < places.sizes.size(); ++i) {
    if (places.sizes[i] > room - used) break;
    used += places.sizes[i];
  }
  return used;
}

} // namespace

void MediaRanges::remember_media(const TrackPlaces &places) {
  std::uint64_t sample = 0;
  for (const TrackPlaces::Chunk &chunk : places.chunks) {
    const std::uint64_t bytes = places.size_of(sample, chunk.samples);
    sample += chunk.samples;
    if (chunk.offset >= plan_.size || bytes == 0) continue;
    const std::uint64_t room = plan_.size - chunk.offset;
    const std::uint64_t whole =
        bytes > room ? whole_samples(places, sample - chunk.samples, chunk.samples, room) : bytes;
    if (whole > 0) plan_.kept.push_back({chunk.offset, whole, {}});
  }
}

void MediaRanges::settle_ranges() {
  std::ranges::sort(plan_.kept, {}, &ByteRange::offset);
  std::vector<ByteRange> joined;
  for (const ByteRange &range : plan_.kept) {
    if (!joined.empty() && range.offset <= joined.back().offset + joined.back().size)
      joined.back().size = std::max(joined.back().size, range.offset + range.size - joined.back().offset);
    else
      joined.push_back(range);
  }
  plan_.kept = std::move(joined);
  std::size_t next = 0;
  for (const Piece &piece : plan_.pieces) {
    if (piece.type != FourCC{} && !is(piece, "mdat")) continue;
    std::uint64_t at = piece.offset + (piece.type == FourCC{} ? 0 : piece.header_size);
    while (next < plan_.kept.size() && plan_.kept[next].offset + plan_.kept[next].size <= at)
      ++next;
    for (std::size_t i = next; at < piece.end();) {
      const std::uint64_t stop =
          i < plan_.kept.size() ? std::min(plan_.kept[i].offset, piece.end()) : piece.end();
      if (stop > at) plan_.given_up.push_back({at, stop - at, "in no sample that is kept"});
      if (i >= plan_.kept.size()) break;
      at = std::max(at, plan_.kept[i].offset + plan_.kept[i].size);
      ++i;
    }
  }
}

bool MediaRanges::used(std::uint64_t offset, std::uint64_t size) const {
  const auto after = std::upper_bound(
      plan_.kept.begin(), plan_.kept.end(), offset,
      [](std::uint64_t at, const ByteRange &range) { return at < range.offset + range.size; });
  return after != plan_.kept.end() && after->offset < offset + size;
}

bool MediaRanges::begins_with_header(const Piece &piece) {
  constexpr FourCC kNames[] = {"mdat", "free", "skip", "wide", "uuid", "moof",
                               "moov", "styp", "sidx", "prft", "emsg", "mfra"};
  ByteVector bytes(8);
  if (piece.size < 8 || !source_.read(piece.offset, bytes)) return false;
  const FourCC name(static_cast<std::uint32_t>(load_be(bytes.data() + 4, 4)));
  return load_be(bytes.data(), 4) == piece.size ||
         std::ranges::any_of(kNames, [name](FourCC one) { return may_have_been(name, one); });
}

void MediaRanges::cover_lost_media() {
  std::vector<Piece> pieces;
  for (const Piece &piece : plan_.pieces) {
    const bool lost = piece.type == FourCC{} && !pieces.empty() && !begins_with_header(piece);
    if (lost && (is(pieces.back(), "mdat") || is(pieces.back(), "free"))) {
      pieces.back().size += piece.size;
      pieces.back().state = Piece::State::wrong_size;
    } else {
      pieces.push_back(piece);
    }
  }
  plan_.pieces = std::move(pieces);
}

} // namespace hull::isobmff
