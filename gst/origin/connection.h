#pragma once

// One client: bytes in until a request is whole, bytes out as far as the socket takes them. Never blocks.

#include "gst/origin/http_message.h"

#include <gio/gio.h>

namespace hull::origin {

class Connection {
 public:
  enum class State {
    handshake, ///< TLS, on a thread of GIO once the client has begun it
    idle,      ///< waits for a request
    busy,      ///< a request is being answered
    leaving,   ///< all is sent; what the client still sends is thrown away, so that it can read our end
    dead,
  };

  /// Takes `fd` over. `common`: header lines of every reply.
  Connection(std::uint64_t number, int fd, std::string address, GTlsCertificate *certificate,
             const std::string &common);
  ~Connection();
  Connection(const Connection &) = delete;
  Connection &operator=(const Connection &) = delete;

  // For whom answers requests.
  const HttpRequest &request() const { return request_; }
  /// Begins the answer, and ends it unless it grows.
  void reply(HttpReply reply);
  /// The next bytes of a growing reply; as one chunk of the chunked coding.
  void append(BodySlice slice);
  void finish();
  /// Sends what the socket takes now.
  void flush();
  /// Bytes that wait for the socket.
  std::uint64_t queued() const { return queued_; }
  bool alive() const { return state_ != State::dead; }
  void cut() { state_ = State::dead; }

  // For the server.
  std::uint64_t number() const { return number_; }
  State state() const { return state_; }
  const std::string &address() const { return address_; }
  int fd() const { return fd_; }
  GTlsConnection *tls() const { return tls_.get(); }
  /// The client's part of a handshake is there, so that those who only begin one take no thread. Answers and
  /// cuts who speaks no TLS.
  bool hello_complete();
  bool handshaking() const { return handshaking_; } ///< on GIO's thread
  void begin_handshake() { handshaking_ = true; }
  void handshake_done(bool good);
  /// Reads until a request is whole; true: request() is the next one. False: nothing more can be read now, or
  /// `turns` reads did not suffice.
  bool next_request(unsigned turns);
  bool may_read() const { return may_read_; }
  void readable() { may_read_ = true; }
  /// The client has gone: whoever still waits for more of a reply is cut.
  void left() { left_ = true; }
  bool abandoned() const { return left_ && state_ == State::busy && !whole_; }
  gint64 since() const { return since_; }       ///< the state was entered, µs
  gint64 progress() const { return progress_; } ///< the socket last took something that waited
  std::uint64_t take_sent() { return std::exchange(sent_, 0); }

 private:
  void enter(State state);
  bool take_request();
  void refuse(int status);
  bool read_some();
  gssize write_some();
  void ended();

  const std::uint64_t number_;
  const int fd_;
  const std::string address_, &common_;
  GRef<GTlsConnection> tls_;
  State state_;
  bool owns_fd_ = true, may_read_ = false, left_ = false, handshaking_ = false;
  bool whole_ = false; ///< nothing more comes for this reply
  HttpRequest request_;
  bool chunked_ = false;
  std::string in_;
  std::vector<BodySlice> out_;
  std::size_t first_ = 0; ///< of out_ that is not sent
  std::uint64_t queued_ = 0, sent_ = 0, thrown_away_ = 0;
  gint64 since_ = 0, progress_ = 0;
};

} // namespace hull::origin
