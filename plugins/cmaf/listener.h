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
  unsigned idle_timeout = 30;           ///< seconds without a byte from or to a client
};

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

  /// Accepts from `context` from now on; its thread calls Accept.
  void attach(GMainContext *context);

  unsigned connections() const { return counters_->total; }
  std::uint64_t refused() const { return refused_; }

 private:
  struct Counters { // outlives the listener as long as a connection does
    std::atomic<unsigned> total = 0;
    std::mutex mutex; // leaf
    std::map<std::string, unsigned> by_address;
  };
  struct Tie; // one per connection: counts it out when its socket goes
  static gboolean on_readable(GSocket *socket, GIOCondition condition, gpointer self);
  bool accept_one();
  void admit(GSocket *client);

  GRef<GSocket> socket_;
  ListenerLimits limits_;
  GRef<GTlsCertificate> certificate_;
  Accept accept_;
  GSource *source_ = nullptr;
  std::shared_ptr<Counters> counters_ = std::make_shared<Counters>();
  std::atomic<std::uint64_t> refused_ = 0;
};

} // namespace hull::cmaf
