#include "plugins/mp4/mux_requests.h"

#include "gst/glue/map.h"
#include "gst/isobmff/file/file.h"

#include <algorithm>

namespace hull {

using namespace isobmff;

namespace {

constexpr std::size_t kMostWaiting = 1000; // boxes that no fragment has taken yet
constexpr gsize kLargestBox = 1 << 20;

guint encryption_key_signal = 0;
MuxRequests &(*requests_of_element)(gpointer) = nullptr;

// The answer of an action: nothing, or why it was refused.
gchar *answer(const Result<void> &done) {
  return done ? nullptr : g_strdup(done.error().text.c_str());
}

gchar *add_box(GstElement *self, const char *place, GBytes *box, gpointer) {
  return answer(requests_of_element(self).add_box(place, box));
}

gchar *set_field(GstElement *self, const char *path, const char *value, gpointer) {
  return answer(requests_of_element(self).set_field(path, value));
}

gchar *add_chapter(GstElement *self, const char *title, guint64 running_time, gpointer) {
  return answer(requests_of_element(self).add_chapter(title, running_time));
}

void split(GstElement *self, guint64 running_time, gpointer) {
  requests_of_element(self).split(static_cast<std::int64_t>(running_time));
}

gboolean first_answer(GSignalInvocationHint *, GValue *result, const GValue *value, gpointer) {
  g_value_copy(value, result);
  return g_value_get_boxed(value) == nullptr;
}

} // namespace

Result<void> MuxRequests::add_box(const char *place, GBytes *box) {
  if (!place || !box) return fail(ErrorCode::settings, "add-box needs a place and a box.");
  gsize size = 0;
  const auto *data = static_cast<const std::uint8_t *>(g_bytes_get_data(box, &size));
  if (size > kLargestBox) return fail(ErrorCode::settings, "A box may have at most 1 MiB.");
  ByteVector bytes(data, data + size);
  const Lock lock(mutex_);
  if (std::string_view(place) == "fragment") {
    if (auto node = check_injected(bytes, FourCC{}); !node) return tl::unexpected(node.error());
    if (fragment_.size() >= kMostWaiting)
      return fail(ErrorCode::state, "A thousand boxes wait for the next fragment already.");
    fragment_.push_back(std::move(bytes));
    return {};
  }
  if (movie_closed_) return fail(ErrorCode::state, "The movie box has been written already.");
  return movie_.add_box(place, std::move(bytes));
}

Result<void> MuxRequests::set_field(const char *path, const char *value) {
  if (!path || !value) return fail(ErrorCode::settings, "set-field needs a path and a value.");
  const Lock lock(mutex_);
  if (movie_closed_) return fail(ErrorCode::state, "The movie box has been written already.");
  return movie_.set_field(path, value);
}

Result<void> MuxRequests::add_chapter(const char *title, guint64 running_time) {
  constexpr std::size_t kMost = 100'000;
  if (!title || !g_utf8_validate(title, -1, nullptr))
    return fail(ErrorCode::settings, "add-chapter needs a title in UTF-8.");
  const std::int64_t start =
      GST_CLOCK_TIME_IS_VALID(running_time) ? static_cast<std::int64_t>(running_time) : position_.load();
  if (start < 0)
    return fail(ErrorCode::settings, "add-chapter needs a running time in nanoseconds, below 2^63.");
  const Lock lock(mutex_);
  if (no_chapters_) return fail(ErrorCode::state, no_chapters_);
  if (markers_.size() >= kMost) return fail(ErrorCode::state, "There are 100 000 chapters already.");
  markers_.push_back({start, title});
  ++chapters_version_;
  return {};
}

void MuxRequests::close_chapters(const char *why) {
  const Lock lock(mutex_);
  no_chapters_ = why;
}

void MuxRequests::set_toc(Chapters chapters) {
  const Lock lock(mutex_);
  if (chapters == toc_) return;
  toc_ = std::move(chapters);
  ++chapters_version_;
}

Chapters MuxRequests::chapters() const {
  const Lock lock(mutex_);
  Chapters all = toc_;
  all.insert(all.end(), markers_.begin(), markers_.end());
  return all;
}

bool MuxRequests::is_request(const GstEvent *event) {
  constexpr const char *kNames[] = {"hull-mp4-box", "hull-mp4-field", "hull-mp4-chapter"};
  return std::ranges::any_of(
      kNames, [event](const char *name) { return gst_event_has_name(const_cast<GstEvent *>(event), name); });
}

Result<void> MuxRequests::take(GstEvent *event) {
  const GstStructure *s = gst_event_get_structure(event);
  if (gst_event_has_name(event, "hull-mp4-field"))
    return set_field(gst_structure_get_string(s, "path"), gst_structure_get_string(s, "value"));
  if (gst_event_has_name(event, "hull-mp4-chapter")) {
    guint64 running_time = GST_CLOCK_TIME_NONE;
    gst_structure_get_uint64(s, "running-time", &running_time);
    return add_chapter(gst_structure_get_string(s, "title"), running_time);
  }
  const GValue *value = gst_structure_get_value(s, "box");
  GBytes *bytes = nullptr;
  if (value && G_VALUE_HOLDS(value, G_TYPE_BYTES)) {
    bytes = static_cast<GBytes *>(g_value_dup_boxed(value));
  } else if (value && GST_VALUE_HOLDS_BUFFER(value)) {
    const MappedBuffer map(gst_value_get_buffer(value), GST_MAP_READ);
    if (map) bytes = g_bytes_new(map.bytes().data(), map.size());
  }
  auto done = add_box(gst_structure_get_string(s, "place"), bytes);
  if (bytes) g_bytes_unref(bytes);
  return done;
}

void MuxRequests::split(std::int64_t running_time) {
  const Lock lock(mutex_);
  if (splits_.size() < kMostWaiting) splits_.push_back(running_time);
}

void MuxRequests::close_movie() {
  const Lock lock(mutex_);
  movie_closed_ = true;
}

void MuxRequests::open_movie() {
  const Lock lock(mutex_);
  movie_closed_ = false;
  no_chapters_ = nullptr;
}

void MuxRequests::reset() {
  const Lock lock(mutex_);
  movie_ = {};
  fragment_.clear();
  splits_.clear();
  toc_.clear();
  markers_.clear();
  no_chapters_ = nullptr;
  ++chapters_version_;
  position_ = 0;
  movie_closed_ = false;
}

Additions MuxRequests::additions() const {
  const Lock lock(mutex_);
  return movie_;
}

std::vector<ByteVector> MuxRequests::take_fragment_boxes() {
  const Lock lock(mutex_);
  return std::exchange(fragment_, {});
}

std::vector<std::int64_t> MuxRequests::take_splits() {
  const Lock lock(mutex_);
  return std::exchange(splits_, {});
}

void install_mux_signals(GObjectClass *klass, MuxRequests &(*requests_of)(gpointer)) {
  requests_of_element = requests_of;
  const GType type = G_TYPE_FROM_CLASS(klass);
  const auto action = static_cast<GSignalFlags>(G_SIGNAL_RUN_LAST | G_SIGNAL_ACTION);
  g_signal_new_class_handler("add-box", type, action, G_CALLBACK(add_box), nullptr, nullptr, nullptr,
                             G_TYPE_STRING, 2, G_TYPE_STRING, G_TYPE_BYTES);
  g_signal_new_class_handler("set-field", type, action, G_CALLBACK(set_field), nullptr, nullptr, nullptr,
                             G_TYPE_STRING, 2, G_TYPE_STRING, G_TYPE_STRING);
  g_signal_new_class_handler("split-at-running-time", type, action, G_CALLBACK(split), nullptr, nullptr,
                             nullptr, G_TYPE_NONE, 1, G_TYPE_UINT64);
  g_signal_new_class_handler("add-chapter", type, action, G_CALLBACK(add_chapter), nullptr, nullptr, nullptr,
                             G_TYPE_STRING, 2, G_TYPE_STRING, G_TYPE_UINT64);
  encryption_key_signal = g_signal_new("encryption-key", type, G_SIGNAL_RUN_LAST, 0, first_answer, nullptr,
                                       nullptr, GST_TYPE_STRUCTURE, 1, GST_TYPE_PAD);
}

GstStructure *ask_for_key(GstElement *element, GstPad *pad) {
  GstStructure *key = nullptr;
  g_signal_emit(element, encryption_key_signal, 0, pad, &key);
  return key;
}

} // namespace hull
