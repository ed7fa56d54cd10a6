// CMAF rules of chunks, segments and sets of tracks.

#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/rules/cmaf_support.h"

#include <algorithm>

namespace hull::isobmff::cmaf {
namespace {

const SegmentType *styp_of(const Chunk &chunk) {
  for (const Node *box : chunk.before)
    if (const auto *styp = box->as<SegmentType>()) return styp;
  return nullptr;
}

bool lists(const SegmentType &styp, FourCC brand) {
  return std::ranges::find(styp.compatible_brands, brand) != styp.compatible_brands.end();
}

// A segment that is only a later chunk of its fragment says cmfl and neither cmff nor cmfs.
bool later_chunk(const SegmentType &styp) {
  return lists(styp, "cmfl") && !lists(styp, "cmff") && !lists(styp, "cmfs");
}

} // namespace

// 9.2.1
void cmf_09(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  if (!track.is_video() || !traf) return;
  for (const Node &node : traf->children) {
    const auto *run = node.as<TrackRun>();
    if (!run) continue;
    if (progress.video_run_version >= 0 && run->version != progress.video_run_version)
      report(out, "CMF-09", &node, "all trun of a track must have one version");
    if (run->version == 1 && track.has_edit_list)
      report(out, "CMF-09", &node, "trun version 1 and an edit list exclude each other");
    if (run->version == 0 && !track.has_edit_list)
      report(out, "CMF-09", &node, "trun version 0 needs an edit list");
  }
}

// 7.3.2.4. Where segments are marked, a fragment starts with each; the first chunk of all starts one anyway.
void cmf_10(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out) {
  const SegmentType *styp = styp_of(chunk);
  const bool starts = progress.chunks == 0 || (styp && !later_chunk(*styp));
  if (starts && track.is_video() && !SampleFlags::is_sync(sums_of(track, *chunk.moof).first_flags))
    report(out, "CMF-10", chunk.moof, "a fragment must start with a sync sample");
}

// 7.3.2.3
void cmf_12(const Chunk &chunk, Findings &out) {
  if (!chunk.moof) return report(out, "CMF-12", chunk.after, "an mdat stands without its moof");
  if (!chunk.after || chunk.after->type() != FourCC("mdat"))
    report(out, "CMF-12", chunk.moof, "the mdat does not follow its moof");
}

// 7.3.2.3, 7.5.2
void cmf_13(const Chunk &chunk, Findings &out) {
  static const std::vector<FourCC> kOrder = {"styp", "sidx", "ssix", "prft", "emsg"};
  std::size_t last = 0;
  for (const Node *box : chunk.before) {
    const FourCC type = box->type();
    if (type == FourCC("udta") || type == FourCC("meta"))
      report(out, "CMF-02", box, type.text() + " may only stand in moov");
    const auto place = static_cast<std::size_t>(std::ranges::find(kOrder, type) - kOrder.begin());
    if (place == kOrder.size()) {
      if (box->raw || type == FourCC("free") || type == FourCC("skip")) continue;
      report_as(out, "CMF-13", Level::should, box, type.text() + " does not belong in front of a moof");
      continue;
    }
    if (place < last) report(out, "CMF-13", box, type.text() + " stands too late in front of its moof");
    last = std::max(last, place);
  }
}

// 23009-1 6.3.4.2, 7.3.1
void cmf_14(const Chunk &chunk, const Progress &progress, Findings &out) {
  const bool has_sidx =
      std::ranges::any_of(chunk.before, [](const Node *b) { return b->type() == FourCC("sidx"); });
  for (const Node *box : chunk.before) {
    const auto *styp = box->as<SegmentType>();
    if (!styp) continue;
    if (!lists(*styp, styp->major_brand)) report(out, "CMF-01", box, "styp does not repeat its major brand");
    if (!lists(*styp, "msdh")) report(out, "CMF-14", box, "styp must list msdh");
    if (has_sidx && !lists(*styp, "msix")) report(out, "CMF-14", box, "a segment with sidx must list msix");
    if (progress.last_segment && !later_chunk(*styp))
      report(out, "CMF-14", box, "a segment follows the one that said lmsg");
  }
}

// 7.4.5
void cmf_15(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out) {
  const SegmentType *styp = styp_of(chunk);
  const bool inside = progress.chunks > 0 && progress.has_segments && (!styp || later_chunk(*styp));
  for (const Node *box : chunk.before) {
    const auto *emsg = box->as<EventMessage>();
    if (!emsg) continue;
    if (emsg->timescale != track.timescale)
      report(out, "CMF-15", box, "emsg must have the track's timescale");
    if (inside) report(out, "CMF-15", box, "emsg must stand before the first moof of its segment");
  }
}

// 7.3.1
void cmf_16(const Chunk &chunk, Findings &out) {
  const Place in_moof[] = {{{"mfhd"}, true}, {{"pssh"}, false}, {{"traf"}, true}};
  check_order(*chunk.moof, "CMF-16", in_moof, out);
  const Node *traf = chunk.moof->child("traf");
  if (!traf) return;
  const Place in_traf[] = {{{"tfhd"}, true},          {{"tfdt"}, true},
                           {{"trun"}, true},          {{"senc", "saio", "saiz"}, false},
                           {{"sbgp", "sgpd"}, false}, {{"subs"}, false}};
  // Several runs are legal; saiz and saio may also stand before trun, where some writers put them.
  std::vector<Place> places(std::begin(in_traf), std::end(in_traf));
  std::size_t runs = 0;
  for (const Node &child : traf->children)
    runs += child.type() == TrackRun::kType;
  check_order(*traf, "CMF-16", places, out, runs < 2);
}

// 14496-12 8.8.5
void cmf_17(const Chunk &chunk, const Progress &progress, Findings &out) {
  const auto *mfhd = chunk.moof->get<MovieFragmentHeader>();
  if (!mfhd || progress.chunks == 0) return;
  const std::uint32_t step = mfhd->sequence_number - progress.sequence_number; // wraps
  if (step == 0 || step > 0x80000000u)
    report(out, "CMF-17", chunk.moof,
           "sequence_number " + std::to_string(mfhd->sequence_number) + " follows " +
               std::to_string(progress.sequence_number));
  else if (step != 1)
    report_as(out, "CMF-17", Level::should, chunk.moof, "sequence_number should rise by one");
}

// 7.5.16
void cmf_18(const Track &track, const Chunk &chunk, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  const auto *tfhd = traf ? traf->get<TrackFragmentHeader>() : nullptr;
  if (!tfhd) return;
  const Node *where = traf->child("tfhd");
  if (tfhd->flags & TrackFragmentHeader::kBaseDataOffset)
    report(out, "CMF-18", where, "tfhd must not have a base-data-offset");
  if (!(tfhd->flags & TrackFragmentHeader::kDefaultBaseIsMoof))
    report(out, "CMF-18", where, "tfhd must set default-base-is-moof");
  if (tfhd->track_id != track.track_id)
    report(out, "CMF-18", where, "tfhd names another track than the header");
}

// 7.5.16, 7.3.2.2. Validators tolerate a millisecond; one tick is already a hole.
void cmf_19(const Track &track, const Chunk &chunk, const Progress &progress, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  const auto *tfdt = traf ? traf->get<TrackFragmentDecodeTime>() : nullptr;
  if (!tfdt) return; // CMF-16 misses it
  if (progress.chunks == 0 || tfdt->base_media_decode_time == progress.next_decode_time) return;
  const auto gap = static_cast<std::int64_t>(tfdt->base_media_decode_time - progress.next_decode_time);
  report(out, "CMF-19", traf->child("tfdt"),
         "tfdt is " + std::to_string(gap) + " ticks of 1/" + std::to_string(track.timescale) +
             " s away from the end of the samples before");
}

// 7.5.17, 7.3.2.3
void cmf_20(const Track &track, const Chunk &chunk, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  if (!traf) return;
  bool has_offset = true;
  std::uint64_t data = 0;
  bool first = true;
  for (const Node &node : traf->children) {
    const auto *run = node.as<TrackRun>();
    if (!run) continue;
    if (run->version > 1) report(out, "CMF-20", &node, "trun must have version 0 or 1");
    if (!(run->flags & TrackRun::kDataOffset)) {
      has_offset = false;
      report(out, "CMF-20", &node, "trun must have a data-offset");
    }
    if (run->flags & TrackRun::kFirstSampleFlags && run->flags & TrackRun::kFlags)
      report(out, "CMF-20", &node, "first_sample_flags and flags per sample exclude each other");
    if (first)
      data = chunk.moof_offset + static_cast<std::uint64_t>(static_cast<std::int64_t>(run->data_offset));
    first = false;
  }
  if (!has_offset || first || !chunk.after || chunk.after->type() != FourCC("mdat")) return;
  const std::uint64_t bytes = sums_of(track, *chunk.moof).bytes;
  if (data < chunk.mdat_payload || data - chunk.mdat_payload > chunk.mdat_size ||
      bytes > chunk.mdat_size - (data - chunk.mdat_payload))
    report(out, "CMF-20", chunk.moof, "the samples do not lie in the mdat behind their moof");
}

// 7.7.3
void cmf_21(const Track &track, const Chunk &chunk, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  const auto *tfhd = traf ? traf->get<TrackFragmentHeader>() : nullptr;
  if (!track.cmf2 || !tfhd) return;
  if (!(tfhd->flags & TrackFragmentHeader::kSampleDescriptionIndex))
    report(out, "CMF-21", traf->child("tfhd"), "with brand cmf2 tfhd must have sample_description_index");
  for (const Node &node : traf->children) {
    const auto *run = node.as<TrackRun>();
    if (!run) continue;
    const auto missing = [&](std::uint32_t per_sample, std::uint32_t by_default) {
      return !(run->flags & per_sample) && !(tfhd->flags & by_default);
    };
    if (missing(TrackRun::kDuration, TrackFragmentHeader::kDefaultDuration) ||
        missing(TrackRun::kSize, TrackFragmentHeader::kDefaultSize) ||
        missing(TrackRun::kFlags, TrackFragmentHeader::kDefaultFlags))
      report(out, "CMF-21", &node, "with brand cmf2 duration, size and flags must be in tfhd or trun");
    if (track.is_video() && run->version != 1)
      report_as(out, "CMF-21", Level::should, &node, "with brand cmf2 pictures have trun version 1");
  }
}

// 14496-12 8.16.5
void cmf_22(const Track &track, const Chunk &chunk, Findings &out) {
  for (const Node *box : chunk.before) {
    const auto *prft = box->as<ProducerReferenceTime>();
    if (!prft) continue;
    if (prft->reference_track_id != track.track_id) report(out, "CMF-22", box, "prft names another track");
    const ChunkSums sums = sums_of(track, *chunk.moof);
    const auto time = static_cast<std::int64_t>(prft->media_time);
    if (sums.samples > 0 && (time < sums.earliest_presentation || time > sums.latest_presentation))
      report(out, "CMF-22", box, "prft.media_time is no presentation time of the next moof");
  }
}

// 7.3.3.3
void cmf_23(const Track &track, const Node &sidx, std::span<const FragmentPlace> fragments, Findings &out) {
  const auto *index = sidx.as<SegmentIndex>();
  if (!index) return report(out, "CMF-23", &sidx, "sidx cannot be read");
  if (index->reference_id != track.track_id)
    report(out, "CMF-23", &sidx, "sidx.reference_ID is another track");
  if (index->timescale != track.timescale)
    report(out, "CMF-23", &sidx, "sidx has another timescale than mdhd");
  if (!fragments.empty() && index->earliest_presentation_time != fragments[0].earliest_presentation)
    report(out, "CMF-23", &sidx, "earliest_presentation_time is not that of the first fragment");
  if (index->references.size() != fragments.size())
    return report(out, "CMF-23", &sidx,
                  "sidx has " + std::to_string(index->references.size()) + " references for " +
                      std::to_string(fragments.size()) + " fragments");
  for (std::size_t i = 0; i < fragments.size(); ++i) {
    const SegmentIndex::Reference &reference = index->references[i];
    const std::string nth = "reference " + std::to_string(i);
    if (reference.reference_type) report(out, "CMF-23", &sidx, nth + " points at another sidx");
    if (!reference.starts_with_sap) report(out, "CMF-23", &sidx, nth + " must start with a SAP");
    if (reference.referenced_size != fragments[i].size ||
        reference.subsegment_duration != fragments[i].duration)
      report(out, "CMF-23", &sidx, nth + " has not the size and duration of its fragment");
  }
}

// 8.2.2
void cmf_24(const Chunk &chunk, Findings &out) {
  const Node *traf = chunk.moof->child("traf");
  if (!traf) return;
  const Node *senc = traf->child("senc"), *saiz = traf->child("saiz"), *saio = traf->child("saio");
  if (senc && (!saiz || !saio)) report(out, "CMF-24", senc, "senc must come with saiz and saio");
  const auto *offsets = saio ? saio->as<SampleAuxiliaryInfoOffsets>() : nullptr;
  if (offsets && senc && offsets->offsets.size() != 1)
    report(out, "CMF-24", saio, "saio must have one entry");
  static constexpr FourCC kSchemes[] = {"cenc", "cbc1", "cens", "cbcs"};
  if (offsets && senc && offsets->flags & SampleAuxiliaryInfoOffsets::kHasType &&
      std::ranges::find(kSchemes, offsets->aux_info_type) == std::end(kSchemes))
    report(out, "CMF-24", saio, "saio has an aux_info_type that is no encryption scheme");
}

// 7.3.4.1
void cmf_25(std::span<const SwitchingTrack> tracks, Findings &out) {
  if (tracks.empty()) return;
  const SwitchingTrack &first = tracks[0];
  for (std::size_t i = 1; i < tracks.size(); ++i) {
    const SwitchingTrack &other = tracks[i];
    const std::string nth = "track " + std::to_string(i);
    if (other.track.handler != first.track.handler ||
        other.track.protected_format != first.track.protected_format)
      report(out, "CMF-25", nullptr, nth + " has another media type or codec than track 0");
    const std::size_t both = std::min(first.fragment_starts.size(), other.fragment_starts.size());
    for (std::size_t k = 0; k < both; ++k) {
      // Equal as rational numbers; timescales are 32 bits, decode times fit 96 bits together.
      __extension__ using Wide = unsigned __int128;
      if (Wide{first.fragment_starts[k]} * other.track.timescale ==
          Wide{other.fragment_starts[k]} * first.track.timescale)
        continue;
      report(out, "CMF-25", nullptr,
             nth + ": fragment " + std::to_string(k) + " does not start when that of track 0 does");
      break;
    }
  }
}

} // namespace hull::isobmff::cmaf
