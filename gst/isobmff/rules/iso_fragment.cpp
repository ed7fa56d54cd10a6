// Rules of movie fragments: ISO/IEC 14496-12 8.8.

#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/rules/iso.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff::iso {
namespace {

// Bytes of a run's samples; nothing where no box says how large they are.
std::optional<std::uint64_t> bytes_of(const TrackRun &run, std::optional<std::uint32_t> size) {
  if (run.flags & TrackRun::kSize) {
    std::uint64_t sum = 0;
    for (const auto &sample : run.samples)
      sum += sample.size;
    return sum;
  }
  if (!size) return std::nullopt;
  return std::uint64_t{*size} * run.sample_count;
}

std::optional<std::uint64_t> duration_of(const Node &traf, const TrackFragmentHeader &tfhd,
                                         const TrackExtends *trex) {
  std::optional<std::uint32_t> each;
  if (trex) each = trex->default_sample_duration;
  if (tfhd.flags & TrackFragmentHeader::kDefaultDuration) each = tfhd.default_sample_duration;
  std::uint64_t sum = 0;
  for (const Node &node : traf.children) {
    const auto *run = node.as<TrackRun>();
    if (!run) continue;
    if (!(run->flags & TrackRun::kDuration) && !each) return std::nullopt;
    if (!(run->flags & TrackRun::kDuration)) sum += std::uint64_t{*each} * run->sample_count;
    if (run->flags & TrackRun::kDuration)
      for (const auto &sample : run->samples)
        sum += sample.duration;
  }
  return sum;
}

} // namespace

void FragmentCheck::time(const Node &traf, std::uint32_t track_id, Findings &out) {
  const auto *tfdt = traf.get<TrackFragmentDecodeTime>();
  const auto *tfhd = traf.get<TrackFragmentHeader>();
  std::uint64_t &next = next_times_[track_id];
  if (tfdt && tfdt->base_media_decode_time < next)
    report(out, "ISO-18", traf.child("tfdt"),
           fmt::format("track {}: tfdt {} is before {}, where the samples before end", track_id,
                       tfdt->base_media_decode_time, next));
  const auto lasts = duration_of(traf, *tfhd, movie_ ? movie_->defaults(track_id) : nullptr);
  if (tfdt) next = tfdt->base_media_decode_time;
  next += lasts.value_or(0);
}

void FragmentCheck::traf(const Node &moof, const Node &traf, std::uint64_t &base, Findings &out) {
  const auto *tfhd = traf.get<TrackFragmentHeader>();
  if (!tfhd) return report(out, "ISO-18", &traf, "traf has no tfhd");
  const TrackExtends *trex = movie_ ? movie_->defaults(tfhd->track_id) : nullptr;
  const auto complain = [&](const char *rule, std::string text) {
    report(out, rule, &traf, fmt::format("track {}: {}", tfhd->track_id, text));
  };
  if (movie_ && !trex) complain("ISO-18", "a fragment is for a track that mvex has no trex of");
  if (movie_ && tfhd->flags & TrackFragmentHeader::kSampleDescriptionIndex) {
    const Track *track = movie_->track(tfhd->track_id);
    const std::uint32_t index = tfhd->sample_description_index;
    if (track && (index < 1 || index > track->descriptions))
      complain("ISO-08",
               fmt::format("tfhd names the sample description {}, stsd has {}", index, track->descriptions));
  }
  time(traf, tfhd->track_id, out);
  if (tfhd->flags & TrackFragmentHeader::kBaseDataOffset)
    base = tfhd->base_data_offset;
  else if (tfhd->flags & TrackFragmentHeader::kDefaultBaseIsMoof)
    base = moof.offset;
  std::optional<std::uint32_t> size;
  if (trex) size = trex->default_sample_size;
  if (tfhd->flags & TrackFragmentHeader::kDefaultSize) size = tfhd->default_sample_size;
  std::uint64_t at = base;
  for (const Node &node : traf.children) {
    const auto *run = node.as<TrackRun>();
    if (!run) continue;
    if (run->flags & TrackRun::kDataOffset)
      at = base + static_cast<std::uint64_t>(std::int64_t{run->data_offset});
    const auto bytes = bytes_of(*run, size);
    if (!bytes) return; // where the next one lies is not known either
    if (*bytes > 0) open_.push_back({{at, *bytes}, moof.offset});
    at += *bytes;
  }
  base = at;
}

void FragmentCheck::moof(const Node &moof, Findings &out) {
  if (!moof.child(MovieFragmentHeader::kType)) report(out, "ISO-18", &moof, "moof has no mfhd");
  std::uint64_t base = moof.offset;
  for (const Node &child : moof.children)
    if (child.type() == FourCC("traf")) traf(moof, child, base, out);
}

void FragmentCheck::media(const Stretch &payload) {
  std::erase_if(open_, [&](const Run &run) {
    return run.bytes.offset >= payload.offset && run.bytes.end() <= payload.end();
  });
}

void FragmentCheck::finish(const Media &media, Findings &out) {
  for (const Run &run : open_)
    if (!media.holds(run.bytes)) {
      report(out, "ISO-18", nullptr,
             fmt::format("samples at {}..{} of the fragment at {} lie in no mdat", run.bytes.offset,
                         run.bytes.end(), run.moof_offset));
      out.back().offset = run.moof_offset;
    }
}

} // namespace hull::isobmff::iso
