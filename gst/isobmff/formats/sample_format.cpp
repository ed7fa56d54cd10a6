// Sample entries from what is known of a format, and the brands that follow from it.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/quicktime.h"
#include "gst/isobmff/crypt/crypt.h"
#include "gst/isobmff/file/track.h"
#include "gst/isobmff/formats/pcm.h"

#include <algorithm>

namespace hull::isobmff {
namespace {

Node visual_entry(const SampleFormat &format) {
  VisualSampleEntry entry(format.entry);
  entry.width = format.width;
  entry.height = format.height;
  Node node(std::move(entry));
  for (const Opaque &box : format.codec_boxes)
    node.add(Node(box));
  if (format.colour) {
    auto &colr = node.add<ColourInformation>();
    colr.colour_primaries = format.colour->primaries;
    colr.transfer_characteristics = format.colour->transfer;
    colr.matrix_coefficients = format.colour->matrix;
    colr.full_range_flag = format.colour->full_range;
    if (format.quicktime) colr.colour_type = "nclc";
  }
  if (format.par_numerator != format.par_denominator) {
    auto &pasp = node.add<PixelAspectRatio>();
    pasp.h_spacing = format.par_numerator;
    pasp.v_spacing = format.par_denominator;
  }
  for (const Opaque &box : format.picture_boxes)
    node.add(Node(box));
  return node;
}

// QuickTime's sound description, version 1: compressed packets of a fixed number of samples, and the codec's
// boxes between a copy of the format and a box without a type.
Node quicktime_sound_entry(const SampleFormat &format) {
  AudioSampleEntry entry(format.entry);
  entry.entry_version = 1;
  entry.channelcount = format.channels;
  entry.pre_defined = -2; // compression id: packets vary in size
  entry.samplerate = format.sample_rate <= 0xffff ? format.sample_rate << 16 : 0;
  append_be(entry.quicktime, 4, format.frame_samples);
  append_be(entry.quicktime, 4, 0); // bytes of a packet, of a frame: not fixed
  append_be(entry.quicktime, 4, 0);
  append_be(entry.quicktime, 4, 2); // bytes of an uncompressed sample
  Node node(std::move(entry));
  if (format.codec_boxes.empty()) return node;
  Node &wave = node.add("wave");
  wave.add<OriginalFormat>().data_format = format.entry;
  if (format.entry == FourCC("mp4a")) wave.add(Node(Opaque("mp4a", ByteVector(4))));
  for (const Opaque &box : format.codec_boxes)
    wave.add(Node(box));
  wave.add(Node(Opaque(FourCC(0u), {})));
  return node;
}

Node sound_entry(const SampleFormat &format) {
  if (format.quicktime)
    return format.frame_bytes ? quicktime_pcm_entry(format) : quicktime_sound_entry(format);

  AudioSampleEntry entry(format.entry);
  entry.channelcount = format.channels;
  entry.samplesize = format.sample_bits;
  // A rate beyond 16 bits does not fit 16.16 and stands in the codec's record alone.
  entry.samplerate = format.sample_rate <= 0xffff ? format.sample_rate << 16 : 0;
  Node node(std::move(entry));
  for (const Opaque &box : format.codec_boxes)
    node.add(Node(box));
  return node;
}

} // namespace

Result<Opaque> packed(Node node) {
  auto bytes = write_tree(node);
  if (!bytes) return tl::unexpected(bytes.error());
  auto header = read_box_header(*bytes, bytes->size());
  if (!header) return tl::unexpected(header.error());
  bytes->erase(bytes->begin(), bytes->begin() + header->header_size);
  return Opaque(node.type(), std::move(*bytes));
}

Node SampleFormat::entry_box() const {
  Node node;
  if (sample_rate)
    node = sound_entry(*this);
  else if (width)
    node = visual_entry(*this);
  else if (entry == SubtitleSampleEntry::kType) {
    SubtitleSampleEntry stpp;
    stpp.namespaces = text_namespace;
    node = Node(std::move(stpp));
  } else if (entry == TimecodeSampleEntry::kType || entry == TextSampleEntry::kType) {
    return Node(codec_boxes.front());
  } else {
    node = Node(PlainSampleEntry(entry));
    for (const Opaque &box : codec_boxes)
      node.add(Node(box));
  }
  if (average_bitrate || maximum_bitrate) {
    auto &btrt = node.add<BitRate>();
    btrt.avg_bitrate = average_bitrate;
    btrt.max_bitrate = std::max(average_bitrate, maximum_bitrate);
  }
  if (protection) protect_sample_entry(node, *protection);
  return node;
}

// ISO/IEC 23000-19 annexes A, B and 10. A profile is named only where its limits hold: what is not known here
// (HEVC tiers, HE-AAC) goes unnamed.
std::vector<FourCC> cmaf_profile_brands(const TrackConfig &track) {
  if (track.formats.empty()) return {};
  const SampleFormat &format = track.formats.front();
  if (format.entry == FourCC("avc1") || format.entry == FourCC("avc3")) {
    const auto &avcc = format.codec_boxes.front().data;
    if (avcc.size() < 4 || (avcc[1] != 66 && avcc[1] != 77 && avcc[1] != 100)) return {};
    const Colour colour = format.colour.value_or(Colour{1, 1, 1, false});
    const bool bt709 = colour.primaries == 1 || colour.primaries == 2;
    const bool bt601 = colour.primaries == 5 || colour.primaries == 6;
    if (colour.full_range || (!bt709 && !bt601)) return {};
    if (avcc[3] <= 31 && format.width <= 864 && format.height <= 576) return {"cfsd"};
    if (!bt709) return {};
    if (avcc[3] <= 40 && format.width <= 1920 && format.height <= 1080) return {"cfhd"};
    if (avcc[3] <= 42 && format.width <= 1920 && format.height <= 1080) return {"chdf"};
    return {};
  }
  if (format.entry == FourCC("mp4a") && format.channels <= 2 && format.sample_rate <= 48'000) return {"caac"};
  if (format.entry == FourCC("ec-3")) return {"ceac"};
  if (format.entry == FourCC("av01")) return {"av01"};
  if (format.entry == FourCC("wvtt")) return {"cwvt"};
  if (format.entry == FourCC("stpp") && format.imsc1_text) return {"im1t"};
  return {};
}

} // namespace hull::isobmff
