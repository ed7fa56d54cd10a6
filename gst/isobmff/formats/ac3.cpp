#include "gst/isobmff/formats/ac3.h"

#include "gst/core/bits.h"

#include <algorithm>
#include <optional>
#include <string>

namespace hull::isobmff {
namespace {

constexpr std::uint16_t kSyncWord = 0x0b77;
constexpr unsigned kLastAc3Bsid = 10; // 11 to 16 are Enhanced AC-3

tl::unexpected<Error> no_frame(const char *what, Place at = Place::here()) {
  return fail(ErrorCode::bad_data,
              std::string("A sample is no ") + what + " frame. Put ac3parse in front of the muxer.",
              Error::kNoOffset, at);
}

// One frame of Enhanced AC-3, E.1.2.2 of TS 102 366, down to the channel map.
struct Frame {
  bool dependent = false;
  std::size_t size = 0; ///< bytes
  std::uint8_t fscod = 0, acmod = 0, bsid = 0;
  bool lfeon = false;
  unsigned rate = 0, samples = 0;
  std::uint16_t channel_map = 0;
};

std::optional<Frame> read_frame(Bytes bytes) {
  constexpr unsigned kRates[] = {48'000, 44'100, 32'000}, kBlocks[] = {1, 2, 3, 6};
  BitReader r(bytes);
  if (r.u(16) != kSyncWord) return std::nullopt;
  Frame frame;
  const auto type = r.u(2);
  frame.dependent = type == 1;
  r.skip(3); // substreamid
  frame.size = (static_cast<std::size_t>(r.u(11)) + 1) * 2;
  frame.fscod = static_cast<std::uint8_t>(r.u(2));
  const auto second = r.u(2); // fscod2, or the number of blocks
  if (frame.fscod == 3) {
    if (second == 3) return std::nullopt;
    frame.rate = kRates[second] / 2;
    frame.samples = 6 * 256;
  } else {
    frame.rate = kRates[frame.fscod];
    frame.samples = kBlocks[second] * 256;
  }
  frame.acmod = static_cast<std::uint8_t>(r.u(3));
  frame.lfeon = r.u(1);
  frame.bsid = static_cast<std::uint8_t>(r.u(5));
  const auto skip_levels = [&r] {
    r.skip(5);             // dialnorm
    if (r.u(1)) r.skip(8); // compr
  };
  skip_levels();
  if (frame.acmod == 0) skip_levels();
  if (frame.dependent && r.u(1)) frame.channel_map = static_cast<std::uint16_t>(r.u(16));
  if (!r.ok() || type == 3 || frame.bsid <= kLastAc3Bsid || frame.size > bytes.size()) return std::nullopt;
  return frame;
}

// chan_loc's bits, lowest first: Lc/Rc, Lrs/Rrs, Cs, Ts, Lsd/Rsd, Lw/Rw, Lvh/Rvh, Cvh, LFE2 (table F.6.1),
// from chanmap's, highest first: five main channels, the same eight, Lts/Rts, LFE2, LFE (table E.1.13).
std::uint16_t channel_locations(std::uint16_t channel_map) {
  std::uint16_t locations = 0;
  for (unsigned bit = 0; bit < 8; ++bit)
    if (channel_map >> (15 - 5 - bit) & 1) locations |= static_cast<std::uint16_t>(1u << bit);
  if (channel_map & 2) locations |= 1u << 8;
  return locations;
}

} // namespace

Result<Ac3Specific> ac3_specific(Bytes frame) {
  BitReader r(frame);
  const auto sync = r.u(16);
  r.skip(16); // crc1
  Ac3Specific dac3;
  dac3.fscod = static_cast<std::uint8_t>(r.u(2));
  dac3.bit_rate_code = static_cast<std::uint8_t>(r.u(6) >> 1);
  dac3.bsid = static_cast<std::uint8_t>(r.u(5));
  dac3.bsmod = static_cast<std::uint8_t>(r.u(3));
  dac3.acmod = static_cast<std::uint8_t>(r.u(3));
  if (dac3.acmod & 1 && dac3.acmod != 1) r.skip(2); // cmixlev
  if (dac3.acmod & 4) r.skip(2);                    // surmixlev
  if (dac3.acmod == 2) r.skip(2);                   // dsurmod
  dac3.lfeon = r.u(1);
  if (!r.ok() || sync != kSyncWord || dac3.bsid > kLastAc3Bsid || dac3.fscod == 3 || dac3.bit_rate_code > 18)
    return no_frame("AC-3");
  return dac3;
}

Result<Ec3Specific> ec3_specific(Bytes access_unit) {
  Ec3Specific dec3;
  dec3.substreams.clear();
  std::uint64_t bits = 0, samples = 0;
  unsigned rate = 0;
  for (Bytes rest = access_unit; !rest.empty();) {
    const auto frame = read_frame(rest);
    if (!frame) break;
    bits += frame->size * 8;
    if (frame->dependent && !dec3.substreams.empty()) {
      auto &parent = dec3.substreams.back();
      if (parent.num_dep_sub < 15) ++parent.num_dep_sub;
      parent.chan_loc |= channel_locations(frame->channel_map);
    } else if (!frame->dependent) {
      samples += frame->samples;
      rate = frame->rate;
      // Several frames of fewer than six blocks make one access unit of the same substream.
      if (dec3.substreams.empty()) {
        auto &stream = dec3.substreams.emplace_back();
        stream.fscod = frame->fscod;
        stream.bsid = frame->bsid;
        stream.acmod = frame->acmod;
        stream.lfeon = frame->lfeon;
      }
    }
    rest = rest.subspan(frame->size);
  }
  if (dec3.substreams.empty() || samples == 0) return no_frame("Enhanced AC-3");
  dec3.data_rate = static_cast<std::uint16_t>(std::min<std::uint64_t>(bits * rate / samples / 1000, 0x1fff));
  return dec3;
}

} // namespace hull::isobmff
