#pragma once

#include "gst/origin/protocol.h"

namespace hull::origin {

/// HTTP/1.1 and 1.0 (RFC 9112): one exchange after another.
class Http1 final : public Protocol, public Exchange {
 public:
  /// `common`: header lines of every reply.
  Http1(Wire &wire, std::uint64_t number, const std::string &address, const std::string &common);

  // Protocol
  void take(std::string_view bytes) override { in_.append(bytes); }
  bool wants_bytes() const override { return state_ == State::reading; }
  Exchange *next_request() override;
  void go_on() override;
  Exchange *next_drained() override { return std::exchange(drained_, false) ? this : nullptr; }
  std::vector<Exchange *> exchanges() override { return {this}; }
  Exchange *next_gone() override { return nullptr; }
  void forget_gone() override {}
  std::optional<gint64> idle_since() const override;
  unsigned drop_stalled(gint64, std::uint64_t) override { return 0; } // the wire's own pace says it
  bool abandoned() const override { return state_ == State::answering && !whole_; }
  void say_goodbye() override { enter(State::ended); }
  bool ended() const override { return state_ == State::ended; }

  // Exchange
  void reply(HttpReply reply) override;
  void append(BodySlice slice) override;
  void finish() override;
  void flush() override;
  std::uint64_t queued() const override { return wire_.queued(); }
  bool alive() const override { return !wire_.broken(); }
  void cut() override { wire_.cut(); }

 private:
  enum class State { reading, answering, ended };
  void enter(State state);
  bool take_request();
  void refuse(int status);

  Wire &wire_;
  const std::string &common_;
  State state_ = State::reading;
  gint64 since_ = g_get_monotonic_time();
  std::string in_;
  bool whole_ = false; ///< nothing more comes for this reply
  bool chunked_ = false, drained_ = false;
};

} // namespace hull::origin
