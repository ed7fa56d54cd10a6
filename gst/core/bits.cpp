#include "gst/core/bits.h"

#include <algorithm>
#include <bit>

namespace hull {

std::uint64_t BitReader::u(unsigned width) {
  if (!ok_ || width > remaining()) {
    ok_ = false;
    return 0;
  }
  if (width % 8 == 0 && position_ % 8 == 0 && width > 0) { // tables of boxes: whole bytes
    const std::uint64_t whole = load_be(data_.data() + position_ / 8, width / 8);
    position_ += width;
    return whole;
  }
  std::uint64_t value = 0;
  while (width > 0) {
    const unsigned used = position_ % 8;
    const unsigned take = std::min(width, 8 - used);
    const unsigned byte = data_[position_ / 8];
    value = value << take | (byte >> (8 - used - take) & ((1u << take) - 1));
    position_ += take;
    width -= take;
  }
  return value;
}

std::uint64_t BitReader::ue() {
  unsigned zeros = 0;
  while (ok_ && u(1) == 0) {
    if (++zeros > 32) ok_ = false;
  }
  return ok_ ? ((std::uint64_t{1} << zeros) - 1 + u(zeros)) : 0;
}

std::int64_t BitReader::se() {
  const auto code = static_cast<std::int64_t>(ue());
  return code % 2 ? (code + 1) / 2 : -(code / 2);
}

void BitReader::skip(std::uint64_t bits) {
  if (!ok_ || bits > remaining()) {
    ok_ = false;
    return;
  }
  position_ += bits;
}

void BitWriter::u(unsigned width, std::uint64_t value) {
  if (width % 8 == 0 && position_ % 8 == 0 && width > 0) {
    append_be(data_, width / 8, value);
    position_ += width;
    return;
  }
  while (width > 0) {
    const unsigned used = position_ % 8;
    if (used == 0) data_.push_back(0);
    const unsigned take = std::min(width, 8 - used);
    const auto part = static_cast<unsigned>(value >> (width - take)) & ((1u << take) - 1);
    data_.back() |= static_cast<std::uint8_t>(part << (8 - used - take));
    position_ += take;
    width -= take;
  }
}

void BitWriter::ue(std::uint64_t value) {
  u(ue_width(value) / 2, 0);
  u(ue_width(value) / 2 + 1, value + 1);
}

void BitWriter::se(std::int64_t value) {
  ue(se_code(value));
}

void BitWriter::bytes(Bytes data) {
  if (position_ % 8 == 0) {
    append(data_, data);
    position_ += data.size() * 8;
    return;
  }
  for (const std::uint8_t byte : data)
    u(8, byte);
}

void BitWriter::rbsp_trailing() {
  u(1, 1);
  if (position_ % 8) u(8 - position_ % 8, 0);
}

unsigned ue_width(std::uint64_t value) {
  return 2 * std::bit_width(value + 1) - 1;
}

} // namespace hull
