#pragma once

// The origin's door: a listening socket with a backlog for crowds, connections counted in total and per
// address. libsoup's own listener has a backlog of 10, so 1000 viewers at once took 30 s to connect; here the
// kernel keeps them until they are accepted.

#include "gst/core/result.h"
#include "gst/glue/ref.h"

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include <gio/gio.h>

namespace hull::cmaf {

template <class T> using GRef = Ref<T, g_object_ref, g_object_unref>;

struct ListenerLimits {
  unsigned connections = 2000;
  unsigned connections_per_address = 0; ///< 0 = as many as in total
  unsigned idle_timeout = 30;           ///< seconds a client may take for its next whole request
};

/// Accepts connections and keeps a book of them. A connection that never asked for anything gives way when
/// the house is full, so a flood of half-open ones keeps no viewer out.
class Listener {
 public:
  using Accept = std::function<void(GIOStream *stream, GSocketAddress *local, GSocketAddress *remote)>;

  /// Binds `address`:`port` (0 = any free one). settings: the address is no IP address; io: it is taken or
  /// not ours.
  static Result<GRef<GSocket>> bind(const std::string &address, unsigned port);
  static unsigned port_of(GSocket *socket);

  Listener(GRef<GSocket> socket, ListenerLimits limits, GRef<GTlsCertificate> certificate, Accept accept);
  ~Listener();
  Listener(const Listener &) = delete;
  Listener &operator=(const Listener &) = delete;

  /// Accepts from `context` from now on; its thread calls Accept, and may call what follows.
  void attach(GMainContext *context);
  /// A whole request has come from `remote`.
  void asked(GSocketAddress *remote);
  /// Its reply is done: the time for the next request runs.
  void answered(GSocketAddress *remote);
  void cut(GSocketAddress *remote);
  /// A reply in chunked coding follows, or will have `body` bytes in all (gathering_stream.h).
  void begin_chunked(GSocketAddress *remote);
  void end_chunked(GSocketAddress *remote, std::uint64_t body);
  /// Cuts those whose next request takes too long, trickling or not.
  void sweep();

  unsigned connections() const { return book_->total; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Book { // outlives the listener as long as a connection does
    struct Client {
      GWeakRef socket;
      std::uint64_t number = 0;
      gint64 waiting_since = 0; ///< for a request; 0 = one is being answered
    };
    std::atomic<unsigned> total = 0;
    std::mutex mutex; // leaf
    std::map<std::string, unsigned> by_address;
    std::map<std::string, Client> clients;       ///< by address and port
    std::map<std::uint64_t, std::string> silent; ///< never asked for anything, oldest first
    std::uint64_t next_number = 0;
    GRef<GSocket> socket_of(const std::string &client);
  };
  struct Tie; // one per connection: strikes it from the book when its socket goes
  static gboolean on_readable(GSocket *socket, GIOCondition condition, gpointer self);
  bool accept_one();
  bool make_room(const std::string &address);
  void admit(GSocket *client);

  GRef<GSocket> socket_;
  ListenerLimits limits_;
  GRef<GTlsCertificate> certificate_;
  Accept accept_;
  GSource *source_ = nullptr;
  std::shared_ptr<Book> book_ = std::make_shared<Book>();
  std::atomic<std::uint64_t> refused_ = 0;
};

} // namespace hull::cmaf
