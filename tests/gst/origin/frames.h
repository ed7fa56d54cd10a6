#pragma once

// HTTP/2 written and read by hand.

#include "tests/gst/origin/station.h"

#include <optional>

namespace hull::origin {

using namespace std::string_literals;

/// Frames by RFC 9113 4.1, prior knowledge.
class Frames : public Raw {
 public:
  enum Type : unsigned char {
    data = 0,
    headers = 1,
    rst_stream = 3,
    settings = 4,
    ping = 6,
    goaway = 7,
    window_update = 8
  };
  static constexpr unsigned char kEndStream = 1, kEndHeaders = 4;
  struct Frame {
    unsigned char type = 0, flags = 0;
    std::uint32_t stream = 0;
    std::string payload;
    std::uint32_t number(std::size_t at) const {
      std::uint32_t value = 0;
      for (std::size_t i = at; i < at + 4; ++i)
        value = value << 8 | static_cast<unsigned char>(payload.at(i));
      return value;
    }
  };

  explicit Frames(unsigned port, const std::string &own_settings = {}) : Raw(port) {
    say("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(settings, 0, 0, own_settings));
  }

  static std::string frame(unsigned char type, unsigned char flags, std::uint32_t stream,
                           const std::string &payload) {
    const auto byte = [](std::size_t value) { return static_cast<char>(value & 0xff); };
    const std::size_t size = payload.size();
    return std::string{byte(size >> 16),        byte(size >> 8),          byte(size),
                       static_cast<char>(type), static_cast<char>(flags), byte(stream >> 24),
                       byte(stream >> 16),      byte(stream >> 8),        byte(stream)} +
           payload;
  }
  /// A field that is not in a table, without Huffman coding (RFC 7541 6.2.2).
  static std::string field(const std::string &name, const std::string &value) {
    const auto text = [](const std::string &s) {
      if (s.size() < 127) return std::string(1, static_cast<char>(s.size())) + s;
      std::string size(1, '\x7f');
      std::size_t rest = s.size() - 127;
      for (; rest >= 128; rest /= 128)
        size += static_cast<char>(rest % 128 + 128);
      return size + static_cast<char>(rest) + s;
    };
    return "\x00"s + text(name) + text(value);
  }
  static std::string request(const std::string &path, const char *method = "GET") {
    return field(":method", method) + field(":scheme", "http") + field(":path", path) +
           field(":authority", "x");
  }
  void ask(std::uint32_t stream, const std::string &fields,
           unsigned char flags = kEndStream | kEndHeaders) const {
    say(frame(headers, flags, stream, fields));
  }
  std::optional<Frame> next() const {
    const std::string head = read(9);
    if (head.size() < 9) return std::nullopt;
    const auto at = [&head](std::size_t i) { return static_cast<unsigned char>(head[i]); };
    Frame frame;
    frame.type = at(3);
    frame.flags = at(4);
    frame.stream = static_cast<std::uint32_t>(at(5) & 0x7f) << 24 | at(6) << 16 | at(7) << 8 | at(8);
    frame.payload = read(static_cast<std::size_t>(at(0)) << 16 | at(1) << 8 | at(2));
    return frame;
  }
  std::optional<Frame> next(Type type) const {
    while (auto frame = next())
      if (frame->type == type) return frame;
    return std::nullopt;
  }
};

} // namespace hull::origin
