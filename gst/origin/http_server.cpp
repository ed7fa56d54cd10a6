#include "gst/origin/http_server.h"

#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <fmt/format.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <glib-unix.h>

namespace hull::origin {
namespace {

constexpr int kBacklog = 4096; // cut by net.core.somaxconn, 4096 on Debian 12
constexpr int kAcceptsPerTurn = 64;
constexpr int kEventsPerTurn = 256;
constexpr unsigned kReadsPerTurn = 32;      // of one client
constexpr unsigned kLeaveTimeout = 2;       // seconds
constexpr unsigned kOutgoingTimeout = 5;    // seconds
constexpr std::size_t kMostOutgoing = 64;   // out of kSpareDescriptors
constexpr unsigned kHandshakesPerTurn = 16; // some 5 ms: those who are connected want their bytes in between
constexpr rlim_t kSpareDescriptors = 128;   // what the rest of the process needs

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

std::string address_text(const sockaddr_storage &from) {
  char text[INET6_ADDRSTRLEN] = "";
  const void *address =
      from.ss_family == AF_INET6
          ? static_cast<const void *>(&reinterpret_cast<const sockaddr_in6 &>(from).sin6_addr)
          : &reinterpret_cast<const sockaddr_in &>(from).sin_addr;
  return inet_ntop(from.ss_family, address, text, sizeof text) ? text : "";
}

std::string take(GError *error) {
  const std::string text = error ? error->message : "no reason given";
  g_clear_error(&error);
  return text;
}

} // namespace

Result<GRef<GSocket>> listen_on(const std::string &address, unsigned port) {
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
  if (!g_socket_bind(socket.get(), where.get(), TRUE, &error) || !g_socket_listen(socket.get(), &error))
    return fail(ErrorCode::io, "Cannot listen on " + address + " port " + std::to_string(port) + ": " +
                                   take(error) + ". Choose another port, or port=0 for any free one.");
  return socket;
}

unsigned port_of(GSocket *socket) {
  const auto local = GRef<GSocketAddress>::adopt(g_socket_get_local_address(socket, nullptr));
  return local ? g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local.get())) : 0;
}

HttpServer::HttpServer(GRef<GSocket> socket, ServerLimits limits, std::optional<TlsContext> tls,
                       std::string common, Hooks hooks)
    : socket_(std::move(socket)),
      limits_(limits),
      tls_(std::move(tls)),
      common_(std::move(common)),
      hooks_(std::move(hooks)),
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  limits_.connections = raise_descriptor_limit(limits_.connections);
  if (limits_.connections_per_address == 0) limits_.connections_per_address = limits_.connections;
}

HttpServer::~HttpServer() {
  close(epoll_);
}

void HttpServer::stop() {
  g_source_destroy(source_);
  g_source_unref(source_);
  g_socket_close(socket_.get(), nullptr);
  connections_.clear();
  total_ = 0;
}

void HttpServer::attach(GMainContext *context) {
  context_ = context;
  epoll_event event{}; // data 0: the listening socket
  epoll_ctl(epoll_, EPOLL_CTL_ADD, g_socket_get_fd(socket_.get()), &event);
  watch_listener(EPOLLIN);
  source_ = g_unix_fd_source_new(epoll_, G_IO_IN);
  g_source_set_callback(source_, G_SOURCE_FUNC(+[](gint, GIOCondition, gpointer self) -> gboolean {
                          static_cast<HttpServer *>(self)->turn();
                          return G_SOURCE_CONTINUE;
                        }),
                        this, nullptr);
  g_source_attach(source_, context);
}

void HttpServer::watch_listener(unsigned events) {
  epoll_event event{};
  event.events = events;
  epoll_ctl(epoll_, EPOLL_CTL_MOD, g_socket_get_fd(socket_.get()), &event);
}

void HttpServer::turn() {
  g_source_set_ready_time(source_, -1);
  handshakes_left_ = kHandshakesPerTurn;
  serve_waiting();
  epoll_event events[kEventsPerTurn];
  const int count = epoll_wait(epoll_, events, kEventsPerTurn, 0);
  for (int i = 0; i < count; ++i) {
    if (events[i].data.u64 == 0)
      accept_some();
    else
      on_ready(events[i].data.u64, events[i].events);
  }
}

void HttpServer::serve_waiting() {
  const std::set<Number> unread = std::move(unread_);
  unread_.clear();
  for (const Number number : unread)
    on_ready(number, EPOLLIN);
  while (!shaking_.empty() && handshakes_left_ > 0)
    on_ready(*shaking_.begin(), EPOLLIN);
  if (!shaking_.empty()) g_source_set_ready_time(source_, 0);
}

// Not all of a crowd in one turn: those who are connected want their bytes in between.
void HttpServer::accept_some() {
  for (int i = 0; i < kAcceptsPerTurn; ++i) {
    sockaddr_storage from{};
    socklen_t size = sizeof from;
    const int fd = accept4(g_socket_get_fd(socket_.get()), reinterpret_cast<sockaddr *>(&from), &size,
                           SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd < 0) {
      // Out of descriptors: the listening socket would be ready for ever. sweep() watches it again.
      if (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS) watch_listener(0);
      return;
    }
    admit(fd, address_text(from));
  }
}

bool HttpServer::has_share_left(const std::string &address) const {
  if (limits_.connections_per_address >= limits_.connections) return true;
  const auto here = by_address_.find(address);
  return here == by_address_.end() || here->second < limits_.connections_per_address;
}

// Whether one more connection from `address` may come in.
bool HttpServer::make_room(const std::string &address) {
  if (!has_share_left(address)) return false;
  if (connections_.size() - outgoing_.size() < limits_.connections) return true;
  Connection *gives_way = silent_.empty() ? longest_idle() : connections_.at(*silent_.begin()).get();
  if (!gives_way) return false;
  ++refused_;
  hooks_.log.line(LogLevel::debug, [&] {
    return fmt::format("{} connections are there: one of {} that asks for nothing gives way to {}",
                       connections_.size(), gives_way->address(), address);
  });
  if (silent_.empty() && outgoing_.size() < kMostOutgoing)
    let_go(*gives_way);
  else
    remove(gives_way->number());
  return true;
}

Connection *HttpServer::longest_idle() const {
  Connection *longest = nullptr;
  gint64 oldest = 0;
  for (const auto &[number, connection] : connections_) {
    const auto since = connection->idle_since();
    if (!since || outgoing_.contains(number) || (longest && *since >= oldest)) continue;
    longest = connection.get();
    oldest = *since;
  }
  return longest;
}

// It counts no more, and ends when its client has read that it does.
void HttpServer::let_go(Connection &connection) {
  const auto here = by_address_.find(connection.address());
  if (--here->second == 0) by_address_.erase(here);
  outgoing_.insert(connection.number());
  connection.say_goodbye();
  pump(connection);
}

void HttpServer::admit(int fd, const std::string &address) {
  const bool welcome = make_room(address);
  if (!welcome) {
    hooks_.log.line(LogLevel::debug, [&] {
      return fmt::format("{} is refused: {} connections are there of {}, {} of one address allowed", address,
                         connections_.size(), limits_.connections, limits_.connections_per_address);
    });
    ++refused_;
    if (outgoing_.size() >= kMostOutgoing) {
      close(fd);
      return;
    }
  }
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
  const Number number = next_number_++;
  connections_[number] = std::make_unique<Connection>(
      number, tls_ ? tls_->accept(Fd(fd)) : std::make_unique<Transport>(Fd(fd)), address, common_);
  if (welcome) {
    ++by_address_[address];
    silent_.insert(number);
  } else {
    outgoing_.insert(number);
  }
  total_ = static_cast<unsigned>(connections_.size());
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET; // told once of every change
  event.data.u64 = number;
  epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event);
}

void HttpServer::on_ready(Number number, unsigned events) {
  const auto found = connections_.find(number);
  if (found == connections_.end()) return;
  Connection &connection = *found->second;
  if (events & (EPOLLERR | EPOLLHUP)) connection.cut();
  if (events & EPOLLRDHUP) connection.left();
  if (events & EPOLLIN) connection.readable();
  if (events & EPOLLOUT) connection.writable();
  pump(connection);
}

// False: the handshake waits, for the client or for the next turn.
bool HttpServer::shake_hands(Connection &connection) {
  if (connection.state() != Connection::State::handshake) return true;
  if (handshakes_left_ == 0) {
    shaking_.insert(connection.number());
    g_source_set_ready_time(source_, 0);
    return false;
  }
  if (tls_) --handshakes_left_;
  shaking_.erase(connection.number());
  connection.shake_hands();
  return connection.state() != Connection::State::handshake;
}

// Sends what there is room for; who is told of it may have more.
void HttpServer::go_on(Connection &connection) {
  connection.go_on();
  while (Exchange *exchange = connection.next_drained()) {
    hooks_.drained(*exchange);
    connection.go_on();
  }
}

void HttpServer::pump(Connection &connection) {
  const Number number = connection.number();
  if (connection.alive() && !shake_hands(connection)) return;
  go_on(connection); // an answer that ends here makes place for the next request
  unsigned requests = 0;
  while (requests < kReadsPerTurn) {
    Exchange *exchange = connection.next_request(kReadsPerTurn);
    if (!exchange) break;
    ++requests;
    silent_.erase(number);
    if (!outgoing_.contains(number)) {
      hooks_.asked(*exchange);
      continue;
    }
    HttpReply full(503, "text/plain", "no-store", {nullptr, "Too many viewers are here.\n"});
    full.add("Retry-After", "2");
    exchange->reply_last(std::move(full));
    connection.say_goodbye();
  }
  go_on(connection);
  while (Exchange *exchange = connection.next_gone())
    hooks_.gone(*exchange);
  connection.forget_gone();
  bytes_ += connection.take_sent();
  if (!connection.alive()) return remove(number);
  if (requests < kReadsPerTurn && !connection.may_read()) return;
  unread_.insert(number);
  g_source_set_ready_time(source_, 0);
}

void HttpServer::remove(Number number) {
  const auto found = connections_.find(number);
  for (Exchange *exchange : found->second->exchanges())
    hooks_.gone(*exchange);
  const auto here = by_address_.find(found->second->address());
  if (outgoing_.erase(number) == 0 && --here->second == 0) by_address_.erase(here);
  silent_.erase(number);
  unread_.erase(number);
  shaking_.erase(number);
  epoll_ctl(epoll_, EPOLL_CTL_DEL, found->second->fd(), nullptr);
  connections_.erase(found);
  total_ = static_cast<unsigned>(connections_.size());
}

void HttpServer::sweep() {
  watch_listener(EPOLLIN);
  std::vector<Number> all; // who goes is taken out meanwhile
  for (const auto &[number, connection] : connections_)
    all.push_back(number);
  for (const Number number : all)
    sweep(*connections_.at(number));
}

void HttpServer::sweep(Connection &connection) {
  using State = Connection::State;
  const auto before = [now = g_get_monotonic_time()](unsigned seconds) {
    return now - gint64{seconds} * G_USEC_PER_SEC;
  };
  const auto log = [&](const char *what) {
    hooks_.log.line(LogLevel::debug, [&] { return connection.address() + what; });
  };
  const State state = connection.state();
  const auto idle = connection.idle_since();
  const gint64 stalled = before(limits_.stall_timeout);
  const std::uint64_t least = std::uint64_t{limits_.least_rate} * limits_.stall_timeout;
  const bool stalls = connection.stalls(stalled, least);
  const unsigned streams = stalls ? 0 : connection.drop_stalled(stalled, least);
  dropped_ += stalls ? 1 : streams;
  if (stalls) log(" takes too little of its reply: its connection is cut");
  if (streams) log(" takes too little of its replies: their streams are reset");
  const unsigned patience = outgoing_.contains(connection.number()) ? kOutgoingTimeout : ~0u;
  if (stalls || connection.since() < before(patience) ||
      (state == State::handshake && connection.since() < before(limits_.handshake_timeout)) ||
      (state == State::leaving && connection.since() < before(kLeaveTimeout))) {
    connection.cut();
  } else if (idle && *idle < before(limits_.idle_timeout)) {
    log(" asks for nothing: its connection ends");
    connection.say_goodbye();
  }
  if (connection.state() != State::handshake) pump(connection);
}

} // namespace hull::origin
