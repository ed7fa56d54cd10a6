#include "gst/isobmff/file/recover_tables.h"

#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/file.h"
#include "gst/isobmff/file/layout_front.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {
namespace {

void drop_wrong_edits(Node &moov) {
  const auto *mvhd = std::as_const(moov).get<MovieHeader>();
  for (Node &trak : moov.children)
    if (trak.type() == FourCC("trak") && mvhd) isobmff::drop_wrong_edits(trak, std::max(mvhd->timescale, 1u));
}

// Readers take samples of one size, such as those of PCM, in larger pieces.
void write_at_once(Node &stbl, std::uint32_t equal_size) {
  const auto bytes = write_tree(stbl);
  auto whole = bytes ? parse_boxes(*bytes) : Result<std::vector<Node>>();
  if (!bytes || !whole || whole->empty()) return;
  stbl = std::move(whole->front());
  auto *stsz = stbl.get<SampleSize>();
  if (!stsz || equal_size == 0) return;
  stsz->sample_size = equal_size;
  stsz->sample_count = static_cast<std::uint32_t>(stsz->entry_sizes.size());
  stsz->entry_sizes.clear();
}

void fit_tables(Node &moov, std::uint64_t size) {
  const auto *mvhd = std::as_const(moov).get<MovieHeader>();
  const std::uint32_t timescale = mvhd ? mvhd->timescale : 1000;
  for (Node &trak : moov.children) {
    if (trak.type() != FourCC("trak") || has_external_media(trak)) continue;
    auto places = track_places(trak, size);
    if (!places) continue;
    const bool clipped = clip_samples(trak, *places, size);
    const Present present = present_samples(*places, size);
    if (present.all == places->count && !clipped && !places->disordered) continue;
    if (present.all == present.leading && !clipped) {
      shorten_tables(trak, *places, present.leading, timescale);
    } else if (places->packet_samples <= 1 && !is_protected(moov)) {
      // Written at once, so that offsets can be moved like any other's.
      SampleTable table = table_within(trak, *places, size);
      replace_tables(trak, table, timescale, 0, size > 0xffffffffu);
      if (Node *stbl = find(trak, "mdia/minf/stbl"))
        write_at_once(*stbl, places->sizes.empty() ? places->equal_size : 0);
    }
  }
  update_movie_duration(moov);
}

} // namespace

// A recording that was finished hides its first movie box and its fragments: an mdat with a wrong size
// reaches over them, to the last movie box or, behind one that knows no fragments, to the end.
void TablePlanner::swallow_recording() {
  std::vector<Piece> pieces;
  for (const Piece &piece : plan_.pieces) {
    const bool after =
        !pieces.empty() && is(pieces.back(), "mdat") && pieces.back().state == Piece::State::wrong_size;
    const bool whole_in_front = !movie_.fragmented && after && movie_.piece.offset < pieces.back().offset;
    if (after && (piece.offset < movie_.piece.offset || whole_in_front))
      pieces.back().size += piece.size;
    else
      pieces.push_back(piece);
  }
  plan_.pieces = std::move(pieces);
}

void TablePlanner::read() {
  swallow_recording();
  bool missing = false;
  for (Node &trak : movie_.node.children) {
    if (trak.type() != FourCC("trak")) continue;
    TrackRecovery track;
    const auto *tkhd = std::as_const(trak).get<TrackHeader>();
    track.id = tkhd ? tkhd->track_id : 0;
    track.format = format_of(trak);
    auto places = track_places(trak, plan_.size);
    if (!places) {
      track.problem = places.error().text;
    } else if (!has_external_media(trak)) {
      changed_ |= clip_samples(trak, *places, plan_.size);
      if (places->disordered && tables_agree(trak, *places)) {
        plan_.found.push_back(fmt::format("track {} has its chunks out of order", track.id));
        changed_ = true;
      }
      const Present present = present_samples(*places, plan_.size);
      track.samples = present.all;
      track.missing = places->count - present.all;
      ranges_.remember_media(*places);
      missing |= track.missing > 0;
    }
    plan_.tracks.push_back(std::move(track));
  }
  if (missing) plan_.found.push_back("the tables name samples that are not in the file");
  changed_ |= missing;
  ranges_.settle_ranges();
}

Result<void> TablePlanner::decide() {
  if (plan_.found.empty() || movie_.samples == 0) return {};
  if (!changed_ && movie_.mended == 0 && mend_headers()) return {};
  // Tables that still disagree are left to readers, who have their own ways with them.
  if (!changed_ && reachable() && (movie_.mended == 0 || !movie_.agrees)) return {};
  if (movie_.mended > 0 && (movie_.readable == 0 || is_protected(movie_.node))) return {};
  plan_.remedy = Remedy::movie;
  const auto size = plan_.size;
  auto movie = std::make_shared<Movie>(std::move(movie_));
  plan_.movie = [movie, size, changed = changed_](std::int64_t shift) -> Result<Node> {
    auto moov = parse_movie(movie->bytes);
    if (!moov) return moov;
    if (movie->mended > 0) {
      std::erase_if(moov->children, broken_track);
      drop_wrong_edits(*moov);
    }
    if (changed || movie->mended > 0) fit_tables(*moov, size);
    if (auto ok = shift_offsets(*moov, 0, shift); !ok) return tl::unexpected(ok.error());
    return moov;
  };
  return {};
}

// Readers come to the movie box from the start of the file.
bool TablePlanner::reachable() const {
  for (const Piece &piece : plan_.pieces) {
    if (is(piece, "moov")) return piece.offset == movie_.piece.offset && piece.state == Piece::State::whole;
    if (piece.state != Piece::State::whole) return false;
  }
  return false;
}

// Sizes that lead from box to box; false where that takes bytes that a sample needs.
bool TablePlanner::mend_headers() {
  if (hidden_) return false;
  ranges_.cover_lost_media();
  std::vector<HeaderPatch> patches;
  bool blocked = false;
  for (std::size_t i = 0; i < plan_.pieces.size() && !blocked; ++i) {
    const Piece &piece = plan_.pieces[i];
    if (piece.state == Piece::State::whole) continue;
    const bool last = i + 1 == plan_.pieces.size();
    if (piece.type == FourCC{} && last && piece.offset > movie_.piece.offset) continue; // nobody comes here
    blocked = piece.type == FourCC{} && !ranges_.begins_with_header(piece);
    const std::uint64_t header = piece.size > 0xffffffffu ? 16 : 8;
    blocked |= piece.size < header || ranges_.used(piece.offset, header);
    FourCC type = piece.type;
    if (type == FourCC{}) type = ranges_.used(piece.offset, piece.size) ? FourCC("mdat") : FourCC("free");
    ByteVector bytes;
    if (piece.header_size == 16 && piece.type != FourCC{})
      append_box_header(bytes, type, piece.size - std::min<std::uint64_t>(piece.size, 16), true);
    else
      append_box_header(bytes, type, piece.size - std::min(piece.size, header));
    if (piece.type == FourCC("ftyp") || ranges_.used(piece.offset, bytes.size())) blocked = true;
    patches.push_back({piece.offset, std::move(bytes)});
  }
  if (blocked) return false;
  plan_.patches = std::move(patches);
  if (!plan_.patches.empty()) plan_.remedy = Remedy::headers;
  return true;
}

} // namespace hull::isobmff
