#include "gst/isobmff/formats/pcm.h"

#include "gst/isobmff/boxes/codec.h"
#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/boxes/quicktime.h"

#include <bit>

namespace hull::isobmff {
namespace {

constexpr std::uint32_t kLargestRate = 0xffff; // what 16.16 holds

Opaque sealed(Box &&box) {
  auto payload = write_payload(box);
  return Opaque(box.type, payload ? std::move(*payload) : ByteVector());
}

bool is_g711(FourCC entry) {
  return entry == FourCC("alaw") || entry == FourCC("ulaw");
}

// Version 1: a packet is one frame, of so many bytes a number.
AudioSampleEntry packet_entry(const SampleFormat &format, FourCC name, std::uint32_t number_bytes,
                              std::uint32_t decoded_bytes) {
  AudioSampleEntry entry(name);
  entry.entry_version = 1;
  for (const std::uint32_t number : {1u, number_bytes, format.frame_bytes, decoded_bytes})
    append_be(entry.quicktime, 4, number);
  entry.channelcount = format.channels;
  entry.samplerate = format.sample_rate << 16;
  return entry;
}

FourCC quicktime_name(const Pcm &pcm) {
  if (pcm.bits == 16) return pcm.little_endian ? FourCC("sowt") : FourCC("twos");
  if (pcm.is_float) return pcm.bits == 32 ? FourCC("fl32") : FourCC("fl64");
  return pcm.bits == 24 ? FourCC("in24") : FourCC("in32");
}

// Version 2 says rate and form of the numbers in full.
AudioSampleEntry lpcm_entry(const SampleFormat &format, const Pcm &pcm) {
  constexpr std::uint32_t kFloat = 1, kBigEndian = 2, kSigned = 4, kPacked = 8;
  AudioSampleEntry entry("lpcm");
  entry.entry_version = 2;
  entry.channelcount = 3; // these five are constants of the version
  entry.samplesize = 16;
  entry.pre_defined = -2;
  entry.samplerate = 0x10000;
  append_be(entry.quicktime, 4, 72);
  append_be(entry.quicktime, 8, std::bit_cast<std::uint64_t>(static_cast<double>(format.sample_rate)));
  append_be(entry.quicktime, 4, format.channels);
  append_be(entry.quicktime, 4, 0x7f000000);
  append_be(entry.quicktime, 4, pcm.bits);
  append_be(entry.quicktime, 4,
            (pcm.is_float ? kFloat : kSigned) | (pcm.little_endian ? 0 : kBigEndian) | kPacked);
  append_be(entry.quicktime, 4, format.frame_bytes);
  append_be(entry.quicktime, 4, 1); // frames of a packet
  return entry;
}

Pcm pcm_of(const SampleFormat &format) {
  Pcm pcm;
  pcm.is_float = format.entry == FourCC("fpcm");
  PcmConfiguration pcmc;
  for (const Opaque &box : format.codec_boxes)
    if (box.type == PcmConfiguration::kType) (void)read_payload(pcmc, box.data);
  pcm.bits = pcmc.pcm_sample_size;
  pcm.little_endian = pcmc.format_flags & PcmConfiguration::kLittleEndian;
  return pcm;
}

} // namespace

SampleFormat pcm_format(const Pcm &pcm, std::uint16_t channels, std::uint32_t rate, Bytes positions) {
  SampleFormat format;
  format.entry = pcm.is_float ? FourCC("fpcm") : FourCC("ipcm");
  format.channels = channels;
  format.sample_rate = rate;
  format.sample_bits = pcm.bits;
  format.frame_bytes = channels * pcm.bits / 8u;
  PcmConfiguration pcmc;
  pcmc.format_flags = pcm.little_endian ? PcmConfiguration::kLittleEndian : 0;
  pcmc.pcm_sample_size = pcm.bits;
  format.codec_boxes.push_back(sealed(std::move(pcmc)));
  if (!positions.empty()) {
    ChannelLayout chnl;
    chnl.more.assign(positions.begin(), positions.end());
    format.codec_boxes.push_back(sealed(std::move(chnl)));
  }
  if (rate > kLargestRate) {
    FullNumber srat("srat");
    srat.value = rate;
    format.codec_boxes.push_back(sealed(std::move(srat)));
  }
  return format;
}

SampleFormat g711_format(bool a_law, std::uint16_t channels, std::uint32_t rate) {
  SampleFormat format;
  format.entry = a_law ? FourCC("alaw") : FourCC("ulaw");
  format.channels = channels;
  format.sample_rate = rate;
  format.sample_bits = 16; // when decoded
  format.frame_bytes = channels;
  return format;
}

Node quicktime_pcm_entry(const SampleFormat &format) {
  const Pcm pcm = pcm_of(format);
  if (is_g711(format.entry)) return Node(packet_entry(format, format.entry, 1, 2));
  if (format.sample_rate > kLargestRate) return Node(lpcm_entry(format, pcm));
  const FourCC name = quicktime_name(pcm);
  if (pcm.bits == 16) {
    AudioSampleEntry entry(name);
    entry.channelcount = format.channels;
    entry.samplerate = format.sample_rate << 16;
    return Node(std::move(entry));
  }
  const std::uint32_t bytes = pcm.bits / 8u;
  Node entry(packet_entry(format, name, bytes, bytes));
  Node &wave = entry.add("wave");
  wave.add<OriginalFormat>().data_format = name;
  NumberBox enda("enda", 16);
  enda.value = pcm.little_endian;
  wave.add(std::move(enda));
  wave.add<Terminator>();
  return entry;
}

} // namespace hull::isobmff
