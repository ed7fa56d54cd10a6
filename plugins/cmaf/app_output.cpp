#include "plugins/cmaf/output.h"

#include <map>

namespace hull::cmaf {
namespace {

using publish::LiveEvent;
constexpr std::size_t kQueue = 4096; // events; about two minutes of two tracks in chunks of 0.2 s

/// Objects into streams the application opens: each fragment chunk by chunk while it grows, manifests whole
/// and after what they name. All on one thread, where the application may block.
class AppStreams final : public Output {
 public:
  AppStreams(AppHooks hooks, std::shared_ptr<const publish::Live> live, Report report)
      : Output(std::move(live), std::move(report)), hooks_(std::move(hooks)), thread_([this] { run(); }) {}
  ~AppStreams() override {
    queue_.abort();
    if (thread_.joinable()) thread_.join();
  }
  void on_event(const LiveEvent &event) override { queue_.push(event); }
  void finish(double seconds) override {
    queue_.close();
    queue_.wait_empty(seconds);
    queue_.abort();
    thread_.join();
  }
  OutputStats stats() const override {
    const std::lock_guard lock(mutex_);
    OutputStats stats = stats_;
    stats.dropped_segments = queue_.dropped_segments();
    return stats;
  }

 private:
  void run() {
    LiveEvent event;
    while (queue_.pop(event))
      handle(event);
    for (auto &[track, open] : open_)
      close(open);
  }

  void handle(const LiveEvent &event) {
    using Kind = LiveEvent::Kind;
    if (event.kind == Kind::removed) return hooks_.remove(event.name);
    if (event.kind == Kind::init) {
      Open once{event.name, hooks_.open(AppStream::init, event.name)};
      write(once, Bytes(*event.chunk));
      return close(once);
    }
    if (event.kind == Kind::chunk) {
      Open &open = open_[event.track];
      if (open.name != event.name) {
        close(open);
        open = {event.name, hooks_.open(AppStream::fragment, event.name)};
      }
      return write(open, Bytes(*event.chunk));
    }
    if (event.kind == Kind::segment) close(open_[event.track]);
    write_manifests();
  }

  void write_manifests() {
    for (const publish::Track &track : live_->tracks())
      manifest(track.id + ".m3u8", live_->plain_playlist(track.id));
    manifest("master.m3u8", live_->multivariant());
    manifest("manifest.mpd", live_->plain_mpd(live_->now()));
  }

  void manifest(const std::string &name, const publish::PlaylistReply &text) {
    if (text.status != 200 || texts_[name] == text.text) return;
    texts_[name] = text.text;
    Open once{name, hooks_.open(AppStream::playlist, name)};
    write(once, {reinterpret_cast<const std::uint8_t *>(text.text.data()), text.text.size()});
    close(once);
  }

  struct Open {
    std::string name;
    GRef<GOutputStream> stream; ///< none: the application does not want it, or writing failed
  };

  void write(Open &open, Bytes bytes) {
    if (!open.stream) return;
    GError *error = nullptr;
    const bool sound =
        g_output_stream_write_all(open.stream.get(), bytes.data(), bytes.size(), nullptr, nullptr, &error) &&
        g_output_stream_flush(open.stream.get(), nullptr, &error);
    if (!sound) return fail(open, error);
    const std::lock_guard lock(mutex_);
    stats_.bytes += bytes.size();
  }

  void close(Open &open) {
    if (!open.stream) return;
    GError *error = nullptr;
    if (!g_output_stream_close(open.stream.get(), nullptr, &error)) return fail(open, error);
    open.stream = {};
    const std::lock_guard lock(mutex_);
    ++stats_.objects;
  }

  // Said once per trouble; the next object gets a stream of its own.
  void fail(Open &open, GError *error) {
    const std::string why = error ? error->message : "no reason given";
    g_clear_error(&error);
    open.stream = {};
    {
      const std::lock_guard lock(mutex_);
      if (stats_.failures++ % 50) return;
    }
    report_(Error{ErrorCode::io, "The application's stream for " + open.name + " failed: " + why});
  }

  AppHooks hooks_;
  EventQueue queue_{kQueue};
  mutable std::mutex mutex_; // leaf
  OutputStats stats_;
  std::map<std::size_t, Open> open_; // own thread, as the rest
  std::map<std::string, std::string> texts_;
  std::thread thread_;
};

} // namespace

std::unique_ptr<Output> make_app_output(AppHooks hooks, std::shared_ptr<const publish::Live> live,
                                        Output::Report report) {
  return std::make_unique<AppStreams>(std::move(hooks), std::move(live), std::move(report));
}

} // namespace hull::cmaf
