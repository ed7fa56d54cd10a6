#pragma once

// One client: its wire, and the HTTP that it speaks. Never blocks.

#include "gst/origin/protocol.h"

namespace hull::origin {

class Connection {
 public:
  enum class State {
    handshake, ///< TLS
    greeting,  ///< in the clear: the first bytes say which HTTP it is
    serving,
    leaving, ///< all is sent; what the client still sends is thrown away, so that it can read our end
    dead,
  };

  /// `common`: header lines of every reply.
  Connection(std::uint64_t number, std::unique_ptr<Transport> transport, std::string address,
             const std::string &common);

  std::uint64_t number() const { return number_; }
  const std::string &address() const { return address_; }
  int fd() const { return wire_.transport().fd(); }
  State state() const { return state_; }
  bool alive() const { return state_ != State::dead; }
  void cut() { enter(State::dead); }

  // What epoll says.
  void readable() { may_read_ = true; }
  void writable();
  /// The client has closed its side.
  void left() { left_ = true; }

  /// Goes on with the handshake, as far as the client has.
  void shake_hands();
  /// Reads, at most `turns` times, until a request is whole. Null: nothing more can be read now.
  Exchange *next_request(unsigned turns);
  /// More can be read now.
  bool may_read() const;
  /// Sends what the socket takes, and goes into the next state when that was the last.
  void go_on();
  /// See protocol.h.
  Exchange *next_drained() { return protocol_ ? protocol_->next_drained() : nullptr; }
  Exchange *next_gone() { return protocol_ ? protocol_->next_gone() : nullptr; }
  void forget_gone();
  std::vector<Exchange *> exchanges();
  unsigned drop_stalled(gint64 before, std::uint64_t bytes) {
    return protocol_ ? protocol_->drop_stalled(before, bytes) : 0;
  }
  void say_goodbye();

  gint64 since() const { return since_; } ///< the state was entered, µs
  /// Since when it waits for the client to ask, µs; none while it does not.
  std::optional<gint64> idle_since() const;
  /// Bytes wait for the socket, which has taken less than `bytes` since `before`, µs.
  bool stalls(gint64 before, std::uint64_t bytes) { return wire_.lags(before, bytes); }
  std::uint64_t take_sent() { return wire_.take_sent(); }

 private:
  void enter(State state);
  void serve_http_1();
  void serve_http_2();
  void take(std::string_view bytes);
  bool read_some();
  void discard();

  const std::uint64_t number_;
  const std::string address_, &common_;
  Wire wire_;
  std::unique_ptr<Protocol> protocol_; ///< from State::serving on
  State state_ = State::handshake;
  gint64 since_ = 0;
  bool may_read_ = false, left_ = false;
  std::string greeting_; ///< bytes that do not say yet which HTTP it is
  std::uint64_t thrown_away_ = 0;
};

} // namespace hull::origin
