#include "gst/core/bits.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/publish/media_facts.h"

#include <bit>
#include <fmt/format.h>

namespace hull::publish {
namespace {

using isobmff::CodecConfiguration;
using isobmff::FourCC;
using isobmff::Node;

const ByteVector *record_of(const Node &entry, FourCC type) {
  const Node *box = entry.child(type);
  const auto *configuration = box ? box->as<CodecConfiguration>() : nullptr;
  if (configuration) return &configuration->configuration;
  const auto *opaque = box ? box->as<isobmff::Opaque>() : nullptr;
  return opaque ? &opaque->data : nullptr;
}

// ISO/IEC 14496-15 E.3: profile space and number, compatibility flags in reverse order, tier and level,
// constraints.
std::string hevc(const std::string &entry, const ByteVector &record) {
  if (record.size() < 13) return {};
  const unsigned space = record[1] >> 6, profile = record[1] & 31;
  std::uint32_t compatible = static_cast<std::uint32_t>(load_be(&record[2], 4)), reversed = 0;
  for (int bit = 0; bit < 32; ++bit, compatible >>= 1)
    reversed = reversed << 1 | (compatible & 1);
  std::string text = entry + ".";
  if (space) text += static_cast<char>('A' + space - 1);
  text += fmt::format("{}.{:X}.{}{}", profile, reversed, record[1] & 0x20 ? 'H' : 'L', record[12]);
  std::size_t last = 12;
  while (last > 6 && record[last - 1] == 0)
    --last;
  for (std::size_t i = 6; i < last; ++i)
    text += fmt::format(".{:X}", record[i]);
  return text;
}

std::string aac(const Node &entry) {
  const auto *esds = entry.get<isobmff::ElementaryStreamDescriptor>();
  if (!esds) return {};
  const auto summary = isobmff::read_es_descriptor(esds->descriptor);
  if (!summary) return {};
  if (summary->object_type_indication != 0x40)
    return fmt::format("mp4a.{:x}", summary->object_type_indication);
  BitReader bits(summary->decoder_specific_info);
  unsigned type = static_cast<unsigned>(bits.u(5));
  if (type == 31) type = 32 + static_cast<unsigned>(bits.u(6));
  return bits.ok() && type ? fmt::format("mp4a.40.{}", type) : "mp4a.40.2";
}

} // namespace

std::string codec_string(const Node &entry) {
  const std::string type = entry.type().text();
  if (type == "avc1" || type == "avc3") {
    const ByteVector *record = record_of(entry, "avcC");
    return record && record->size() >= 4 ? type + "." + to_hex(Bytes(*record).subspan(1, 3)) : std::string();
  }
  if (type == "hvc1" || type == "hev1") {
    const ByteVector *record = record_of(entry, "hvcC");
    return record ? hevc(type, *record) : std::string();
  }
  if (type == "mp4a") return aac(entry);
  if (type == "Opus") return "opus";
  if (const auto *av1 = entry.get<isobmff::Av1CodecConfiguration>(); av1 && type == "av01")
    return fmt::format("av01.{}.{:02}{}.{:02}", av1->seq_profile, av1->seq_level_idx_0,
                       av1->seq_tier_0 ? 'H' : 'M',
                       av1->twelve_bit      ? 12
                       : av1->high_bitdepth ? 10
                                            : 8);
  if (const auto *vp = entry.get<isobmff::VpCodecConfiguration>(); vp && type.starts_with("vp"))
    return fmt::format("{}.{:02}.{:02}.{:02}", type, vp->profile, vp->level, vp->bit_depth);
  if (type == "stpp") return "stpp.ttml.im1t";
  return type; // ac-3, ec-3, fLaC, wvtt are whole by themselves
}

} // namespace hull::publish
