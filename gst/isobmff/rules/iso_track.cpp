// Rules of the movie box and its tracks.

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/rules/iso.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>
#include <set>

namespace hull::isobmff::iso {
namespace {

constexpr std::uint64_t kUnknown = ~std::uint64_t{0};

std::string name_of(const Track &track) {
  return fmt::format("track {}", track.id);
}

const Node *table(const Track &track, FourCC type) {
  return track.stbl ? track.stbl->child(type) : nullptr;
}

const SampleDescription *descriptions_of(const Track &track) {
  return track.stbl ? track.stbl->get<SampleDescription>() : nullptr;
}

bool holds_any(const Node &parent, std::initializer_list<FourCC> types) {
  return std::ranges::any_of(types, [&](FourCC type) { return parent.child(type) != nullptr; });
}

void need(const Node &parent, const std::string &whose, std::initializer_list<FourCC> types, Findings &out) {
  if (!holds_any(parent, types))
    report(out, "ISO-03", &parent,
           fmt::format("{} of {} has no {}", shown(parent.type()), whose, types.begin()->text()));
}

void check_structure(const Track &track, Findings &out) {
  const std::string whose = name_of(track);
  need(*track.trak, whose, {"tkhd"}, out);
  need(*track.trak, whose, {"mdia"}, out);
  const Node *mdia = track.trak->child("mdia");
  if (!mdia) return;
  for (const FourCC type : {FourCC("mdhd"), FourCC("hdlr"), FourCC("minf")})
    need(*mdia, whose, {type}, out);
  const Node *minf = mdia->child("minf");
  if (!minf) return;
  need(*minf, whose, {"stbl"}, out);
  if (!track.stbl) return;
  need(*track.stbl, whose, {"stsd"}, out);
  need(*track.stbl, whose, {"stts"}, out);
  need(*track.stbl, whose, {"stsc"}, out);
  need(*track.stbl, whose, {"stsz", "stz2"}, out);
  need(*track.stbl, whose, {"stco", "co64"}, out);
}

struct Configured {
  FourCC entry;
  FourCC box;
};
const Configured kConfigured[] = {
    {"avc1", "avcC"}, {"avc3", "avcC"}, {"hvc1", "hvcC"}, {"hev1", "hvcC"}, {"vvc1", "vvcC"},
    {"vvi1", "vvcC"}, {"av01", "av1C"}, {"vp08", "vpcC"}, {"vp09", "vpcC"}, {"mp4v", "esds"},
    {"mp4a", "esds"}, {"Opus", "dOps"}, {"fLaC", "dfLa"}, {"ac-3", "dac3"}, {"ec-3", "dec3"},
    {"ac-4", "dac4"}, {"ipcm", "pcmC"}, {"fpcm", "pcmC"}, {"alac", "alac"}, {"samr", "damr"},
    {"sawb", "damr"}, {"mha1", "mhaC"}, {"iamf", "iacb"}, {"uncv", "uncC"}, {"wvtt", "vttC"},
    {"encv", "sinf"}, {"enca", "sinf"}, {"resv", "rinf"},
};

// QuickTime keeps what sound needs in wave, and some of it nowhere.
void check_configuration(const Movie &movie, const Track &track, const Node &entry, Findings &out) {
  const auto found = std::ranges::find(kConfigured, entry.type(), &Configured::entry);
  if (found == std::end(kConfigured) || entry.child(found->box)) return;
  const bool sound = entry.as<AudioSampleEntry>() != nullptr;
  if (sound && (movie.quicktime || entry.child("wave"))) return;
  const bool amr = found->box == FourCC("damr"); // phones leave it out, and nobody needs it
  report_as(out, "ISO-06", amr ? Level::should : Level::must, &entry,
            fmt::format("{}: {} has no {}", name_of(track), shown(entry.type()), shown(found->box)));
}

std::uint64_t sum_of_counts(const auto &entries) {
  std::uint64_t sum = 0;
  for (const auto &entry : entries)
    sum += entry.sample_count;
  return sum;
}

void check_count(const Track &track, FourCC type, std::uint64_t count, bool right, Findings &out) {
  if (!right)
    report(out, "ISO-09", table(track, type),
           fmt::format("{}: {} has {} samples, stsz {}", name_of(track), shown(type), count,
                       track.tables.samples()));
}

// Whole samples that the chunks hold by stsc; ~0 where stsc is not in order.
std::uint64_t chunk_capacity(const Tables &tables) {
  const auto &runs = tables.chunks->entries;
  const std::uint64_t chunks = tables.chunk_count();
  std::uint64_t sum = 0;
  for (std::size_t i = 0; i < runs.size(); ++i) {
    const std::uint64_t next = i + 1 < runs.size() ? runs[i + 1].first_chunk : chunks + 1;
    if (next < runs[i].first_chunk || next > chunks + 1) return kUnknown;
    sum += (next - runs[i].first_chunk) * runs[i].samples_per_chunk;
  }
  return sum;
}

} // namespace

void iso_03(const Movie &movie, Findings &out) {
  if (!movie.moov->child("mvhd")) report(out, "ISO-03", movie.moov, "moov has no mvhd");
  for (const Track &track : movie.tracks)
    check_structure(track, out);
}

void iso_04(const Movie &movie, Findings &out) {
  std::set<std::uint32_t> ids;
  std::uint32_t highest = 0;
  for (const Track &track : movie.tracks) {
    if (!track.trak->get<TrackHeader>()) continue;
    if (track.id == 0) report(out, "ISO-04", track.trak, "a track has the ID 0");
    if (!ids.insert(track.id).second)
      report(out, "ISO-04", track.trak, fmt::format("two tracks have the ID {}", track.id));
    highest = std::max(highest, track.id);
  }
  const auto *mvhd = movie.moov->get<MovieHeader>();
  if (mvhd && mvhd->next_track_id <= highest)
    report_as(
        out, "ISO-04", Level::should, movie.moov->child("mvhd"),
        fmt::format("next_track_ID {} is not above the ID {} of a track", mvhd->next_track_id, highest));
}

void iso_05(const Movie &movie, Findings &out) {
  if (movie.moov->get<MovieHeader>() && movie.timescale == 0)
    report(out, "ISO-05", movie.moov->child("mvhd"), "mvhd.timescale is 0");
  for (const Track &track : movie.tracks)
    if (find_box<MediaHeader>(*track.trak, "mdia/mdhd") && track.timescale == 0)
      report(out, "ISO-05", find(*track.trak, "mdia/mdhd"),
             fmt::format("mdhd.timescale of {} is 0", name_of(track)));
}

void iso_06(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    if (!descriptions_of(track)) continue;
    const Node *stsd = table(track, SampleDescription::kType);
    if (stsd->children.empty())
      report(out, "ISO-06", stsd, fmt::format("stsd of {} describes nothing", name_of(track)));
    for (const Node &entry : stsd->children)
      check_configuration(movie, track, entry, out);
  }
}

namespace {

// What is wrong with stsc, empty where nothing is.
std::string fault_of_runs(const SampleToChunk &stsc, std::uint64_t chunks) {
  std::uint64_t last = 0;
  for (const auto &run : stsc.entries) {
    if (last == 0 && run.first_chunk != 1) return "stsc does not begin with chunk 1";
    if (last != 0 && run.first_chunk <= last)
      return fmt::format("stsc goes from chunk {} to {}", last, run.first_chunk);
    if (run.samples_per_chunk == 0) return fmt::format("chunks from {} on have no sample", run.first_chunk);
    last = run.first_chunk;
  }
  if (last > chunks && chunks > 0) return fmt::format("stsc knows chunk {}, there are {}", last, chunks);
  return {};
}

} // namespace

void iso_07(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    const Tables &tables = track.tables;
    if (!tables.chunks || !(tables.offsets || tables.wide_offsets)) continue;
    if (const std::string fault = fault_of_runs(*tables.chunks, tables.chunk_count()); !fault.empty())
      report(out, "ISO-07", table(track, SampleToChunk::kType), name_of(track) + ": " + fault);
  }
}

void iso_08(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    if (!descriptions_of(track)) continue;
    const auto check = [&](std::uint32_t index, const Node *where, const char *what) {
      if (index >= 1 && index <= track.descriptions) return true;
      report(out, "ISO-08", where,
             fmt::format("{} of {} names the sample description {}, stsd has {}", what, name_of(track), index,
                         track.descriptions));
      return false;
    };
    if (track.tables.chunks)
      for (const auto &run : track.tables.chunks->entries)
        if (!check(run.sample_description_index, table(track, SampleToChunk::kType), "stsc")) break;
    if (const auto *trex = movie.defaults(track.id))
      check(trex->default_sample_description_index, movie.extensions.at(track.id), "trex");
  }
}

void iso_09(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    const Tables &tables = track.tables;
    if (!tables.sizes && !tables.compact_sizes) continue;
    const std::uint64_t samples = tables.samples();
    if (tables.times) {
      const std::uint64_t count = sum_of_counts(tables.times->entries);
      check_count(track, "stts", count, count == samples, out);
    }
    if (tables.compositions) {
      const std::uint64_t count = sum_of_counts(tables.compositions->entries);
      check_count(track, "ctts", count, count == samples, out);
    }
    if (!tables.complete()) continue;
    const std::uint64_t capacity = chunk_capacity(tables);
    if (capacity != kUnknown) check_count(track, "stsc", capacity, capacity == samples, out);
  }
}

void iso_10(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    if (!track.tables.syncs) continue;
    std::uint64_t last = 0;
    for (const std::uint32_t number : track.tables.syncs->sample_numbers) {
      if (number > last && number <= track.tables.samples()) {
        last = number;
        continue;
      }
      report(out, "ISO-10", table(track, SyncSample::kType),
             number <= last ? fmt::format("{}: stss goes from sample {} to {}", name_of(track), last, number)
                            : fmt::format("{}: stss names sample {} of {}", name_of(track), number,
                                          track.tables.samples()));
      break;
    }
  }
}

void iso_11(const Movie &movie, const Media &media, Findings &out) {
  for (const Track &track : movie.tracks) {
    if (track.elsewhere) continue;
    std::uint64_t lost = 0, first = 0;
    std::string where;
    for_each_chunk(track, [&](const Chunk &chunk) {
      if (media.holds(chunk.bytes)) return;
      if (++lost > 1) return;
      first = chunk.number;
      where = chunk.bytes.end() > media.file_size ? "past the end of the file" : "outside of mdat";
    });
    if (lost == 0) continue;
    const Node *offsets = table(track, track.tables.offsets ? ChunkOffset::kType : ChunkLargeOffset::kType);
    report(out, "ISO-11", offsets,
           fmt::format("{}: {} of {} chunks lie {}, the first is chunk {}", name_of(track), lost,
                       track.tables.chunk_count(), where, first));
  }
}

void iso_12(const Movie &movie, Findings &out) {
  struct Owned {
    Stretch bytes;
    const Track *track;
    std::uint64_t number;
  };
  std::vector<Owned> all;
  for (const Track &track : movie.tracks)
    if (!track.elsewhere)
      for_each_chunk(track, [&](const Chunk &chunk) {
        if (chunk.bytes.size > 0) all.push_back({chunk.bytes, &track, chunk.number});
      });
  std::ranges::sort(all, {},
                    [](const Owned &owned) { return std::pair(owned.bytes.offset, owned.bytes.size); });
  std::set<std::pair<const Track *, const Track *>> told; // once for each pair of tracks
  for (std::size_t i = 1; i < all.size(); ++i) {
    const Owned &before = all[i - 1], &now = all[i];
    const bool shared = before.bytes.offset == now.bytes.offset && before.bytes.size == now.bytes.size;
    if (now.bytes.offset >= before.bytes.end() || shared || !told.insert({before.track, now.track}).second)
      continue;
    report(out, "ISO-12", now.track->trak,
           fmt::format("chunk {} of {} begins inside chunk {} of {}", now.number, name_of(*now.track),
                       before.number, name_of(*before.track)));
  }
}

void iso_15(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    const Node *tref = track.trak->child("tref");
    if (!tref) continue;
    for (const Node &reference : tref->children) {
      const auto *ids = reference.as<TrackReferences>();
      if (!ids) continue;
      for (const std::uint32_t id : ids->track_ids) {
        if (!movie.track(id) && id != 0)
          report(out, "ISO-15", &reference,
                 fmt::format("{} of {} refers to track {}, which is not there", shown(reference.type()),
                             name_of(track), id));
      }
    }
  }
}

void iso_16(const Movie &movie, Findings &out) {
  struct Kind {
    FourCC handler;
    FourCC header;
  };
  static constexpr Kind kKinds[] = {{"vide", "vmhd"}, {"soun", "smhd"}, {"subt", "sthd"}, {"hint", "hmhd"}};
  for (const Track &track : movie.tracks) {
    const Node *minf = find(*track.trak, "mdia/minf");
    const auto kind = std::ranges::find(kKinds, track.handler, &Kind::handler);
    if (minf && kind != std::end(kKinds) && !minf->child(kind->header) && !minf->child("gmhd"))
      report(out, "ISO-16", minf,
             fmt::format("{} is for {} and has no {}", name_of(track), shown(track.handler),
                         shown(kind->header)));
    const Node *stsd = table(track, SampleDescription::kType);
    for (std::size_t i = 0; stsd && i < stsd->children.size(); ++i) {
      const Node &entry = stsd->children[i];
      const bool wrong = (track.handler == FourCC("vide") && entry.as<AudioSampleEntry>()) ||
                         (track.handler == FourCC("soun") && entry.as<VisualSampleEntry>());
      if (wrong)
        report(out, "ISO-16", &entry,
               fmt::format("{} is for {} and has {}", name_of(track), shown(track.handler),
                           shown(entry.type())));
    }
  }
}

namespace {

using GroupCounts = std::map<FourCC, std::uint64_t>;

// How many groups of each kind the track describes.
GroupCounts groups_of(const Node &stbl) {
  GroupCounts counts;
  for (const Node &child : stbl.children)
    if (const auto *sgpd = child.as<SampleGroupDescription>())
      counts.try_emplace(sgpd->grouping_type,
                         sgpd->version == 0 ? sgpd->version0_count : sgpd->entries.size());
  return counts;
}

void check_group(const Track &track, const Node &node, const SampleToGroup &sbgp, const GroupCounts &groups,
                 Findings &out) {
  std::uint64_t samples = 0, highest = 0;
  for (const auto &entry : sbgp.entries) {
    samples += entry.sample_count;
    highest = std::max<std::uint64_t>(highest, entry.group_description_index);
  }
  const std::string kind = shown(sbgp.grouping_type);
  if (samples > track.tables.samples())
    report(out, "ISO-17", &node,
           fmt::format("{}: sbgp of {} has {} samples, stsz {}", name_of(track), kind, samples,
                       track.tables.samples()));
  const auto described = groups.find(sbgp.grouping_type);
  if (const std::uint64_t count = described == groups.end() ? 0 : described->second; highest > count)
    report(out, "ISO-17", &node,
           fmt::format("{}: sbgp of {} names group {}, sgpd has {}", name_of(track), kind, highest, count));
}

} // namespace

void iso_17(const Movie &movie, Findings &out) {
  for (const Track &track : movie.tracks) {
    if (!track.stbl) continue;
    const std::uint64_t samples = track.tables.samples();
    const GroupCounts groups = groups_of(*track.stbl);
    for (const Node &node : track.stbl->children) {
      if (const auto *sbgp = node.as<SampleToGroup>()) check_group(track, node, *sbgp, groups, out);
      const auto *sdtp = node.as<SampleDependency>();
      const auto *saiz = node.as<SampleAuxiliaryInfoSizes>();
      const std::uint64_t count = sdtp ? sdtp->samples.size() : saiz ? saiz->sample_count : samples;
      if (sdtp ? count != samples : count > samples)
        report(out, "ISO-17", &node,
               fmt::format("{}: {} has {} samples, stsz {}", name_of(track), shown(node.type()), count,
                           samples));
    }
  }
}

void iso_19(const Movie &movie, Findings &out) {
  if (movie.quicktime) return;
  for (const Track &track : movie.tracks) {
    const Node *stsd = table(track, SampleDescription::kType);
    const auto *full = stsd ? dynamic_cast<const FullBox *>(stsd->box.get()) : nullptr;
    for (std::size_t i = 0; stsd && i < stsd->children.size(); ++i) {
      const Node &entry = stsd->children[i];
      const auto *sound = entry.as<AudioSampleEntry>();
      if (sound && sound->entry_version > 0 && full && full->version == 0)
        report(out, "ISO-19", &entry,
               fmt::format("{}: {} is a sound description of QuickTime (version {}), but the file is not",
                           name_of(track), shown(entry.type()), sound->entry_version));
    }
  }
}

} // namespace hull::isobmff::iso
