#pragma once

#include "gst/core/bytes.h"

#include <cstdint>

namespace hull {

/// Reads bits, most significant first. The first read past the end sets ok() to false for good, and every
/// read from then on returns 0, so callers check once at the end.
class BitReader {
 public:
  explicit BitReader(Bytes data) : data_(data) {}

  std::uint64_t u(unsigned width); ///< `width` bits, 0..64
  std::uint64_t ue();              ///< Exp-Golomb, H.264 9.1; codes above 32 bits fail
  std::int64_t se();               ///< signed Exp-Golomb, H.264 9.1.1
  void skip(std::uint64_t bits);

  bool ok() const { return ok_; }
  std::uint64_t position() const { return position_; }
  std::uint64_t remaining() const { return data_.size() * 8ull - position_; }
  bool aligned() const { return position_ % 8 == 0; }
  Bytes data() const { return data_; }

 private:
  Bytes data_;
  std::uint64_t position_ = 0; // in bits; never past the end
  bool ok_ = true;
};

/// Appends bits, most significant first. The last byte is padded with zeros.
class BitWriter {
 public:
  void u(unsigned width, std::uint64_t value); ///< low `width` bits (0..64)
  void ue(std::uint64_t value);                ///< below 2^32 - 1
  void se(std::int64_t value);
  void bytes(Bytes data); ///< any alignment
  void rbsp_trailing();   ///< a one, then zeros to the byte, H.264 7.3.2.11

  std::uint64_t position() const { return position_; }
  const ByteVector &data() const { return data_; }
  ByteVector take() { return std::move(data_); }

 private:
  ByteVector data_;
  std::uint64_t position_ = 0;
};

/// Bits an Exp-Golomb code of `value` takes.
unsigned ue_width(std::uint64_t value);

/// The code number of a signed Exp-Golomb value: 0, 1, -1, 2, -2 … become 0, 1, 2, 3, 4 …
constexpr std::uint64_t se_code(std::int64_t value) {
  return value > 0 ? static_cast<std::uint64_t>(value) * 2 - 1 : static_cast<std::uint64_t>(-value) * 2;
}

} // namespace hull
