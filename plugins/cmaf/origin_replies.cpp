#include "plugins/cmaf/origin_request.h"
#include "plugins/cmaf/reply.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::cmaf {
namespace {

constexpr const char *kHlsType = "application/vnd.apple.mpegurl";
constexpr const char *kDashType = "application/dash+xml";

} // namespace

bool Origin::answer(Request &request) {
  if (!live()) {
    if (request.waited() < 10) return false;
    set_header(request.message.get(), "Retry-After", "2");
    ++errors_;
    reply(request.message.get(), 503, "text/plain", "Nothing is on air yet.\n", "no-store");
    return true;
  }
  return request.is_manifest() ? answer_playlist(request) : answer_object(request);
}

bool Origin::answer_playlist(Request &request) {
  const auto on_air = live();
  SoupServerMessage *message = request.message.get();
  const PlaylistCache::Entry &entry = playlists_.get(*on_air, request.path, request.query);
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  if (entry.status == 0) {
    if (request.waited() < 3 * std::max(1.0, target)) return false;
    ++errors_; // HLS-57
    set_header(message, "Retry-After", "1");
    reply(message, 503, "text/plain", "The stream did not go on in time.\n", "no-store");
    return true;
  }
  if (entry.status != 200) {
    ++errors_;
    reply(message, entry.status, "text/plain", entry.text, "max-age=1");
    return true;
  }
  const bool dash = request.path.ends_with(".mpd");
  const std::string cache = request.query.msn ? fmt::format("max-age={:.0f}", 6 * target)
                            : dash            ? "max-age=1"
                                   : fmt::format("max-age={:.0f}", std::max(1.0, target / 2)); // HLS-66
  append_header(message, "Vary", "Accept-Encoding");
  const bool packed = !entry.gzip.empty() && accepts_gzip(message);
  if (packed) set_header(message, "Content-Encoding", "gzip");
  reply(message, 200, dash ? kDashType : kHlsType, packed ? entry.gzip : entry.text, cache);
  return true;
}

bool Origin::answer_object(Request &request) {
  using publish::Found;
  const auto on_air = live();
  const publish::ObjectView view = on_air->object(request.path, request.sent_chunks);
  SoupServerMessage *message = request.message.get();
  if (request.streaming) return feed(request, view);
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  switch (view.found) {
  case Found::hold:
    if (request.waited() < 1.5 * std::max(1.0, target)) return false;
    [[fallthrough]];
  case Found::unknown:
    ++errors_;
    reply(message, 404, "text/plain", "No such object is on air.\n", "no-cache");
    return true;
  case Found::gone:
    ++errors_;
    reply(message, 410, "text/plain", "This part of the stream is no longer kept.\n", "max-age=60");
    return true;
  case Found::ready:
  case Found::growing:
    break;
  }
  soup_server_message_set_status(message, SOUP_STATUS_OK, nullptr);
  SoupMessageHeaders *headers = soup_server_message_get_response_headers(message);
  soup_message_headers_set_content_type(headers, view.content_type.c_str(), nullptr);
  set_header(message, "Cache-Control", fmt::format("max-age={:.0f}", std::max(60.0, 6 * target)));
  SoupMessageBody *body = soup_server_message_get_response_body(message);
  if (view.found == Found::ready) {
    for (const publish::Chunk &chunk : view.chunks)
      append_chunk(body, chunk);
    soup_message_body_complete(body);
    return true;
  }
  // A proxy that buffers would hold each chunk's tail back until the next one (nginx: + one chunk).
  set_header(message, "X-Accel-Buffering", "no");
  const bool old = soup_server_message_get_http_version(message) == SOUP_HTTP_1_0;
  soup_message_headers_set_encoding(headers, old ? SOUP_ENCODING_EOF : SOUP_ENCODING_CHUNKED);
  if (request.head) {
    soup_message_body_complete(body);
    return true;
  }
  soup_message_body_set_accumulate(body, FALSE);
  request.streaming = true;
  if (!old) listener_->begin_chunked(soup_server_message_get_remote_address(message));
  return feed(request, view);
}

// Appends what is new; true when the object is whole.
bool Origin::feed(Request &request, const publish::ObjectView &view) {
  SoupMessageBody *body = soup_server_message_get_response_body(request.message.get());
  for (const publish::Chunk &chunk : view.chunks) {
    request.fresh = true;
    if (request.appended == request.written) request.progress = g_get_monotonic_time();
    append_chunk(body, chunk);
    request.appended += chunk->size();
  }
  request.sent_chunks += view.chunks.size();
  const bool whole = view.found != publish::Found::growing;
  if (!whole) return false;
  listener_->end_chunked(soup_server_message_get_remote_address(request.message.get()), request.appended);
  soup_message_body_complete(body);
  return true;
}

void Origin::look_again() {
  unsigned waiting = 0, streaming = 0;
  for (auto at = requests_.begin(); at != requests_.end();) {
    Request &request = **at;
    bool done = request.finished;
    if (!done) {
      request.fresh = false;
      done = answer(request);
      if (done || request.fresh) soup_server_message_unpause(request.message.get());
    }
    if (done) {
      g_signal_handlers_disconnect_by_data(request.message.get(), &request);
      at = requests_.erase(at);
    } else {
      ++(request.streaming ? streaming : waiting);
      ++at;
    }
  }
  waiting_ = waiting;
  streaming_ = streaming;
}

// Deadlines, and clients that take nothing: their queue holds chunks of the window alive.
void Origin::sweep() {
  const gint64 now = g_get_monotonic_time();
  for (const auto &request : requests_) {
    if (!request->streaming || request->finished || request->appended <= request->written) continue;
    const bool stalled = now - request->progress > gint64{settings_.stall_timeout} * G_USEC_PER_SEC;
    if (!stalled && request->appended - request->written < settings_.client_bytes) continue;
    ++dropped_;
    request->finished = true;
    listener_->cut(soup_server_message_get_remote_address(request->message.get()));
  }
  listener_->sweep();
  look_again();
}

} // namespace hull::cmaf
