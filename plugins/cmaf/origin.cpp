#include "plugins/cmaf/origin.h"

#include "gst/publish/utc.h"
#include "plugins/cmaf/origin_request.h"
#include "plugins/cmaf/page.h"
#include "plugins/cmaf/reply.h"

#include <charconv>
#include <pthread.h>
#include <sys/socket.h>
#include <unistd.h>

namespace hull::cmaf {
namespace {

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
      players_(load_players(settings_.player_dir)),
      page_(player_page(players_)) {
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
  pthread_setname_np(pthread_self(), "hull-origin");
  g_main_context_push_thread_default(context_);
  server_ = GRef<SoupServer>::adopt(
      SOUP_SERVER(g_object_new(SOUP_TYPE_SERVER, "server-header", "gst-plugins-hull", nullptr)));
  soup_server_add_handler(
      server_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *path, GHashTable *query, gpointer self) {
        static_cast<Origin *>(self)->handle(message, path, query);
      },
      this, nullptr);
  // Before a body is read: nobody has anything to send here, and what is sent anyway is not kept.
  soup_server_add_early_handler(
      server_.get(), nullptr,
      [](SoupServer *, SoupServerMessage *message, const char *, GHashTable *, gpointer) {
        soup_message_body_set_accumulate(soup_server_message_get_request_body(message), FALSE);
      },
      nullptr, nullptr);
  g_signal_connect(server_.get(), "request-finished",
                   G_CALLBACK(+[](SoupServer *, SoupServerMessage *message, gpointer self) {
                     static_cast<Origin *>(self)->listener_->answered(
                         soup_server_message_get_remote_address(message));
                   }),
                   this);
  // libsoup ends every connection after one reply while it has no listener of its own (soup-server.c,
  // request_finished), so it gets one that nobody can reach: an end of a pair whose other end keeps silent.
  int pair[2] = {-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) == 0) {
    const auto silent = GRef<GSocket>::adopt(g_socket_new_from_fd(pair[0], nullptr));
    soup_server_listen_socket(server_.get(), silent.get(), SoupServerListenOptions(0), nullptr);
  }
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
  g_signal_handlers_disconnect_by_data(server_.get(), this);
  soup_server_disconnect(server_.get());
  listener_.reset();
  server_ = {};
  close(pair[1]);
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

// The clock of the stream on air, so that a player that asks never disagrees with the manifests.
std::int64_t Origin::now() const {
  const auto on_air = live();
  return on_air ? on_air->now() : publish::utc_now();
}

void Origin::kick() {
  g_source_set_ready_time(kick_source_, 0);
}

OriginStats Origin::stats() const {
  OriginStats stats;
  stats.manifests = manifests_;
  stats.objects = objects_;
  stats.others = others_;
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
  listener_->asked(soup_server_message_get_remote_address(message));
  g_signal_connect(message, "wrote-body-data",
                   G_CALLBACK(+[](SoupServerMessage *, guint size, gpointer self) {
                     static_cast<Origin *>(self)->bytes_ += size;
                   }),
                   this);
  const std::string method = soup_server_message_get_method(message);
  auto request = std::make_unique<Request>();
  request->message = GRef<SoupServerMessage>::retain(message);
  request->path = path && *path == '/' ? path + 1 : "";
  request->head = method == "HEAD";
  const bool manifest = request->is_manifest();
  const bool object = request->path.find('/') != std::string::npos && !request->path.starts_with("player/");
  ++(manifest ? manifests_ : object ? objects_ : others_);
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
  if (path.empty()) return reply(message, 200, "text/html; charset=utf-8", page_, "no-cache");
  if (path == "time") return reply(message, 200, "text/plain", publish::utc_text(now()), "no-store");
  if (path == "metrics")
    return reply(message, 200, "text/plain; version=0.0.4", metrics_text(stats(), live().get()), "no-store");
  if (path.starts_with("player/"))
    if (const auto found = players_.find(path.substr(7)); found != players_.end())
      return reply(message, 200, "text/javascript", found->second, "max-age=3600");
  ++errors_;
  reply(message, 404, "text/plain",
        "There is nothing here. The stream is at /manifest.mpd and /master.m3u8.\n", "no-cache");
}

} // namespace hull::cmaf
