#pragma once

#include "gst/origin/protocol.h"

#include <deque>
#include <map>

struct nghttp2_session;

namespace hull::origin {

/// HTTP/2 (RFC 9113): many exchanges side by side. Framing, HPACK, windows and priorities are nghttp2's; it is
/// asked for frames only as far as the wire takes them, so bodies wait as references to the window's chunks.
class Http2 final : public Protocol {
 public:
  /// What an HTTP/2 client sends first (RFC 9113 3.4).
  static constexpr std::string_view kPreface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

  /// `common`: header lines of every reply.
  Http2(Wire &wire, std::uint64_t number, const std::string &address, const std::string &common);
  ~Http2() override;

  void take(std::string_view bytes) override;
  bool wants_bytes() const override;
  Exchange *next_request() override;
  void go_on() override;
  Exchange *next_drained() override;
  std::vector<Exchange *> exchanges() override;
  Exchange *next_gone() override;
  void forget_gone() override;
  std::optional<gint64> idle_since() const override;
  unsigned drop_stalled(gint64 before, std::uint64_t bytes) override;
  bool abandoned() const override { return true; }
  void say_goodbye() override;
  bool ended() const override;

 private:
  class Stream;
  struct Callbacks; ///< what nghttp2 calls
  Stream *find(std::int32_t id) const;
  void make_frames();
  void send();
  void close(std::int32_t id);

  Wire &wire_;
  const std::uint64_t number_;
  const std::string &address_, &common_;
  nghttp2_session *session_ = nullptr;
  std::map<std::int32_t, std::unique_ptr<Stream>> streams_;
  std::deque<Stream *> asked_, drained_;      ///< of streams_
  std::vector<std::unique_ptr<Stream>> gone_; ///< closed; those who know them are still to be told
  std::size_t told_ = 0;                      ///< of gone_
  unsigned answering_ = 0;                    ///< of streams_
  gint64 since_ = g_get_monotonic_time();
  bool notes_drained_ = false;
};

} // namespace hull::origin
