#pragma once

// What HTTP/1.1 and HTTP/2 have in common.

#include "gst/origin/transport.h"

#include <optional>

namespace hull::origin {

/// One request and its answer: the whole of a connection for a while (HTTP/1.1), or one stream of it (HTTP/2).
class Exchange {
 public:
  virtual ~Exchange() = default;

  const HttpRequest &request() const { return request_; }
  /// Begins the answer, and ends it unless it grows.
  virtual void reply(HttpReply reply) = 0;
  /// An answer behind which the connection ends, as say_goodbye() makes it.
  void reply_last(HttpReply reply) {
    request_.keep_alive = false;
    this->reply(std::move(reply));
    flush();
  }
  /// The next bytes of a growing reply.
  virtual void append(BodySlice slice) = 0;
  virtual void finish() = 0;
  /// Sends what the socket takes now.
  virtual void flush() = 0;
  /// Bytes of this answer that wait.
  virtual std::uint64_t queued() const = 0;
  virtual bool alive() const = 0;
  /// Ends it unfinished, so that the client sees that it is not whole.
  virtual void cut() = 0;
  /// Of the connection.
  std::uint64_t number() const { return number_; }
  const std::string &address() const { return address_; }

 protected:
  Exchange(std::uint64_t number, const std::string &address) : number_(number), address_(address) {}
  HttpRequest request_;

 private:
  const std::uint64_t number_;
  const std::string &address_;
};

/// Bytes of a client become requests, answers become bytes of its wire.
class Protocol {
 public:
  virtual ~Protocol() = default;

  virtual void take(std::string_view bytes) = 0;
  /// HTTP/1.1 takes none while it answers.
  virtual bool wants_bytes() const = 0;
  /// A whole request that nobody has seen yet; null: there is none.
  virtual Exchange *next_request() = 0;
  /// There may be room at the socket or in the client's windows: sends what they take.
  virtual void go_on() = 0;
  /// One whose answer so far has left in go_on(); null: there is none.
  virtual Exchange *next_drained() = 0;
  /// All whose answers are not ended, or whose end nobody was told.
  virtual std::vector<Exchange *> exchanges() = 0;
  /// One that is over and goes when forget_gone() is called; null: there is none.
  virtual Exchange *next_gone() = 0;
  virtual void forget_gone() = 0;
  /// Since when it waits for a request, µs; none while it answers one.
  virtual std::optional<gint64> idle_since() const = 0;
  /// Ends answers of which the client has taken less than `bytes` since `before`, µs; says how many.
  virtual unsigned drop_stalled(gint64 before, std::uint64_t bytes) = 0;
  /// The client has closed its side: nobody waits for more of an answer.
  virtual bool abandoned() const = 0;
  /// Tells the client that the connection ends; ended() follows.
  virtual void say_goodbye() = 0;
  /// Nothing more is read, and nothing written but what is queued.
  virtual bool ended() const = 0;
};

} // namespace hull::origin
