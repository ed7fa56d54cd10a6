#include "gst/origin/origin.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::origin {
namespace {

constexpr const char *kHlsType = "application/vnd.apple.mpegurl";
constexpr const char *kDashType = "application/dash+xml";
/// Of a growing reply that lie before a client at most; what follows waits in the window.
constexpr std::uint64_t kMostQueued = 1 << 20;

std::string seconds_to_keep(double seconds) {
  return fmt::format("max-age={:.0f}", seconds);
}

} // namespace

bool Origin::answer(Exchange &client, Request &request) {
  if (!live()) {
    if (request.streaming) return client.cut(), true;
    if (request.waited() < 10) return false;
    return refuse(client, 503, "Nothing is on air yet.\n", "no-store", "2");
  }
  return request.is_manifest() ? answer_playlist(client, request) : answer_object(client, request);
}

bool Origin::answer_playlist(Exchange &client, Request &request) {
  const auto on_air = live();
  const PlaylistCache::Entry &entry = playlists_.get(*on_air, request.path, request.query);
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  if (entry.status == 0) {
    if (request.waited() < 3 * std::max(1.0, target)) return false;
    return refuse(client, 503, "The stream did not go on in time.\n", "no-store", "1"); // HLS-57
  }
  if (entry.status != 200) return refuse(client, entry.status, *entry.text, "max-age=1");
  const bool dash = request.path.ends_with(".mpd");
  const bool packed = entry.gzip && client.request().accepts_gzip();
  HttpReply reply(200, dash ? kDashType : kHlsType,
                  request.query.msn ? seconds_to_keep(6 * target)
                  : dash            ? seconds_to_keep(1)
                                    : seconds_to_keep(std::max(1.0, target / 2)), // HLS-66
                  slice_of(packed ? entry.gzip : entry.text));
  reply.etag = fmt::format("\"{}{}\"", entry.etag, packed ? "-gzip" : "");
  reply.add("Vary", "Accept-Encoding");
  if (packed) reply.add("Content-Encoding", "gzip");
  client.reply(std::move(reply));
  return true;
}

bool Origin::answer_object(Exchange &client, Request &request) {
  using publish::Found;
  const auto on_air = live();
  const publish::ObjectView view = on_air->object(request.path, request.sent_chunks);
  if (request.streaming) return feed(client, request, view);
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  if (view.found == Found::hold && request.waited() < 1.5 * std::max(1.0, target)) return false;
  if (view.found == Found::hold || view.found == Found::unknown)
    return refuse(client, 404, "No such object is on air.\n", "no-cache");
  if (view.found == Found::gone)
    return refuse(client, 410, "This part of the stream is no longer kept.\n", "max-age=60");
  HttpReply reply(200, view.content_type.c_str(), seconds_to_keep(std::max(60.0, 6 * target)));
  reply.growing = view.found == Found::growing;
  if (!reply.growing) {
    // Names are never used twice on air; the epoch parts this stream from one before.
    reply.etag = fmt::format("\"{:x}-{}-{}\"", on_air->epoch(), request.path, view.bytes);
    for (const publish::Chunk &chunk : view.chunks)
      reply.body.push_back(slice_of(chunk));
    client.reply(std::move(reply));
    return true;
  }
  reply.add("X-Accel-Buffering", "no"); // nginx would keep it until it is whole
  client.reply(std::move(reply));
  if (client.request().method == "HEAD") return true;
  request.streaming = true;
  return feed(client, request, view);
}

// Sends what is new as far as the client takes it; true when the object is whole and all of it is on its way.
bool Origin::feed(Exchange &client, Request &request, const publish::ObjectView &view) {
  using publish::Found;
  if (view.found != Found::ready && view.found != Found::growing) { // the window went on without this reader
    client.cut();
    return true;
  }
  std::size_t next = 0;
  bool ended = false;
  do {
    while (next < view.chunks.size() && client.queued() < kMostQueued)
      client.append(slice_of(view.chunks[next++]));
    ended = next == view.chunks.size() && view.found == Found::ready;
    if (ended) client.finish();
    client.flush();
  } while (next < view.chunks.size() && client.queued() == 0 && client.alive());
  request.sent_chunks += next;
  return ended || !client.alive();
}

void Origin::look_again() {
  unsigned waiting = 0, streaming = 0;
  std::vector<Exchange *> done;
  for (auto &[client, request] : open_) {
    // A reader who has not taken the last chunk is told of the next when it has.
    if (request.streaming && client->queued() >= kMostQueued) {
      ++streaming;
      continue;
    }
    if (answer(*client, request))
      done.push_back(client);
    else
      ++(request.streaming ? streaming : waiting);
  }
  std::set<std::uint64_t> connections; // which take their exchanges with them
  for (Exchange *client : done) {
    open_.erase(client);
    connections.insert(client->number());
  }
  for (const std::uint64_t connection : connections)
    server_->resume(connection);
  waiting_ = waiting;
  streaming_ = streaming;
}

} // namespace hull::origin
