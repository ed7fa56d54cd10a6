#pragma once

// Outputs beside the origin: each follows the window's events on a thread of its own, so that neither a full
// disk nor a dead server ever holds a streaming thread.

#include "gst/core/log.h"
#include "gst/core/mutex.h"
#include "gst/core/result.h"
#include "gst/origin/gref.h"
#include "gst/publish/live/live.h"

#include <functional>
#include <memory>
#include <string>

namespace hull::origin {

struct OutputStats {
  std::uint64_t objects = 0, bytes = 0, failures = 0, dropped_segments = 0;
};

/// What one output counts and complains with. Any thread.
class DeliveryStats {
 public:
  using Report = std::function<void(const Error &)>;
  DeliveryStats(Report report, LogSink log) : report_(std::move(report)), log_(std::move(log)) {}
  /// The object `name` of `bytes` is there, whole.
  void sent(const std::string &name, std::uint64_t bytes);
  /// The segment `name` is left out.
  void dropped(const std::string &name);
  /// Reported once per trouble: the first and every fiftieth; all stand in the log.
  void failed(const Error &error);
  OutputStats stats() const;

 private:
  mutable Mutex mutex_; // leaf
  OutputStats stats_ HULL_GUARDED_BY(mutex_);
  const Report report_;
  const LogSink log_;
};

class Output {
 public:
  using Report = DeliveryStats::Report;
  virtual ~Output() = default;
  /// An event of the window; called from streaming threads, never blocks.
  virtual void on_event(const publish::LiveEvent &event) = 0;
  /// Writes out what is left and ends the thread; waits at most `seconds`.
  virtual void finish(double seconds) = 0;
  virtual OutputStats stats() const = 0;
};

/// Files in `folder`, each written under another name and renamed: init segments, segments, playlists and MPD
/// without low latency. Segments that leave the window are deleted.
std::unique_ptr<Output> make_directory_output(const std::string &folder,
                                              std::shared_ptr<const publish::Live> live,
                                              Output::Report report, LogSink log);

enum class AppStream { init, fragment, playlist };

/// What an application does for us; called from one thread.
struct AppHooks {
  /// Where an object goes; none leaves it out.
  std::function<GRef<GOutputStream>(AppStream kind, const std::string &location)> open;
  std::function<void(const std::string &location)> remove;
};

/// The application's own streams: header and manifests whole, each segment chunk by chunk while it grows.
std::unique_ptr<Output> make_app_output(AppHooks hooks, std::shared_ptr<const publish::Live> live,
                                        Output::Report report, LogSink log);

struct PushSettings {
  std::string url;
  bool objects = false; ///< interface 2: all that the directory holds; else interface 1
  bool post = false;    ///< POST instead of PUT
  unsigned queue_segments = 3;
};

/// HTTP push (DASH-IF live media ingest 1.2). Interface 1: the low-latency MPD, headers, and each segment in
/// one chunked request while it grows. Interface 2 adds playlists and deletes what leaves the window. While
/// the server is away at most `queue_segments` of each track wait; older ones are left out whole.
std::unique_ptr<Output> make_push_output(PushSettings settings, std::shared_ptr<const publish::Live> live,
                                         Output::Report report, LogSink log);

} // namespace hull::origin
