#include "gst/isobmff/file/recover_fragments.h"

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/recover_rebuild.h"

#include <algorithm>
#include <set>

namespace hull::isobmff {
namespace {

class FragmentPlanner {
 public:
  FragmentPlanner(Source &source, const RecoverOptions &options, RecoveryPlan &plan, MediaRanges &ranges,
                  Movie &movie, bool borrowed)
      : source_(source),
        options_(options),
        plan_(plan),
        ranges_(ranges),
        movie_(movie),
        borrowed_(borrowed) {}

  Result<void> plan() {
    auto scan = std::make_shared<FragmentScan>();
    FragmentRuns reader;
    reader.read_movie(movie_.node);
    read_media_starts(movie_.node, scan->tracks);
    std::map<std::uint32_t, TrackRecovery> tracks;
    for (const Node &trak : movie_.node.children) {
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
    for (auto &[id, track] : scan->tracks) {
      // An edit list that was damaged; or that of a good file which is whole, while signed offsets need none.
      const bool beyond = track.media_start >= static_cast<std::int64_t>(track.table.duration());
      if (beyond || (borrowed_ && track.table.least_composition_offset() < 0)) track.media_start = 0;
    }
    std::uint64_t missing = 0, kept = 0;
    for (auto &[id, track] : tracks) {
      missing += track.missing;
      kept += track.samples;
      plan_.tracks.push_back(track);
    }
    ranges_.settle_ranges();
    if (missing > 0) plan_.found.push_back("the fragments name samples that are not in the file");
    const bool ours = has_gap();
    if (plan_.found.empty() && !ours) return {};
    if (plan_.found.empty() && options_.keep_fragments) return {};
    if (kept == 0) return {};
    for (const Node &trak : movie_.node.children) // which would have to go
      if (const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr)
        if (movie_.mended > 0 && broken_headers(trak) && tracks[tkhd->track_id].samples > 0) return {};
    if (options_.keep_fragments && !borrowed_) return keep_fragments();
    if (is_protected(movie_.node)) return only_cut() ? keep_fragments() : Result<void>();
    plan_.remedy = Remedy::movie;
    auto movie = std::make_shared<Movie>(std::move(movie_));
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

 private:
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
    const auto places = track_places(trak, plan_.size);
    if (!places || places->count == 0 || places->packet_samples > 1) return;
    scanned.table = table_within(trak, *places, plan_.size);
    scanned.any = scanned.table.samples() > 0;
    track.samples = scanned.table.samples();
    track.missing = places->count - track.samples;
    ranges_.remember_media(*places);
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
    if (piece.size > kLargestBox) return fail(ErrorCode::unsupported, "a moof of more than 1 GiB");
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
    ranges_.cover_lost_media();
    std::vector<HeaderPatch> patches;
    for (std::size_t i = 0; i < plan_.pieces.size(); ++i) {
      const Piece &piece = plan_.pieces[i];
      if (is(piece, "moof"))
        if (auto ok = cut_runs(i, patches); !ok) return ok;
      if (piece.state == Piece::State::whole || piece.size < 8) continue;
      if (piece.type == FourCC{} && !ranges_.begins_with_header(piece)) continue;
      ByteVector header;
      const bool large = piece.header_size == 16 && piece.type != FourCC{};
      append_box_header(header, piece.type == FourCC{} ? FourCC("free") : piece.type,
                        piece.size - (large ? 16 : 8), large);
      if (!ranges_.used(piece.offset, header.size()) && header.size() <= piece.size)
        patches.push_back({piece.offset, std::move(header)});
    }
    plan_.patches = std::move(patches);
    if (!plan_.patches.empty()) plan_.remedy = Remedy::headers;
    return {};
  }

  // sample_count of each run that lost samples.
  Result<void> cut_runs(std::size_t index, std::vector<HeaderPatch> &patches) {
    FragmentRuns reader;
    reader.read_movie(movie_.node);
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

  Source &source_;
  const RecoverOptions &options_;
  RecoveryPlan &plan_;
  MediaRanges &ranges_;
  Movie &movie_;
  bool borrowed_;
  std::vector<std::uint64_t> dropped_;   ///< samples, by run of the fragment that was read last
  std::set<std::uint32_t> found_frames_; ///< tracks whose readers look for frames
};

} // namespace

Result<void> plan_fragments(Source &source, const RecoverOptions &options, RecoveryPlan &plan,
                            MediaRanges &ranges, Movie &movie, bool borrowed) {
  return FragmentPlanner(source, options, plan, ranges, movie, borrowed).plan();
}

} // namespace hull::isobmff
