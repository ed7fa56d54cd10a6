#pragma once

// The embedded origin: one thread with a libsoup server, in front of the live window.

#include "gst/publish/live.h"
#include "plugins/cmaf/listener.h"
#include "plugins/cmaf/metrics.h"
#include "plugins/cmaf/playlist_cache.h"

#include <libsoup/soup.h>
#include <list>
#include <memory>
#include <string>
#include <thread>

namespace hull::cmaf {

struct OriginSettings {
  std::string bind_address = "127.0.0.1";
  unsigned port = 8080;
  std::string cors_origin = "*";
  std::string player_dir;
  std::string certificate; ///< PEM file with certificate and key; empty = no TLS
  ListenerLimits limits;
  std::uint64_t client_bytes =
      16u << 20;               ///< a growing reply may lie this far behind before its client is dropped
  unsigned stall_timeout = 15; ///< seconds a client may take nothing of a reply
};

/// Serves what the live window names, and nothing else: no file is ever opened for a request.
class Origin {
 public:
  /// Binds and starts the thread. settings, io and not_found errors as Listener::bind, or of the certificate.
  static Result<std::unique_ptr<Origin>> start(OriginSettings settings);
  ~Origin();

  unsigned port() const { return port_; }
  bool secure() const { return !settings_.certificate.empty(); }
  /// What is on air from now on; null between two sessions. Any thread.
  void publish(std::shared_ptr<const publish::Live> live);
  /// Something was added: requests that wait are looked at again. Any thread, never blocks.
  void kick();
  OriginStats stats() const;

 private:
  struct Request; // one that waits, or whose body still grows

  Origin(OriginSettings settings, GRef<GSocket> socket, GRef<GTlsCertificate> certificate);
  void run();
  void handle(SoupServerMessage *message, const char *path, GHashTable *query);
  void answer_fixed(SoupServerMessage *message, const std::string &path);
  bool answer(Request &request);
  bool answer_playlist(Request &request);
  bool answer_object(Request &request);
  bool feed(Request &request, const publish::ObjectView &view);
  void sweep();
  void look_again();
  std::int64_t now() const;
  std::shared_ptr<const publish::Live> live() const;

  OriginSettings settings_;
  unsigned port_ = 0;
  GMainContext *context_ = nullptr;
  GMainLoop *loop_ = nullptr;
  const std::map<std::string, std::string> players_;
  const std::string page_;
  GSource *kick_source_ = nullptr;
  GRef<SoupServer> server_;
  std::unique_ptr<Listener> listener_;
  std::list<std::unique_ptr<Request>> requests_; // origin thread only
  PlaylistCache playlists_;                      // origin thread only
  mutable std::mutex live_mutex_;                // leaf
  std::shared_ptr<const publish::Live> live_;
  std::atomic<std::uint64_t> manifests_ = 0, objects_ = 0, others_ = 0, bytes_ = 0, errors_ = 0, held_ = 0,
                             dropped_ = 0;
  std::atomic<unsigned> waiting_ = 0, streaming_ = 0;
  std::thread thread_;
};

} // namespace hull::cmaf
