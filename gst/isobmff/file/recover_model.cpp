#include "gst/isobmff/file/recover_model.h"

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout_front.h"
#include "gst/isobmff/file/recover_survey.h"

#include <algorithm>
#include <cmath>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kMostRead = 512ull << 20; // of the good file's samples

unsigned avc_type(std::uint8_t first) {
  return first & 31;
}
unsigned hevc_type(std::uint8_t first) {
  return first >> 1 & 63;
}

// NAL units of a sample, their first bytes.
std::vector<std::pair<NalUnit, std::uint32_t>> units_of(Bytes sample, unsigned length_size) {
  std::vector<std::pair<NalUnit, std::uint32_t>> units;
  for (std::size_t at = 0; at + length_size + 4 <= sample.size();) {
    const auto size = static_cast<std::uint32_t>(load_be(sample.data() + at, length_size));
    const std::uint8_t *nal = sample.data() + at + length_size;
    units.push_back({{nal[0], nal[1], nal[2], nal[3]}, size});
    at += length_size + std::uint64_t{size};
  }
  return units;
}

const Node *first_entry(const Node &trak) {
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  return stsd && !stsd->children.empty() ? &stsd->children[0] : nullptr;
}

// The size of lengths in front of NAL units, as avcC and hvcC say it; 0 for other codecs.
std::pair<SampleKind, unsigned> nal_kind(const Node &entry) {
  for (const auto &[name, kind, at] :
       {std::tuple("avcC", SampleKind::avc, 4u), std::tuple("hvcC", SampleKind::hevc, 21u)})
    if (const Node *box = entry.child(FourCC::from(name))) {
      const auto bytes = write_payload(*const_cast<Node *>(box)->box);
      if (bytes && bytes->size() > at) return {kind, ((*bytes)[at] & 3u) + 1};
    }
  return {SampleKind::frames, 0};
}

std::uint32_t common_duration(const Node &trak) {
  std::map<std::uint32_t, std::uint64_t> counts;
  if (const auto *stts = find_box<TimeToSample>(trak, "mdia/minf/stbl/stts"))
    for (const auto &entry : stts->entries)
      counts[entry.sample_delta] += entry.sample_count;
  std::uint32_t best = 1;
  for (const auto &[duration, count] : counts)
    if (count > counts[best]) best = duration;
  return best;
}

// Composition offsets from a sync sample on: those of the longest stretch between two.
void read_composition(const Node &trak, ModelTrack &track) {
  const auto *ctts = find_box<CompositionOffset>(trak, "mdia/minf/stbl/ctts");
  if (!ctts) return;
  std::vector<std::int32_t> all;
  for (const auto &entry : ctts->entries)
    all.insert(all.end(), std::min<std::uint32_t>(entry.sample_count, 1 << 20),
               static_cast<std::int32_t>(entry.sample_offset));
  std::vector<std::uint32_t> syncs = {1};
  if (const auto *stss = find_box<SyncSample>(trak, "mdia/minf/stbl/stss")) syncs = stss->sample_numbers;
  syncs.push_back(static_cast<std::uint32_t>(all.size() + 1));
  for (std::size_t i = 0; i + 1 < syncs.size(); ++i) {
    const std::uint32_t begin = syncs[i] - 1,
                        end =
                            std::min<std::uint32_t>(syncs[i + 1] - 1, static_cast<std::uint32_t>(all.size()));
    if (begin < end && end - begin > track.composition.size())
      track.composition.assign(all.begin() + begin, all.begin() + end);
  }
}

void learn_nals(ModelTrack &track, Bytes sample) {
  const auto units = units_of(sample, track.length_size);
  unsigned pictures = 0;
  for (const auto &[unit, size] : units) {
    track.nal_bytes.insert(unit.first);
    track.longest_nal = std::max(track.longest_nal, size);
    pictures += begins_picture(track.kind, unit);
    if (!begins_picture(track.kind, unit)) continue;
    if (const auto start = slice_start(track.kind, unit)) {
      track.slice_types.insert(start->type);
      track.parameter_sets.insert(start->parameter_set);
    }
  }
  if (!units.empty()) track.first_bytes.insert(units.front().first.first);
  // All alike, or one each.
  if (track.samples == 0)
    track.pictures_per_sample = std::min(pictures, 2u);
  else if (pictures != track.pictures_per_sample)
    track.pictures_per_sample = 1;
}

// A short model has not seen every kind of slice.
void allow_other_slices(ModelTrack &track) {
  constexpr std::uint8_t kAvc[] = {0x01, 0x21, 0x41, 0x61, 0x25, 0x45, 0x65};
  std::vector<std::uint8_t> slices(std::begin(kAvc), std::end(kAvc));
  if (track.kind == SampleKind::hevc) {
    slices.clear();
    for (std::uint8_t type = 0; type <= 21; ++type)
      if (type <= 9 || type >= 16) slices.push_back(static_cast<std::uint8_t>(type << 1));
  }
  const bool delimited = track.first_bytes.size() == 1 &&
                         *track.first_bytes.begin() == (track.kind == SampleKind::hevc ? 35 << 1 : 9);
  for (const unsigned first :
       {0u, 5u}) // P, B and I, of which 5 to 7 say that all slices of the picture are such
    if (std::ranges::any_of(track.slice_types, [first](unsigned type) { return type / 5 * 5 == first; }))
      track.slice_types.insert({first, first + 1, first + 2});
  slices.push_back(track.kind == SampleKind::hevc ? 39 << 1
                                                  : 6); // SEI, which encoders sign the first picture by
  track.nal_bytes.insert(slices.begin(), slices.end());
  if (!delimited) track.first_bytes.insert(slices.begin(), slices.end());
}

void learn(ModelTrack &track, Bytes sample) {
  if (track.kind == SampleKind::avc || track.kind == SampleKind::hevc)
    learn_nals(track, sample);
  else
    track.statistics.add(sample);
  const auto size = static_cast<std::uint32_t>(sample.size());
  track.smallest = track.samples == 0 ? size : std::min(track.smallest, size);
  track.largest = std::max(track.largest, size);
  ++track.samples;
  if (size < 4 || track.many_marks) return;
  const auto [mark, fresh] =
      track.marks.try_emplace(static_cast<std::uint32_t>(load_be(sample.data(), 4)), size);
  if (!fresh && mark->second != size) mark->second = 0;
  track.many_marks = track.marks.size() > 8;
}

Result<ByteVector> movie_bytes(FileSource &source, const std::string &path) {
  const auto survey = survey_file(source);
  if (!survey) return tl::unexpected(survey.error());
  const auto piece = std::ranges::find(survey->pieces, FourCC("moov"), &Piece::type);
  if (piece == survey->pieces.end())
    return fail(ErrorCode::bad_data, "'" + path + "' has no movie box: --like needs a good file.");
  ByteVector bytes(piece->size);
  if (auto ok = source.read(piece->offset, bytes); !ok) return tl::unexpected(ok.error());
  return bytes;
}

Result<void> read_samples(Source &source, ModelTrack &track, const TrackPlaces &places) {
  std::uint64_t sample = 0, read = 0;
  ByteVector bytes;
  for (const TrackPlaces::Chunk &chunk : places.chunks) {
    std::uint64_t at = chunk.offset;
    for (std::uint32_t i = 0; i < chunk.samples && read < kMostRead; ++i, ++sample) {
      const std::uint32_t size = places.sizes.empty() ? places.equal_size : places.sizes[sample];
      if (at + size > source.size()) return {};
      bytes.resize(size);
      if (auto ok = source.read(at, bytes); !ok) return ok;
      learn(track, bytes);
      at += size;
      read += size;
    }
  }
  return {};
}

} // namespace

bool is_slice(SampleKind kind, const NalUnit &nal) {
  return kind == SampleKind::avc ? avc_type(nal.first) >= 1 && avc_type(nal.first) <= 5
                                 : hevc_type(nal.first) < 32;
}

bool begins_picture(SampleKind kind, const NalUnit &nal) {
  if (!is_slice(kind, nal)) return false;
  // first_mb_in_slice is ue(v) 0; first_slice_segment_in_pic_flag behind two bytes of header.
  return kind == SampleKind::avc ? avc_type(nal.first) <= 5 && (nal.second & 0x80) : (nal.third & 0x80) != 0;
}

namespace {

// ue(v) of the bits below `left`.
std::optional<unsigned> exp_golomb(std::uint32_t bits, unsigned &left) {
  unsigned zeros = 0;
  while (left > 0 && !(bits >> (left - 1) & 1))
    ++zeros, --left;
  if (left < zeros + 1) return std::nullopt;
  left -= zeros + 1;
  return ((bits >> left) & ((2u << zeros) - 1)) - 1;
}

} // namespace

std::optional<SliceStart> slice_start(SampleKind kind, const NalUnit &nal) {
  SliceStart start;
  if (kind == SampleKind::avc) {
    const std::uint32_t bits = static_cast<std::uint32_t>(nal.second << 16 | nal.third << 8 | nal.fourth);
    unsigned left = 24;
    const auto first = exp_golomb(bits, left), type = exp_golomb(bits, left), set = exp_golomb(bits, left);
    if (!first || !type || !set || *type > 9 || *set > 255) return std::nullopt;
    return SliceStart{*type, *set};
  }
  const bool random_access = hevc_type(nal.first) >= 16 && hevc_type(nal.first) <= 23;
  unsigned left =
      random_access ? 14 : 15; // behind first_slice_segment_in_pic_flag, no_output_of_prior_pics_flag
  const auto set = exp_golomb(static_cast<std::uint32_t>(nal.third << 8 | nal.fourth), left);
  if (!set || *set > 63) return std::nullopt;
  start.parameter_set = *set;
  return start;
}

bool precedes_picture(SampleKind kind, const NalUnit &nal) {
  if (kind == SampleKind::avc) {
    const unsigned type = avc_type(nal.first);
    return (type >= 6 && type <= 9) || (type >= 14 && type <= 18);
  }
  const unsigned type = hevc_type(nal.first);
  return (type >= 32 && type <= 35) || type == 39 || (type >= 41 && type <= 44) || (type >= 48 && type <= 55);
}

bool is_sync(SampleKind kind, const NalUnit &nal) {
  return kind == SampleKind::avc ? avc_type(nal.first) == 5
                                 : hevc_type(nal.first) >= 16 && hevc_type(nal.first) <= 23;
}

void FrameStatistics::add(Bytes frame) {
  ++count_;
  sizes_.push_back(static_cast<std::uint32_t>(std::min<std::size_t>(frame.size(), 1 << 20)));
  if (frame.empty()) return;
  ++first_count_[frame[0]];
  ++last_count_[frame.back()];
  if (frame.size() > 1) ++pairs_[frame[0] << 8 | frame[1]];
}

void FrameStatistics::settle() {
  const double all = static_cast<double>(std::max<std::uint64_t>(count_, 1));
  for (unsigned i = 0; i < 256; ++i)
    last_[i] = std::log(256 * (0.95 * last_count_[i] / all + 0.05 / 256));
  std::uint32_t longest = 0;
  for (const std::uint32_t size : sizes_)
    longest = std::max(longest, size);
  // Lengths near those that were seen are likely too: a window as wide as a sixteenth of the length.
  lengths_.assign(2 * std::size_t{longest} + 16, 0.0);
  std::vector<double> counts(lengths_.size());
  for (const std::uint32_t size : sizes_) {
    const std::uint32_t half = 2 + size / 32;
    const std::uint32_t begin = size > half ? size - half : 1;
    for (std::uint32_t near = begin; near <= size + half && near < counts.size(); ++near)
      counts[near] += 1.0 / (size + half + 1 - begin);
  }
  for (std::size_t i = 0; i < lengths_.size(); ++i)
    lengths_[i] = std::log(0.97 * counts[i] / all + 0.03 / static_cast<double>(lengths_.size()));
  lengths_[0] = -30;
}

double FrameStatistics::begins(std::uint8_t first, std::uint8_t second) const {
  const double all = static_cast<double>(std::max<std::uint64_t>(count_, 1));
  const auto pair = pairs_.find(static_cast<std::uint32_t>(first << 8 | second));
  const double both = pair == pairs_.end() ? 0 : pair->second / all;
  const double one = first_count_[first] / all / 256;
  return std::log(65536 * (0.9 * both + 0.0995 * one + 0.0005 / 65536));
}

namespace {

// The tables of fragmented files are in their fragments.
Result<ByteVector> whole_movie_of(FileSource &source, const Node &moov, ByteVector bytes) {
  if (!moov.child("mvex")) return bytes;
  auto scan = scan_fragments(source, true, false);
  if (!scan) return tl::unexpected(scan.error());
  if (!scan->moov || scan->moofs == 0) return bytes;
  if (auto size = whole_movie(*scan, 0); !size) return tl::unexpected(size.error());
  return write_tree(*scan->moov);
}

void empty_tables(Node &trak) {
  Node *stbl = find(trak, "mdia/minf/stbl");
  if (!stbl) return;
  std::erase_if(stbl->children, [](const Node &child) { return child.type() != FourCC("stsd"); });
  stbl->add<TimeToSample>();
  stbl->add<SampleToChunk>();
  stbl->add<SampleSize>();
  stbl->add<ChunkOffset>();
}

} // namespace

Result<ByteVector> read_header_like(const std::string &path) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  auto bytes = movie_bytes(*source, path);
  if (!bytes) return bytes;
  MemorySource memory(*bytes);
  auto moov = parse_box_at(memory, 0, bytes->size());
  if (!moov) return tl::unexpected(moov.error());
  Node mvex("mvex");
  for (Node &trak : moov->children) {
    const auto *tkhd = trak.type() == FourCC("trak") ? std::as_const(trak).get<TrackHeader>() : nullptr;
    if (!tkhd) continue;
    auto &trex = mvex.add<TrackExtends>();
    trex.track_id = tkhd->track_id;
    trex.default_sample_duration = common_duration(trak);
    empty_tables(trak);
  }
  if (!moov->child("mvex")) moov->add(std::move(mvex));
  return write_tree(*moov);
}

Result<std::unique_ptr<Model>> read_model(const std::string &path) {
  auto source = FileSource::open(path);
  if (!source) return tl::unexpected(source.error());
  auto bytes = movie_bytes(*source, path);
  if (!bytes) return tl::unexpected(bytes.error());
  auto model = std::make_unique<Model>();
  {
    MemorySource memory(*bytes);
    const auto moov = parse_box_at(memory, 0, bytes->size());
    if (!moov) return tl::unexpected(moov.error());
    auto whole = whole_movie_of(*source, *moov, *bytes);
    if (!whole) return tl::unexpected(whole.error());
    model->moov = std::move(*whole);
  }
  MemorySource memory(model->moov);
  auto moov = parse_box_at(memory, 0, model->moov.size());
  if (!moov) return tl::unexpected(moov.error());
  if (const auto *mvhd = std::as_const(*moov).get<MovieHeader>())
    model->movie_timescale = std::max(mvhd->timescale, 1u);
  for (std::size_t i = 0; i < moov->children.size(); ++i) {
    const Node &trak = moov->children[i];
    const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr;
    const Node *entry = tkhd ? first_entry(trak) : nullptr;
    const auto places = entry ? track_places(trak) : Result<TrackPlaces>(TrackPlaces{});
    if (!entry || !places || places->count == 0) continue;
    ModelTrack track;
    track.id = tkhd->track_id;
    track.index = i;
    track.format = entry->type().text();
    std::tie(track.kind, track.length_size) = nal_kind(*entry);
    track.duration = common_duration(trak);
    if (places->packet_bytes > 0 && places->sizes.empty()) {
      track.kind = SampleKind::fixed;
      track.smallest = track.largest = places->packet_bytes;
      track.packet_samples = std::max(places->packet_samples, 1u);
      track.samples = places->count;
    } else if (auto ok = read_samples(*source, track, *places); !ok) {
      return tl::unexpected(ok.error());
    }
    if (track.kind == SampleKind::frames && track.smallest == track.largest && places->sizes.empty())
      track.kind = SampleKind::fixed;
    const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
    const bool sound = hdlr && hdlr->handler_type == FourCC("soun");
    if (track.kind == SampleKind::frames && !sound) track.kind = SampleKind::marked;
    if (track.kind == SampleKind::avc || track.kind == SampleKind::hevc) allow_other_slices(track);
    read_composition(trak, track);
    track.statistics.settle();
    model->tracks.push_back(std::move(track));
  }
  if (model->tracks.empty())
    return fail(ErrorCode::unsupported, "'" + path + "' names no samples: --like needs a file with media.");
  return model;
}

} // namespace hull::isobmff
