#pragma once

// The socket of one client. Never blocks, and raises no SIGPIPE.

#include "gst/core/file.h"
#include "gst/origin/http_message.h"

#include <span>

namespace hull::origin {

/// In the clear; tls.h has the other one.
class Transport {
 public:
  enum class Status { good, later, ended };
  struct Moved {
    Status status = Status::later;
    std::size_t bytes = 0;
  };

  explicit Transport(Fd fd) : fd_(std::move(fd)) {}
  virtual ~Transport() = default;
  Transport(const Transport &) = delete;
  Transport &operator=(const Transport &) = delete;

  int fd() const { return fd_.get(); }
  /// good: bytes may be moved from now on. later: the client has to go on.
  virtual Status handshake() { return Status::good; }
  /// What the handshake agreed on by ALPN (RFC 7301); empty without TLS.
  virtual std::string_view protocol() const { return {}; }
  /// good: at least one byte.
  virtual Moved read(std::span<char> out);
  virtual Moved write(std::span<const BodySlice> slices);
  /// Tells the client that nothing more comes.
  virtual void say_end();
  /// A read that gave nothing goes on when the socket takes bytes, not when it has some.
  virtual bool read_waits_for_room() const { return false; }
  /// Throws away what the client still sends, so that closing does not reset what it has not read yet.
  Moved discard();

 private:
  Fd fd_;
};

/// How fast a client takes what waits for it. Times in µs, as g_get_monotonic_time gives them.
class Pace {
 public:
  /// Something waits, where nothing did.
  void begin() {
    taken_ = 0;
    progress_ = since_ = g_get_monotonic_time();
  }
  void take(std::uint64_t bytes) {
    taken_ += bytes;
    progress_ = g_get_monotonic_time();
  }
  /// Nothing was taken since `before`, or less than `bytes` since it: whoever takes a byte now and then holds
  /// a connection as well as one who takes nothing. Asked again and again; each answer judges the time since
  /// the last one that had `before` behind it.
  bool lags(gint64 before, std::uint64_t bytes) {
    if (progress_ < before) return true;
    if (since_ >= before) return false;
    if (taken_ < bytes) return true;
    taken_ = 0;
    since_ = g_get_monotonic_time();
    return false;
  }

 private:
  std::uint64_t taken_ = 0;
  gint64 progress_ = 0, since_ = 0;
};

/// What waits for one client's socket, and the socket.
class Wire {
 public:
  explicit Wire(std::unique_ptr<Transport> transport) : transport_(std::move(transport)) {}

  Transport &transport() { return *transport_; }
  const Transport &transport() const { return *transport_; }
  void add(BodySlice slice);
  /// Sends what the socket takes. After it took less than it was given it is not asked again before
  /// has_room().
  void write();
  void has_room() { full_ = false; }
  /// Bytes that wait for the socket.
  std::uint64_t queued() const { return queued_; }
  /// Bytes wait, and the socket takes too few: see Pace.
  bool lags(gint64 before, std::uint64_t bytes) { return queued_ > 0 && pace_.lags(before, bytes); }
  std::uint64_t take_sent() { return std::exchange(sent_, 0); }
  bool broken() const { return broken_; }
  void cut() { broken_ = true; }

 private:
  void take_off(std::size_t count);

  std::unique_ptr<Transport> transport_;
  std::vector<BodySlice> out_;
  std::size_t first_ = 0; ///< of out_ that is not sent
  std::uint64_t queued_ = 0, sent_ = 0;
  Pace pace_;
  bool full_ = false, broken_ = false;
};

} // namespace hull::origin
