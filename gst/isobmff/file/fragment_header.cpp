// moof, and the header of its mdat.

#include "gst/core/time.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/roll.h"
#include "gst/isobmff/file/track.h"

#include <algorithm>
#include <optional>
#include <span>

namespace hull::isobmff {

namespace {

std::uint32_t flags_of(const Sample &sample) {
  return sample.sync         ? SampleFlags::kSync
         : sample.disposable ? SampleFlags::kDisposable
                             : SampleFlags::kNonSync;
}

// tfhd and tfdt of one track's samples, and what its track runs have in common. Duration, size and flags go to
// tfhd where one value holds for all of them.
TrackRun begin_track_fragment(Node &traf, const std::vector<Sample> &run, const FragmentTrack &track) {
  auto &tfhd = traf.add<TrackFragmentHeader>();
  tfhd.track_id = track.id;
  tfhd.flags |= TrackFragmentHeader::kSampleDescriptionIndex | TrackFragmentHeader::kDefaultDuration |
                TrackFragmentHeader::kDefaultFlags;
  tfhd.sample_description_index = track.sample_description_index;
  const Sample &first = run.front();
  const Sample &second = run.size() > 1 ? run[1] : first;
  tfhd.default_sample_duration = first.duration;
  tfhd.default_sample_flags = flags_of(second);
  bool same_duration = true, same_size = true, same_flags = true, negative = false;
  for (std::size_t i = 0; i < run.size(); ++i) {
    same_duration &= run[i].duration == first.duration;
    same_size &= run[i].size == first.size;
    negative |= run[i].composition_offset < 0;
    same_flags &= i == 0 || flags_of(run[i]) == tfhd.default_sample_flags;
  }
  if (same_size) {
    tfhd.flags |= TrackFragmentHeader::kDefaultSize;
    tfhd.default_sample_size = first.size;
  }
  TrackRun trun;
  trun.version = track.composition_offsets && (track.signed_offsets || negative) ? 1 : 0;
  trun.flags = TrackRun::kDataOffset;
  if (!same_duration) trun.flags |= TrackRun::kDuration;
  if (!same_size) trun.flags |= TrackRun::kSize;
  if (!same_flags)
    trun.flags |= TrackRun::kFlags;
  else if (flags_of(first) != tfhd.default_sample_flags)
    trun.flags |= TrackRun::kFirstSampleFlags;
  trun.first_sample_flags = flags_of(first);
  if (track.composition_offsets) trun.flags |= TrackRun::kCompositionOffset;
  traf.add<TrackFragmentDecodeTime>().base_media_decode_time = static_cast<std::uint64_t>(first.decode_time);
  return trun;
}

// The bytes of the run's samples are counted for its data_offset later.
void add_track_run(Node &traf, TrackRun trun, std::span<const Sample> samples) {
  trun.sample_count = static_cast<std::uint32_t>(samples.size());
  if (trun.has_samples())
    for (const Sample &sample : samples)
      trun.samples.push_back({sample.duration, sample.size, flags_of(sample), sample.composition_offset});
  traf.add(Node(std::move(trun)));
}

void add_track_fragment(Node &moof, const std::vector<Sample> &run, const FragmentTrack &track,
                        const std::vector<std::size_t> &slices) {
  Node &traf = moof.add("traf");
  TrackRun form = begin_track_fragment(traf, run, track);
  std::size_t from = 0;
  for (const std::size_t count : slices) {
    if (count == 0) continue;
    add_track_run(traf, form, std::span(run).subspan(from, count));
    form.flags &= ~TrackRun::kFirstSampleFlags; // of the first run only
    from += count;
  }
  if (track.complete) track.complete(traf);
  if (track.rolls) traf.add(roll_group(run.size()));
}

// Writes into each track run where its samples begin; false where one lies too far away to be named.
bool place_track_runs(Node &moof, std::uint64_t offset, const Chunk &chunk, const Slices &slices) {
  struct Cursor {
    std::vector<TrackRun *> runs;
    std::size_t run = 0, sample = 0;
  };
  std::vector<Cursor> cursors(chunk.runs.size());
  std::size_t number = 0, most = 0;
  for (std::size_t i = 0; i < chunk.runs.size(); ++i) {
    most = std::max(most, slices[i].size());
    if (chunk.runs[i].empty()) continue;
    for (Node &child : find(moof, "traf[" + std::to_string(number++) + "]")->children)
      if (auto *run = child.as<TrackRun>()) cursors[i].runs.push_back(run);
  }
  for (std::size_t slice = 0; slice < most; ++slice)
    for (std::size_t i = 0; i < chunk.runs.size(); ++i) {
      if (slice >= slices[i].size() || slices[i][slice] == 0) continue;
      if (offset > 0x7fffffffu) return false;
      Cursor &cursor = cursors[i];
      cursor.runs[cursor.run++]->data_offset = static_cast<std::int32_t>(offset);
      for (std::size_t k = 0; k < slices[i][slice]; ++k)
        offset += chunk.runs[i][cursor.sample++].size;
    }
  return true;
}

} // namespace

Slices slices_of(const Chunk &chunk, const std::vector<std::uint32_t> &timescales, std::int64_t length) {
  std::optional<std::int64_t> start;
  const auto time = [&](std::size_t track, const Sample &sample) {
    return rescale(sample.decode_time, kNanoseconds, timescales[track]);
  };
  for (std::size_t i = 0; i < timescales.size(); ++i)
    if (!chunk.runs[i].empty()) {
      const std::int64_t first = time(i, chunk.runs[i].front());
      start = std::min(start.value_or(first), first);
    }
  Slices slices(timescales.size());
  for (std::size_t i = 0; i < timescales.size(); ++i)
    for (const Sample &sample : chunk.runs[i]) {
      const auto slice =
          static_cast<std::size_t>((time(i, sample) - *start) / std::max<std::int64_t>(length, 1));
      if (slices[i].size() <= slice) slices[i].resize(slice + 1);
      ++slices[i][slice];
    }
  return slices;
}

Result<FragmentHeader> fragment_header(std::uint32_t sequence_number, const Chunk &chunk,
                                       const std::vector<FragmentTrack> &tracks, const Slices &wanted) {
  FragmentHeader made;
  Node &moof = made.moof = Node("moof");
  moof.add<MovieFragmentHeader>().sequence_number = sequence_number;
  std::uint64_t &data_size = made.data_size;
  for (const auto &run : chunk.runs)
    for (const Sample &sample : run)
      data_size += sample.size;
  Slices slices = wanted;
  if (slices.empty())
    for (const auto &run : chunk.runs)
      slices.push_back({run.size()});
  for (std::size_t i = 0; i < tracks.size(); ++i)
    if (!chunk.runs[i].empty()) add_track_fragment(moof, chunk.runs[i], tracks[i], slices[i]);

  auto moof_size = tree_size(moof);
  if (!moof_size) return tl::unexpected(moof_size.error());
  const bool large = data_size + 8 > 0xffffffffu;
  if (!place_track_runs(moof, *moof_size + (large ? 16 : 8), chunk, slices))
    return fail(ErrorCode::unsupported, "A movie fragment of more than 2 GiB cannot name where its samples "
                                        "are: set fragment-duration or chunk-duration to less.");
  if (std::ranges::any_of(tracks, [](const FragmentTrack &track) { return bool(track.complete); }))
    if (auto placed = set_senc_offsets(moof); !placed) return tl::unexpected(placed.error());
  auto bytes = write_tree(moof);
  if (!bytes) return tl::unexpected(bytes.error());
  append_box_header(*bytes, "mdat", data_size, large);
  made.moof_size = *moof_size;
  made.bytes = std::move(*bytes);
  return made;
}

} // namespace hull::isobmff
