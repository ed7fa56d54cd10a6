#include "plugins/cmaf/listener.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>

namespace hull::cmaf {
namespace {

constexpr int kBacklog = 4096; // cut by net.core.somaxconn, 4096 on Debian 12
constexpr int kAcceptsPerTurn = 64;
constexpr rlim_t kSpareDescriptors = 128; // what the rest of the process needs

/// Connections this process can hold; raises the soft limit of descriptors as far as the hard one allows.
unsigned raise_descriptor_limit(unsigned wanted) {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur < wanted + kSpareDescriptors) {
    limit.rlim_cur = std::min<rlim_t>(wanted + kSpareDescriptors, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur <= kSpareDescriptors) return 16;
  return static_cast<unsigned>(std::min<rlim_t>(wanted, limit.rlim_cur - kSpareDescriptors));
}

std::string address_text(GSocketAddress *address) {
  if (!G_IS_INET_SOCKET_ADDRESS(address)) return {};
  const OwnedText text(
      g_inet_address_to_string(g_inet_socket_address_get_address(G_INET_SOCKET_ADDRESS(address))));
  return text.c_str();
}

std::string take(GError *error) {
  const std::string text = error ? error->message : "no reason given";
  g_clear_error(&error);
  return text;
}

} // namespace

struct Listener::Tie {
  Tie(std::shared_ptr<Counters> shared, std::string from)
      : counters(std::move(shared)), address(std::move(from)) {
    ++counters->total;
  }
  ~Tie() {
    --counters->total;
    const std::lock_guard lock(counters->mutex);
    const auto found = counters->by_address.find(address);
    if (found != counters->by_address.end() && --found->second == 0) counters->by_address.erase(found);
  }
  std::shared_ptr<Counters> counters;
  std::string address;
};

Result<GRef<GSocket>> Listener::bind(const std::string &address, unsigned port) {
  const auto inet = GRef<GInetAddress>::adopt(g_inet_address_new_from_string(address.c_str()));
  if (!inet)
    return fail(ErrorCode::settings,
                "bind-address \"" + address +
                    "\" is no IP address; use 127.0.0.1 for this machine only, 0.0.0.0 or :: for all.");
  GError *error = nullptr;
  auto socket = GRef<GSocket>::adopt(g_socket_new(g_inet_address_get_family(inet.get()), G_SOCKET_TYPE_STREAM,
                                                  G_SOCKET_PROTOCOL_TCP, &error));
  if (!socket) return fail(ErrorCode::io, "No socket can be made: " + take(error));
  const auto where =
      GRef<GSocketAddress>::adopt(g_inet_socket_address_new(inet.get(), static_cast<guint16>(port)));
  g_socket_set_listen_backlog(socket.get(), kBacklog);
  g_socket_set_blocking(socket.get(), FALSE);
  if (!g_socket_bind(socket.get(), where.get(), TRUE, &error) || !g_socket_listen(socket.get(), &error))
    return fail(ErrorCode::io, "Cannot listen on " + address + " port " + std::to_string(port) + ": " +
                                   take(error) + ". Choose another port, or port=0 for any free one.");
  return socket;
}

unsigned Listener::port_of(GSocket *socket) {
  const auto local = GRef<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  return local ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local.get())) : 0;
}

Listener::Listener(GRef<GSocket> socket, ListenerLimits limits, GRef<GTlsCertificate> certificate,
                   Accept accept)
    : socket_(std::move(socket)),
      limits_(limits),
      certificate_(std::move(certificate)),
      accept_(std::move(accept)) {
  limits_.connections = raise_descriptor_limit(limits_.connections);
  if (limits_.connections_per_address == 0) limits_.connections_per_address = limits_.connections;
}

Listener::~Listener() {
  if (source_) {
    g_source_destroy(source_);
    g_source_unref(source_);
  }
  g_socket_close(socket_.get(), nullptr);
}

void Listener::attach(GMainContext *context) {
  source_ = g_socket_create_source(socket_.get(), G_IO_IN, nullptr);
  g_source_set_callback(source_, G_SOURCE_FUNC(&Listener::on_readable), this, nullptr);
  g_source_attach(source_, context);
}

gboolean Listener::on_readable(GSocket *, GIOCondition, gpointer self) {
  auto &listener = *static_cast<Listener *>(self);
  // Not all of a crowd in one turn: those who are connected want their bytes in between.
  for (int i = 0; i < kAcceptsPerTurn && listener.accept_one(); ++i) {
  }
  return G_SOURCE_CONTINUE;
}

bool Listener::accept_one() {
  const auto client = GRef<GSocket>::adopt(g_socket_accept(socket_.get(), nullptr, nullptr));
  if (!client) return false;
  admit(client.get());
  return true;
}

void Listener::admit(GSocket *client) {
  const auto remote = GRef<GSocketAddress>::adopt(g_socket_get_remote_address(client, nullptr));
  const auto local = GRef<GSocketAddress>::adopt(g_socket_get_local_address(client, nullptr));
  if (!remote || !local) return;
  const std::string address = address_text(remote.get());
  bool full = counters_->total >= limits_.connections;
  if (!full) {
    const std::lock_guard lock(counters_->mutex);
    unsigned &here = counters_->by_address[address];
    full = here >= limits_.connections_per_address;
    if (!full) ++here;
  }
  if (full) {
    static constexpr char kFull[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n";
    g_socket_send(client, kFull, sizeof kFull - 1, nullptr, nullptr);
    ++refused_;
    return;
  }
  g_socket_set_option(client, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  g_socket_set_keepalive(client, TRUE);
  g_socket_set_timeout(client, limits_.idle_timeout);
  g_object_set_data_full(G_OBJECT(client), "hull-tie", new Tie(counters_, address),
                         [](gpointer tie) { delete static_cast<Tie *>(tie); });
  const auto connection =
      GRef<GIOStream>::adopt(G_IO_STREAM(g_socket_connection_factory_create_connection(client)));
  if (!certificate_) return accept_(connection.get(), local.get(), remote.get());
  const auto secure =
      GRef<GIOStream>::adopt(g_tls_server_connection_new(connection.get(), certificate_.get(), nullptr));
  if (secure) accept_(secure.get(), local.get(), remote.get());
}

} // namespace hull::cmaf
