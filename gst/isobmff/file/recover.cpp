// What is wrong with a file, and what to do about it.

#include "gst/isobmff/file/recover.h"

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/file.h"
#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/recover_movie.h"
#include "gst/isobmff/file/recover_rebuild.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kLargestMovie = 1ull << 30;

bool is(const Piece &piece, FourCC type) {
  return piece.type == type;
}

// A movie box as it can be read, and what is left of its samples.
struct Movie {
  Piece piece;
  ByteVector bytes; ///< mended
  Node node;
  unsigned mended = 0;
  std::uint64_t samples = 0, present = 0;
  std::uint64_t readable = 0; ///< present, in tracks that no reader refuses
  unsigned tracks = 0;        ///< that no reader refuses
  bool fragmented = false;    ///< has mvex
  bool agrees = true;         ///< its tables do
  bool usable = false;        ///< has a header and a track with a sample entry
};

std::string format_of(const Node &trak) {
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  return stsd && !stsd->children.empty() ? stsd->children[0].type().text() : "?";
}

Result<Node> parse_movie(const ByteVector &bytes) {
  MemorySource source(bytes);
  ParseLimits limits;
  limits.opaque_bytes = limits.table_bytes = limits.sample_table_bytes =
      kLargestMovie; // nothing stays behind
  return parse_box_at(source, 0, bytes.size(), limits);
}

// Nothing in the box, nor between its children, is anything else than it should be.
bool whole_box(const Node &node) {
  return node.problem.empty() && std::ranges::all_of(node.tail, [](auto byte) { return byte == 0; }) &&
         std::ranges::none_of(node.children, &Node::raw);
}

// The boxes around its tables.
bool broken_headers(const Node &child) {
  if (child.type() != FourCC("trak")) return false;
  if (!whole_box(child)) return true;
  for (const char *path : {"tkhd", "mdia", "mdia/mdhd", "mdia/minf", "mdia/minf/stbl"})
    if (const Node *box = find(child, path); !box || !whole_box(*box)) return true;
  for (const char *path : {"mdia/minf/dinf", "mdia/minf/dinf/dref", "mdia/minf/stbl/stsd"})
    if (const Node *box = find(child, path); box && !whole_box(*box)) return true;
  return std::ranges::count(child.children, FourCC("mdia"), &Node::type) > 1;
}

// One such track keeps readers from all others.
bool broken_track(const Node &child) {
  if (child.type() != FourCC("trak")) return false;
  const auto places = track_places(child);
  return !places || places->contradicts || broken_headers(child);
}

// The movie box as its bytes stand.
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
    const auto places = track_places(trak);
    movie.agrees &= places && tables_agree(trak, *places);
    if (!places || has_external_media(trak)) continue;
    movie.samples += places->count;
    const std::uint64_t present = present_samples(*places, file_size).all;
    movie.present += present;
    if (!broken_track(trak)) movie.readable += present;
  }
}

// Mended, unless more of it can be read as it is.
Result<Movie> read_movie(Source &source, const Piece &piece) {
  Movie movie;
  movie.piece = piece;
  if (piece.size > kLargestMovie || piece.size < 16) return movie;
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

// The state everything shares while a plan is made.
class Planner {
 public:
  Planner(Source &source, const RecoverOptions &options) : source_(source), options_(options) {}

  Result<RecoveryPlan> plan() {
    auto survey = survey_file(source_);
    if (!survey) return tl::unexpected(survey.error());
    const std::vector<Piece> outer = plan_.pieces = survey->pieces;
    plan_.size = source_.size();
    if (auto ok = choose_movie(); !ok) return tl::unexpected(ok.error());
    if (!movie_ || !movie_->usable)
      if (auto ok = look_deeper(); !ok) return tl::unexpected(ok.error());
    describe_damage();
    remember_head();
    const bool moofs =
        std::ranges::any_of(plan_.pieces, [](const Piece &piece) { return is(piece, "moof"); });
    Result<void> done;
    if (!movie_ || !movie_->usable)
      done = without_movie(moofs);
    else if (movie_->fragmented && moofs)
      done = fragments();
    else
      done = tables(moofs);
    if (!done) return tl::unexpected(done.error());
    if (plan_.remedy == Remedy::none) plan_.patches.clear();
    plan_.pieces = outer; // what a header at the top level can be laid over
    return std::move(plan_);
  }

 private:
  // The first that says most of samples that are there: it is the one readers take, unless it is broken.
  Result<void> choose_movie() {
    for (const Piece &piece : plan_.pieces) {
      if (!is(piece, "moov")) continue;
      auto movie = read_movie(source_, piece);
      if (!movie) return tl::unexpected(movie.error());
      const auto rank = [](const Movie &one) { return std::pair(one.usable, one.present); };
      if (!movie_ || rank(*movie) > rank(*movie_)) movie_ = std::move(*movie);
    }
    return {};
  }

  // Boxes inside an mdat: a finished recording keeps its fragments there.
  Result<void> look_deeper() {
    std::vector<Piece> pieces;
    bool any = false;
    for (const Piece &piece : plan_.pieces) {
      if (!is(piece, "mdat") && !is(piece, FourCC{}) && !is(piece, "free")) {
        pieces.push_back(piece);
        continue;
      }
      const auto inside = hidden_pieces(source_, piece);
      if (!inside) return tl::unexpected(inside.error());
      Piece outer = piece;
      if (!inside->empty()) outer.size = inside->front().offset - piece.offset;
      pieces.push_back(outer);
      pieces.insert(pieces.end(), inside->begin(), inside->end());
      any |= !inside->empty();
    }
    if (!any) return {};
    plan_.pieces = std::move(pieces);
    hidden_ = true;
    return choose_movie();
  }

  void describe_damage() {
    for (const Piece &piece : plan_.pieces) {
      const std::string name = piece.type == FourCC{} ? "" : piece.type.text();
      switch (piece.state) {
      case Piece::State::whole:
        continue;
      case Piece::State::wrong_size:
        plan_.found.push_back(
            fmt::format("{} at {} has a wrong header: it is {} bytes long", name, piece.offset, piece.size));
        break;
      case Piece::State::cut:
        plan_.found.push_back(fmt::format("{} at {} goes on past the end of the file", name, piece.offset));
        break;
      case Piece::State::lost:
        plan_.found.push_back(fmt::format("the {} bytes at {} are no box", piece.size, piece.offset));
        break;
      }
    }
    if (movie_ && movie_->mended > 0)
      plan_.found.push_back(
          fmt::format("moov at {} has {} damaged places", movie_->piece.offset, movie_->mended));
  }

  // What goes in front of a movie box that is written into a new file.
  void remember_head() {
    plan_.begins_with_ftyp = !plan_.pieces.empty() && is(plan_.pieces[0], "ftyp") &&
                             plan_.pieces[0].state == Piece::State::whole && plan_.pieces[0].size < 4096;
    if (plan_.begins_with_ftyp)
      copy_to_head(plan_.pieces[0]);
    else
      append(plan_.head, from_hex("0000001c6674797069736f6d0000020069736f6d69736f326d703431"));
    for (const Piece &piece : plan_.pieces)
      if ((is(piece, "uuid") || is(piece, "meta") || is(piece, "udta")) &&
          piece.state == Piece::State::whole && piece.size <= 1 << 20)
        copy_to_head(piece);
  }
  void copy_to_head(const Piece &piece) {
    ByteVector bytes(piece.size);
    if (source_.read(piece.offset, bytes)) append(plan_.head, bytes);
  }

  // A recording that was finished hides its first movie box and its fragments: an mdat with a wrong size
  // reaches over them, to the last movie box or, behind one that knows no fragments, to the end.
  void swallow_recording() {
    std::vector<Piece> pieces;
    for (const Piece &piece : plan_.pieces) {
      const bool after =
          !pieces.empty() && is(pieces.back(), "mdat") && pieces.back().state == Piece::State::wrong_size;
      const bool whole_in_front = !movie_->fragmented && after && movie_->piece.offset < pieces.back().offset;
      if (after && (piece.offset < movie_->piece.offset || whole_in_front))
        pieces.back().size += piece.size;
      else
        pieces.push_back(piece);
    }
    plan_.pieces = std::move(pieces);
  }

  // Samples are named by tables.
  Result<void> tables(bool moofs) {
    swallow_recording();
    bool changed = false, missing = false;
    for (Node &trak : movie_->node.children) {
      if (trak.type() != FourCC("trak")) continue;
      TrackRecovery track;
      const auto *tkhd = std::as_const(trak).get<TrackHeader>();
      track.id = tkhd ? tkhd->track_id : 0;
      track.format = format_of(trak);
      auto places = track_places(trak);
      if (!places) {
        track.problem = places.error().text;
      } else if (!has_external_media(trak)) {
        changed |= clip_samples(trak, *places, plan_.size);
        if (places->disordered && tables_agree(trak, *places)) {
          plan_.found.push_back(fmt::format("track {} has its chunks out of order", track.id));
          changed = true;
        }
        const Present present = present_samples(*places, plan_.size);
        track.samples = present.all;
        track.missing = places->count - present.all;
        remember_media(*places);
        missing |= track.missing > 0;
      }
      plan_.tracks.push_back(std::move(track));
    }
    if (missing) plan_.found.push_back("the tables name samples that are not in the file");
    changed |= missing;
    settle_ranges();
    if (std::ranges::all_of(plan_.tracks, [](const auto &track) { return track.samples == 0; }) && !moofs &&
        !movie_->fragmented)
      return hopeless_tables();
    if (plan_.found.empty() || movie_->samples == 0) return {};
    if (!changed && movie_->mended == 0 && mend_headers()) return {};
    // Tables that still disagree are left to readers, who have their own ways with them.
    if (!changed && reachable() && (movie_->mended == 0 || !movie_->agrees)) return {};
    if (movie_->mended > 0 && (movie_->readable == 0 || is_protected(movie_->node))) return {};
    plan_.remedy = Remedy::movie;
    const auto size = plan_.size;
    auto movie = std::make_shared<Movie>(std::move(*movie_));
    plan_.movie = [movie, size, changed](std::int64_t shift) -> Result<Node> {
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

  static void drop_wrong_edits(Node &moov) {
    const auto *mvhd = std::as_const(moov).get<MovieHeader>();
    for (Node &trak : moov.children)
      if (trak.type() == FourCC("trak") && mvhd)
        isobmff::drop_wrong_edits(trak, std::max(mvhd->timescale, 1u));
  }

  // Readers take samples of one size, such as those of PCM, in larger pieces.
  static void write_at_once(Node &stbl, std::uint32_t equal_size) {
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

  static void fit_tables(Node &moov, std::uint64_t size) {
    const auto *mvhd = std::as_const(moov).get<MovieHeader>();
    const std::uint32_t timescale = mvhd ? mvhd->timescale : 1000;
    for (Node &trak : moov.children) {
      if (trak.type() != FourCC("trak") || has_external_media(trak)) continue;
      auto places = track_places(trak);
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

  // Readers come to the movie box from the start of the file.
  bool reachable() const {
    for (const Piece &piece : plan_.pieces) {
      if (is(piece, "moov"))
        return piece.offset == movie_->piece.offset && piece.state == Piece::State::whole;
      if (piece.state != Piece::State::whole) return false;
    }
    return false;
  }

  // Sizes that lead from box to box; false where that takes bytes that a sample needs.
  bool mend_headers() {
    if (hidden_) return false;
    cover_lost_media();
    std::vector<HeaderPatch> patches;
    bool blocked = false;
    for (std::size_t i = 0; i < plan_.pieces.size() && !blocked; ++i) {
      const Piece &piece = plan_.pieces[i];
      if (piece.state == Piece::State::whole) continue;
      const bool last = i + 1 == plan_.pieces.size();
      if (piece.type == FourCC{} && last && piece.offset > movie_->piece.offset)
        continue; // nobody comes here
      blocked = piece.type == FourCC{} && !begins_with_header(piece);
      const std::uint64_t header = piece.size > 0xffffffffu ? 16 : 8;
      blocked |= piece.size < header || used(piece.offset, header);
      FourCC type = piece.type;
      if (type == FourCC{}) type = used(piece.offset, piece.size) ? FourCC("mdat") : FourCC("free");
      ByteVector bytes;
      if (piece.header_size == 16 && piece.type != FourCC{})
        append_box_header(bytes, type, piece.size - std::min<std::uint64_t>(piece.size, 16), true);
      else
        append_box_header(bytes, type, piece.size - std::min(piece.size, header));
      if (piece.type == FourCC("ftyp") || used(piece.offset, bytes.size())) blocked = true;
      patches.push_back({piece.offset, std::move(bytes)});
    }
    if (blocked) return false;
    plan_.patches = std::move(patches);
    if (!plan_.patches.empty()) plan_.remedy = Remedy::headers;
    return true;
  }

  // What stands where a box should begin was a header, and no media: it says its size, or is named nearly
  // right.
  bool begins_with_header(const Piece &piece) {
    constexpr FourCC kNames[] = {"mdat", "free", "skip", "wide", "uuid", "moof",
                                 "moov", "styp", "sidx", "prft", "emsg", "mfra"};
    ByteVector bytes(8);
    if (piece.size < 8 || !source_.read(piece.offset, bytes)) return false;
    const FourCC name(static_cast<std::uint32_t>(load_be(bytes.data() + 4, 4)));
    return load_be(bytes.data(), 4) == piece.size ||
           std::ranges::any_of(kNames, [name](FourCC one) { return may_have_been(name, one); });
  }

  // Other lost bytes may be media: the mdat or free box in front of them takes them in, and no byte of them
  // is written over.
  void cover_lost_media() {
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

  bool used(std::uint64_t offset, std::uint64_t size) const {
    const auto after = std::upper_bound(
        plan_.kept.begin(), plan_.kept.end(), offset,
        [](std::uint64_t at, const ByteRange &range) { return at < range.offset + range.size; });
    return after != plan_.kept.end() && after->offset < offset + size;
  }

  void remember_media(const TrackPlaces &places) {
    std::uint64_t sample = 0;
    for (const TrackPlaces::Chunk &chunk : places.chunks) {
      const std::uint64_t bytes = places.size_of(sample, chunk.samples);
      sample += chunk.samples;
      if (chunk.offset >= plan_.size || bytes == 0) continue;
      plan_.kept.push_back({chunk.offset, std::min(bytes, plan_.size - chunk.offset), {}});
    }
  }

  // Ranges in order and joined; what they leave of the media is given up.
  void settle_ranges() {
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

  // Samples are named by fragments.
  Result<void> fragments() {
    auto scan = std::make_shared<FragmentScan>();
    FragmentRuns reader;
    reader.read_movie(movie_->node);
    read_media_starts(movie_->node, scan->tracks);
    std::map<std::uint32_t, TrackRecovery> tracks;
    for (const Node &trak : movie_->node.children) {
      const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr;
      if (!tkhd) continue;
      tracks[tkhd->track_id] = {tkhd->track_id, format_of(trak), 0, 0, false, {}};
      if (frames_are_found(trak)) found_frames_.insert(tkhd->track_id);
      first_samples(trak, scan->tracks[tkhd->track_id], tracks[tkhd->track_id]);
    }
    if (borrowed_) media_in_front(*scan, tracks);
    for (std::size_t i = 0; i < plan_.pieces.size(); ++i) {
      if (!is(plan_.pieces[i], "moof")) continue;
      auto runs = read_fragment(reader, i);
      if (!runs) return tl::unexpected(runs.error());
      bool any = false;
      for (FragmentRun &run : *runs) {
        any |= !run.samples.empty();
        TrackRecovery &track = tracks[run.track];
        track.samples += run.samples.size();
        track.missing += dropped_[&run - runs->data()];
        std::uint64_t bytes = 0;
        for (const Sample &sample : run.samples)
          bytes += sample.size;
        if (bytes > 0) plan_.kept.push_back({run.offset, bytes, {}});
        if (!run.samples.empty()) steady_time(scan->tracks[run.track], run);
        if (!run.samples.empty()) scan->tracks[run.track].add(run, true);
      }
      plan_.fragments += any;
    }
    for (auto &[id, track] : scan->tracks) // an edit list that was damaged
      if (track.media_start >= static_cast<std::int64_t>(track.table.duration())) track.media_start = 0;
    std::uint64_t missing = 0, kept = 0;
    for (auto &[id, track] : tracks) {
      missing += track.missing;
      kept += track.samples;
      plan_.tracks.push_back(track);
    }
    settle_ranges();
    if (missing > 0) plan_.found.push_back("the fragments name samples that are not in the file");
    const bool ours = has_gap();
    if (plan_.found.empty() && !ours) return {};
    if (plan_.found.empty() && options_.keep_fragments) return {};
    if (kept == 0) return {};
    for (const Node &trak : movie_->node.children) // which would have to go
      if (const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr)
        if (movie_->mended > 0 && broken_headers(trak) && tracks[tkhd->track_id].samples > 0) return {};
    if (options_.keep_fragments && !borrowed_) return keep_fragments();
    if (is_protected(movie_->node)) return only_cut() ? keep_fragments() : Result<void>();
    plan_.remedy = Remedy::movie;
    auto movie = std::make_shared<Movie>(std::move(*movie_));
    plan_.movie = [movie, scan](std::int64_t shift) -> Result<Node> {
      auto moov = parse_movie(movie->bytes);
      if (!moov) return moov;
      if (movie->mended > 0) std::erase_if(moov->children, broken_headers);
      scan->moov = std::move(*moov);
      if (auto size = whole_movie(*scan, static_cast<std::uint64_t>(shift)); !size)
        return tl::unexpected(size.error());
      return std::move(*scan->moov);
    };
    return {};
  }

  // The movie box that was lost may have named samples itself, in front of the first fragment.
  void media_in_front(FragmentScan &scan, std::map<std::uint32_t, TrackRecovery> &tracks) {
    const auto moof = std::ranges::find(plan_.pieces, FourCC("moof"), &Piece::type);
    const std::span pieces(plan_.pieces.begin(), moof);
    if (std::ranges::none_of(pieces, [](const Piece &piece) { return is(piece, "mdat"); })) return;
    const auto model = read_model(options_.like);
    if (!model) return;
    FoundMedia found = find_media(source_, **model, pieces);
    plan_.kept = std::move(found.kept);
    for (std::size_t i = 0; i < found.tables.size(); ++i) {
      const std::uint32_t id = (*model)->tracks[i].id;
      tracks[id].samples = found.tables[i].samples();
      tracks[id].rebuilt = tracks[id].samples > 0;
      scan.tracks[id].any = tracks[id].rebuilt;
      scan.tracks[id].table = std::move(found.tables[i]);
    }
  }

  // What readers do with encrypted fragments behind damage is not foreseen; a file that just ends is safe.
  bool only_cut() const {
    return std::ranges::all_of(plan_.pieces, [this](const Piece &piece) {
      return piece.state == Piece::State::whole ||
             (piece.state == Piece::State::cut && piece.end() == plan_.size);
    });
  }

  // A movie box may hold the first fragment's samples in its own tables.
  void first_samples(const Node &trak, ScannedTrack &scanned, TrackRecovery &track) {
    const auto places = track_places(trak);
    if (!places || places->count == 0 || places->packet_samples > 1) return;
    scanned.table = table_within(trak, *places, plan_.size);
    scanned.any = scanned.table.samples() > 0;
    track.samples = scanned.table.samples();
    track.missing = places->count - track.samples;
    remember_media(*places);
  }

  // The runs of one moof, without samples that cannot be where it says.
  Result<std::vector<FragmentRun>> read_fragment(FragmentRuns &reader, std::size_t index) {
    const Piece &piece = plan_.pieces[index];
    dropped_.clear();
    auto moof = read_moof(piece);
    if (!moof) return std::vector<FragmentRun>();
    auto runs = reader.read(*moof, true).value_or(std::vector<FragmentRun>());
    std::uint64_t bound = plan_.size;
    for (std::size_t i = index + 1; i < plan_.pieces.size() && bound == plan_.size; ++i)
      if (is(plan_.pieces[i], "moof") || is(plan_.pieces[i], "moov")) bound = plan_.pieces[i].offset;
    move_runs(runs, piece, bound, borrowed_ && counts_from_start(*moof));
    dropped_.resize(runs.size());
    for (std::size_t r = 0; r < runs.size(); ++r) {
      FragmentRun &run = runs[r];
      const bool own = run.offset >= piece.end() && run.offset < bound;
      const std::uint64_t stop = own ? bound : plan_.size;
      std::uint64_t at = run.offset;
      for (Sample &sample : run.samples)
        sample.size = possible_size(sample.size);
      std::size_t keep = 0;
      // The last may reach into the next box: bytes were lost in front of it, or only its end is wrong.
      const std::size_t named = run.samples.size();
      if (found_frames_.contains(run.track)) clip(run);
      steady_composition(run);
      while (keep < run.samples.size() && at <= stop && run.samples[keep].size <= plan_.size - at)
        at += run.samples[keep++].size;
      dropped_[r] = named - keep;
      run.samples.resize(keep);
    }
    return runs;
  }

  // Frames that readers look for are worth something without their end.
  void clip(FragmentRun &run) const {
    std::uint64_t at = run.offset;
    for (std::size_t i = 0; i < run.samples.size() && at < plan_.size; at += run.samples[i++].size) {
      if (run.samples[i].size <= plan_.size - at) continue;
      const auto mdat = std::ranges::find_if(
          plan_.pieces, [at](const Piece &piece) { return piece.offset <= at && at < piece.end(); });
      const std::uint64_t end = mdat == plan_.pieces.end() ? plan_.size : mdat->end();
      run.samples[i].size = static_cast<std::uint32_t>(end - at);
      return run.samples.resize(i + 1);
    }
  }

  // Pictures are not shown hours after they are decoded: one such offset of noise would hide all others.
  static void steady_composition(FragmentRun &run) {
    std::vector<std::uint32_t> durations;
    for (const Sample &sample : run.samples)
      durations.push_back(sample.duration);
    if (durations.empty()) return;
    const auto middle = durations.begin() + static_cast<std::ptrdiff_t>(durations.size() / 2);
    std::ranges::nth_element(durations, middle);
    const std::int64_t most = 1024 * std::int64_t{*middle};
    for (Sample &sample : run.samples)
      if (most > 0 && std::abs(std::int64_t{sample.composition_offset}) > most) sample.composition_offset = 0;
  }

  Result<Node> read_moof(const Piece &piece) {
    if (piece.size > kLargestMovie) return fail(ErrorCode::unsupported, "a moof of more than 1 GiB");
    ByteVector bytes(piece.size);
    if (auto ok = source_.read(piece.offset, bytes); !ok) return tl::unexpected(ok.error());
    if (bytes.size() < 8) return fail(ErrorCode::bad_data, "no moof");
    mend_fragment(bytes);
    MemorySource source(bytes);
    auto node = parse_box_at(source, 0, bytes.size());
    if (node) node->offset = piece.offset;
    return node;
  }

  static bool counts_from_start(const Node &moof) {
    return std::ranges::any_of(moof.children, [](const Node &traf) {
      const auto *tfhd = traf.type() == FourCC("traf") ? traf.get<TrackFragmentHeader>() : nullptr;
      return tfhd && (tfhd->flags & TrackFragmentHeader::kBaseDataOffset);
    });
  }

  // Absolute offsets of a moof that bytes before it were lost of: its data begin behind it. `surely`: where
  // the movie box was cut out, they are all wrong.
  void move_runs(std::vector<FragmentRun> &runs, const Piece &piece, std::uint64_t bound, bool surely) const {
    std::uint64_t first = Error::kNoOffset;
    for (const FragmentRun &run : runs)
      if (!run.samples.empty()) first = std::min(first, run.offset);
    const bool moved = std::ranges::any_of(plan_.pieces, [&piece](const Piece &one) {
      return one.offset < piece.offset && one.state != Piece::State::whole;
    });
    if (first == Error::kNoOffset || !(moved || surely)) return;
    if (first >= piece.end() && first < bound && !surely) return;
    const auto mdat =
        std::ranges::find_if(plan_.pieces, [&piece](const Piece &one) { return one.offset == piece.end(); });
    if (mdat == plan_.pieces.end() || !is(*mdat, "mdat")) return;
    const std::uint64_t delta = mdat->offset + mdat->header_size - first; // modulo 2^64
    for (FragmentRun &run : runs)
      run.offset += delta;
  }

  // A decode time far away that the next fragment does not go on from was damaged.
  void steady_time(const ScannedTrack &track, FragmentRun &run) const {
    const std::uint64_t reached = track.first_decode_time + track.table.duration();
    if (!track.any || plan_.found.empty() || run.decode_time <= reached) return;
    const std::uint64_t mean = track.table.duration() / std::max<std::uint64_t>(track.table.samples(), 1);
    if (run.decode_time - reached > (mean + 1) * (1u << 20)) run.decode_time = reached;
  }

  bool has_gap() const {
    return plan_.pieces.size() > 1 && is(plan_.pieces[0], "ftyp") && is(plan_.pieces[1], "free") &&
           plan_.pieces[1].size == kLargeHeader;
  }

  // Damage becomes free boxes, and runs end where their samples do: four bytes here and there.
  Result<void> keep_fragments() {
    cover_lost_media();
    std::vector<HeaderPatch> patches;
    for (std::size_t i = 0; i < plan_.pieces.size(); ++i) {
      const Piece &piece = plan_.pieces[i];
      if (is(piece, "moof"))
        if (auto ok = cut_runs(i, patches); !ok) return ok;
      if (piece.state == Piece::State::whole || piece.size < 8) continue;
      if (piece.type == FourCC{} && !begins_with_header(piece)) continue;
      ByteVector header;
      const bool large = piece.header_size == 16 && piece.type != FourCC{};
      append_box_header(header, piece.type == FourCC{} ? FourCC("free") : piece.type,
                        piece.size - (large ? 16 : 8), large);
      if (!used(piece.offset, header.size()) && header.size() <= piece.size)
        patches.push_back({piece.offset, std::move(header)});
    }
    plan_.patches = std::move(patches);
    if (!plan_.patches.empty()) plan_.remedy = Remedy::headers;
    return {};
  }

  // sample_count of each run that lost samples.
  Result<void> cut_runs(std::size_t index, std::vector<HeaderPatch> &patches) {
    FragmentRuns reader;
    reader.read_movie(movie_->node);
    const auto runs = read_fragment(reader, index);
    const auto moof = read_moof(plan_.pieces[index]);
    if (!runs || !moof) return {};
    std::size_t next = 0;
    for (const Node &traf : moof->children) {
      const auto *tfhd = traf.type() == FourCC("traf") ? traf.get<TrackFragmentHeader>() : nullptr;
      if (!tfhd || !reader.knows(tfhd->track_id)) continue;
      for (const Node &trun : traf.children) {
        if (trun.type() != TrackRun::kType || !trun.as<TrackRun>() || next >= runs->size()) continue;
        if (dropped_[next] > 0) {
          ByteVector count;
          append_be(count, 4, (*runs)[next].samples.size());
          patches.push_back(
              {plan_.pieces[index].offset + trun.offset + trun.header_size + 4, std::move(count)});
        }
        ++next;
      }
    }
    return {};
  }

  Result<void> hopeless_tables() {
    if (!options_.like.empty()) return rebuild();
    if (movie_->samples == 0) return {};
    return fail(ErrorCode::bad_data,
                "None of the samples that its tables name are in the file: there is nothing to keep.");
  }

  Result<void> without_movie(bool moofs) {
    if (options_.like.empty())
      return fail(
          ErrorCode::bad_data,
          "It has no movie box that can be read: there is nothing to tell its samples apart. Give a good "
          "file of the same camera or encoder with --like GOOD.mp4, or record with layout=hybrid.");
    if (!moofs) return rebuild();
    if (auto ok = fragments_like(); !ok || plan_.remedy != Remedy::none) return ok;
    return rebuild();
  }

  // Fragments say where their samples are, another file's movie box what they are.
  Result<void> fragments_like() {
    auto bytes = read_header_like(options_.like);
    if (!bytes) return tl::unexpected(bytes.error());
    Movie movie;
    movie.bytes = std::move(*bytes);
    assess(movie, plan_.size);
    movie.piece.offset = plan_.size; // it is nowhere in the file
    movie_ = std::move(movie);
    borrowed_ = true;
    if (is_protected(movie_->node))
      return fail(ErrorCode::unsupported,
                  "Encrypted fragments without their own movie box are not repaired.");
    plan_.found.push_back(
        "it has no movie box: its fragments are read with that of the file given with --like");
    return fragments();
  }

  // With another file's movie box.
  Result<void> rebuild() {
    auto model = read_model(options_.like);
    if (!model) return tl::unexpected(model.error());
    auto done = rebuild_like(source_, std::move(*model), plan_);
    settle_ranges();
    return done;
  }

  Source &source_;
  const RecoverOptions &options_;
  RecoveryPlan plan_;
  std::optional<Movie> movie_;
  bool hidden_ = false;
  bool borrowed_ = false; ///< the movie box is another file's
  std::vector<std::uint64_t> dropped_;
  std::set<std::uint32_t> found_frames_; ///< tracks whose readers look for frames
};

// Bytes of zeros in front of a file that was being moved back when its writer died.
Result<std::uint64_t> empty_front(Source &source) {
  constexpr std::uint64_t kBlock = 4096;
  ByteVector head(8);
  if (source.size() < kBlock || !source.read(0, head)) return std::uint64_t{0};
  if (std::ranges::any_of(head, [](std::uint8_t byte) { return byte != 0; })) return std::uint64_t{0};
  // The header may have been written in part: the recording's own ftyp starts a block.
  for (std::uint64_t at = kBlock; at + 8 <= source.size(); at += kBlock) {
    if (auto ok = source.read(at, head); !ok) return tl::unexpected(ok.error());
    if (load_be(head.data() + 4, 4) == FourCC("ftyp").value) return at;
  }
  return std::uint64_t{0};
}

} // namespace

std::uint64_t RecoveryPlan::kept_bytes() const {
  std::uint64_t sum = 0;
  for (const ByteRange &range : kept)
    sum += range.size;
  return sum;
}

Result<RecoveryPlan> plan_recovery(const std::string &path, const RecoverOptions &options) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  const auto zeros = empty_front(*source);
  if (!zeros) return tl::unexpected(zeros.error());
  TailSource file(*source, *zeros);
  auto plan = Planner(file, options).plan();
  if (!plan) return fail(plan.error().code, "'" + path + "': " + plan.error().text, plan.error().offset);
  plan->skipped = *zeros;
  if (*zeros > 0)
    plan->found.insert(
        plan->found.begin(),
        fmt::format("{} bytes of zeros are in front: blocks were inserted, but not yet filled", *zeros));
  return plan;
}

Result<Recovered> recover(const std::string &path, Placement placement, bool keep_fragments) {
  RecoverOptions options;
  options.placement = placement;
  options.keep_fragments = keep_fragments;
  auto plan = plan_recovery(path, options);
  if (!plan) return tl::unexpected(plan.error());
  return carry_out(*plan, path, options);
}

} // namespace hull::isobmff
