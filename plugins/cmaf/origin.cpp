#include "plugins/cmaf/origin.h"

#include "gst/publish/utc.h"
#include "plugins/cmaf/page.h"
#include "plugins/cmaf/reply.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <map>

namespace hull::cmaf {
namespace {

constexpr gint64 kMicroseconds = 1'000'000;
constexpr const char *kHlsType = "application/vnd.apple.mpegurl";
constexpr const char *kDashType = "application/dash+xml";
constexpr std::size_t kLongestQuery = 64;

std::optional<std::uint64_t> number_in(GHashTable *query, const char *name, bool &broken) {
  const auto *text = query ? static_cast<const char *>(g_hash_table_lookup(query, name)) : nullptr;
  if (!text) return std::nullopt;
  const std::string_view view(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size()) broken = true;
  return value;
}

} // namespace

/// A request that waits for its answer, or whose body still grows.
struct Origin::Request {
  GRef<SoupServerMessage> message;
  std::string path;
  publish::PlaylistQuery query;
  bool head = false;
  bool streaming = false;
  bool fresh = false;    ///< its body has grown since libsoup last ran out of it
  bool finished = false; ///< libsoup is done with it, one way or the other
  std::size_t sent_chunks = 0;
  std::uint64_t appended = 0, written = 0;
  gint64 progress = g_get_monotonic_time();
  gint64 started = g_get_monotonic_time();
};

struct Origin::Texts {
  struct Entry {
    int status = 0;
    std::string text, gzip;
  };
  const publish::Live *live = nullptr;
  std::uint64_t version = ~std::uint64_t{0};
  std::map<std::string, Entry> entries;
  std::map<std::string, std::string> players;
  std::string page;
};

Result<std::unique_ptr<Origin>> Origin::start(OriginSettings settings) {
  GRef<GTlsCertificate> certificate;
  if (!settings.certificate.empty()) {
    GError *error = nullptr;
    certificate =
        GRef<GTlsCertificate>::adopt(g_tls_certificate_new_from_file(settings.certificate.c_str(), &error));
    if (!certificate) {
      const std::string why = error ? error->message : "unknown";
      g_clear_error(&error);
      return fail(ErrorCode::not_found,
                  "tls-certificate " + settings.certificate + ": " + why +
                      ". It must be a PEM file with the certificate and its private key.");
    }
  }
  auto socket = Listener::bind(settings.bind_address, settings.port);
  if (!socket) return tl::unexpected(socket.error());
  return std::unique_ptr<Origin>(new Origin(std::move(settings), std::move(*socket), std::move(certificate)));
}

Origin::Origin(OriginSettings settings, GRef<GSocket> socket, GRef<GTlsCertificate> certificate)
    : settings_(std::move(settings)),
      port_(Listener::port_of(socket.get())),
      context_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)),
      texts_(std::make_unique<Texts>()) {
  texts_->players = load_players(settings_.player_dir);
  texts_->page = player_page(texts_->players);
  listener_ =
      std::make_unique<Listener>(std::move(socket), settings_.limits, std::move(certificate),
                                 [this](GIOStream *stream, GSocketAddress *local, GSocketAddress *remote) {
                                   soup_server_accept_iostream(server_.get(), stream, local, remote, nullptr);
                                 });
  // Ready at once when kicked, never by itself.
  static GSourceFuncs funcs = {nullptr,
                               nullptr,
                               [](GSource *source, GSourceFunc callback, gpointer data) -> gboolean {
                                 g_source_set_ready_time(source, -1);
                                 return callback(data);
                               },
                               nullptr,
                               nullptr,
                               nullptr};
  kick_source_ = g_source_new(&funcs, sizeof(GSource));
  g_source_set_callback(
      kick_source_,
      [](gpointer self) -> gboolean {
        static_cast<Origin *>(self)->look_again();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(kick_source_, context_);
  thread_ = std::thread([this] { run(); });
}

Origin::~Origin() {
  GSource *quit = g_idle_source_new();
  g_source_set_callback(
      quit, [](gpointer loop) -> gboolean { return g_main_loop_quit(static_cast<GMainLoop *>(loop)), FALSE; },
      loop_, nullptr);
  g_source_attach(quit, context_);
  g_source_unref(quit);
  thread_.join();
  g_source_destroy(kick_source_);
  g_source_unref(kick_source_);
  g_main_loop_unref(loop_);
  g_main_context_unref(context_);
}

void Origin::run() {
  g_main_context_push_thread_default(context_);
  server_ = GRef<SoupServer>::adopt(
      SOUP_SERVER(g_object_new(SOUP_TYPE_SERVER, "server-header", "gst-plugins-hull", nullptr)));
  soup_server_add_handler(
      server_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *path, GHashTable *query, gpointer self) {
        static_cast<Origin *>(self)->handle(message, path, query);
      },
      this, nullptr);
  listener_->attach(context_);
  GSource *timer = g_timeout_source_new(500);
  g_source_set_callback(
      timer,
      [](gpointer self) -> gboolean {
        static_cast<Origin *>(self)->sweep();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(timer, context_);
  g_main_loop_run(loop_);
  g_source_destroy(timer);
  g_source_unref(timer);
  for (const auto &request : requests_)
    g_signal_handlers_disconnect_by_data(request->message.get(), request.get());
  requests_.clear();
  soup_server_disconnect(server_.get());
  listener_.reset();
  server_ = {};
  while (g_main_context_iteration(context_, FALSE)) {
  }
  g_main_context_pop_thread_default(context_);
}

void Origin::publish(std::shared_ptr<const publish::Live> live) {
  {
    const std::lock_guard lock(live_mutex_);
    live_ = std::move(live);
  }
  kick();
}

std::shared_ptr<const publish::Live> Origin::live() const {
  const std::lock_guard lock(live_mutex_);
  return live_;
}

void Origin::kick() {
  g_source_set_ready_time(kick_source_, 0);
}

OriginStats Origin::stats() const {
  OriginStats stats;
  stats.requests = requests_count_;
  stats.bytes = bytes_;
  stats.errors = errors_;
  stats.held = held_;
  stats.dropped_clients = dropped_;
  stats.waiting = waiting_;
  stats.streaming = streaming_;
  if (listener_) {
    stats.connections = listener_->connections();
    stats.refused = listener_->refused();
  }
  return stats;
}

void Origin::handle(SoupServerMessage *message, const char *path, GHashTable *query) {
  ++requests_count_;
  const std::string method = soup_server_message_get_method(message);
  add_cors(message, settings_.cors_origin);
  if (method == "OPTIONS") {
    set_header(message, "Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    set_header(message, "Access-Control-Allow-Headers",
               "Range, If-Modified-Since, Content-Type, X-Requested-With");
    set_header(message, "Access-Control-Max-Age", "86400");
    soup_server_message_set_status(message, SOUP_STATUS_NO_CONTENT, nullptr);
    return;
  }
  if (method != "GET" && method != "HEAD") {
    set_header(message, "Allow", "GET, HEAD, OPTIONS");
    ++errors_;
    return reply(message, SOUP_STATUS_METHOD_NOT_ALLOWED, "text/plain", "Only GET, HEAD and OPTIONS.\n",
                 "no-store");
  }
  g_signal_connect(message, "wrote-body-data",
                   G_CALLBACK(+[](SoupServerMessage *, guint size, gpointer self) {
                     static_cast<Origin *>(self)->bytes_ += size;
                   }),
                   this);
  auto request = std::make_unique<Request>();
  request->message = GRef<SoupServerMessage>::retain(message);
  request->path = path && *path == '/' ? path + 1 : "";
  request->head = method == "HEAD";
  const bool manifest = request->path.ends_with(".m3u8") || request->path == "manifest.mpd";
  const bool object = request->path.find('/') != std::string::npos && !request->path.starts_with("player/");
  if (!manifest && !object) return answer_fixed(message, request->path);
  bool broken = false;
  request->query.msn = number_in(query, "_HLS_msn", broken);
  request->query.part = number_in(query, "_HLS_part", broken);
  const auto *skip = query ? static_cast<const char *>(g_hash_table_lookup(query, "_HLS_skip")) : nullptr;
  request->query.skip = skip && (g_str_equal(skip, "YES") || g_str_equal(skip, "v2"));
  if (broken) {
    ++errors_;
    return reply(message, SOUP_STATUS_BAD_REQUEST, "text/plain", "_HLS_msn and _HLS_part are numbers.\n",
                 "no-store");
  }
  if (answer(*request)) return;
  if (!request->streaming) {
    ++held_;
    soup_server_message_pause(message);
  }
  g_signal_connect(message, "finished", G_CALLBACK(+[](SoupServerMessage *, gpointer data) {
                     static_cast<Request *>(data)->finished = true;
                   }),
                   request.get());
  g_signal_connect(message, "wrote-body-data",
                   G_CALLBACK(+[](SoupServerMessage *, guint size, gpointer data) {
                     auto *r = static_cast<Request *>(data);
                     r->written += size;
                     r->progress = g_get_monotonic_time();
                   }),
                   request.get());
  requests_.push_back(std::move(request));
}

void Origin::answer_fixed(SoupServerMessage *message, const std::string &path) {
  if (path.empty()) return reply(message, 200, "text/html; charset=utf-8", texts_->page, "no-cache");
  if (path == "time")
    return reply(message, 200, "text/plain", publish::utc_text(publish::utc_now()), "no-store");
  if (path == "metrics") return reply(message, 200, "text/plain; version=0.0.4", metrics(), "no-store");
  if (path.starts_with("player/"))
    if (const auto found = texts_->players.find(path.substr(7)); found != texts_->players.end())
      return reply(message, 200, "text/javascript", found->second, "max-age=3600");
  ++errors_;
  reply(message, 404, "text/plain",
        "There is nothing here. The stream is at /manifest.mpd and /master.m3u8.\n", "no-cache");
}

bool Origin::answer(Request &request) {
  if (!live()) {
    if (g_get_monotonic_time() - request.started < 10 * kMicroseconds) return false;
    set_header(request.message.get(), "Retry-After", "2");
    ++errors_;
    reply(request.message.get(), 503, "text/plain", "Nothing is on air yet.\n", "no-store");
    return true;
  }
  const bool manifest = request.path.ends_with(".m3u8") || request.path == "manifest.mpd";
  return manifest ? answer_playlist(request) : answer_object(request);
}

bool Origin::answer_playlist(Request &request) {
  const auto on_air = live();
  Texts &texts = *texts_;
  const std::uint64_t version = on_air->version();
  if (texts.version != version || texts.live != on_air.get()) {
    texts.entries.clear();
    texts.version = version;
    texts.live = on_air.get();
  }
  const publish::PlaylistQuery &query = request.query;
  const std::string key =
      fmt::format("{}?{}&{}&{}", request.path, query.msn ? fmt::to_string(*query.msn) : "",
                  query.part ? fmt::to_string(*query.part) : "", query.skip);
  const bool dash = request.path == "manifest.mpd";
  auto found = texts.entries.find(key);
  if (found == texts.entries.end()) {
    const publish::PlaylistReply made =
        dash ? on_air->mpd(publish::utc_now())
        : request.path == "master.m3u8"
            ? on_air->multivariant()
            : on_air->playlist(std::string_view(request.path).substr(0, request.path.size() - 5), query);
    // A flood of different wrong queries must not fill the memory.
    if (texts.entries.size() > 10 * kLongestQuery) texts.entries.clear();
    found = texts.entries.emplace(key, Texts::Entry{made.status, made.text, {}}).first;
    if (made.status == 200) found->second.gzip = gzip(made.text);
  }
  Texts::Entry &entry = found->second;
  SoupServerMessage *message = request.message.get();
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  if (entry.status == 0) {
    if (static_cast<double>(g_get_monotonic_time() - request.started) / 1e6 < 3 * std::max(1.0, target))
      return false;
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
  const std::string cache = query.msn ? fmt::format("max-age={:.0f}", 6 * target)
                            : dash    ? "max-age=1"
                                      : fmt::format("max-age={:.0f}", std::max(1.0, target / 2)); // HLS-66
  set_header(message, "Vary", "Accept-Encoding");
  if (!entry.gzip.empty() && accepts_gzip(message)) {
    set_header(message, "Content-Encoding", "gzip");
    reply(message, 200, dash ? kDashType : kHlsType, entry.gzip, cache);
  } else {
    reply(message, 200, dash ? kDashType : kHlsType, entry.text, cache);
  }
  return true;
}

bool Origin::answer_object(Request &request) {
  using publish::Found;
  const auto on_air = live();
  const publish::ObjectView view = on_air->object(request.path);
  SoupServerMessage *message = request.message.get();
  if (request.streaming) return feed(request, view);
  const auto target = static_cast<double>(on_air->config().segment_duration) / 1e9;
  switch (view.found) {
  case Found::hold:
    if (static_cast<double>(g_get_monotonic_time() - request.started) / 1e6 < 1.5 * std::max(1.0, target))
      return false;
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
  return feed(request, view);
}

// Appends what is new; true when the object is whole.
bool Origin::feed(Request &request, const publish::ObjectView &view) {
  SoupMessageBody *body = soup_server_message_get_response_body(request.message.get());
  for (; request.sent_chunks < view.chunks.size(); ++request.sent_chunks) {
    request.fresh = true;
    if (request.appended == request.written) request.progress = g_get_monotonic_time();
    append_chunk(body, view.chunks[request.sent_chunks]);
    request.appended += view.chunks[request.sent_chunks]->size();
  }
  const bool whole = view.found != publish::Found::growing;
  if (whole) soup_message_body_complete(body);
  return whole;
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
    const bool stalled = now - request->progress > settings_.stall_timeout * kMicroseconds;
    if (!stalled && request->appended - request->written < settings_.client_bytes) continue;
    ++dropped_;
    request->finished = true;
    if (GSocket *socket = soup_server_message_get_socket(request->message.get()))
      g_socket_shutdown(socket, TRUE, TRUE, nullptr);
  }
  look_again();
}

std::string Origin::metrics() const {
  const OriginStats now = stats();
  std::string out;
  const auto add = [&out](const char *name, const char *type, const char *help, std::uint64_t value) {
    out += fmt::format("# HELP hull_{0} {1}\n# TYPE hull_{0} {2}\nhull_{0} {3}\n", name, help, type, value);
  };
  add("http_requests_total", "counter", "Requests answered or waiting", now.requests);
  add("http_body_bytes_total", "counter", "Body bytes sent", now.bytes);
  add("http_errors_total", "counter", "Replies of 400 and above", now.errors);
  add("http_held_requests_total", "counter", "Requests that had to wait for the stream", now.held);
  add("http_dropped_clients_total", "counter", "Clients cut off because they took nothing",
      now.dropped_clients);
  add("http_refused_connections_total", "counter", "Connections above the limits", now.refused);
  add("http_connections", "gauge", "Open connections", now.connections);
  add("http_waiting_requests", "gauge", "Requests that wait now", now.waiting);
  add("http_streaming_requests", "gauge", "Objects being sent while they grow", now.streaming);
  if (const auto on_air = live()) {
    const auto window = on_air->stats();
    add("chunks_total", "counter", "Chunks published", window.chunks);
    add("segments_total", "counter", "Segments published", window.segments);
    add("late_segments_total", "counter", "Segments more than a quarter too long", window.late_segments);
    add("gap_segments_total", "counter", "Segments lost at the input", window.gaps);
    add("window_bytes", "gauge", "Bytes of media held", window.bytes_held);
  }
  return out;
}

} // namespace hull::cmaf
