#include "gst/origin/growing_body.h"
#include "gst/origin/outputs/output.h"
#include "gst/origin/outputs/push_client.h"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <deque>
#include <fmt/format.h>
#include <map>
#include <thread>

namespace hull::origin {
namespace {

using publish::LiveEvent;
constexpr std::size_t kMostRemovals = 64;

/// Tells `delivery` that pushing `what` was not taken.
void note_failure(DeliveryStats &delivery, const std::string &what, const PushReply &reply) {
  delivery.failed(
      Error{ErrorCode::io,
            fmt::format("Pushing {} failed: {} {}. It is tried again; check ingest-url and the server.", what,
                        reply.status ? fmt::to_string(reply.status) : "no answer,", reply.why)});
}

/// One track on a connection of its own (ING-04): a request per segment, sent chunk by chunk while the
/// segment grows. A failed one goes again from its first byte on a new connection, the header first (ING-11),
/// until `most` newer segments wait; then it is left out whole.
class TrackUploader {
 public:
  TrackUploader(std::shared_ptr<const publish::Live> live, const PushSettings &settings,
                DeliveryStats &delivery, std::function<void()> segment_sent)
      : live_(std::move(live)),
        most_(std::max(1u, settings.queue_segments)),
        objects_(settings.objects),
        delivery_(delivery),
        segment_sent_(std::move(segment_sent)),
        client_(settings.url, settings.post ? "POST" : "PUT"),
        thread_([this] { run(); }) {}
  ~TrackUploader() { finish(0); }

  void on_event(const LiveEvent &event) {
    std::string left_out;
    {
      const Lock lock(mutex_);
      switch (event.kind) {
      case LiveEvent::Kind::init:
        header_ = event.name;
        header_sent_ = false;
        break;
      case LiveEvent::Kind::chunk:
        if (event.name != newest_) left_out = want(event.name);
        break;
      case LiveEvent::Kind::segment: // the same cues for HLS
        if (objects_ && event.name.ends_with(".vtt")) left_out = want(event.name);
        break;
      case LiveEvent::Kind::removed:
        if (objects_ && removals_.size() < kMostRemovals) removals_.push_back(event.name);
        break;
      default:
        break;
      }
    }
    if (!left_out.empty()) delivery_.dropped(left_out);
    changes_->wake();
  }

  /// What is queued may leave for at most `seconds`.
  void finish(double seconds) {
    if (!thread_.joinable()) return;
    closing_ = true;
    changes_->wake();
    const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
    while (!idle_ && std::chrono::steady_clock::now() < end)
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    changes_->stop();
    client_.cancel();
    thread_.join();
  }

 private:
  // Gives the segment that must be left out for it, if any.
  std::string want(const std::string &name) HULL_REQUIRES(mutex_) {
    newest_ = name;
    wanted_.push_back(name);
    if (wanted_.size() <= most_) return {};
    std::string oldest = std::move(wanted_.front());
    wanted_.pop_front();
    return oldest;
  }

  void run() {
    std::uint64_t seen = 0;
    while (!changes_->stopped()) {
      std::string name, removal;
      {
        const Lock lock(mutex_);
        if (!wanted_.empty()) {
          name = wanted_.front();
          wanted_.pop_front();
        } else if (!removals_.empty()) {
          removal = removals_.front();
          removals_.pop_front();
        }
      }
      if (!name.empty()) {
        deliver(name);
      } else if (!removal.empty()) {
        if (const PushReply reply = client_.remove(removal); !reply.good())
          note_failure(delivery_, removal, reply); // ING-15
      } else {
        if (closing_) break;
        changes_->wait(seen, 1);
      }
    }
    idle_ = true;
  }

  void deliver(const std::string &name) {
    std::uint64_t seen = 0;
    for (double pause = 0.05; !changes_->stopped(); pause = std::min(2 * pause, 1.0)) {
      const PushReply header = send_header();
      const PushReply reply = header.good() ? send_segment(name) : header;
      if (reply.good()) return segment_sent_();
      if (changes_->stopped()) return;
      note_failure(delivery_, name, reply);
      {
        const Lock lock(mutex_);
        header_sent_ = false; // 412 asks for it, a new connection begins with it
        const bool gone = live_->object(name).found == publish::Found::gone;
        if (gone || wanted_.size() >= most_ || (closing_ && pause > 0.5)) break;
      }
      const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(pause);
      while (!changes_->stopped() && std::chrono::steady_clock::now() < until)
        changes_->wait(seen, pause);
      client_.reconnect();
    }
    delivery_.dropped(name);
  }

  PushReply send_header() {
    std::string name;
    {
      const Lock lock(mutex_);
      if (header_sent_) return {200, {}};
      name = header_;
    }
    const publish::ObjectView view = live_->object(name);
    if (view.chunks.empty()) return {0, "there is no header yet"};
    const ByteVector &bytes = *view.chunks.front();
    const PushReply reply =
        client_.put(name, view.content_type, {reinterpret_cast<const char *>(bytes.data()), bytes.size()});
    if (!reply.good()) return reply;
    delivery_.sent(name, bytes.size());
    const Lock lock(mutex_);
    header_sent_ = header_ == name;
    return reply;
  }

  PushReply send_segment(const std::string &name) {
    const auto body = make_growing_body(live_, name, changes_);
    const PushReply reply = client_.put_growing(name, live_->object(name).content_type, body.get());
    if (reply.good()) delivery_.sent(name, live_->object(name).bytes);
    return reply;
  }

  std::shared_ptr<const publish::Live> live_;
  const std::size_t most_;
  const bool objects_;
  DeliveryStats &delivery_;
  std::function<void()> segment_sent_;
  PushClient client_;
  std::shared_ptr<ChangeNotifier> changes_ = std::make_shared<ChangeNotifier>();
  Mutex mutex_; // before those of delivery_ and of the window
  std::deque<std::string> wanted_ HULL_GUARDED_BY(mutex_), removals_ HULL_GUARDED_BY(mutex_);
  std::string newest_ HULL_GUARDED_BY(mutex_), header_ HULL_GUARDED_BY(mutex_);
  bool header_sent_ HULL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> closing_ = false, idle_ = false;
  std::thread thread_;
};

/// Manifests after the segments they name; the newest version only.
class ManifestUploader {
 public:
  ManifestUploader(std::shared_ptr<const publish::Live> live, const PushSettings &settings,
                   DeliveryStats &delivery)
      : live_(std::move(live)),
        objects_(settings.objects),
        delivery_(delivery),
        client_(settings.url, settings.post ? "POST" : "PUT"),
        thread_([this] { run(); }) {}
  ~ManifestUploader() { finish(); }
  void wake() { changes_.wake(); }
  /// Sends the last version once more.
  void finish() {
    if (!thread_.joinable()) return;
    changes_.stop();
    thread_.join();
  }

 private:
  void run() {
    std::uint64_t seen = 0;
    bool owed = false;
    while (!changes_.stopped()) {
      changes_.wait(seen, owed ? 1 : 3600);
      owed = !send_all();
    }
    send_all();
  }

  bool send_all() {
    bool all = true;
    if (objects_) {
      for (const publish::Track &track : live_->tracks())
        all = send(track.id + ".m3u8", live_->plain_playlist(track.id)) && all;
      all = all && send("master.m3u8", live_->multivariant());
    }
    const std::int64_t now = live_->now();
    return all && send("manifest.mpd", objects_ ? live_->plain_mpd(now) : live_->mpd(now));
  }

  bool send(const std::string &name, const publish::PlaylistReply &text) {
    if (text.status != 200 || sent_[name] == text.text) return true;
    const char *type = name.ends_with(".mpd") ? "application/dash+xml" : "application/vnd.apple.mpegurl";
    const PushReply reply = client_.put(name, type, text.text);
    if (!reply.good()) {
      note_failure(delivery_, name, reply);
      client_.reconnect();
      return false;
    }
    sent_[name] = text.text;
    delivery_.sent(name, text.text.size());
    return true;
  }

  std::shared_ptr<const publish::Live> live_;
  const bool objects_;
  DeliveryStats &delivery_;
  PushClient client_;
  ChangeNotifier changes_;
  std::map<std::string, std::string> sent_;
  std::thread thread_;
};

class Push final : public Output {
 public:
  Push(PushSettings settings, std::shared_ptr<const publish::Live> live, Report report, LogSink log)
      : live_(std::move(live)),
        settings_(std::move(settings)),
        delivery_(std::move(report), std::move(log)),
        manifests_(live_, settings_, delivery_) {}
  ~Push() override { finish(0); }

  void on_event(const LiveEvent &event) override {
    if (event.kind == LiveEvent::Kind::ended) return manifests_.wake();
    uploader_of(event.track)->on_event(event);
  }

  void finish(double seconds) override {
    decltype(uploaders_) uploaders; // they wait for the network, so not under the lock
    {
      const Lock lock(mutex_);
      uploaders.swap(uploaders_);
    }
    for (const auto &[track, uploader] : uploaders)
      uploader->finish(seconds);
    manifests_.finish();
  }

  OutputStats stats() const override { return delivery_.stats(); }

 private:
  std::shared_ptr<TrackUploader> uploader_of(std::size_t track) {
    const Lock lock(mutex_);
    auto &uploader = uploaders_[track];
    if (!uploader)
      uploader = std::make_shared<TrackUploader>(live_, settings_, delivery_, [this] { manifests_.wake(); });
    return uploader;
  }

  std::shared_ptr<const publish::Live> live_;
  const PushSettings settings_;
  DeliveryStats delivery_;
  ManifestUploader manifests_;
  Mutex mutex_; // leaf
  std::map<std::size_t, std::shared_ptr<TrackUploader>> uploaders_ HULL_GUARDED_BY(mutex_);
};

} // namespace

std::unique_ptr<Output> make_push_output(PushSettings settings, std::shared_ptr<const publish::Live> live,
                                         Output::Report report, LogSink log) {
  if (!settings.url.ends_with('/')) settings.url += '/';
  return std::make_unique<Push>(std::move(settings), std::move(live), std::move(report), std::move(log));
}

} // namespace hull::origin
