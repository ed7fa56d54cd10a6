// Sample tables as rules see them: ISO/IEC 14496-12 8.6 and 8.7.

#include "gst/isobmff/rules/iso.h"

#include <algorithm>

namespace hull::isobmff::iso {
namespace {

// Bytes of one number of sound that is not compressed, or by G.711; 0 for any other.
std::uint32_t number_bytes(const AudioSampleEntry &entry) {
  static constexpr struct {
    FourCC format;
    std::uint32_t bytes; ///< 0: what the entry says
  } kFormats[] = {{"raw ", 0}, {"NONE", 0}, {"twos", 0}, {"sowt", 0}, {"in24", 3},
                  {"in32", 4}, {"fl32", 4}, {"fl64", 8}, {"ulaw", 1}, {"alaw", 1}};
  for (const auto &row : kFormats)
    if (row.format == entry.type) return row.bytes ? row.bytes : entry.samplesize / 8u;
  return 0;
}

// QuickTime File Format, sound sample descriptions: a packet of so many frames has so many bytes.
void set_packet(Track &track, const AudioSampleEntry &entry) {
  const auto number = [&entry](std::size_t at) {
    return static_cast<std::uint32_t>(load_be(entry.quicktime.data() + at, 4));
  };
  if (entry.entry_version == 1 && entry.quicktime.size() == 16) {
    track.packet_frames = number(0);
    track.packet_bytes = number(8);
  } else if (entry.entry_version == 2 && entry.quicktime.size() == 36) {
    track.packet_bytes = number(28);
    track.packet_frames = number(32);
  } else if (entry.entry_version == 0) {
    track.packet_frames = 1;
    track.packet_bytes = entry.channelcount * number_bytes(entry);
  }
  if (track.packet_frames == 0 || track.packet_bytes == 0) track.packet_frames = track.packet_bytes = 0;
}

Track track_of(const Node &trak) {
  Track track;
  track.trak = &trak;
  track.stbl = find(trak, "mdia/minf/stbl");
  if (const auto *tkhd = trak.get<TrackHeader>()) track.id = tkhd->track_id;
  if (const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd")) track.timescale = mdhd->timescale;
  if (const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr")) track.handler = hdlr->handler_type;
  if (const Node *dref = find(trak, "mdia/minf/dinf/dref"))
    for (const Node &entry : dref->children) {
      const auto *full = dynamic_cast<const FullBox *>(entry.box.get());
      track.elsewhere = track.elsewhere || !full || !(full->flags & DataEntryUrl::kSelfContained);
    }
  track.tables = Tables(track.stbl);
  const Node *stsd = track.stbl ? track.stbl->child(SampleDescription::kType) : nullptr;
  if (!stsd) return track;
  track.descriptions = static_cast<std::uint32_t>(std::ranges::count_if(
      stsd->children, [](const Node &entry) { return entry.as<FreeSpace>() == nullptr; }));
  if (stsd->children.empty()) return track;
  if (const auto *sound = stsd->children[0].as<AudioSampleEntry>()) set_packet(track, *sound);
  return track;
}

} // namespace

bool Media::holds(const Stretch &stretch) const {
  if (stretch.size == 0) return true;
  const auto after = std::ranges::upper_bound(places, stretch.offset, {}, &Stretch::offset);
  return after != places.begin() && stretch.end() <= std::prev(after)->end();
}

Tables::Tables(const Node *stbl) {
  if (!stbl) return;
  times = stbl->get<TimeToSample>();
  compositions = stbl->get<CompositionOffset>();
  chunks = stbl->get<SampleToChunk>();
  sizes = stbl->get<SampleSize>();
  compact_sizes = stbl->get<CompactSampleSize>();
  offsets = stbl->get<ChunkOffset>();
  wide_offsets = stbl->get<ChunkLargeOffset>();
  syncs = stbl->get<SyncSample>();
}

bool Tables::complete() const {
  return chunks && (sizes || compact_sizes) && (offsets || wide_offsets);
}

std::uint64_t Tables::samples() const {
  if (sizes) return sizes->sample_count;
  return compact_sizes ? compact_sizes->entry_sizes.size() : 0;
}

std::uint64_t Tables::size_of(std::uint64_t sample) const {
  if (sizes && sizes->sample_size != 0) return sizes->sample_size;
  if (sizes) return sample < sizes->entry_sizes.size() ? sizes->entry_sizes[sample] : 0;
  return compact_sizes && sample < compact_sizes->entry_sizes.size() ? compact_sizes->entry_sizes[sample] : 0;
}

std::uint64_t Tables::chunk_count() const {
  if (offsets) return offsets->chunk_offsets.size();
  return wide_offsets ? wide_offsets->chunk_offsets.size() : 0;
}

std::uint64_t Tables::chunk_offset(std::uint64_t chunk) const {
  return offsets ? offsets->chunk_offsets[chunk] : wide_offsets->chunk_offsets[chunk];
}

std::uint64_t Tables::duration() const {
  std::uint64_t sum = 0;
  if (times)
    for (const auto &entry : times->entries)
      sum += std::uint64_t{entry.sample_count} * entry.sample_delta;
  return sum;
}

const Track *Movie::track(std::uint32_t id) const {
  const auto found = by_id.find(id);
  return found == by_id.end() ? nullptr : &tracks[found->second];
}

const TrackExtends *Movie::defaults(std::uint32_t id) const {
  const auto found = extensions.find(id);
  return found == extensions.end() ? nullptr : found->second->as<TrackExtends>();
}

Movie movie_of(const Node *ftyp, const Node &moov) {
  Movie movie;
  movie.moov = &moov;
  const auto *type = ftyp ? dynamic_cast<const FileType *>(ftyp->box.get()) : nullptr;
  movie.quicktime =
      !type || type->major_brand == FourCC("qt  ") ||
      std::ranges::find(type->compatible_brands, FourCC("qt  ")) != type->compatible_brands.end();
  movie.fragmented = moov.child("mvex") != nullptr;
  if (const auto *mvhd = moov.get<MovieHeader>()) movie.timescale = mvhd->timescale;
  for (const Node &child : moov.children)
    if (child.type() == FourCC("trak")) movie.tracks.push_back(track_of(child));
  for (std::size_t i = 0; i < movie.tracks.size(); ++i)
    movie.by_id.try_emplace(movie.tracks[i].id, i);
  const Node *mvex = moov.child("mvex");
  for (std::size_t i = 0; mvex && i < mvex->children.size(); ++i)
    if (const auto *trex = mvex->children[i].as<TrackExtends>())
      movie.extensions.try_emplace(trex->track_id, &mvex->children[i]);
  return movie;
}

namespace {

// Bytes of the samples [first, first + count): QuickTime's frames of constant size say 1 in stsz, or the size of
// one channel.
std::uint64_t bytes_of(const Track &track, std::uint64_t first, std::uint64_t count) {
  const Tables &tables = track.tables;
  const std::uint32_t constant = tables.sizes ? tables.sizes->sample_size : 0;
  if (constant != 0) {
    const bool frames = track.packet_frames > 0 && constant < track.packet_bytes;
    return frames ? count * track.packet_bytes / track.packet_frames : count * constant;
  }
  std::uint64_t bytes = 0;
  for (std::uint64_t i = first; i < std::min(first + count, tables.samples()); ++i)
    bytes += tables.size_of(i);
  return bytes;
}

} // namespace

void for_each_chunk(const Track &track, const std::function<void(const Chunk &)> &visit) {
  const Tables &tables = track.tables;
  if (!tables.complete()) return;
  const auto &runs = tables.chunks->entries;
  const std::uint64_t total = tables.samples();
  std::uint64_t sample = 0;
  std::size_t run = 0;
  for (std::uint64_t chunk = 0; chunk < tables.chunk_count() && sample < total && run < runs.size();
       ++chunk) {
    while (run + 1 < runs.size() && runs[run + 1].first_chunk <= chunk + 1)
      ++run;
    const std::uint64_t count = std::min<std::uint64_t>(runs[run].samples_per_chunk, total - sample);
    visit({chunk + 1, {tables.chunk_offset(chunk), bytes_of(track, sample, count)}, count});
    sample += count;
  }
}

} // namespace hull::isobmff::iso
