#include "gst/isobmff/formats/brands.h"
#include "gst/mux/chunk_front.h"
#include "gst/mux/fragmenter.h"
#include "gst/mux/output.h"

#include <algorithm>
#include <deque>
#include <fmt/format.h>

namespace hull::mux {

using namespace isobmff;

namespace {

class FragmentedOutput final : public Output {
 public:
  FragmentedOutput(OutputHost &host, const MuxSettings &settings, Variant variant)
      : host_(host),
        settings_(settings),
        variant_(variant),
        sequence_number_(settings.start_sequence_number),
        front_(host, settings, variant == Variant::cmaf),
        check_(host) {}

  bool start(const std::vector<Track *> &tracks) override;
  bool add(Track &track, MuxSample sample) override;
  bool format_changed(Track &track) override;
  void split(std::int64_t time) override { fragmenter_->split(time); }
  bool finish() override;

 private:
  bool refuse(const Error &error) {
    host_.report(error);
    return false;
  }
  Result<void> make_header();
  bool emit(Chunk chunk, const Track *settled = nullptr);
  void list_chapters(Node &moov);
  Result<void> take_chapters();
  Piece take_header(std::size_t reference, const PieceTime &time);
  Result<void> encrypt(Track &track, MuxSample &sample);
  void settle(Chunk &chunk, const Track *settled);
  void add_text(Chunk &chunk, std::int64_t until);
  void add_timecode(Chunk &chunk);
  std::int64_t end_of(const Chunk &chunk, std::size_t track) const;
  std::vector<FragmentTrack> fragment_tracks(const Chunk &chunk) const;
  Slices slice(const Chunk &chunk) const;
  Result<Piece> chunk_header(const Chunk &chunk, std::size_t reference, const Slices &slices);
  void add_samples(std::vector<Piece> &pieces, const Chunk &chunk, const Slices &slices);
  void add_sample(std::vector<Piece> &pieces, std::size_t track, const Sample &sample);
  std::size_t reference_of(const Chunk &chunk) const;
  PieceTime time_of(const Chunk &chunk, std::size_t reference) const;
  void announce_boundary();
  void note_key_unit(const Track &track, const MuxSample &sample);

  OutputHost &host_;
  MuxSettings settings_;
  Variant variant_;
  std::uint32_t sequence_number_;
  ChunkFront front_;
  ChunkCheck check_;
  std::vector<Track *> tracks_;
  std::vector<std::uint32_t> formats_; // sample_description_index of each track's pending samples
  std::vector<std::deque<MuxSample>> pending_;
  std::vector<bool> shifted_; // pictures whose offsets are unsigned, since the header's edit knows how far
  std::optional<Fragmenter> fragmenter_;
  ByteVector header_;   // waits for the first fragment
  ByteVector timecode_; // sample of the chunk that leaves
  bool finishing_ = false;
  unsigned chapters_version_ = 0; // of those that the header lists
  bool told_of_chapters_ = false, told_of_room_ = false;
  std::optional<std::int64_t> wanted_key_unit_; // running time; none where it has come
  std::optional<PieceTime> last_time_;          // of the chunk that left last
  std::uint64_t offset_ = 0;                    // of the next byte, for mfra
  std::vector<RandomAccess> random_access_;     // 16 bytes a fragment, kept only where mfra wants them
};

InitOptions init_options(Variant variant, const TrackConfig &first) {
  InitOptions options;
  if (variant == Variant::cmaf) {
    options.cmaf = true;
    options.major_brand = "cmf2";
    options.compatible_brands = {"iso6", "cmf2", "cmfc"};
    for (const FourCC brand : cmaf_profile_brands(first))
      options.compatible_brands.push_back(brand);
  } else {
    options.major_brand = "iso6";
    options.compatible_brands = {"iso6", "isom", "mp41"};
  }
  return options;
}

Result<void> FragmentedOutput::make_header() {
  InitOptions options = init_options(variant_, tracks_.front()->config);
  if (auto ok = add_brands(options.compatible_brands, settings_.extra_brands); !ok) return ok;
  std::vector<TrackConfig> configs;
  for (const Track *track : tracks_)
    configs.push_back(track->config);
  if (const TimecodeTrack *timecode = host_.timecode()) configs.push_back(timecode->config);
  std::vector<Node> boxes;
  boxes.push_back(file_type_box(options));
  boxes.push_back(init_movie_box(configs, options));
  host_.complete_movie(boxes[1], variant_);
  chapters_version_ = host_.chapters_version();
  if (variant_ != Variant::cmaf) list_chapters(boxes[1]);
  front_.begin(cmaf::track_of(boxes[0], boxes[1]));
  auto bytes = write_trees(boxes);
  if (!bytes) return tl::unexpected(bytes.error());
  if (variant_ == Variant::cmaf) // as it will be read: codec records are opaque in what was built
    if (const auto read = parse_boxes(*bytes)) check_.header(read->at(0), read->at(1));
  offset_ += bytes->size();
  header_ = std::move(*bytes);
  host_.set_header(variant_, header_);
  return {};
}

void FragmentedOutput::list_chapters(Node &moov) {
  const Chapters chapters = chapters_from(host_.chapters(), 0);
  set_chapter_list(moov, chapters);
  const auto too_long = [](const Chapter &chapter) { return chapter.title.size() > kLongestInChapterList; };
  if (chapters.size() <= kMostInChapterList && std::ranges::none_of(chapters, too_long)) return;
  if (!std::exchange(told_of_room_, true))
    host_.caution({ErrorCode::no_space,
                   "A file in fragments lists 255 chapters and 255 bytes of a title at most: "
                   "what is more is left out."});
}

bool FragmentedOutput::start(const std::vector<Track *> &tracks) {
  tracks_ = tracks;
  if (variant_ == Variant::cmaf && tracks.size() != 1)
    return refuse({ErrorCode::settings, "A CMAF track file holds one track: use one muxer per stream, or "
                                        "video/quicktime,variant=iso-fragmented for several in one file."});
  std::vector<Fragmenter::Track> cut_tracks;
  std::size_t reference = 0;
  const auto rank = [](const Track &track) { // pictures decide, text never where there is something else
    return track.config.media == Media::video ? 2 : track.config.media == Media::audio ? 1 : 0;
  };
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    const TrackConfig &config = tracks[i]->config;
    cut_tracks.push_back({config.timescale, config.media != Media::video});
    if (rank(*tracks[i]) > rank(*tracks[reference])) reference = i;
  }
  Fragmenter::Settings cut;
  cut.fragment_duration = static_cast<std::int64_t>(settings_.fragment_duration);
  cut.chunk_duration = static_cast<std::int64_t>(settings_.chunk_duration);
  cut.manual = settings_.manual_split;
  if (settings_.fragment_origin >= 0) cut.grid_origin = settings_.fragment_origin;
  fragmenter_.emplace(cut, cut_tracks, reference);
  pending_.resize(tracks.size());
  for (const Track *track : tracks)
    formats_.push_back(track->format_index);
  // Several tracks need one zero: pictures get unsigned offsets and an edit that starts after the reordering,
  // which more readers place right than signed offsets alone. CMAF wants signed offsets and no edit.
  shifted_.resize(tracks.size());
  if (variant_ != Variant::cmaf)
    for (std::size_t i = 0; i < tracks.size(); ++i) {
      shifted_[i] = tracks[i]->config.media == Media::video && tracks[i]->head;
      if (shifted_[i]) tracks[i]->config.priming += tracks[i]->timeline->reorder_shift();
    }
  if (auto made = make_header(); !made) return refuse(made.error());
  return true;
}

void FragmentedOutput::announce_boundary() {
  if (!settings_.send_force_keyunit || settings_.manual_split) return;
  Track &reference = *tracks_[fragmenter_->reference()];
  if (reference.config.media != Media::video) return;
  const auto boundary = fragmenter_->next_boundary();
  if (!boundary) return;
  // The picture nearest to the boundary, as the fragmenter counts it, not the first one behind it.
  const std::int64_t half = reference.in_nanoseconds(reference.nominal_duration) / 2;
  wanted_key_unit_ = std::max<std::int64_t>(0, *boundary - half);
  host_.want_key_unit(reference, *wanted_key_unit_);
}

void FragmentedOutput::note_key_unit(const Track &track, const MuxSample &sample) {
  if (!wanted_key_unit_ || track.index != fragmenter_->reference() || !sample.sample.sync ||
      sample.running_time < *wanted_key_unit_)
    return;
  track.log.line(LogLevel::debug, [&] {
    return fmt::format("the key unit that was asked for came at {:.3f} s",
                       static_cast<double>(sample.running_time) / kNanoseconds);
  });
  wanted_key_unit_.reset();
}

bool FragmentedOutput::add(Track &track, MuxSample sample) {
  if (shifted_[track.index])
    sample.sample.composition_offset += static_cast<std::int32_t>(track.timeline->reorder_shift());
  note_key_unit(track, sample);
  const auto boundary = fragmenter_->next_boundary();
  auto chunk = fragmenter_->before(track.index, sample.sample, sample.early);
  if (chunk && !emit(std::move(*chunk), &track)) return false;
  // A fragment has begun, also where the last chunk had left before it: a full chunk waits for no successor.
  if (fragmenter_->next_boundary() != boundary) announce_boundary();
  if (track.protector)
    if (auto done = encrypt(track, sample); !done) return refuse(done.error());
  const Sample placed = sample.sample;
  const bool known = sample.duration_known;
  pending_[track.index].push_back(std::move(sample));
  chunk = fragmenter_->add(track.index, placed, known);
  return !chunk || emit(std::move(*chunk));
}

Result<void> FragmentedOutput::encrypt(Track &track, MuxSample &sample) {
  return host_.payloads().edit(sample.payload, [&](std::span<std::uint8_t> bytes) -> Result<void> {
    auto protection = track.protector->encrypt(bytes);
    if (!protection) return tl::unexpected(protection.error());
    sample.protection = std::make_unique<SampleProtection>(std::move(*protection));
    return {};
  });
}

// The last duration of each run reaches the sample that follows. `settled`: the track where it does already.
void FragmentedOutput::settle(Chunk &chunk, const Track *settled) {
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    Track &track = *tracks_[i];
    auto &run = chunk.runs[i];
    if (run.empty() || &track == settled) continue;
    // The sample after this run has a place already, or will be put where the run ends.
    if (track.head)
      run.back().duration =
          static_cast<std::uint32_t>(track.head->sample.decode_time - run.back().decode_time);
    else
      track.timeline->freeze();
  }
}

std::vector<FragmentTrack> FragmentedOutput::fragment_tracks(const Chunk &chunk) const {
  std::vector<FragmentTrack> made;
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const Track &track = *tracks_[i];
    FragmentTrack &fragment = made.emplace_back();
    fragment.id = track.config.id;
    fragment.sample_description_index = formats_[i];
    fragment.composition_offsets = track.config.media == Media::video;
    fragment.signed_offsets = !shifted_[i];
    fragment.rolls = track.config.roll_distance != 0;
    if (!track.protector) continue;
    std::vector<SampleProtection> protections;
    for (std::size_t k = 0; k < chunk.runs[i].size(); ++k)
      protections.push_back(std::move(*pending_[i][k].protection));
    fragment.complete = [&track, protections = std::move(protections)](Node &traf) {
      add_sample_encryption(traf, track.protector->settings(), protections);
    };
  }
  if (const TimecodeTrack *timecode = host_.timecode()) made.emplace_back().id = timecode->config.id;
  return made;
}

std::size_t FragmentedOutput::reference_of(const Chunk &chunk) const {
  if (!chunk.runs[fragmenter_->reference()].empty()) return fragmenter_->reference();
  const auto found = std::ranges::find_if(chunk.runs, [](const auto &run) { return !run.empty(); });
  return static_cast<std::size_t>(found - chunk.runs.begin());
}

// styp … moof and the header of the mdat.
Result<Piece> FragmentedOutput::chunk_header(const Chunk &chunk, std::size_t reference,
                                             const Slices &slices) {
  auto made = fragment_header(sequence_number_++, chunk, fragment_tracks(chunk), slices);
  if (!made) return tl::unexpected(made.error());
  const bool whole = settings_.chunk_duration == 0;
  auto before = front_.boxes({chunk.starts_fragment, whole, finishing_, variant_ == Variant::cmaf},
                             chunk.runs[reference], pending_[reference]);
  if (variant_ == Variant::cmaf) check_.chunk(before, *made);
  auto bytes = write_trees(before);
  if (!bytes) return tl::unexpected(bytes.error());
  if (settings_.mfra && chunk.starts_fragment && !chunk.runs[0].empty()) {
    const Sample &first = chunk.runs[0].front();
    random_access_.push_back(
        {static_cast<std::uint64_t>(std::max<std::int64_t>(first.decode_time + first.composition_offset, 0)),
         offset_ + bytes->size()});
  }
  offset_ += bytes->size() + made->bytes.size() + made->data_size;
  Piece piece;
  piece.kind = Piece::Kind::chunk_header;
  piece.bytes = std::move(*bytes);
  if (piece.bytes.empty())
    piece.bytes = std::move(made->bytes);
  else
    append(piece.bytes, made->bytes);
  piece.track = reference;
  piece.time = time_of(chunk, reference);
  piece.sync = chunk.starts_fragment;
  piece.ends_segment = chunk.ends_fragment || finishing_;
  return piece;
}

// From the first picture that is shown to the last one's end.
PieceTime FragmentedOutput::time_of(const Chunk &chunk, std::size_t reference) const {
  const auto &run = chunk.runs[reference];
  std::int64_t earliest = pending_[reference].front().running_time;
  for (std::size_t i = 0; i < run.size(); ++i)
    earliest = std::min(earliest, pending_[reference][i].running_time);
  const std::int64_t start = tracks_[reference]->in_nanoseconds(run.front().decode_time);
  return {std::max<std::int64_t>(earliest, 0), start, end_of(chunk, reference) - start};
}

// Sound lies near its pictures, as in whole files. The label of a timecode stands behind all.
Slices FragmentedOutput::slice(const Chunk &chunk) const {
  std::vector<std::uint32_t> timescales;
  for (const Track *track : tracks_)
    timescales.push_back(track->config.timescale);
  Slices slices = tracks_.size() == 1
                      ? Slices{{chunk.runs[0].size()}}
                      : slices_of(chunk, timescales, static_cast<std::int64_t>(settings_.interleave_time));
  if (chunk.runs.size() == tracks_.size()) return slices;
  std::size_t last = 0;
  for (const auto &counts : slices)
    last = std::max(last, counts.size());
  slices.emplace_back(last).push_back(chunk.runs.back().size());
  return slices;
}

void FragmentedOutput::add_sample(std::vector<Piece> &pieces, std::size_t track, const Sample &sample) {
  MuxSample taken = std::move(pending_[track].front());
  pending_[track].pop_front();
  const std::int64_t start = tracks_[track]->in_nanoseconds(sample.decode_time);
  const std::int64_t end = tracks_[track]->in_nanoseconds(sample.decode_time + sample.duration);
  Piece &piece = pieces.emplace_back();
  piece.kind = Piece::Kind::sample;
  piece.bytes = std::move(taken.bytes);
  piece.payload = std::move(taken.payload);
  piece.track = track;
  piece.time = {std::max<std::int64_t>(taken.running_time, 0), start, end - start};
  piece.sync = sample.sync;
}

void FragmentedOutput::add_samples(std::vector<Piece> &pieces, const Chunk &chunk, const Slices &slices) {
  std::vector<std::size_t> next(tracks_.size());
  std::size_t left = 0;
  for (std::size_t i = 0; i < tracks_.size(); ++i)
    left += chunk.runs[i].size();
  for (std::size_t slice = 0; left > 0; ++slice)
    for (std::size_t i = 0; i < tracks_.size(); ++i)
      for (std::size_t k = slice < slices[i].size() ? slices[i][slice] : 0; k > 0; --k, --left)
        add_sample(pieces, i, chunk.runs[i][next[i]++]);
  if (!timecode_.empty()) {
    Piece &piece = pieces.emplace_back();
    piece.kind = Piece::Kind::sample;
    piece.bytes = std::exchange(timecode_, {});
    piece.track = tracks_.size();
    piece.sync = true;
  }
  pieces.back().ends_chunk = true;
}

// In nanoseconds; 0 where the track has nothing in the chunk.
std::int64_t FragmentedOutput::end_of(const Chunk &chunk, std::size_t track) const {
  const auto &run = chunk.runs[track];
  return run.empty() ? 0 : tracks_[track]->in_nanoseconds(run.back().decode_time + run.back().duration);
}

void FragmentedOutput::add_text(Chunk &chunk, std::int64_t until) {
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    TextInput *text = tracks_[i]->text.get();
    while (auto made = text && text->joins ? text->next(until) : std::nullopt) {
      MuxSample sample = sample_of(*tracks_[i], std::move(*made));
      chunk.runs[i].push_back(sample.sample);
      pending_[i].push_back(std::move(sample));
    }
  }
}

// One label per chunk, that of its first picture: the last run, of a track that is no input.
void FragmentedOutput::add_timecode(Chunk &chunk) {
  const TimecodeTrack *timecode = host_.timecode();
  if (!timecode) return;
  auto &labels = chunk.runs.emplace_back();
  for (std::size_t i = 0; i < tracks_.size(); ++i) {
    const Track &track = *tracks_[i];
    const auto &run = chunk.runs[i];
    if (!track.config.chapter_or_timecode || run.empty()) continue;
    const std::int64_t start = timecode->ticks(track, run.front().decode_time);
    const std::int64_t end = timecode->ticks(track, run.back().decode_time + run.back().duration);
    if (end <= start) return;
    labels.push_back({start, static_cast<std::uint32_t>(end - start), 0, 4, true, false});
    const auto number = host_.payloads().frame_number(pending_[i].front().payload);
    timecode_ = timecode_sample(
        number.value_or(timecode->frame_number(track, pending_[i].front().sample.decode_time)));
    return;
  }
}

// Chapters that came while it runs stand in the header from now on, where that can be written again.
Result<void> FragmentedOutput::take_chapters() {
  const unsigned version = host_.chapters_version();
  if (version == chapters_version_ || variant_ == Variant::cmaf) return {};
  if (host_.replaces_header()) return make_header();
  chapters_version_ = version;
  if (!std::exchange(told_of_chapters_, true))
    host_.caution({ErrorCode::state, "A chapter came after the header had left, so it is not in the file: "
                                     "hullmp4sink can write the header again."});
  return {};
}

Piece FragmentedOutput::take_header(std::size_t reference, const PieceTime &time) {
  Piece piece;
  piece.kind = Piece::Kind::header;
  piece.bytes = std::exchange(header_, {});
  piece.track = reference;
  piece.time = PieceTime{time.presentation, time.decode, std::nullopt};
  return piece;
}

bool FragmentedOutput::emit(Chunk chunk, const Track *settled) {
  if (auto taken = take_chapters(); !taken) return refuse(taken.error());
  settle(chunk, settled);
  add_text(chunk, end_of(chunk, reference_of(chunk)));
  const std::size_t reference = reference_of(chunk);
  add_timecode(chunk);
  tracks_[reference]->log.line(LogLevel::debug, [&] {
    return fmt::format("cut {} {}, which ends at {:.3f} s, {} samples: {}",
                       chunk.starts_fragment ? "fragment" : "chunk", sequence_number_,
                       static_cast<double>(end_of(chunk, reference)) / kNanoseconds,
                       chunk.runs[reference].size(), fragmenter_->reason());
  });
  const Slices slices = slice(chunk);
  auto header = chunk_header(chunk, reference, slices);
  if (!header) return refuse(header.error());
  std::vector<Piece> pieces;
  std::size_t count = 3; // with a header, the chunk's header and a label
  for (const auto &run : chunk.runs)
    count += run.size();
  pieces.reserve(count);
  if (!header_.empty()) pieces.push_back(take_header(reference, *header->time));
  last_time_ = header->time;
  pieces.push_back(std::move(*header));
  add_samples(pieces, chunk, slices);
  return host_.push(std::move(pieces));
}

bool FragmentedOutput::format_changed(Track &track) {
  auto chunk = fragmenter_->drain();
  if (chunk && !emit(std::move(*chunk))) return false;
  formats_[track.index] = track.format_index;
  if (auto made = make_header(); !made) return refuse(made.error());
  return true;
}

bool FragmentedOutput::finish() {
  finishing_ = true;
  auto chunk = fragmenter_->drain();
  if (!chunk) chunk.emplace().runs.resize(tracks_.size());
  for (const Track *track : tracks_) // cues that outlast the pictures
    if (track->text && track->text->joins)
      add_text(*chunk, std::max(end_of(*chunk, fragmenter_->reference()),
                                track->in_nanoseconds(track->text->track().last_end())));
  const bool any = std::ranges::any_of(chunk->runs, [](const auto &run) { return !run.empty(); });
  if (any && !emit(std::move(*chunk))) return false;
  if (auto taken = take_chapters(); !taken) return refuse(taken.error());
  if (!header_.empty() && last_time_) {
    std::vector<Piece> pieces;
    pieces.push_back(take_header(fragmenter_->reference(), *last_time_));
    if (!host_.push(std::move(pieces))) return false;
  }
  if (random_access_.empty()) return true;
  auto bytes = random_access_box(tracks_.front()->config.id, random_access_);
  if (!bytes) return refuse(bytes.error());
  std::vector<Piece> pieces(1);
  pieces[0].kind = Piece::Kind::index;
  pieces[0].bytes = std::move(*bytes);
  return host_.push(std::move(pieces));
}

} // namespace

std::unique_ptr<Output> make_fragmented_output(OutputHost &host, const MuxSettings &settings,
                                               Variant variant) {
  return std::make_unique<FragmentedOutput>(host, settings, variant);
}

} // namespace hull::mux
