#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hull {

using Bytes = std::span<const std::uint8_t>;
using ByteVector = std::vector<std::uint8_t>;

/// Big-endian load of `count` bytes (1..8) at `data`; the caller has checked the range.
inline std::uint64_t load_be(const std::uint8_t *data, unsigned count) {
  std::uint64_t value = 0;
  for (unsigned i = 0; i < count; ++i)
    value = value << 8 | data[i];
  return value;
}

/// Big-endian store of the low `count` bytes (1..8) of `value`.
inline void store_be(std::uint8_t *data, unsigned count, std::uint64_t value) {
  for (unsigned i = count; i-- > 0; value >>= 8)
    data[i] = static_cast<std::uint8_t>(value);
}

/// Appends the low `count` bytes (1..8) of `value`, big-endian.
inline void append_be(ByteVector &out, unsigned count, std::uint64_t value) {
  out.resize(out.size() + count);
  store_be(out.data() + out.size() - count, count, value);
}

inline void append(ByteVector &out, Bytes bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}

/// Lower-case hex without separators.
inline std::string to_hex(Bytes bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

/// Bytes of a hex text; blanks are skipped, and an odd last digit or another character ends the reading.
inline ByteVector from_hex(std::string_view text) {
  const auto digit = [](char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
  };
  ByteVector bytes;
  int high = -1;
  for (const char c : text) {
    if (c == ' ' || c == '\n' || c == '\t') continue;
    const int value = digit(c);
    if (value < 0) break;
    if (high < 0) {
      high = value;
    } else {
      bytes.push_back(static_cast<std::uint8_t>(high << 4 | value));
      high = -1;
    }
  }
  return bytes;
}

} // namespace hull
