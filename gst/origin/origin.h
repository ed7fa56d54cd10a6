#pragma once

// The embedded origin: one thread with an HTTP server, in front of the live window.

#include "gst/origin/http_server.h"
#include "gst/origin/metrics.h"
#include "gst/origin/playlist_cache.h"
#include "gst/publish/live/live.h"

#include <memory>
#include <string>
#include <thread>
#include <unordered_map>

namespace hull::origin {

struct OriginSettings {
  std::string bind_address = "127.0.0.1";
  unsigned port = 8080;
  std::string cors_origin = "*";
  std::string player_dir;
  std::string certificate; ///< PEM file with certificate and key; empty = no TLS
  ServerLimits limits;
  LogSink log; ///< requests, refusals and playlists, in words; called on the origin's thread
};

/// Serves what the live window names, and nothing else: no file is ever opened for a request.
class Origin {
 public:
  /// Binds and starts the thread. settings, io and not_found errors as listen_on, or of the certificate.
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
  /// One that waits for its answer, or whose body still grows.
  struct Request {
    std::string path;
    publish::PlaylistQuery query;
    bool streaming = false;
    std::size_t sent_chunks = 0;
    gint64 started = g_get_monotonic_time();

    bool is_manifest() const { return path.ends_with(".m3u8") || path == "manifest.mpd"; }
    double waited() const { return static_cast<double>(g_get_monotonic_time() - started) / 1e6; }
  };

  Origin(OriginSettings settings, GRef<GSocket> socket, std::optional<TlsContext> tls);
  void run();
  void handle(Exchange &client);
  void answer_fixed(Exchange &client, const std::string &path);
  /// True: nothing more comes for this request.
  bool answer(Exchange &client, Request &request);
  bool answer_playlist(Exchange &client, Request &request);
  bool answer_object(Exchange &client, Request &request);
  bool feed(Exchange &client, Request &request, const publish::ObjectView &view);
  bool refuse(Exchange &client, int status, std::string text, const char *cache_control,
              const char *retry_after = nullptr);
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
  std::unique_ptr<HttpServer> server_;
  std::unordered_map<Exchange *, Request> open_; // origin thread only
  PlaylistCache playlists_;                      // origin thread only
  mutable Mutex live_mutex_;                     // leaf
  std::shared_ptr<const publish::Live> live_ HULL_GUARDED_BY(live_mutex_);
  std::atomic<std::uint64_t> manifests_ = 0, objects_ = 0, others_ = 0, errors_ = 0, held_ = 0;
  std::atomic<unsigned> waiting_ = 0, streaming_ = 0;
  std::thread thread_;
};

} // namespace hull::origin
