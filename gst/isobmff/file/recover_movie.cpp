#include "gst/isobmff/file/recover_movie.h"

#include "gst/core/time.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/file/chunk_runs.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

template <class T> const T *table_of(const Node &trak, const char *name) {
  return find_box<T>(trak, std::string("mdia/minf/stbl/") + name);
}

Result<std::vector<std::uint64_t>> chunk_offsets(const Node &trak) {
  if (const auto *stco = table_of<ChunkOffset>(trak, "stco"))
    return std::vector<std::uint64_t>(stco->chunk_offsets.begin(), stco->chunk_offsets.end());
  if (const auto *co64 = table_of<ChunkLargeOffset>(trak, "co64")) return co64->chunk_offsets;
  return fail(ErrorCode::bad_data, "its chunk offsets cannot be read");
}

Result<void> read_sizes(const Node &trak, TrackPlaces &places) {
  if (const auto *stsz = table_of<SampleSize>(trak, "stsz")) {
    places.equal_size = stsz->sample_size;
    places.sizes = stsz->entry_sizes;
    places.count = stsz->sample_count;
    return {};
  }
  const auto *stz2 = table_of<CompactSampleSize>(trak, "stz2");
  if (!stz2) return fail(ErrorCode::bad_data, "its sample sizes cannot be read");
  places.sizes.assign(stz2->entry_sizes.begin(), stz2->entry_sizes.end());
  places.count = places.sizes.size();
  return {};
}

// Of sound that is not coded.
bool is_pcm(FourCC type) {
  constexpr FourCC kPcm[] = {"sowt", "twos", "lpcm", "in24", "in32", "fl32", "fl64",
                             "raw ", "NONE", "ipcm", "fpcm", "alaw", "ulaw"};
  return std::ranges::find(kPcm, type) != std::end(kPcm);
}

// In QuickTime files a sample of sound may be one of PCM, whatever a packet of the codec holds.
void read_packets(const Node &trak, TrackPlaces &places) {
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  const auto *entry = stsd && !stsd->children.empty() ? stsd->children[0].as<AudioSampleEntry>() : nullptr;
  if (!entry || !places.sizes.empty()) return;
  constexpr std::uint32_t kLargestSample = 1024; // 64 bits of 128 channels
  if (places.equal_size > kLargestSample && is_pcm(stsd->children[0].type()))
    places.equal_size = entry->channelcount * std::max(entry->samplesize / 8, 1); // was damaged
  if (places.equal_size > 1) return;
  if (entry->entry_version == 1 && entry->quicktime.size() >= 16) {
    places.packet_samples = static_cast<std::uint32_t>(load_be(entry->quicktime.data(), 4));
    places.packet_bytes = static_cast<std::uint32_t>(load_be(entry->quicktime.data() + 8, 4));
  } else if (entry->entry_version == 0) {
    places.packet_samples = 1;
    places.packet_bytes = entry->channelcount * std::max(entry->samplesize / 8, 1);
  }
}

// The chunks that the runs make of the offsets, as far as there are samples.
void fill_chunks(TrackPlaces &places, const std::vector<ChunkRun> &runs,
                 const std::vector<std::uint64_t> &offsets) {
  std::uint64_t left = places.count;
  std::size_t entry = 0;
  for (std::size_t i = 0; i < offsets.size() && left > 0; ++i) {
    while (entry + 1 < runs.size() && runs[entry + 1].first_chunk <= i + 1)
      ++entry;
    if (entry >= runs.size()) break;
    const auto samples = std::min<std::uint64_t>(runs[entry].samples_per_chunk, left);
    places.chunks.push_back(
        {offsets[i], static_cast<std::uint32_t>(samples), runs[entry].sample_description_index});
    left -= samples;
  }
  places.nowhere = left;
}

std::uint64_t media_duration(const Node &trak) {
  std::uint64_t sum = 0;
  if (const auto *stts = table_of<TimeToSample>(trak, "stts"))
    for (const auto &entry : stts->entries)
      sum += std::uint64_t{entry.sample_count} * entry.sample_delta;
  return sum;
}

// Runs of a table that counts samples, cut to `count` of them.
template <class Entry> void cut_runs(std::vector<Entry> &entries, std::uint64_t count) {
  for (std::size_t i = 0; i < entries.size(); ++i) {
    if (entries[i].sample_count < count) {
      count -= entries[i].sample_count;
      continue;
    }
    entries[i].sample_count = static_cast<std::uint32_t>(count);
    entries.resize(count > 0 ? i + 1 : i);
    return;
  }
}

void write_chunks(Node &stbl, const std::vector<TrackPlaces::Chunk> &chunks) {
  if (auto *stsc = stbl.get<SampleToChunk>()) {
    stsc->entries.clear();
    for (std::size_t i = 0; i < chunks.size(); ++i)
      if (i == 0 || chunks[i].samples != chunks[i - 1].samples ||
          chunks[i].description != chunks[i - 1].description)
        stsc->entries.push_back(
            {static_cast<std::uint32_t>(i + 1), chunks[i].samples, chunks[i].description});
  }
  if (auto *stco = stbl.get<ChunkOffset>()) stco->chunk_offsets.resize(chunks.size());
  if (auto *co64 = stbl.get<ChunkLargeOffset>()) co64->chunk_offsets.resize(chunks.size());
}

// The latest a sample is shown after it is decoded: the last pictures end so much behind the media's
// duration.
std::uint64_t greatest_delay(const Node &trak) {
  std::int64_t greatest = 0;
  if (const auto *ctts = table_of<CompositionOffset>(trak, "ctts"))
    for (const auto &entry : ctts->entries)
      greatest = std::max(greatest, entry.sample_offset);
  return static_cast<std::uint64_t>(greatest);
}

// What lies beyond the media is not shown; edits that begin there are dropped.
void cut_edits(Node &trak, std::uint64_t media, std::uint32_t timescale, std::uint32_t movie_timescale) {
  Node *edts = trak.child("edts");
  auto *elst = edts ? edts->get<EditList>() : nullptr;
  if (!elst || timescale == 0) return;
  std::erase_if(elst->entries, [&](EditList::Entry &entry) {
    if (entry.media_time < 0) return false;
    const auto left = static_cast<std::int64_t>(media) - entry.media_time;
    const auto shown = left > 0 ? static_cast<std::uint64_t>(rescale(left, movie_timescale, timescale)) : 0;
    const bool any = entry.segment_duration > 0;
    entry.segment_duration = std::min(entry.segment_duration, shown);
    return left <= 0 || (any && entry.segment_duration == 0); // a timescale was damaged
  });
  if (std::ranges::none_of(elst->entries, [](const auto &entry) { return entry.media_time >= 0; }))
    elst->entries.clear();
  if (elst->entries.empty())
    std::erase_if(trak.children, [](const Node &child) { return child.type() == FourCC("edts"); });
}

void update_durations(Node &trak, std::uint64_t media, std::uint64_t delay, std::uint32_t movie_timescale) {
  Node *mdia = trak.child("mdia");
  auto *mdhd = mdia ? mdia->get<MediaHeader>() : nullptr;
  if (!mdhd || mdhd->timescale == 0) return;
  mdhd->duration = media;
  cut_edits(trak, media + delay, mdhd->timescale, movie_timescale);
  std::uint64_t shown =
      static_cast<std::uint64_t>(rescale(static_cast<std::int64_t>(media), movie_timescale, mdhd->timescale));
  if (const auto *elst = find_box<EditList>(trak, "edts/elst")) {
    shown = 0;
    for (const EditList::Entry &entry : elst->entries)
      shown += entry.segment_duration;
  }
  if (auto *tkhd = trak.get<TrackHeader>()) tkhd->duration = shown;
}

} // namespace

// AC-3, E-AC-3, DTS and MPEG audio: a sync word begins each frame.
bool frames_are_found(const Node &trak) {
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  if (!stsd || stsd->children.empty()) return false;
  const Node &entry = stsd->children[0];
  constexpr FourCC kFound[] = {"ac-3", "ec-3", "dtsc", "dtsh", "dtsl", "dtse", ".mp3", ".mp2"};
  if (std::ranges::find(kFound, entry.type()) != std::end(kFound)) return true;
  const Node *esds = entry.child("esds");
  const auto *descriptor = esds ? esds->as<ElementaryStreamDescriptor>() : nullptr;
  const auto summary = descriptor ? read_es_descriptor(descriptor->descriptor) : Result<EsdsSummary>();
  return descriptor && summary &&
         (summary->object_type_indication == 0x69 || summary->object_type_indication == 0x6b);
}

void drop_wrong_edits(Node &trak, std::uint32_t movie_timescale) {
  const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
  const Node *list = find(std::as_const(trak), "edts/elst");
  if (!mdhd || !list || mdhd->timescale == 0) return;
  const auto *elst = list->as<EditList>();
  const auto drop = [&trak] {
    std::erase_if(trak.children, [](const Node &child) { return child.type() == FourCC("edts"); });
  };
  if (!elst) return drop();
  const auto media = static_cast<std::int64_t>(media_duration(trak) + greatest_delay(trak));
  const std::int64_t slack = media / 16 + mdhd->timescale / 2;
  const bool none =
      std::ranges::none_of(elst->entries, [](const auto &entry) { return entry.media_time >= 0; });
  // The track's header says how long all edits are together.
  std::uint64_t shown_in_all = 0;
  for (const EditList::Entry &entry : elst->entries)
    shown_in_all += entry.segment_duration;
  const auto *tkhd = std::as_const(trak).get<TrackHeader>();
  const bool less = tkhd && shown_in_all > 0 && tkhd->duration < 0xffffffffu &&
                    shown_in_all + shown_in_all / 64 + 2 < tkhd->duration;
  const bool wrong =
      none || less || std::ranges::any_of(elst->entries, [&](const EditList::Entry &entry) {
        const auto shown =
            static_cast<std::int64_t>(std::min<std::uint64_t>(entry.segment_duration, ~0u >> 1));
        return entry.media_time < -1 ||
               entry.media_time + rescale(shown, mdhd->timescale, movie_timescale) > media + slack;
      });
  if (wrong) drop();
}

std::uint64_t TrackPlaces::size_of(std::uint64_t first, std::uint64_t samples) const {
  if (packet_samples > 0) return (samples + packet_samples - 1) / packet_samples * packet_bytes;
  if (sizes.empty()) return samples * equal_size;
  std::uint64_t sum = 0;
  for (std::uint64_t i = first; i < std::min<std::uint64_t>(first + samples, sizes.size()); ++i)
    sum += sizes[i];
  return sum;
}

Result<TrackPlaces> track_places(const Node &trak, std::uint64_t file_size) {
  TrackPlaces places;
  if (auto ok = read_sizes(trak, places); !ok) return tl::unexpected(ok.error());
  auto offsets = chunk_offsets(trak);
  if (!offsets) return tl::unexpected(offsets.error());
  const auto *stsc = table_of<SampleToChunk>(trak, "stsc");
  if (!stsc) return fail(ErrorCode::bad_data, "its chunks cannot be read");
  if (!table_of<TimeToSample>(trak, "stts")) return fail(ErrorCode::bad_data, "its times cannot be read");
  read_packets(trak, places);
  places.offsets = offsets->size();
  const Node *stsd = find(trak, "mdia/minf/stbl/stsd");
  const RunBounds bounds{places.offsets, places.count, stsd ? stsd->children.size() : 1};
  const std::vector<ChunkRun> runs = ordered_runs(stsc->entries, bounds);
  TrackPlaces as_read = places;
  fill_chunks(places, runs, *offsets);
  places.disordered = places.offsets > 0 && !same_runs(runs, stsc->entries);
  if (places.disordered) { // only if that finds more
    fill_chunks(as_read, runs_as_read(stsc->entries, bounds), *offsets);
    if (present_samples(as_read, file_size).all > present_samples(places, file_size).all)
      places = std::move(as_read);
  }
  places.contradicts = (!stsc->entries.empty() && places.offsets == 0) ||
                       (places.offsets > 0 && (stsc->entries.empty() || places.count == 0)) ||
                       (places.count > 0 && places.offsets == 0);
  places.count -= places.nowhere;
  return places;
}

bool tables_agree(const Node &trak, const TrackPlaces &places) {
  const auto *stts = table_of<TimeToSample>(trak, "stts");
  if (!stts || places.nowhere > 0 || places.offsets != places.chunks.size()) return false;
  std::uint64_t times = 0;
  for (const auto &entry : stts->entries)
    times += entry.sample_count;
  return times == places.count;
}

bool has_external_media(const Node &trak) {
  const Node *dref = find(trak, "mdia/minf/dinf/dref");
  if (!dref) return false;
  return std::any_of(dref->children.begin(), dref->children.end(), [](const Node &child) {
    const auto *url = child.as<DataEntryUrl>();
    return url && !(url->flags & DataEntryUrl::kSelfContained) && !url->location.empty();
  });
}

bool clip_samples(const Node &trak, TrackPlaces &places, std::uint64_t size) {
  if (!frames_are_found(trak) || places.packet_samples > 1 || places.count > size) return false;
  if (places.sizes.empty()) places.sizes.assign(places.count, places.equal_size);
  bool any = false;
  std::uint64_t sample = 0;
  for (const TrackPlaces::Chunk &chunk : places.chunks) {
    std::uint64_t at = chunk.offset;
    for (std::uint32_t i = 0; i < chunk.samples; ++i) {
      std::uint32_t &bytes = places.sizes[sample++];
      if (at < size && bytes > size - at) bytes = static_cast<std::uint32_t>(size - at), any = true;
      at += bytes;
    }
  }
  return any;
}

Present present_samples(const TrackPlaces &places, std::uint64_t size) {
  Present present;
  bool leading = true;
  std::uint64_t sample = 0;
  for (const TrackPlaces::Chunk &chunk : places.chunks) {
    std::uint64_t inside = 0;
    if (chunk.offset <= size) {
      const std::uint64_t room = size - chunk.offset;
      if (places.packet_samples > 0 && places.packet_bytes > 0)
        inside = std::min<std::uint64_t>(chunk.samples, room / places.packet_bytes * places.packet_samples);
      else if (places.sizes.empty())
        inside = places.equal_size ? std::min<std::uint64_t>(chunk.samples, room / places.equal_size)
                                   : chunk.samples;
      else
        for (std::uint64_t used = 0; inside < chunk.samples; ++inside) {
          used += places.sizes[sample + inside];
          if (used > room) break;
        }
    }
    present.all += inside;
    if (leading) present.leading += inside;
    leading &= inside == chunk.samples;
    sample += chunk.samples;
  }
  return present;
}

void shorten_tables(Node &trak, const TrackPlaces &places, std::uint64_t count,
                    std::uint32_t movie_timescale) {
  Node *stbl = find(trak, "mdia/minf/stbl");
  if (!stbl) return;
  std::vector<TrackPlaces::Chunk> chunks;
  for (std::uint64_t left = count; left > 0 && chunks.size() < places.chunks.size();) {
    chunks.push_back(places.chunks[chunks.size()]);
    chunks.back().samples = static_cast<std::uint32_t>(std::min<std::uint64_t>(chunks.back().samples, left));
    left -= chunks.back().samples;
  }
  write_chunks(*stbl, chunks);
  for (Node &table : stbl->children) {
    const FourCC type = table.type();
    if (type == FourCC("stts")) {
      if (auto *stts = table.as<TimeToSample>()) cut_runs(stts->entries, count);
    } else if (type == FourCC("ctts")) {
      if (auto *ctts = table.as<CompositionOffset>()) cut_runs(ctts->entries, count);
    } else if (type == FourCC("sbgp")) {
      if (auto *sbgp = table.as<SampleToGroup>()) cut_runs(sbgp->entries, count);
    } else if (type == FourCC("stsz")) {
      auto *stsz = table.as<SampleSize>();
      if (!stsz) continue;
      stsz->sample_count = static_cast<std::uint32_t>(count);
      if (stsz->sample_size == 0)
        stsz->entry_sizes.resize(std::min<std::uint64_t>(stsz->entry_sizes.size(), count));
    } else if (type == FourCC("stz2")) {
      if (auto *stz2 = table.as<CompactSampleSize>())
        stz2->entry_sizes.resize(std::min<std::uint64_t>(stz2->entry_sizes.size(), count));
    } else if (type == FourCC("stss")) {
      if (auto *stss = table.as<SyncSample>())
        std::erase_if(stss->sample_numbers, [count](std::uint32_t number) { return number > count; });
    } else if (type == FourCC("sdtp")) {
      auto *sdtp = table.as<SampleDependency>();
      if (sdtp && sdtp->samples.size() > count) sdtp->samples.resize(count);
    }
  }
  update_durations(trak, media_duration(trak), greatest_delay(trak), movie_timescale);
}

SampleTable table_within(const Node &trak, const TrackPlaces &places, std::uint64_t size) {
  SampleTable table;
  const auto *stts = table_of<TimeToSample>(trak, "stts");
  // Readers take such samples (PCM) in large pieces, as long as none lasts longer: what is missing is no gap.
  const bool uniform = places.sizes.empty() && stts && stts->entries.size() == 1;
  const auto *ctts = table_of<CompositionOffset>(trak, "ctts");
  const auto *stss = table_of<SyncSample>(trak, "stss");
  std::size_t time = 0, composition = 0, sync = 0;
  std::uint64_t times_used = 0, compositions_used = 0, sample = 0;
  bool any = false;
  for (const TrackPlaces::Chunk &chunk : places.chunks) {
    std::uint64_t at = chunk.offset;
    for (std::uint32_t i = 0; i < chunk.samples; ++i, ++sample) {
      Sample one;
      one.size = places.sizes.empty() ? places.equal_size : places.sizes[sample];
      while (stts && time < stts->entries.size() && times_used >= stts->entries[time].sample_count)
        ++time, times_used = 0;
      if (stts && time < stts->entries.size()) one.duration = stts->entries[time].sample_delta, ++times_used;
      while (ctts && composition < ctts->entries.size() &&
             compositions_used >= ctts->entries[composition].sample_count)
        ++composition, compositions_used = 0;
      if (ctts && composition < ctts->entries.size()) {
        one.composition_offset = static_cast<std::int32_t>(ctts->entries[composition].sample_offset);
        ++compositions_used;
      }
      while (stss && sync < stss->sample_numbers.size() && stss->sample_numbers[sync] < sample + 1)
        ++sync;
      one.sync = !stss || (sync < stss->sample_numbers.size() && stss->sample_numbers[sync] == sample + 1);
      if (at + one.size <= size) {
        table.add(one);
        any = true;
      } else if (any && !uniform) {
        table.set_last_duration(table.last_duration() + one.duration);
      }
      at += one.size;
    }
    table.end_chunk(chunk.offset, chunk.description);
  }
  return table;
}

void replace_tables(Node &trak, const SampleTable &table, std::uint32_t movie_timescale, std::int64_t shift,
                    bool wide) {
  Node *stbl = find(trak, "mdia/minf/stbl");
  if (!stbl) return;
  const std::uint64_t delay = greatest_delay(trak);
  std::erase_if(stbl->children, [](const Node &child) { return child.type() != FourCC("stsd"); });
  table.write(*stbl, shift, 0, wide);
  update_durations(trak, table.duration(), delay, movie_timescale);
}

void update_movie_duration(Node &moov) {
  std::uint64_t longest = 0;
  for (const Node &trak : moov.children)
    if (const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr)
      longest = std::max(longest, tkhd->duration);
  if (auto *mvhd = moov.get<MovieHeader>()) mvhd->duration = longest;
}

} // namespace hull::isobmff
