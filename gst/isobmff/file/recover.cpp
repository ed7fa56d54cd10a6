// What is wrong with a file, and what to do about it.

#include "gst/isobmff/file/recover.h"

#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/recover_candidate.h"
#include "gst/isobmff/file/recover_fragments.h"
#include "gst/isobmff/file/recover_ranges.h"
#include "gst/isobmff/file/recover_rebuild.h"
#include "gst/isobmff/file/recover_tables.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {
namespace {

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
      done = plan_fragments(source_, options_, plan_, ranges_, *movie_, false);
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

  Result<void> tables(bool moofs) {
    TablePlanner planner(plan_, ranges_, *movie_, hidden_);
    planner.read();
    const bool none = std::ranges::all_of(plan_.tracks, [](const auto &track) { return track.samples == 0; });
    if (none && !moofs && !movie_->fragmented) return hopeless_tables();
    return planner.decide();
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
    if (is_protected(movie_->node))
      return fail(ErrorCode::unsupported,
                  "Encrypted fragments without their own movie box are not repaired.");
    plan_.found.push_back(
        "it has no movie box: its fragments are read with that of the file given with --like");
    return plan_fragments(source_, options_, plan_, ranges_, *movie_, true);
  }

  // With another file's movie box.
  Result<void> rebuild() {
    auto model = read_model(options_.like);
    if (!model) return tl::unexpected(model.error());
    auto done = rebuild_like(source_, std::move(*model), plan_);
    ranges_.settle_ranges();
    return done;
  }

  Source &source_;
  const RecoverOptions &options_;
  RecoveryPlan plan_;
  std::optional<Movie> movie_;
  MediaRanges ranges_{source_, plan_};
  bool hidden_ = false; ///< it was found inside of an mdat
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
