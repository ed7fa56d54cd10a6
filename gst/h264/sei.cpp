#include "gst/h264/sei.h"

#include "gst/core/bits.h"

#include <algorithm>

namespace hull::h264 {
namespace {

constexpr std::uint8_t kSeiHeader = 0x06;
// ATSC A/53 part 4, 6.2.3: country code of the United States, provider code of ATSC, "GA94", cc_data.
constexpr std::uint8_t kAtscPrefix[] = {0xb5, 0x00, 0x31, 'G', 'A', '9', '4', 0x03};
constexpr std::size_t kMaxTriplets = 31;

void append_coded_number(ByteVector &out, std::size_t value) {
  for (; value >= 255; value -= 255)
    out.push_back(255);
  out.push_back(static_cast<std::uint8_t>(value));
}

bool read_coded_number(Bytes rbsp, std::size_t &at, std::size_t &value) {
  value = 0;
  while (at < rbsp.size()) {
    const std::uint8_t byte = rbsp[at++];
    value += byte;
    if (byte != 255) return true;
  }
  return false;
}

} // namespace

ByteVector write_sei(const std::vector<SeiMessage> &messages) {
  ByteVector rbsp;
  for (const SeiMessage &message : messages) {
    append_coded_number(rbsp, message.payload_type);
    append_coded_number(rbsp, message.payload.size());
    append(rbsp, message.payload);
  }
  rbsp.push_back(0x80);
  return escape(kSeiHeader, rbsp);
}

Result<std::vector<SeiMessage>> parse_sei(const Nal &nal) {
  const ByteVector rbsp = unescape(nal.data.subspan(1));
  std::vector<SeiMessage> messages;
  std::size_t at = 0;
  while (at < rbsp.size() && !(rbsp[at] == 0x80 && payload_bits(rbsp) == at * 8)) {
    std::size_t type = 0, size = 0;
    if (!read_coded_number(rbsp, at, type) || !read_coded_number(rbsp, at, size) || size > rbsp.size() - at)
      return fail(ErrorCode::bad_data, "an SEI message runs past the end of its NAL unit", at);
    messages.push_back({static_cast<unsigned>(type),
                        {rbsp.begin() + static_cast<std::ptrdiff_t>(at),
                         rbsp.begin() + static_cast<std::ptrdiff_t>(at + size)}});
    at += size;
  }
  return messages;
}

SeiMessage user_data_unregistered(const std::array<std::uint8_t, 16> &uuid, Bytes data) {
  SeiMessage message{SeiMessage::kUserDataUnregistered, {uuid.begin(), uuid.end()}};
  append(message.payload, data);
  return message;
}

SeiMessage atsc_captions(Bytes cc_triplets) {
  const std::size_t count = std::min(cc_triplets.size() / 3, kMaxTriplets);
  SeiMessage message{SeiMessage::kUserDataRegistered, {std::begin(kAtscPrefix), std::end(kAtscPrefix)}};
  message.payload.push_back(static_cast<std::uint8_t>(0x40 | count)); // process_cc_data_flag
  message.payload.push_back(0xff);                                    // em_data
  append(message.payload, cc_triplets.first(count * 3));
  message.payload.push_back(0xff); // marker_bits
  return message;
}

ByteVector caption_triplets(const SeiMessage &message) {
  const Bytes payload = message.payload;
  constexpr std::size_t kHead = sizeof kAtscPrefix + 2;
  if (message.payload_type != SeiMessage::kUserDataRegistered || payload.size() < kHead ||
      !std::equal(std::begin(kAtscPrefix), std::end(kAtscPrefix), payload.begin()))
    return {};
  const std::size_t size = (payload[sizeof kAtscPrefix] & 31u) * 3;
  if (size > payload.size() - kHead) return {};
  const Bytes triplets = payload.subspan(kHead, size);
  return {triplets.begin(), triplets.end()};
}

std::optional<std::uint32_t> recovery_frame_count(const SeiMessage &message) {
  if (message.payload_type != SeiMessage::kRecoveryPoint) return std::nullopt;
  BitReader in(message.payload);
  const std::uint64_t frames = in.ue();
  if (!in.ok() || frames > 0xffff) return std::nullopt; // below MaxFrameNum
  return static_cast<std::uint32_t>(frames);
}

ByteVector write_access_unit_delimiter(bool intra_only) {
  BitWriter out;
  out.u(3, intra_only ? 0 : 1);
  out.rbsp_trailing();
  return escape(0x09, out.data());
}

} // namespace hull::h264
