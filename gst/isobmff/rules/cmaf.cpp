#include "gst/isobmff/rules/cmaf.h"

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/protect.h"

#include <algorithm>

namespace hull::isobmff::cmaf {
namespace {

using enum Level;
using enum Certainty;

constexpr Rule kRules[] = {
    {"CMF-01", must, validator, "ftyp first, then moov; the major brand is repeated and is not isom"},
    {"CMF-02", must, validator,
     "moov holds mvhd, one trak, mvex, pssh in this order; no udta or meta outside it"},
    {"CMF-03", must, validator, "mvhd and tkhd have their default values, tkhd.duration is 0"},
    {"CMF-04", house, unverified,
     "next_track_ID is above the track's; the track is enabled; mdhd.duration is 0"},
    {"CMF-05", must, validator, "trak, mdia, minf hold their boxes in order and with default values"},
    {"CMF-06", must, validator, "stbl holds its boxes in order and describes no sample"},
    {"CMF-07", must, validator, "one trex for the track; mehd only with a duration"},
    {"CMF-08", must, validator, "an edit list has one entry, without duration, at rate 1"},
    {"CMF-09", must, validator,
     "pictures use either trun version 1 or an edit list, and one version throughout"},
    {"CMF-10", must, validator, "a fragment starts with a sync sample; hev1 says its colours"},
    {"CMF-11", must, validator, "the ES_ID of AAC is 0"},
    {"CMF-12", must, validator, "a chunk is a moof and behind it exactly its mdat"},
    {"CMF-13", must, unverified, "boxes stand as styp, prft, emsg, moof, mdat"},
    {"CMF-14", must, validator, "styp lists msdh; lmsg only in the last segment"},
    {"CMF-15", must, validator, "emsg stands before the first moof of a segment, in the track's timescale"},
    {"CMF-16", must, validator,
     "moof holds mfhd and one traf; traf holds tfhd, tfdt, trun and what follows in order"},
    {"CMF-17", must, secondary, "sequence_number rises, by one where a segment is ingested"},
    {"CMF-18", must, primary, "tfhd has no base-data-offset, sets default-base-is-moof and names the track"},
    {"CMF-19", must, primary, "tfdt is there and goes on exactly where the samples before end"},
    {"CMF-20", must, validator, "trun has a data-offset, its data lie in its own mdat"},
    {"CMF-21", must, validator, "cmf2: each chunk has its own defaults, trex has none"},
    {"CMF-22", must, secondary, "prft names the track and a presentation time in the next moof"},
    {"CMF-23", must, validator, "sidx has one reference per fragment with its true size and time"},
    {"CMF-24", must, validator, "a protected track has sinf with schm and tenc; saio has one entry"},
    {"CMF-25", must, validator, "tracks of a switching set have one media type and cut at the same times"},
    {"CMF-26", must, primary, "WebVTT has handler text, TTML subt, metadata meta with nmhd"},
};

} // namespace

std::span<const Rule> rules() {
  return kRules;
}

const Rule &rule(std::string_view id) {
  return find_rule(kRules, id);
}

Track track_of(const Node &ftyp, const Node &moov) {
  Track track;
  if (const auto *type = ftyp.as<FileType>())
    track.cmf2 = type->major_brand == FourCC("cmf2") ||
                 std::ranges::find(type->compatible_brands, FourCC("cmf2")) != type->compatible_brands.end();
  const Node *trak = moov.child("trak");
  if (!trak) return track;
  if (const auto *tkhd = trak->get<TrackHeader>()) track.track_id = tkhd->track_id;
  if (const auto *mdhd = find_box<MediaHeader>(*trak, "mdia/mdhd")) track.timescale = mdhd->timescale;
  if (const auto *hdlr = find_box<Handler>(*trak, "mdia/hdlr")) track.handler = hdlr->handler_type;
  track.has_edit_list = find(*trak, "edts/elst") != nullptr;
  if (const Node *entry = find(*trak, "mdia/minf/stbl/stsd/*")) {
    track.sample_entry = track.protected_format = entry->type();
    if (const auto *frma = find_box<OriginalFormat>(*entry, "sinf/frma"))
      track.protected_format = frma->data_format;
  }
  if (const auto *trex = find_box<TrackExtends>(moov, "mvex/trex")) track.defaults = *trex;
  return track;
}

Findings Checker::header(const Node &ftyp, const Node &moov) {
  track_ = track_of(ftyp, moov);
  progress_ = {};
  Findings out;
  cmf_01(ftyp, out);
  for (const auto check :
       {cmf_02, cmf_03, cmf_04, cmf_05, cmf_06, cmf_07, cmf_08, cmf_10_header, cmf_11, cmf_24_header, cmf_26})
    check(moov, out);
  cmf_21_header(track_, moov, out);
  return out;
}

Findings Checker::chunk(const Chunk &chunk) {
  Findings out;
  cmf_12(chunk, out);
  cmf_13(chunk, out);
  cmf_14(chunk, progress_, out);
  cmf_15(track_, chunk, progress_, out);
  if (!chunk.moof) return out;
  cmf_16(chunk, out);
  cmf_17(chunk, progress_, out);
  cmf_18(track_, chunk, out);
  cmf_19(track_, chunk, progress_, out);
  cmf_20(track_, chunk, out);
  cmf_21(track_, chunk, out);
  cmf_22(track_, chunk, out);
  cmf_24(chunk, out);
  cmf_09(track_, chunk, progress_, out);
  cmf_10(track_, chunk, progress_, out);

  const ChunkSums sums = sums_of(track_, *chunk.moof);
  progress_.next_decode_time = sums.decode_time + sums.duration;
  if (const auto *mfhd = chunk.moof->get<MovieFragmentHeader>())
    progress_.sequence_number = mfhd->sequence_number;
  if (const auto *trun = find_box<TrackRun>(*chunk.moof, "traf/trun");
      trun && progress_.video_run_version < 0)
    progress_.video_run_version = trun->version;
  for (const Node *box : chunk.before) {
    const auto *styp = box->as<SegmentType>();
    if (!styp) continue;
    progress_.has_segments = true;
    progress_.last_segment =
        std::ranges::find(styp->compatible_brands, FourCC("lmsg")) != styp->compatible_brands.end();
  }
  ++progress_.chunks;
  return out;
}

} // namespace hull::isobmff::cmaf
