#include "gst/origin/outputs/queued_output.h"

#include <map>

namespace hull::origin {
namespace {

using publish::LiveEvent;

/// Objects into streams the application opens: each fragment chunk by chunk while it grows, manifests whole
/// and after what they name. All on one thread, where the application may block.
class AppStreams final : public EventHandler {
 public:
  AppStreams(AppHooks hooks, std::shared_ptr<const publish::Live> live,
             std::shared_ptr<DeliveryStats> delivery)
      : hooks_(std::move(hooks)), live_(std::move(live)), delivery_(std::move(delivery)) {}

  void end() override {
    for (auto &[track, open] : open_)
      close(open);
  }

  void handle(const LiveEvent &event) override {
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

 private:
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
    std::uint64_t bytes = 0;
  };

  void write(Open &open, Bytes bytes) {
    if (!open.stream) return;
    GError *error = nullptr;
    const bool sound =
        g_output_stream_write_all(open.stream.get(), bytes.data(), bytes.size(), nullptr, nullptr, &error) &&
        g_output_stream_flush(open.stream.get(), nullptr, &error);
    if (!sound) return fail(open, error);
    open.bytes += bytes.size();
  }

  void close(Open &open) {
    if (!open.stream) return;
    GError *error = nullptr;
    if (!g_output_stream_close(open.stream.get(), nullptr, &error)) return fail(open, error);
    open.stream = {};
    delivery_->sent(open.name, open.bytes);
  }

  // The next object gets a stream of its own.
  void fail(Open &open, GError *error) {
    const std::string why = error ? error->message : "no reason given";
    g_clear_error(&error);
    open.stream = {};
    delivery_->failed(Error{ErrorCode::io, "The application's stream for " + open.name + " failed: " + why});
  }

  AppHooks hooks_;
  std::shared_ptr<const publish::Live> live_;
  std::shared_ptr<DeliveryStats> delivery_;
  std::map<std::size_t, Open> open_;
  std::map<std::string, std::string> texts_;
};

} // namespace

std::unique_ptr<Output> make_app_output(AppHooks hooks, std::shared_ptr<const publish::Live> live,
                                        Output::Report report, LogSink log) {
  const auto delivery = std::make_shared<DeliveryStats>(std::move(report), std::move(log));
  return std::make_unique<QueuedOutput>(
      std::make_unique<AppStreams>(std::move(hooks), std::move(live), delivery), delivery);
}

} // namespace hull::origin
