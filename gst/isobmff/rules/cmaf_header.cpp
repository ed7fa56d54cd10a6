// CMAF rules of the header: ftyp and moov.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/sample.h"
#include "gst/isobmff/rules/cmaf_support.h"

#include <algorithm>

namespace hull::isobmff::cmaf {
namespace {

bool contains(const std::vector<FourCC> &list, FourCC type) {
  return std::ranges::find(list, type) != list.end();
}

FourCC handler_of(const Node &trak) {
  const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
  return hdlr ? hdlr->handler_type : FourCC{};
}

const Node *entry_of(const Node &moov) {
  return find(moov, "trak/mdia/minf/stbl/stsd/*");
}

FourCC clear_format(const Node &entry) {
  const auto *frma = find_box<OriginalFormat>(entry, "sinf/frma");
  return frma ? frma->data_format : entry.type();
}

} // namespace

// ISO/IEC 23000-19 7.2, 7.3.1
void cmf_01(const Node &ftyp, Findings &out) {
  const auto *type = ftyp.as<FileType>();
  if (!type || ftyp.type() != FileType::kType)
    return report(out, "CMF-01", &ftyp, "the file does not start with ftyp");
  if (type->major_brand == FourCC("isom")) report(out, "CMF-01", &ftyp, "the major brand must not be isom");
  if ((type->major_brand == FourCC("cmfc") || type->major_brand == FourCC("cmf2")) &&
      type->minor_version != 0)
    report(out, "CMF-01", &ftyp, "with a CMAF brand as major brand minor_version must be 0");
  if (!contains(type->compatible_brands, type->major_brand))
    report_as(out, "CMF-01", Level::should, &ftyp, "the major brand is not among the compatible ones");
  if (!contains(type->compatible_brands, "cmfc") && !contains(type->compatible_brands, "cmf2"))
    report(out, "CMF-01", &ftyp, "neither cmfc nor cmf2 is among the brands");
}

// 7.3.1, 7.5.2
void cmf_02(const Node &moov, Findings &out) {
  const Place places[] = {{{"mvhd"}, true}, {{"trak"}, true}, {{"mvex"}, true}, {{"pssh"}, false}};
  check_order(moov, "CMF-02", places, out);
}

// 7.5.1, 7.5.4
void cmf_03(const Node &moov, Findings &out) {
  if (const auto *mvhd = moov.get<MovieHeader>();
      mvhd && (mvhd->rate != 0x10000 || mvhd->volume != 0x100 || mvhd->matrix != kUnityMatrix))
    report(out, "CMF-03", moov.child("mvhd"), "mvhd must have rate 1, volume 1 and the unity matrix");
  const Node *trak = only_trak(moov);
  const auto *tkhd = trak ? trak->get<TrackHeader>() : nullptr;
  if (!tkhd) return;
  const Node *where = trak->child("tkhd");
  if (tkhd->duration != 0) report(out, "CMF-03", where, "tkhd.duration must be 0");
  if (tkhd->matrix != kUnityMatrix) report(out, "CMF-03", where, "tkhd must have the unity matrix");
  if (handler_of(*trak) == FourCC("soun") && (tkhd->width || tkhd->height))
    report(out, "CMF-03", where, "tkhd of audio must have width and height 0");
}

// 14496-12 8.2.2, 8.3.2
void cmf_04(const Node &moov, Findings &out) {
  const Node *trak = only_trak(moov);
  const auto *mvhd = moov.get<MovieHeader>();
  const auto *tkhd = trak ? trak->get<TrackHeader>() : nullptr;
  if (!mvhd || !tkhd) return;
  if (mvhd->next_track_id <= tkhd->track_id)
    report(out, "CMF-04", moov.child("mvhd"), "next_track_ID must be above the track's id");
  constexpr std::uint32_t kShown = TrackHeader::kEnabled | TrackHeader::kInMovie;
  if ((tkhd->flags & kShown) != kShown)
    report(out, "CMF-04", trak->child("tkhd"), "the track is not enabled in the movie");
  if (const auto *mdhd = find_box<MediaHeader>(*trak, "mdia/mdhd"); mdhd && mdhd->duration != 0)
    report(out, "CMF-04", find(*trak, "mdia/mdhd"), "mdhd.duration should be 0");
}

// 7.3.1, 7.5.6 to 7.5.9
void cmf_05(const Node &moov, Findings &out) {
  const Node *trak = only_trak(moov);
  if (!trak) return;
  const Place in_trak[] = {{{"tkhd"}, true}, {{"edts"}, false}, {{"mdia"}, true}, {{"udta"}, false}};
  check_order(*trak, "CMF-05", in_trak, out);
  const Node *mdia = trak->child("mdia");
  if (!mdia) return;
  const Place in_mdia[] = {{{"mdhd"}, true}, {{"hdlr"}, true}, {{"elng"}, false}, {{"minf"}, true}};
  check_order(*mdia, "CMF-05", in_mdia, out);
  const Node *minf = mdia->child("minf");
  if (!minf) return;
  const FourCC handler = handler_of(*trak);
  std::vector<FourCC> header = {"nmhd", "sthd"};
  if (handler == FourCC("vide")) header = {"vmhd"};
  if (handler == FourCC("soun")) header = {"smhd"};
  const Place in_minf[] = {{header, true}, {{"dinf"}, true}, {{"stbl"}, true}};
  check_order(*minf, "CMF-05", in_minf, out);
  if (const auto *vmhd = minf->get<VideoMediaHeader>();
      vmhd && (vmhd->version != 0 || vmhd->graphicsmode != 0 || vmhd->opcolor != decltype(vmhd->opcolor){}))
    report(out, "CMF-05", minf->child("vmhd"), "vmhd must have version 0, graphicsmode 0 and opcolor 0");
  if (const auto *smhd = minf->get<SoundMediaHeader>(); smhd && smhd->balance != 0)
    report(out, "CMF-05", minf->child("smhd"), "smhd.balance must be 0");
  const Node *dref = find(*minf, "dinf/dref");
  const auto *url = dref && dref->children.size() == 1 ? dref->children[0].as<DataEntryUrl>() : nullptr;
  if (!url || url->flags != DataEntryUrl::kSelfContained)
    report(out, "CMF-05", dref ? dref : minf, "dref must have one url entry with flags 1");
}

// 7.5.10, 7.5.12
void cmf_06(const Node &moov, Findings &out) {
  const Node *stbl = find(moov, "trak/mdia/minf/stbl");
  if (!stbl) return;
  const Place places[] = {{{"stsd"}, true},         {{"stts"}, true},         {{"stsc"}, true},
                          {{"stsz", "stz2"}, true}, {{"stco", "co64"}, true}, {{"sgpd"}, false},
                          {{"stss"}, false}};
  check_order(*stbl, "CMF-06", places, out);
  const auto *stsd = stbl->get<SampleDescription>();
  if (stsd && stsd->version != 0) report(out, "CMF-06", stbl->child("stsd"), "stsd must have version 0");
  const auto *stts = stbl->get<TimeToSample>();
  const auto *stsc = stbl->get<SampleToChunk>();
  const auto *stsz = stbl->get<SampleSize>();
  const auto *stco = stbl->get<ChunkOffset>();
  const auto *stss = stbl->get<SyncSample>();
  if ((stts && !stts->entries.empty()) || (stsc && !stsc->entries.empty()) ||
      (stsz && stsz->sample_count != 0) || (stco && !stco->chunk_offsets.empty()) ||
      (stss && !stss->sample_numbers.empty()))
    report(out, "CMF-06", stbl, "the tables of stbl must be empty");
}

// 7.5.14, 7.3.2.1
void cmf_07(const Node &moov, Findings &out) {
  const Node *mvex = moov.child("mvex");
  if (!mvex) return;
  const auto *mehd = mvex->get<MovieExtendsHeader>();
  if (mehd && mehd->fragment_duration == 0)
    report(out, "CMF-07", mvex->child("mehd"), "mehd without a duration must be left out");
  const Node *trak = only_trak(moov);
  const auto *tkhd = trak ? trak->get<TrackHeader>() : nullptr;
  unsigned own = 0, all = 0;
  for (const Node &child : mvex->children) {
    const auto *trex = child.as<TrackExtends>();
    all += trex != nullptr;
    own += trex && tkhd && trex->track_id == tkhd->track_id;
  }
  if (own != 1 || all != 1) report(out, "CMF-07", mvex, "mvex must have exactly one trex, of the track");
}

// 7.5.13
void cmf_08(const Node &moov, Findings &out) {
  const Node *trak = only_trak(moov);
  const auto *elst = trak ? find_box<EditList>(*trak, "edts/elst") : nullptr;
  if (!elst) return;
  const bool sound = elst->entries.size() == 1 && elst->entries[0].segment_duration == 0 &&
                     elst->entries[0].media_time >= 0 && elst->entries[0].media_rate_integer == 1 &&
                     elst->entries[0].media_rate_fraction == 0;
  if (!sound)
    report(out, "CMF-08", find(*trak, "edts/elst"),
           "elst must have one entry with segment_duration 0 and rate 1");
}

// 9.3: hev1 and its kin say their colours outside the stream
void cmf_10_header(const Node &moov, Findings &out) {
  const Node *entry = entry_of(moov);
  if (!entry || clear_format(*entry) != FourCC("hev1")) return;
  const auto *colr = entry->get<ColourInformation>();
  if (!colr || colr->colour_type != FourCC("nclx"))
    report(out, "CMF-10", entry, "a hev1 sample entry must have colr with nclx");
}

// 10.3.4.2.3
void cmf_11(const Node &moov, Findings &out) {
  const Node *entry = entry_of(moov);
  if (!entry || clear_format(*entry) != FourCC("mp4a")) return;
  const auto *esds = entry->get<ElementaryStreamDescriptor>();
  if (!esds) return report(out, "CMF-11", entry, "mp4a has no esds");
  const auto summary = read_es_descriptor(esds->descriptor);
  if (!summary) return report(out, "CMF-11", entry, summary.error().text);
  if (summary->es_id != 0) report(out, "CMF-11", entry->child("esds"), "ES_ID must be 0");
}

// 7.7.3
void cmf_21_header(const Track &track, const Node &moov, Findings &out) {
  if (!track.cmf2) return;
  const TrackExtends &trex = track.defaults;
  if (trex.default_sample_duration || trex.default_sample_size || trex.default_sample_flags)
    report(out, "CMF-21", find(moov, "mvex/trex"), "with brand cmf2 the defaults must not be in trex");
  if (track.is_video() && track.has_edit_list)
    report_as(out, "CMF-21", Level::should, find(moov, "trak/edts/elst"),
              "with brand cmf2 pictures have no edit list");
}

// 7.5.10, 7.5.11, 8.2.2
void cmf_24_header(const Node &moov, Findings &out) {
  const Node *entry = entry_of(moov);
  if (!entry) return;
  static const std::vector<FourCC> kProtected = {"encv", "enca", "encs", "enct"};
  const Node *sinf = entry->child("sinf");
  if (!contains(kProtected, entry->type())) {
    if (sinf) report(out, "CMF-24", sinf, "only a protected sample entry may have sinf");
    return;
  }
  if (!sinf) return report(out, "CMF-24", entry, "a protected sample entry must have sinf");
  static const std::vector<FourCC> kSchemes = {"cenc", "cbc1", "cens", "cbcs"};
  const auto *schm = sinf->get<SchemeType>();
  if (!sinf->child("frma") || !schm || !contains(kSchemes, schm->scheme_type) ||
      schm->scheme_version != 0x10000)
    report(out, "CMF-24", sinf,
           "sinf must have frma and schm with cenc, cbc1, cens or cbcs in version 0x00010000");
  const auto *tenc = find_box<TrackEncryption>(*sinf, "schi/tenc");
  if (!tenc) return report(out, "CMF-24", sinf, "schi must have tenc");
  const bool pattern = tenc->default_crypt_byte_block != 0 || tenc->default_skip_byte_block != 0;
  if (schm && schm->scheme_type == FourCC("cbcs") && pattern &&
      (tenc->default_crypt_byte_block != 1 || tenc->default_skip_byte_block != 9))
    report_as(out, "CMF-24", Level::should, sinf, "Apple's players want the cbcs pattern 1:9");
}

// DASH-IF ingest, timed text and metadata
void cmf_26(const Node &moov, Findings &out) {
  const Node *trak = only_trak(moov);
  const Node *entry = entry_of(moov);
  if (!trak || !entry) return;
  const FourCC handler = handler_of(*trak), format = clear_format(*entry);
  const Node *where = find(*trak, "mdia/hdlr");
  if (format == FourCC("wvtt") && handler != FourCC("text"))
    report(out, "CMF-26", where, "WebVTT must have the handler text");
  if (format == FourCC("stpp") && handler != FourCC("subt"))
    report(out, "CMF-26", where, "TTML must have the handler subt");
  if (handler == FourCC("meta") && !find(*trak, "mdia/minf/nmhd"))
    report(out, "CMF-26", where, "metadata must have nmhd");
}

} // namespace hull::isobmff::cmaf
