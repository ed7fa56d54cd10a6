#include "gst/origin/growing_body.h"

#include <algorithm>
#include <chrono>
#include <cstring>
#include <vector>

namespace hull::origin {

void ChangeNotifier::wake() {
  const Lock lock(mutex_);
  ++count_;
  changed_.notify_all();
}

void ChangeNotifier::stop() {
  const Lock lock(mutex_);
  stopped_ = true;
  changed_.notify_all();
}

bool ChangeNotifier::stopped() const {
  const Lock lock(mutex_);
  return stopped_;
}

void ChangeNotifier::wait(std::uint64_t &seen, double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                          std::chrono::duration<double>(seconds));
  Lock lock(mutex_);
  while (!stopped_ && count_ == seen && changed_.wait_until(lock, end)) {
  }
  seen = count_;
}

namespace {

class Body {
 public:
  Body(std::shared_ptr<const publish::Live> live, std::string name, std::shared_ptr<ChangeNotifier> changes)
      : live_(std::move(live)), name_(std::move(name)), changes_(std::move(changes)) {}

  gssize read(void *buffer, gsize count, GError **error) {
    while (at_ == current_.size()) {
      if (next_ < waiting_.size()) {
        chunk_ = waiting_[next_++];
        current_ = Bytes(*chunk_);
        at_ = 0;
        continue;
      }
      if (whole_) return 0;
      if (changes_->stopped()) return fail(error, G_IO_ERROR_CANCELLED, "the output was stopped");
      publish::ObjectView view = live_->object(name_, taken_);
      if (view.found != publish::Found::ready && view.found != publish::Found::growing)
        return fail(error, G_IO_ERROR_NOT_FOUND, "the window has let the object go");
      whole_ = view.found == publish::Found::ready;
      taken_ += view.chunks.size();
      waiting_ = std::move(view.chunks);
      next_ = 0;
      if (waiting_.empty() && !whole_) changes_->wait(seen_, 1);
    }
    const std::size_t size = std::min<std::size_t>(count, current_.size() - at_);
    std::memcpy(buffer, current_.data() + at_, size);
    at_ += size;
    return static_cast<gssize>(size);
  }

 private:
  static gssize fail(GError **error, GIOErrorEnum code, const char *text) {
    g_set_error_literal(error, G_IO_ERROR, code, text);
    return -1;
  }

  std::shared_ptr<const publish::Live> live_;
  std::string name_;
  std::shared_ptr<ChangeNotifier> changes_;
  std::uint64_t seen_ = 0;
  std::vector<publish::Chunk> waiting_;
  std::size_t next_ = 0, taken_ = 0, at_ = 0;
  publish::Chunk chunk_;
  Bytes current_;
  bool whole_ = false;
};

struct BodyStream {
  GInputStream parent;
  Body *body;
};

GType body_stream_type() {
  static const GType type = [] {
    GTypeQuery parent;
    g_type_query(G_TYPE_INPUT_STREAM, &parent);
    GTypeInfo info{};
    info.class_size = static_cast<guint16>(parent.class_size);
    info.instance_size = sizeof(BodyStream);
    info.class_init = [](gpointer klass, gpointer) {
      static gpointer parent_class;
      parent_class = g_type_class_peek_parent(klass);
      static_cast<GInputStreamClass *>(klass)->read_fn = [](GInputStream *stream, void *buffer, gsize count,
                                                            GCancellable *, GError **error) {
        return reinterpret_cast<BodyStream *>(stream)->body->read(buffer, count, error);
      };
      static_cast<GObjectClass *>(klass)->finalize = [](GObject *object) {
        delete reinterpret_cast<BodyStream *>(object)->body;
        static_cast<GObjectClass *>(parent_class)->finalize(object);
      };
    };
    return g_type_register_static(G_TYPE_INPUT_STREAM, "HullCmafBodyStream", &info, GTypeFlags(0));
  }();
  return type;
}

} // namespace

GRef<GInputStream> make_growing_body(std::shared_ptr<const publish::Live> live, std::string name,
                                     std::shared_ptr<ChangeNotifier> changes) {
  auto *stream = static_cast<BodyStream *>(g_object_new(body_stream_type(), nullptr));
  stream->body = new Body(std::move(live), std::move(name), std::move(changes));
  return GRef<GInputStream>::adopt(&stream->parent);
}

} // namespace hull::origin
