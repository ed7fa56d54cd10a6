#include "plugins/cmaf/listener.h"

#include "plugins/cmaf/gathering_stream.h"

#include <algorithm>
#include <cstring>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/resource.h>
#include <vector>

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

/// What the book knows a connection by.
std::string client_key(GSocketAddress *address) {
  if (!G_IS_INET_SOCKET_ADDRESS(address)) return {};
  return address_text(address) + " " +
         std::to_string(g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(address)));
}

void shut(const GRef<GSocket> &socket) {
  if (socket) g_socket_shutdown(socket.get(), TRUE, TRUE, nullptr);
}

std::string take(GError *error) {
  const std::string text = error ? error->message : "no reason given";
  g_clear_error(&error);
  return text;
}

} // namespace

GRef<GSocket> Listener::Book::socket_of(const std::string &client) {
  const std::lock_guard lock(mutex);
  const auto found = clients.find(client);
  if (found == clients.end()) return {};
  return GRef<GSocket>::adopt(static_cast<GSocket *>(g_weak_ref_get(&found->second.socket)));
}

struct Listener::Tie {
  Tie(std::shared_ptr<Book> shared, std::string key, std::string from, GSocket *socket)
      : book(std::move(shared)), client(std::move(key)), address(std::move(from)) {
    ++book->total;
    const std::lock_guard lock(book->mutex);
    number = book->next_number++;
    const auto [entry, fresh] = book->clients.try_emplace(client);
    if (!fresh) { // the port has come again before its former socket went
      book->silent.erase(entry->second.number);
      g_weak_ref_clear(&entry->second.socket);
    }
    g_weak_ref_init(&entry->second.socket, socket);
    entry->second.number = number;
    entry->second.waiting_since = g_get_monotonic_time();
    book->silent[number] = client;
  }
  ~Tie() {
    --book->total;
    const std::lock_guard lock(book->mutex);
    const auto here = book->by_address.find(address);
    if (here != book->by_address.end() && --here->second == 0) book->by_address.erase(here);
    book->silent.erase(number);
    const auto entry = book->clients.find(client);
    if (entry == book->clients.end() || entry->second.number != number) return;
    g_weak_ref_clear(&entry->second.socket);
    book->clients.erase(entry);
  }
  std::shared_ptr<Book> book;
  std::string client, address;
  std::uint64_t number = 0;
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

void Listener::asked(GSocketAddress *remote) {
  const std::lock_guard lock(book_->mutex);
  const auto found = book_->clients.find(client_key(remote));
  if (found == book_->clients.end()) return;
  found->second.waiting_since = 0;
  book_->silent.erase(found->second.number);
}

void Listener::answered(GSocketAddress *remote) {
  const std::lock_guard lock(book_->mutex);
  const auto found = book_->clients.find(client_key(remote));
  if (found != book_->clients.end()) found->second.waiting_since = g_get_monotonic_time();
}

void Listener::cut(GSocketAddress *remote) {
  shut(book_->socket_of(client_key(remote)));
}

void Listener::begin_chunked(GSocketAddress *remote) {
  if (const auto socket = book_->socket_of(client_key(remote))) begin_chunked_reply(socket.get());
}

void Listener::end_chunked(GSocketAddress *remote, std::uint64_t body) {
  if (const auto socket = book_->socket_of(client_key(remote))) end_chunked_reply(socket.get(), body);
}

void Listener::sweep() {
  const gint64 oldest = g_get_monotonic_time() - gint64{limits_.idle_timeout} * G_USEC_PER_SEC;
  std::vector<GRef<GSocket>> late;
  {
    const std::lock_guard lock(book_->mutex);
    for (auto &[key, client] : book_->clients)
      if (client.waiting_since && client.waiting_since < oldest)
        late.push_back(GRef<GSocket>::adopt(static_cast<GSocket *>(g_weak_ref_get(&client.socket))));
  }
  for (const auto &socket : late)
    shut(socket);
}

// Whether one more connection from `address` may come in; counts it.
bool Listener::make_room(const std::string &address) {
  std::string leaves;
  {
    const std::lock_guard lock(book_->mutex);
    const auto here = book_->by_address.find(address);
    const bool shared_out = limits_.connections_per_address < limits_.connections;
    if (shared_out && here != book_->by_address.end() && here->second >= limits_.connections_per_address)
      return false;
    if (book_->total >= limits_.connections) {
      if (book_->silent.empty()) return false;
      leaves = book_->silent.begin()->second;
      book_->silent.erase(book_->silent.begin()); // it is counted until its socket has gone
    }
    ++book_->by_address[address];
  }
  if (!leaves.empty()) {
    ++refused_;
    shut(book_->socket_of(leaves));
  }
  return true;
}

void Listener::admit(GSocket *client) {
  const auto remote = GRef<GSocketAddress>::adopt(g_socket_get_remote_address(client, nullptr));
  const auto local = GRef<GSocketAddress>::adopt(g_socket_get_local_address(client, nullptr));
  if (!remote || !local) return;
  const std::string address = address_text(remote.get());
  if (!make_room(address)) {
    static constexpr char kFull[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n"
        "Content-Length: 0\r\n\r\n";
    g_socket_send(client, kFull, sizeof kFull - 1, nullptr, nullptr);
    ++refused_;
    return;
  }
  g_socket_set_option(client, IPPROTO_TCP, TCP_NODELAY, 1, nullptr);
  g_socket_set_keepalive(client, TRUE);
  g_socket_set_timeout(client, limits_.idle_timeout); // also for a reader that takes nothing of a whole reply
  g_object_set_data_full(G_OBJECT(client), "hull-tie",
                         new Tie(book_, client_key(remote.get()), address, client),
                         [](gpointer tie) { delete static_cast<Tie *>(tie); });
  const auto connection =
      GRef<GSocketConnection>::adopt(g_socket_connection_factory_create_connection(client));
  if (!certificate_) return accept_(make_gathering_stream(connection.get()).get(), local.get(), remote.get());
  const auto secure = GRef<GIOStream>::adopt(
      g_tls_server_connection_new(G_IO_STREAM(connection.get()), certificate_.get(), nullptr));
  if (secure) accept_(secure.get(), local.get(), remote.get());
}

} // namespace hull::cmaf
