#include "plugins/cmaf/listener.h"
#include "plugins/cmaf/output.h"

#include <algorithm>
#include <fmt/format.h>
#include <libsoup/soup.h>
#include <map>

namespace hull::cmaf {
namespace {

using publish::LiveEvent;
constexpr std::size_t kEventsPerSegment = 64; // chunks of 40 ms in segments of 2 s, and some
constexpr unsigned kConnectTimeout = 4;       // ING-11: about one segment

/// Pushes whole objects in order on one thread, one request each (ING-04). A failed object is sent again on a
/// new connection, its header first (ING-11), for one segment's time; then the next one follows.
class Push final : public Output {
 public:
  Push(std::string url, bool objects, unsigned segments, std::shared_ptr<const publish::Live> live,
       Report report)
      : Output(std::move(live), std::move(report)),
        url_(url.ends_with('/') ? url : url + "/"),
        objects_(objects),
        queue_(segments * kEventsPerSegment),
        thread_([this] { run(); }) {}
  ~Push() override {
    queue_.abort();
    if (thread_.joinable()) thread_.join();
  }
  void on_event(const LiveEvent &event) override {
    if (event.kind == LiveEvent::Kind::chunk) return;
    queue_.push(event);
  }
  void finish(double seconds) override {
    queue_.close();
    queue_.wait_empty(seconds);
    queue_.abort();
    thread_.join();
  }
  OutputStats stats() const override {
    const std::lock_guard lock(mutex_);
    OutputStats stats = stats_;
    stats.dropped_segments += queue_.dropped_segments();
    return stats;
  }

 private:
  void run() {
    session_ = new_session();
    LiveEvent event;
    while (queue_.pop(event))
      handle(event);
  }

  static GRef<SoupSession> new_session() {
    return GRef<SoupSession>::adopt(soup_session_new_with_options(
        "timeout", kConnectTimeout, "user-agent", "gst-plugins-hull ", "max-conns-per-host", 1, nullptr));
  }

  void handle(const LiveEvent &event) {
    if (event.kind == LiveEvent::Kind::removed) {
      if (objects_) send("DELETE", event.name, {}); // ING-15
      return;
    }
    if (!event.name.empty()) {
      const publish::ObjectView view = live_->object(event.name);
      if (view.found != publish::Found::ready) return;
      ByteVector body;
      for (const publish::Chunk &chunk : view.chunks)
        append(body, *chunk);
      if (event.kind == LiveEvent::Kind::init)
        headers_[event.name.substr(0, event.name.find('/'))] = {event.name, body};
      if (!deliver(event.name, body)) return;
    }
    if (event.kind != LiveEvent::Kind::init) send_manifests();
  }

  /// Tries for one segment's time; true once the server has it.
  bool deliver(const std::string &name, const ByteVector &body) {
    const gint64 deadline = g_get_monotonic_time() + live_->config().segment_duration / 1000;
    for (gint64 pause = 50'000;; pause = std::min<gint64>(2 * pause, 1'000'000)) {
      const unsigned status = send("PUT", name, body);
      if (status >= 200 && status < 300) return true;
      if (g_get_monotonic_time() + pause > deadline || queue_.aborted()) break;
      g_usleep(static_cast<gulong>(pause));
      session_ = new_session(); // a new connection looks the name up again, too (ING-14)
      const auto header = headers_.find(name.substr(0, name.find('/')));
      if (header != headers_.end() && header->second.first != name)
        send("PUT", header->second.first, header->second.second);
    }
    const std::lock_guard lock(mutex_);
    ++stats_.dropped_segments;
    return false;
  }

  void send_manifests() {
    if (objects_)
      for (const publish::Track &track : live_->tracks())
        if (const auto reply = live_->plain_playlist(track.id); reply.status == 200)
          send_text(track.id + ".m3u8", reply.text);
    if (objects_)
      if (const auto reply = live_->multivariant(); reply.status == 200) send_text("master.m3u8", reply.text);
    if (const auto reply = live_->plain_mpd(live_->now()); reply.status == 200)
      send_text("manifest.mpd", reply.text);
  }

  void send_text(const std::string &name, const std::string &text) {
    if (texts_[name] == text) return;
    if (send("PUT", name, ByteVector(text.begin(), text.end())) < 300) texts_[name] = text;
  }

  unsigned send(const char *method, const std::string &name, const ByteVector &body) {
    const auto message = GRef<SoupMessage>::adopt(soup_message_new(method, (url_ + name).c_str()));
    if (!message) return failed(name, 0, "ingest-url is no HTTP URL");
    const auto bytes = g_bytes_new(body.data(), body.size());
    const bool text = name.ends_with(".mpd") || name.ends_with(".m3u8");
    soup_message_set_request_body_from_bytes(message.get(), text ? "application/octet-stream" : "video/mp4",
                                             bytes);
    g_bytes_unref(bytes);
    GError *error = nullptr;
    GBytes *answer = soup_session_send_and_read(session_.get(), message.get(), nullptr, &error);
    if (answer) g_bytes_unref(answer);
    const unsigned status = answer ? soup_message_get_status(message.get()) : 0;
    const std::string why = error ? error->message : soup_status_get_phrase(status);
    g_clear_error(&error);
    if (status < 200 || status >= 300) return failed(name, status, why);
    const std::lock_guard lock(mutex_);
    ++stats_.objects;
    stats_.bytes += body.size();
    return status;
  }

  unsigned failed(const std::string &name, unsigned status, const std::string &why) {
    bool first;
    {
      const std::lock_guard lock(mutex_);
      first = stats_.failures++ % 50 == 0;
    }
    if (first)
      report_(
          Error{ErrorCode::io,
                fmt::format("Pushing {}{} failed: {} {}. It is tried again; check ingest-url and the server.",
                            url_, name, status, why)});
    return status ? status : 599;
  }

  const std::string url_;
  const bool objects_;
  EventQueue queue_;
  mutable std::mutex mutex_; // leaf
  OutputStats stats_;
  GRef<SoupSession> session_;                                         // own thread, as the rest
  std::map<std::string, std::pair<std::string, ByteVector>> headers_; // by track
  std::map<std::string, std::string> texts_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<Output> make_push_output(const std::string &url, bool objects, unsigned queue_segments,
                                         std::shared_ptr<const publish::Live> live, Output::Report report) {
  return std::make_unique<Push>(url, objects, queue_segments, std::move(live), std::move(report));
}

} // namespace hull::cmaf
