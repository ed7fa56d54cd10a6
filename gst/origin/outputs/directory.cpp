#include "gst/core/file.h"
#include "gst/origin/outputs/queued_output.h"

#include <cstring>
#include <filesystem>
#include <map>

namespace hull::origin {
namespace {

using publish::LiveEvent;

class Directory final : public EventHandler {
 public:
  Directory(std::string folder, std::shared_ptr<const publish::Live> live,
            std::shared_ptr<DeliveryStats> delivery)
      : folder_(std::move(folder)), live_(std::move(live)), delivery_(std::move(delivery)) {}

  // Files hold whole segments.
  bool wants(const LiveEvent &event) const override { return event.kind != LiveEvent::Kind::chunk; }

  void handle(const LiveEvent &event) override {
    if (!begun_) clear_leftovers();
    begun_ = true;
    if (event.kind == LiveEvent::Kind::removed) {
      std::error_code ignored;
      std::filesystem::remove(folder_ + "/" + event.name, ignored);
      return;
    }
    if (!event.name.empty()) owed_.push_back(event.name);
    if (write_owed() && event.kind != LiveEvent::Kind::init) write_manifests();
  }

 private:
  // In order, and again while the window holds what could not be written: manifests name only files that are
  // there.
  bool write_owed() {
    for (; !owed_.empty(); owed_.pop_front()) {
      const publish::ObjectView view = live_->object(owed_.front());
      if (view.found != publish::Found::ready)
        delivery_->dropped(owed_.front());
      else if (!write(owed_.front(), view.chunks))
        return false;
    }
    return true;
  }

  // What a process that was killed had not finished: nobody was told of these files.
  void clear_leftovers() const {
    std::error_code ignored;
    for (const publish::Track &track : live_->tracks())
      for (const std::string &folder : {folder_, folder_ + "/" + track.id})
        for (const auto &entry : std::filesystem::directory_iterator(folder, ignored))
          if (entry.path().extension() == ".part") std::filesystem::remove(entry.path(), ignored);
  }

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
    if (write(name, {std::make_shared<const ByteVector>(text.begin(), text.end())})) texts_[name] = text;
  }

  bool write(const std::string &name, const std::vector<publish::Chunk> &chunks) {
    const std::string path = folder_ + "/" + name;
    std::error_code error;
    std::filesystem::create_directories(std::filesystem::path(path).parent_path(), error);
    AtomicFile file(path);
    error = file.create(0644);
    std::uint64_t bytes = 0;
    for (const publish::Chunk &chunk : chunks) {
      if (!error) error = file.write(*chunk);
      bytes += chunk->size();
    }
    // What power takes away here is on air no more when it is back.
    if (!error) error = file.commit(AtomicFile::Sync::no);
    if (!error) {
      delivery_->sent(name, bytes);
      return true;
    }
    const bool full = error == std::errc::no_space_on_device;
    delivery_->failed(Error{full ? ErrorCode::no_space : ErrorCode::io,
                            "Cannot write " + path + ": " + std::strerror(error.value()) +
                                (full ? ". Free space or shorten dvr-window." : ". Check location.")});
    return false;
  }

  const std::string folder_;
  std::shared_ptr<const publish::Live> live_;
  std::shared_ptr<DeliveryStats> delivery_;
  bool begun_ = false;
  std::deque<std::string> owed_; ///< names of segments and headers, no more than the window holds
  std::map<std::string, std::string> texts_;
};

} // namespace

std::unique_ptr<Output> make_directory_output(const std::string &folder,
                                              std::shared_ptr<const publish::Live> live,
                                              Output::Report report, LogSink log) {
  const auto delivery = std::make_shared<DeliveryStats>(std::move(report), std::move(log));
  return std::make_unique<QueuedOutput>(std::make_unique<Directory>(folder, std::move(live), delivery),
                                        delivery);
}

} // namespace hull::origin
