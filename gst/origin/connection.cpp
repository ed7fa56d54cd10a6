#include "gst/origin/connection.h"

#include "gst/origin/http1.h"
#include "gst/origin/http2.h"

namespace hull::origin {
namespace {

constexpr std::size_t kReadSize = 16 * 1024;
constexpr std::uint64_t kMostThrownAway = 1 << 20;

} // namespace

Connection::Connection(std::uint64_t number, std::unique_ptr<Transport> transport, std::string address,
                       const std::string &common)
    : number_(number), address_(std::move(address)), common_(common), wire_(std::move(transport)) {
  enter(State::handshake);
}

void Connection::enter(State state) {
  state_ = state;
  since_ = g_get_monotonic_time();
}

void Connection::writable() {
  wire_.has_room();
  if (wire_.transport().read_waits_for_room()) may_read_ = true;
}

void Connection::shake_hands() {
  if (state_ != State::handshake) return;
  const Transport::Status status = wire_.transport().handshake();
  if (status == Transport::Status::later) return;
  may_read_ = true;                         // the bytes behind the handshake may have come with it
  if (status == Transport::Status::ended) { // an alert, or an answer in the clear, is on its way
    wire_.transport().say_end();
    return enter(State::leaving);
  }
  const std::string_view protocol = wire_.transport().protocol();
  if (protocol == "h2") return serve_http_2();
  if (!protocol.empty()) return serve_http_1();
  enter(State::greeting);
}

void Connection::serve_http_1() {
  protocol_ = std::make_unique<Http1>(wire_, number_, address_, common_);
  enter(State::serving);
}

void Connection::serve_http_2() {
  protocol_ = std::make_unique<Http2>(wire_, number_, address_, common_);
  enter(State::serving);
}

void Connection::take(std::string_view bytes) {
  if (state_ == State::serving) return protocol_->take(bytes);
  greeting_ += bytes;
  const bool whole = greeting_.starts_with(Http2::kPreface);
  if (!whole && Http2::kPreface.starts_with(greeting_)) return;
  whole ? serve_http_2() : serve_http_1();
  protocol_->take(greeting_);
  greeting_ = {};
}

Exchange *Connection::next_request(unsigned turns) {
  for (unsigned turn = 0;; ++turn) {
    Exchange *asked = state_ == State::serving ? protocol_->next_request() : nullptr;
    if (asked) return asked;
    if (state_ == State::leaving) discard();
    if (turn == turns || state_ == State::leaving || !may_read() || !read_some()) return nullptr;
  }
}

bool Connection::may_read() const {
  return may_read_ && (state_ == State::greeting || (state_ == State::serving && protocol_->wants_bytes()));
}

// False: there is nothing to read now, or never again.
bool Connection::read_some() {
  char buffer[kReadSize];
  const auto [status, bytes] = wire_.transport().read(buffer);
  if (status == Transport::Status::good) take({buffer, bytes});
  if (status == Transport::Status::later) may_read_ = false;
  if (status == Transport::Status::ended) cut();
  return status == Transport::Status::good;
}

void Connection::discard() {
  while (may_read_ && state_ == State::leaving) {
    const auto [status, bytes] = wire_.transport().discard();
    may_read_ = status == Transport::Status::good;
    thrown_away_ += bytes;
    if (status == Transport::Status::ended || thrown_away_ > kMostThrownAway) cut();
  }
}

void Connection::go_on() {
  if (state_ != State::serving) return;
  protocol_->go_on();
  if (wire_.broken() || (left_ && protocol_->abandoned())) return cut();
  if (!protocol_->ended() || wire_.queued() > 0) return;
  wire_.transport().say_end();
  enter(State::leaving);
}

void Connection::forget_gone() {
  if (protocol_) protocol_->forget_gone();
}

std::vector<Exchange *> Connection::exchanges() {
  return protocol_ ? protocol_->exchanges() : std::vector<Exchange *>();
}

void Connection::say_goodbye() {
  if (state_ != State::serving) return cut();
  protocol_->say_goodbye();
  go_on();
}

std::optional<gint64> Connection::idle_since() const {
  if (state_ == State::greeting) return since_;
  return state_ == State::serving ? protocol_->idle_since() : std::nullopt;
}

} // namespace hull::origin
