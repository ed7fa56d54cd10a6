#include "gst/origin/origin.h"

#include "gst/origin/page.h"
#include "gst/publish/utc.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <pthread.h>

namespace hull::origin {
namespace {

std::optional<std::uint64_t> number_in(const HttpRequest &request, const char *name, bool &broken) {
  const char *text = request.parameter(name);
  if (!text) return std::nullopt;
  const std::string_view view(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size()) broken = true;
  return value;
}

/// Header lines of every reply. Cross-origin ones are for players on other pages; `cors` empty = none.
std::string common_headers(const std::string &cors) {
  HttpReply reply;
  reply.add("Server", "gst-plugins-hull");
  if (cors.empty()) return reply.headers;
  reply.add("Access-Control-Allow-Origin", cors);
  reply.add("Access-Control-Expose-Headers", "Date, Age, Content-Length, Content-Range, ETag, Server");
  reply.add("Timing-Allow-Origin", cors);
  if (cors != "*") reply.add("Vary", "Origin");
  return reply.headers;
}

/// What a page may send: the usual ones, and what its preflight asks for (CMCD, Authorization), since nothing
/// that is served here depends on them.
std::string allowed_headers(const HttpRequest &asked) {
  std::string allowed = "Range, If-Modified-Since, Content-Type, X-Requested-With";
  const char *wanted = soup_message_headers_get_list(asked.headers.get(), "Access-Control-Request-Headers");
  constexpr std::size_t kMost = 1024;
  const std::string_view names = wanted ? wanted : "";
  const bool plain =
      names.size() < kMost && std::all_of(names.begin(), names.end(), [](char c) {
        return g_ascii_isalnum(c) || std::string_view("-_, ").find(c) != std::string_view::npos;
      });
  if (plain && !names.empty()) allowed += fmt::format(", {}", names);
  return allowed;
}

} // namespace

Result<std::unique_ptr<Origin>> Origin::start(OriginSettings settings) {
  std::optional<TlsContext> tls;
  if (!settings.certificate.empty()) {
    auto loaded = TlsContext::load(settings.certificate);
    if (!loaded) return tl::unexpected(loaded.error());
    tls = std::move(*loaded);
  }
  auto socket = listen_on(settings.bind_address, settings.port);
  if (!socket) return tl::unexpected(socket.error());
  return std::unique_ptr<Origin>(new Origin(std::move(settings), std::move(*socket), std::move(tls)));
}

Origin::Origin(OriginSettings settings, GRef<GSocket> socket, std::optional<TlsContext> tls)
    : settings_(std::move(settings)),
      port_(port_of(socket.get())),
      context_(g_main_context_new()),
      loop_(g_main_loop_new(context_, FALSE)),
      players_(load_players(settings_.player_dir)),
      page_(player_page(players_)),
      playlists_(settings_.log) {
  HttpServer::Hooks hooks;
  hooks.asked = [this](Exchange &client) { handle(client); };
  hooks.drained = [this](Exchange &client) {
    const auto found = open_.find(&client);
    if (found != open_.end() && answer(client, found->second)) open_.erase(found);
  };
  hooks.gone = [this](Exchange &client) { open_.erase(&client); };
  hooks.log = settings_.log;
  server_ = std::make_unique<HttpServer>(std::move(socket), settings_.limits, std::move(tls),
                                         common_headers(settings_.cors_origin), std::move(hooks));
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
  server_->attach(context_);
  GSource *timer = g_timeout_source_new(500);
  g_source_set_callback(
      timer,
      [](gpointer self) -> gboolean {
        auto &origin = *static_cast<Origin *>(self);
        origin.server_->sweep();
        origin.look_again();
        return G_SOURCE_CONTINUE;
      },
      this, nullptr);
  g_source_attach(timer, context_);
  g_main_loop_run(loop_);
  g_source_destroy(timer);
  g_source_unref(timer);
  open_.clear();
  server_->stop();
  while (g_main_context_iteration(context_, FALSE)) {
  }
  g_main_context_pop_thread_default(context_);
}

void Origin::publish(std::shared_ptr<const publish::Live> live) {
  {
    const Lock lock(live_mutex_);
    live_ = std::move(live);
  }
  kick();
}

std::shared_ptr<const publish::Live> Origin::live() const {
  const Lock lock(live_mutex_);
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
  stats.errors = errors_;
  stats.held = held_;
  stats.waiting = waiting_;
  stats.streaming = streaming_;
  stats.bytes = server_->bytes();
  stats.dropped_clients = server_->dropped();
  stats.connections = server_->connections();
  stats.refused = server_->refused();
  return stats;
}

void Origin::handle(Exchange &client) {
  const HttpRequest &asked = client.request();
  Request request;
  request.path = asked.path;
  const bool manifest = request.is_manifest();
  const bool object = request.path.find('/') != std::string::npos && !request.path.starts_with("player/");
  ++(manifest ? manifests_ : object ? objects_ : others_);
  settings_.log.line(LogLevel::log, [&] {
    return fmt::format("{} asks for {} {}", client.address(), asked.method, asked.path);
  });
  if (asked.method == "OPTIONS") {
    HttpReply reply;
    reply.status = 204;
    reply.add("Access-Control-Allow-Methods", "GET, HEAD, OPTIONS");
    reply.add("Access-Control-Allow-Headers", allowed_headers(asked));
    reply.add("Access-Control-Max-Age", "86400");
    return client.reply(std::move(reply));
  }
  if (asked.method != "GET" && asked.method != "HEAD") {
    ++errors_;
    settings_.log.line(LogLevel::debug, [&] {
      return fmt::format("{} is refused {} {}: 405", client.address(), asked.method, asked.path);
    });
    HttpReply reply(405, "text/plain", "no-store", slice_of("Only GET, HEAD and OPTIONS.\n"));
    reply.add("Allow", "GET, HEAD, OPTIONS");
    return client.reply(std::move(reply));
  }
  if (!manifest && !object) return answer_fixed(client, request.path);
  bool broken = false;
  request.query.msn = number_in(asked, "_HLS_msn", broken);
  request.query.part = number_in(asked, "_HLS_part", broken);
  const char *skip = asked.parameter("_HLS_skip");
  request.query.skip = skip && (g_str_equal(skip, "YES") || g_str_equal(skip, "v2"));
  if (broken) {
    refuse(client, 400, "_HLS_msn and _HLS_part are numbers.\n", "no-store");
    return;
  }
  if (answer(client, request)) return;
  if (!request.streaming) ++held_;
  open_.insert_or_assign(&client, std::move(request));
}

void Origin::answer_fixed(Exchange &client, const std::string &path) {
  if (path.empty()) return client.reply({200, "text/html; charset=utf-8", "no-cache", {nullptr, page_}});
  if (path == "time")
    return client.reply({200, "text/plain", "no-store", slice_of(publish::utc_text(now()))});
  if (path == "metrics")
    return client.reply(
        {200, "text/plain; version=0.0.4", "no-store", slice_of(metrics_text(stats(), live().get()))});
  if (path.starts_with("player/"))
    if (const auto found = players_.find(path.substr(7)); found != players_.end())
      return client.reply({200, "text/javascript", "max-age=3600", {nullptr, found->second}});
  refuse(client, 404, "There is nothing here. The stream is at /manifest.mpd and /master.m3u8.\n",
         "no-cache");
}

bool Origin::refuse(Exchange &client, int status, std::string text, const char *cache_control,
                    const char *retry_after) {
  ++errors_;
  settings_.log.line(LogLevel::debug, [&] {
    return fmt::format("{} is refused {}: {} {}", client.address(), client.request().path, status,
                       std::string_view(text).substr(0, text.find_last_not_of('\n') + 1));
  });
  HttpReply reply(status, "text/plain", cache_control, slice_of(std::move(text)));
  if (retry_after) reply.add("Retry-After", retry_after);
  client.reply(std::move(reply));
  return true;
}

} // namespace hull::origin
