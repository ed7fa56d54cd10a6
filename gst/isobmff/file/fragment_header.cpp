// moof, and the header of its mdat.

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/track.h"

#include <algorithm>

namespace hull::isobmff {

// Track run of one track's samples. Duration, size and flags go to tfhd where one value holds for all of
// them.
static void add_track_fragment(Node &moof, const std::vector<Sample> &run, const FragmentTrack &track) {
  Node &traf = moof.add("traf");
  auto &tfhd = traf.add<TrackFragmentHeader>();
  tfhd.track_id = track.id;
  tfhd.flags |= TrackFragmentHeader::kSampleDescriptionIndex | TrackFragmentHeader::kDefaultDuration |
                TrackFragmentHeader::kDefaultFlags;
  tfhd.sample_description_index = track.sample_description_index;
  const auto flags_of = [](const Sample &sample) {
    return sample.sync         ? SampleFlags::kSync
           : sample.disposable ? SampleFlags::kDisposable
                               : SampleFlags::kNonSync;
  };
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
  traf.add<TrackFragmentDecodeTime>().base_media_decode_time = static_cast<std::uint64_t>(first.decode_time);
  auto &trun = traf.add<TrackRun>();
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
  trun.sample_count = static_cast<std::uint32_t>(run.size());
  if (trun.has_samples())
    for (const Sample &sample : run)
      trun.samples.push_back({sample.duration, sample.size, flags_of(sample), sample.composition_offset});
  if (track.complete) track.complete(traf);
}

Result<FragmentHeader> fragment_header(std::uint32_t sequence_number, const Chunk &chunk,
                                       const std::vector<FragmentTrack> &tracks) {
  FragmentHeader made;
  Node &moof = made.moof = Node("moof");
  moof.add<MovieFragmentHeader>().sequence_number = sequence_number;
  std::uint64_t &data_size = made.data_size;
  for (const auto &run : chunk.runs)
    for (const Sample &sample : run)
      data_size += sample.size;
  for (std::size_t i = 0; i < tracks.size(); ++i)
    if (!chunk.runs[i].empty()) add_track_fragment(moof, chunk.runs[i], tracks[i]);

  auto moof_size = tree_size(moof);
  if (!moof_size) return tl::unexpected(moof_size.error());
  const bool large = data_size + 8 > 0xffffffffu;
  std::uint64_t offset = *moof_size + (large ? 16 : 8);
  std::size_t traf_number = 0;
  for (std::size_t i = 0; i < tracks.size(); ++i) {
    if (chunk.runs[i].empty()) continue;
    if (offset > 0x7fffffffu)
      return fail(ErrorCode::unsupported, "A movie fragment of more than 2 GiB cannot name where its samples "
                                          "are: set fragment-duration or chunk-duration to less.");
    Node *traf = find(moof, "traf[" + std::to_string(traf_number++) + "]");
    traf->get<TrackRun>()->data_offset = static_cast<std::int32_t>(offset);
    for (const Sample &sample : chunk.runs[i])
      offset += sample.size;
  }
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
