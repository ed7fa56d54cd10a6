#include "gst/isobmff/file/fragment_scan.h"

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

// The samples of a run, its defaults filled in from tfhd and trex.
std::vector<Sample> expand(const TrackRun &trun, const TrackFragmentHeader &tfhd, const TrackExtends &trex) {
  const auto pick = [&](std::uint32_t flag, std::uint32_t header, std::uint32_t extends) {
    return tfhd.flags & flag ? header : extends;
  };
  const std::uint32_t duration =
      pick(TrackFragmentHeader::kDefaultDuration, tfhd.default_sample_duration, trex.default_sample_duration);
  const std::uint32_t size =
      pick(TrackFragmentHeader::kDefaultSize, tfhd.default_sample_size, trex.default_sample_size);
  const std::uint32_t flags =
      pick(TrackFragmentHeader::kDefaultFlags, tfhd.default_sample_flags, trex.default_sample_flags);
  // Samples without fields of their own cost the file nothing: bound them.
  const std::uint32_t count = std::min<std::uint32_t>(trun.sample_count, 1u << 20);
  std::vector<Sample> samples(count);
  for (std::uint32_t i = 0; i < count; ++i) {
    const TrackRun::Sample *own = i < trun.samples.size() ? &trun.samples[i] : nullptr;
    Sample &sample = samples[i];
    sample.duration = own && trun.flags & TrackRun::kDuration ? own->duration : duration;
    sample.size = own && trun.flags & TrackRun::kSize ? own->size : size;
    std::uint32_t sample_flags = own && trun.flags & TrackRun::kFlags ? own->flags : flags;
    if (i == 0 && trun.flags & TrackRun::kFirstSampleFlags) sample_flags = trun.first_sample_flags;
    sample.sync = SampleFlags::is_sync(sample_flags);
    if (own && trun.flags & TrackRun::kCompositionOffset)
      sample.composition_offset = static_cast<std::int32_t>(trun.offset_of(*own));
  }
  return samples;
}

class Scanner {
 public:
  Scanner(FragmentScan &scan, bool tables, bool fragments)
      : scan_(scan), tables_(tables), fragments_(fragments) {}

  bool visit(Node &node) {
    const FourCC type = node.type();
    const std::uint64_t end = node.offset + node.size;
    if (type == FourCC("ftyp") && !scan_.ftyp) {
      scan_.ftyp_end = end;
      scan_.ftyp = std::move(node);
    } else if (type == FourCC("free") && node_size_ == 16 && scan_.ftyp_end == end - 16) {
      scan_.gap = end - 16;
    } else if (type == FourCC("moov") && !scan_.moov) {
      scan_.moov_offset = node.offset;
      scan_.moov_end = end;
      read_tracks(node);
      scan_.moov = std::move(node);
    } else if (type == FourCC("sidx")) {
      scan_.has_index |= scan_.first_media == 0;
    } else if (type == FourCC("moof")) {
      start_media(node.offset);
      if (pending_ || !scan_.moov || !take(node)) return false;
      pending_ = true;
      return true; // whole only with its mdat
    } else if (type == FourCC("mdat")) {
      if (!pending_) scan_.has_mdat = true;
      start_media(node.offset);
      pending_ = false;
      commit(end);
    } else if (type == FourCC("styp") || type == FourCC("prft") || type == FourCC("emsg")) {
      start_media(node.offset);
      if (!lead_) lead_ = node.offset;
      return true;
    }
    if (!pending_) scan_.whole_end = end;
    return true;
  }
  void remember_size(std::uint64_t size) { node_size_ = size; }

 private:
  void start_media(std::uint64_t offset) {
    if (scan_.first_media == 0) scan_.first_media = offset;
  }

  void read_tracks(const Node &moov) {
    reader_.read_movie(moov);
    read_media_starts(moov, scan_.tracks);
  }

  bool take(const Node &moof) {
    auto runs = reader_.read(moof);
    if (!runs) return false;
    runs_ = std::move(*runs);
    moof_offset_ = lead_ ? lead_ : moof.offset;
    lead_ = 0;
    return true;
  }

  // The moof's mdat is whole: its samples count.
  void commit(std::uint64_t end) {
    if (runs_.empty()) return;
    ++scan_.moofs;
    for (const FragmentRun &run : runs_)
      scan_.tracks[run.track].add(run, tables_);
    if (fragments_) index(end);
    runs_.clear();
  }

  void index(std::uint64_t end) {
    const FragmentRun &run = runs_.front();
    if (run.samples.empty()) return;
    if (scan_.fragments.empty() || run.samples.front().sync)
      scan_.fragments.push_back({moof_offset_, 0, std::numeric_limits<std::int64_t>::max(), 0});
    ScannedFragment &fragment = scan_.fragments.back();
    fragment.size = end - fragment.offset;
    auto time = static_cast<std::int64_t>(run.decode_time);
    for (const Sample &sample : run.samples) {
      const std::int64_t shown = time + sample.composition_offset;
      fragment.earliest_presentation = std::min(fragment.earliest_presentation, shown);
      fragment.end = std::max(fragment.end, shown + sample.duration);
      time += sample.duration;
    }
  }

  FragmentScan &scan_;
  bool tables_, fragments_;
  bool pending_ = false; // a moof waits for its mdat
  std::uint64_t lead_ = 0, moof_offset_ = 0, node_size_ = 0;
  FragmentRuns reader_;
  std::vector<FragmentRun> runs_;
};

} // namespace

void FragmentRuns::read_movie(const Node &moov) {
  if (const Node *mvex = moov.child("mvex"))
    for (const Node &child : mvex->children)
      if (const auto *trex = child.as<TrackExtends>()) defaults_[trex->track_id] = *trex;
}

bool FragmentRuns::read_track(const Node &traf, std::uint64_t moof_offset, std::uint64_t &next_data,
                              std::vector<FragmentRun> &runs) {
  const auto *tfhd = traf.get<TrackFragmentHeader>();
  if (!tfhd || !knows(tfhd->track_id)) return false;
  const TrackExtends &trex = defaults_[tfhd->track_id];
  const auto *tfdt = traf.get<TrackFragmentDecodeTime>();
  // 8.8.7: without either flag the second traf counts from the end of the first one's data.
  const std::uint64_t base = tfhd->flags & TrackFragmentHeader::kBaseDataOffset      ? tfhd->base_data_offset
                             : tfhd->flags & TrackFragmentHeader::kDefaultBaseIsMoof ? moof_offset
                                                                                     : next_data;
  next_data = base; // of a run without an offset of its own
  std::uint64_t time = tfdt ? tfdt->base_media_decode_time : ends_[tfhd->track_id];
  for (const Node &child : traf.children) {
    if (child.type() != TrackRun::kType) continue;
    const auto *trun = child.as<TrackRun>();
    if (!trun) return false;
    FragmentRun run;
    run.track = tfhd->track_id;
    run.decode_time = time;
    run.description = tfhd->flags & TrackFragmentHeader::kSampleDescriptionIndex
                          ? tfhd->sample_description_index
                          : trex.default_sample_description_index;
    run.offset = trun->flags & TrackRun::kDataOffset
                     ? base + static_cast<std::uint64_t>(std::int64_t{trun->data_offset})
                     : next_data;
    next_data = run.offset;
    run.samples = expand(*trun, *tfhd, trex);
    for (const Sample &sample : run.samples) {
      time += sample.duration;
      next_data += sample.size;
    }
    runs.push_back(std::move(run));
  }
  ends_[tfhd->track_id] = time;
  return true;
}

std::optional<std::vector<FragmentRun>> FragmentRuns::read(const Node &moof, bool lenient) {
  std::vector<FragmentRun> runs;
  std::uint64_t next_data = moof.offset;
  for (const Node &traf : moof.children)
    if (traf.type() == FourCC("traf") && !read_track(traf, moof.offset, next_data, runs) && !lenient)
      return std::nullopt;
  return runs;
}

void ScannedTrack::add(const FragmentRun &run, bool with_table) {
  if (!any) first_decode_time = run.decode_time;
  const std::uint64_t reached = first_decode_time + table.duration();
  if (any && run.decode_time > reached) {
    const std::uint64_t longer = table.last_duration() + run.decode_time - reached;
    if (longer <= 0xffffffffu) table.set_last_duration(static_cast<std::uint32_t>(longer));
  }
  any = true;
  if (!with_table) return;
  for (const Sample &sample : run.samples)
    table.add(sample);
  table.end_chunk(run.offset, run.description);
}

void read_media_starts(const Node &moov, std::map<std::uint32_t, ScannedTrack> &tracks) {
  for (const Node &trak : moov.children) {
    const auto *tkhd = trak.type() == FourCC("trak") ? trak.get<TrackHeader>() : nullptr;
    const auto *elst = tkhd ? find_box<EditList>(trak, "edts/elst") : nullptr;
    if (!elst) continue;
    for (const EditList::Entry &entry : elst->entries)
      if (entry.media_time > 0) tracks[tkhd->track_id].media_start = entry.media_time;
  }
}

Result<FragmentScan> scan_fragments(Source &source, bool tables, bool fragments) {
  FragmentScan scan;
  scan.size = source.size();
  Scanner scanner(scan, tables, fragments);
  ParseLimits limits;
  limits.sample_table_bytes = 1 << 16; // those of a whole movie box are nobody's business here
  auto end = for_each_box(
      source,
      [&scanner](Node &node) {
        scanner.remember_size(node.size);
        return scanner.visit(node);
      },
      limits);
  if (!end) return tl::unexpected(end.error());
  return scan;
}

} // namespace hull::isobmff
