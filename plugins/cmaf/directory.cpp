#include "plugins/cmaf/output.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <map>
#include <unistd.h>

namespace hull::cmaf {
namespace {

using publish::LiveEvent;
constexpr std::size_t kQueue = 4096; // events; about two minutes of two tracks in chunks of 0.2 s

class Directory final : public Output {
 public:
  Directory(std::string folder, std::shared_ptr<const publish::Live> live, Report report)
      : Output(std::move(live), std::move(report)), folder_(std::move(folder)), thread_([this] { run(); }) {}
  ~Directory() override {
    queue_.abort();
    if (thread_.joinable()) thread_.join();
  }
  void on_event(const LiveEvent &event) override {
    if (event.kind == LiveEvent::Kind::chunk) return; // files hold whole segments
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
    stats.dropped_segments = queue_.dropped_segments();
    return stats;
  }

 private:
  void run() {
    LiveEvent event;
    for (bool first = true; queue_.pop(event); first = false) {
      if (first) clear_leftovers();
      handle(event);
    }
  }

  // What a process that was killed had not finished: nobody was told of these files.
  void clear_leftovers() const {
    std::error_code ignored;
    for (const publish::Track &track : live_->tracks())
      for (const std::string &folder : {folder_, folder_ + "/" + track.id})
        for (const auto &entry : std::filesystem::directory_iterator(folder, ignored))
          if (entry.path().extension() == ".part") std::filesystem::remove(entry.path(), ignored);
  }

  void handle(const LiveEvent &event) {
    if (event.kind == LiveEvent::Kind::removed) {
      std::error_code ignored;
      std::filesystem::remove(folder_ + "/" + event.name, ignored);
      return;
    }
    if (!event.name.empty()) {
      const publish::ObjectView view = live_->object(event.name);
      if (view.found != publish::Found::ready || !write(event.name, view.chunks)) return;
    }
    if (event.kind != LiveEvent::Kind::init) write_manifests();
  }

  // Manifests come last: they name only files that are there.
  void write_manifests() {
    for (const publish::Track &track : live_->tracks())
      if (const auto reply = live_->plain_playlist(track.id); reply.status == 200)
        write_text(track.id + ".m3u8", reply.text);
    if (const auto reply = live_->multivariant(); reply.status == 200) write_text("master.m3u8", reply.text);
    if (const auto reply = live_->plain_mpd(live_->now()); reply.status == 200)
      write_text("manifest.mpd", reply.text);
  }

  void write_text(const std::string &name, const std::string &text) {
    if (texts_[name] == text) return;
    texts_[name] = text;
    write(name, {std::make_shared<const ByteVector>(text.begin(), text.end())});
  }

  bool write(const std::string &name, const std::vector<publish::Chunk> &chunks) {
    const std::string path = folder_ + "/" + name, part = path + ".part";
    std::error_code ignored;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), ignored);
    const int fd = ::open(part.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    bool sound = fd >= 0;
    std::uint64_t bytes = 0;
    for (const publish::Chunk &chunk : chunks) {
      for (std::size_t at = 0; sound && at < chunk->size();) {
        const ssize_t wrote = ::write(fd, chunk->data() + at, chunk->size() - at);
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0)
          sound = false;
        else
          at += static_cast<std::size_t>(wrote);
      }
      bytes += chunk->size();
    }
    const int error = errno;
    if (fd >= 0 && ::close(fd) != 0) sound = false;
    sound = sound && ::rename(part.c_str(), path.c_str()) == 0;
    const std::lock_guard lock(mutex_);
    if (sound) {
      ++stats_.objects;
      stats_.bytes += bytes;
      return true;
    }
    ::unlink(part.c_str());
    // Said once per trouble; the stream goes on for the other outputs, and here when there is room again.
    if (stats_.failures++ % 50 == 0)
      report_(Error{error == ENOSPC ? ErrorCode::no_space : ErrorCode::io,
                    "Cannot write " + path + ": " + std::strerror(error) +
                        (error == ENOSPC ? ". Free space or shorten dvr-window." : ". Check location.")});
    return false;
  }

  const std::string folder_;
  EventQueue queue_{kQueue};
  mutable std::mutex mutex_; // leaf
  OutputStats stats_;
  std::map<std::string, std::string> texts_; // own thread
  std::thread thread_;
};

} // namespace

std::unique_ptr<Output> make_directory_output(const std::string &folder,
                                              std::shared_ptr<const publish::Live> live,
                                              Output::Report report) {
  return std::make_unique<Directory>(folder, std::move(live), std::move(report));
}

} // namespace hull::cmaf
