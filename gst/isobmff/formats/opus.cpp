#include "gst/isobmff/formats/opus.h"

#include <algorithm>

namespace hull::isobmff {

namespace {

constexpr std::uint32_t kLongest = 5760, kPreroll = 3840; // 120 ms and 80 ms

std::uint32_t frame_samples(unsigned config) {
  if (config >= 16) return 120u << (config & 3);          // CELT: 2.5 to 20 ms
  if (config >= 12) return 480u << (config & 1);          // hybrid: 10 and 20 ms
  return (config & 3) == 3 ? 2880 : 480u << (config & 3); // SILK: 10 to 60 ms
}

} // namespace

std::uint32_t opus_packet_samples(Bytes packet) {
  if (packet.empty()) return 0;
  const unsigned code = packet[0] & 3;
  if (code == 3 && packet.size() < 2) return 0;
  const unsigned frames = code == 0 ? 1 : code < 3 ? 2 : packet[1] & 0x3f;
  const std::uint32_t samples = frames * frame_samples(packet[0] >> 3);
  return samples <= kLongest ? samples : 0;
}

std::int16_t opus_roll_distance(std::uint32_t packet_samples) {
  const std::uint32_t samples = std::max<std::uint32_t>(packet_samples, 120);
  return static_cast<std::int16_t>(-static_cast<int>((kPreroll + samples - 1) / samples));
}

} // namespace hull::isobmff
