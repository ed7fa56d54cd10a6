#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

namespace hull::isobmff {

/// A four-character code, kept as its big-endian number.
struct FourCC {
  std::uint32_t value = 0;

  constexpr FourCC() = default;
  constexpr explicit FourCC(std::uint32_t number) : value(number) {}
  constexpr FourCC(const char (&text)[5]) // NOLINT: codes are written as literals everywhere
      : value(byte(text[0]) << 24 | byte(text[1]) << 16 | byte(text[2]) << 8 | byte(text[3])) {}
  /// Shorter texts are filled with blanks; only the first four bytes count.
  static constexpr FourCC from(std::string_view text) {
    std::uint32_t number = 0;
    for (std::size_t i = 0; i < 4; ++i)
      number = number << 8 | byte(i < text.size() ? text[i] : ' ');
    return FourCC(number);
  }

  constexpr auto operator<=>(const FourCC &) const = default;
  std::string text() const { ///< the four bytes as they are
    return {static_cast<char>(value >> 24), static_cast<char>(value >> 16), static_cast<char>(value >> 8),
            static_cast<char>(value)};
  }
  bool printable() const { ///< ASCII or the copyright sign of QuickTime's tags
    for (int shift = 24; shift >= 0; shift -= 8) {
      const auto c = static_cast<std::uint8_t>(value >> shift);
      if (c != 0xa9 && (c < 0x20 || c > 0x7e)) return false;
    }
    return true;
  }

 private:
  static constexpr std::uint32_t byte(char c) { return static_cast<std::uint8_t>(c); }
};

} // namespace hull::isobmff
