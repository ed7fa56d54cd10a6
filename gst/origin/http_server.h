#pragma once

// HTTP/1.1 and HTTP/2 for a live origin, in the clear or over TLS: one thread, one epoll set, connections
// counted in total and per address. Why it is not libsoup's server: docs/decisions/003-own-replies.md.

#include "gst/core/log.h"
#include "gst/core/result.h"
#include "gst/origin/connection.h"
#include "gst/origin/tls.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

namespace hull::origin {

struct ServerLimits {
  unsigned connections = 2000;
  unsigned connections_per_address = 0; ///< 0 = as many as in total
  unsigned idle_timeout = 30;           ///< seconds a client may take for its next whole request
  unsigned stall_timeout = 15;          ///< seconds in which a client takes least_rate of what waits for it
  unsigned least_rate = 1000;           ///< bytes a second; less holds a connection and brings no stream over
  unsigned handshake_timeout = 10;      ///< seconds a client may take for TLS
};

/// Binds `address`:`port` (0 = any free one) and listens, with a backlog for crowds. settings: the address is
/// no IP address; io: it is taken or not ours.
Result<GRef<GSocket>> listen_on(const std::string &address, unsigned port);
unsigned port_of(GSocket *socket);

/// Accepts, reads requests, writes replies. At the limit of connections a new one replaces one that never
/// asked for anything, else the one that has waited longest for its next request: many connections without a
/// request keep no viewer out. If all are being served, the new one's request is answered with 503.
class HttpServer {
 public:
  /// Called on the thread of attach()'s context.
  struct Hooks {
    std::function<void(Exchange &)> asked;   ///< a whole request has come
    std::function<void(Exchange &)> drained; ///< all of a growing reply so far has left
    std::function<void(Exchange &)> gone;    ///< its connection or stream is closed
    LogSink log{};                           ///< who is kept out or let go, and why
  };
  /// `common`: header lines of every reply.
  HttpServer(GRef<GSocket> socket, ServerLimits limits, std::optional<TlsContext> tls, std::string common,
             Hooks hooks);
  ~HttpServer();
  HttpServer(const HttpServer &) = delete;
  HttpServer &operator=(const HttpServer &) = delete;

  /// Serves from `context`, whose thread calls what follows.
  void attach(GMainContext *context);
  /// Lets everybody go. On that thread, at its end.
  void stop();
  /// Replies of this connection were ended or cut outside of the hooks: goes on with the next request, or lets
  /// it go.
  void resume(std::uint64_t connection) { on_ready(connection, 0); }
  /// Deadlines.
  void sweep();

  unsigned connections() const { return total_; }
  std::uint64_t refused() const { return refused_; }
  std::uint64_t dropped() const { return dropped_; }
  std::uint64_t bytes() const { return bytes_; }

 private:
  using Number = std::uint64_t;
  void turn();
  void watch_listener(unsigned events);
  void accept_some();
  bool has_share_left(const std::string &address) const;
  Connection *longest_idle() const;
  bool make_room(const std::string &address);
  void admit(int fd, const std::string &address);
  void let_go(Connection &connection);
  void sweep(Connection &connection);
  void on_ready(Number number, unsigned events);
  void serve_waiting();
  bool shake_hands(Connection &connection);
  void go_on(Connection &connection);
  void pump(Connection &connection);
  void remove(Number number);

  GRef<GSocket> socket_;
  ServerLimits limits_;
  const std::optional<TlsContext> tls_;
  const std::string common_;
  Hooks hooks_;
  int epoll_ = -1;
  GMainContext *context_ = nullptr;
  GSource *source_ = nullptr;
  unsigned handshakes_left_ = 0;                              ///< of this turn
  std::map<Number, std::unique_ptr<Connection>> connections_; ///< oldest first
  std::set<Number> silent_;                                   ///< never asked for anything
  std::set<Number> outgoing_;                                 ///< beyond the limits: they end soon
  std::set<Number> unread_;                                   ///< their turn was over before their bytes were
  std::set<Number> shaking_;                                  ///< wait for a turn that has handshakes left
  std::map<std::string, unsigned> by_address_;                ///< without outgoing_
  Number next_number_ = 1;
  std::atomic<unsigned> total_ = 0;
  std::atomic<std::uint64_t> refused_ = 0, dropped_ = 0, bytes_ = 0;
};

} // namespace hull::origin
