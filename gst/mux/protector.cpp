#include "gst/mux/protector.h"

#include <algorithm>

namespace hull::mux {

using namespace isobmff;

namespace {

// The index in `nal` (header byte first) of the byte `rbsp_bytes` of its payload comes from: emulation
// prevention bytes in between count.
std::size_t escaped_offset(Bytes nal, std::size_t rbsp_bytes) {
  std::size_t at = 1, zeros = 0;
  for (std::size_t taken = 0; at < nal.size() && taken < rbsp_bytes; ++at) {
    if (zeros >= 2 && nal[at] == 3) {
      zeros = 0;
      continue;
    }
    zeros = nal[at] == 0 ? zeros + 1 : 0;
    ++taken;
  }
  return at;
}

} // namespace

std::size_t Protector::h264_slice_data(void *self, Bytes bytes) {
  ParameterSets &sets = static_cast<Protector *>(self)->sets_;
  const h264::Nal nal{bytes};
  sets.take(nal);
  if (!nal.is_slice()) return 0;
  const auto active = sets.of_slice(nal);
  if (!active) return 0; // nobody could decode it either
  std::uint64_t bits = 0;
  if (!h264::parse_slice_header(nal, active->sps, active->pps, &bits)) return 0;
  return escaped_offset(bytes, static_cast<std::size_t>((bits + 7) / 8));
}

// A slice header of H.265 is shorter than this for all but exotic streams; what a decrypter needs to know is
// in the subsample map.
std::size_t Protector::h265_slice_data(void *, Bytes nal) {
  constexpr std::size_t kLead = 96;
  constexpr unsigned kFirstNonPicture = 32; // nal_unit_type, H.265 table 7-1
  return (nal[0] >> 1 & 63) < kFirstNonPicture ? std::min(kLead, nal.size()) : 0;
}

Result<std::unique_ptr<Protector>> Protector::create(Scheme scheme, const EncryptionKey &key, const Uuid &iv,
                                                     const SampleFormat &format) {
  std::unique_ptr<Protector> made(new Protector);
  EncryptionSettings &settings = made->settings_;
  settings.scheme = scheme;
  settings.key = key;
  settings.iv = iv;
  settings.context = made.get();
  const std::string entry = format.entry.text();
  const bool h264 = entry.starts_with("avc"), h265 = entry == "hvc1" || entry == "hev1";
  settings.map = h264 || h265 ? MapKind::nal_units : MapKind::whole;
  settings.slice_data = h264 ? h264_slice_data : h265_slice_data;
  if (format.width && !h264 && !h265)
    return fail(ErrorCode::unsupported,
                "Encryption of pictures is written for H.264 and H.265 alone, and this "
                "track is " +
                    entry + ". Set encryption=none or encode it otherwise.");
  made->change_format(format);
  auto encryptor = Encryptor::create(settings);
  if (!encryptor) return tl::unexpected(encryptor.error());
  made->encryptor_ = std::move(*encryptor);
  return made;
}

void Protector::change_format(const SampleFormat &format) {
  if (settings_.slice_data == h264_slice_data && settings_.map == MapKind::nal_units)
    sets_.configure(format.codec_boxes.front().data);
}

} // namespace hull::mux
