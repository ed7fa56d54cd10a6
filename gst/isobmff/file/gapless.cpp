#include "gst/isobmff/file/gapless.h"

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::isobmff {
namespace {

constexpr std::uint64_t kFrame = 1024; // samples of AAC-LC

// What esds holds: bytes in a movie that is being built, a box in one that was read.
Result<EsdsSummary> summary_of(const Node &entry) {
  const Node *esds = entry.child("esds");
  if (!esds) return fail(ErrorCode::bad_data, "There is no esds.");
  if (const auto *box = esds->as<ElementaryStreamDescriptor>()) return read_es_descriptor(box->descriptor);
  constexpr std::size_t kVersionAndFlags = 4;
  const auto *bytes = esds->as<Opaque>();
  if (!bytes || bytes->data.size() < kVersionAndFlags) return fail(ErrorCode::bad_data, "esds is too short.");
  return read_es_descriptor(Bytes(bytes->data).subspan(kVersionAndFlags));
}

// AAC-LC without extensions, whose ticks are samples.
bool is_plain_aac(const Node &trak) {
  constexpr unsigned kLowComplexity = 2;
  const auto *mdhd = find_box<MediaHeader>(trak, "mdia/mdhd");
  const Node *entry = find(trak, "mdia/minf/stbl/stsd/mp4a");
  const auto *sound = entry ? entry->as<AudioSampleEntry>() : nullptr;
  if (!mdhd || !sound || mdhd->timescale != sound->samplerate >> 16) return false;
  const auto summary = summary_of(*entry);
  return summary && summary->object_type_indication == 0x40 && !summary->decoder_specific_info.empty() &&
         summary->decoder_specific_info[0] >> 3 == kLowComplexity;
}

// ilst of iTunes' metadata, which is made where there is none; null: the movie's metadata are of another kind.
Node *item_list(Node &moov) {
  Node *udta = moov.child("udta");
  if (!udta) udta = &moov.add("udta");
  Node *meta = udta->child("meta");
  if (!meta) {
    meta = &udta->add(Node(Meta{}));
    auto &hdlr = meta->add<Handler>();
    hdlr.handler_type = "mdir";
    hdlr.reserved = {FourCC("appl").value, 0, 0};
    meta->add("ilst");
  }
  return meta->child("ilst");
}

bool has_gapless(const Node &ilst) {
  return std::ranges::any_of(ilst.children, [](const Node &item) {
    const Node *name = item.child("name");
    const auto *said = name ? name->as<TagName>() : nullptr;
    return said && said->text == "iTunSMPB";
  });
}

} // namespace

void add_itunes_gapless(Node &moov, const SampleTable &table, std::int64_t priming) {
  if (priming <= 0 || table.samples() == 0 || table.duration() <= static_cast<std::uint64_t>(priming)) return;
  const std::uint64_t whole = table.samples() * kFrame;
  if (table.duration() > whole || whole - table.duration() >= kFrame) return; // gaps, or other frames
  std::size_t media = 0;
  const Node *sound = nullptr;
  for (const Node &trak : moov.children) {
    if (trak.type() != FourCC("trak")) continue;
    const auto *hdlr = find_box<Handler>(trak, "mdia/hdlr");
    const FourCC kind = hdlr ? hdlr->handler_type : FourCC();
    if (kind == FourCC("soun")) sound = &trak;
    media += kind == FourCC("soun") || kind == FourCC("vide");
  }
  if (media != 1 || !sound || !is_plain_aac(*sound)) return;
  Node *ilst = item_list(moov);
  if (!ilst || has_gapless(*ilst)) return;
  Node &item = ilst->add("----");
  item.add(TagName("mean", "com.apple.iTunes"));
  item.add(TagName("name", "iTunSMPB"));
  std::string text = fmt::format(" {:08X} {:08X} {:08X} {:016X}", 0, priming, whole - table.duration(),
                                 table.duration() - static_cast<std::uint64_t>(priming));
  for (int i = 0; i < 8; ++i)
    text += " 00000000";
  item.add<TagData>().value = ByteVector(text.begin(), text.end());
}

} // namespace hull::isobmff
