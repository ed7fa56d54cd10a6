#include "gst/origin/connection.h"

#include "gst/core/file.h"

#include <algorithm>
#include <cerrno>
#include <fmt/format.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

namespace hull::origin {
namespace {

constexpr std::size_t kLongestHead = 32 * 1024;
constexpr std::size_t kReadSize = 8 * 1024;
constexpr std::size_t kPiecesPerWrite = 64;
constexpr std::uint64_t kMostThrownAway = 1 << 20;

/// Behind the empty line that ends a head; some clients write lines without CR.
std::size_t end_of_head(std::string_view text, std::size_t from) {
  for (std::size_t line = text.find('\n', from); line != std::string_view::npos;
       line = text.find('\n', line + 1)) {
    const std::string_view rest = text.substr(line + 1, 2);
    if (rest == "\r\n") return line + 3;
    if (rest.starts_with('\n')) return line + 2;
  }
  return std::string_view::npos;
}

} // namespace

Connection::Connection(std::uint64_t number, int fd, std::string address, GTlsCertificate *certificate,
                       const std::string &common)
    : number_(number), fd_(fd), address_(std::move(address)), common_(common) {
  enter(State::idle);
  if (!certificate) return;
  enter(State::handshake);
  const auto socket = GRef<GSocket>::adopt(g_socket_new_from_fd(fd, nullptr));
  if (!socket) {
    cut();
    return;
  }
  owns_fd_ = false; // the socket does
  const auto base =
      GRef<GSocketConnection>::adopt(g_socket_connection_factory_create_connection(socket.get()));
  tls_ = GRef<GTlsConnection>::adopt(
      G_TLS_CONNECTION(g_tls_server_connection_new(G_IO_STREAM(base.get()), certificate, nullptr)));
  if (!tls_) cut();
}

Connection::~Connection() {
  if (owns_fd_) close(fd_);
  if (!tls_) return;
  if (handshaking_) shutdown(fd_, SHUT_RDWR); // its thread waits for the client
  // Says good-bye on a thread of GIO; the stream lives until then.
  g_io_stream_close_async(G_IO_STREAM(tls_.get()), G_PRIORITY_DEFAULT, nullptr, nullptr, nullptr);
}

void Connection::enter(State state) {
  state_ = state;
  since_ = g_get_monotonic_time();
}

bool Connection::hello_complete() {
  std::uint8_t record[5] = {};
  int waiting = 0;
  if (ioctl(fd_, FIONREAD, &waiting) != 0 || recv(fd_, record, sizeof record, MSG_PEEK) < 5) return false;
  if (record[0] == 22) return waiting >= 5 + record[3] * 256 + record[4]; // RFC 8446 5.1
  static constexpr std::string_view kPlain =
      "HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain\r\n"
      "Content-Length: 27\r\n\r\nThis port speaks https://.\n";
  send(fd_, kPlain.data(), kPlain.size(), MSG_NOSIGNAL);
  cut();
  return false;
}

void Connection::handshake_done(bool good) {
  handshaking_ = false;
  if (state_ != State::handshake) return;
  enter(good ? State::idle : State::dead);
  may_read_ = true;
}

bool Connection::next_request(unsigned turns) {
  for (unsigned turn = 0; turn < turns && state_ == State::idle; ++turn) {
    if (take_request()) return state_ == State::busy;
    if (!may_read_ || !read_some()) return false;
  }
  while (state_ == State::leaving && may_read_ && read_some())
    if ((thrown_away_ += std::exchange(in_, {}).size()) > kMostThrownAway) cut();
  return false;
}

// What is in the buffer may already be a request, or be refused as one.
bool Connection::take_request() {
  const std::size_t begin = in_.find_first_not_of("\r\n"); // RFC 9112 2.2
  const std::size_t end = begin == std::string::npos ? begin : end_of_head(in_, begin);
  if (std::min(end, in_.size()) > kLongestHead) return refuse(431), true;
  if (end == std::string::npos) return false;
  std::string head = in_.substr(begin, end - begin);
  head.resize(head.find_last_not_of("\r\n") + 1);
  const int status = parse_request(head + "\r\n", request_);
  in_.erase(0, end);
  if (in_.empty()) in_.shrink_to_fit();
  if (status != 200) return refuse(status), true;
  enter(State::busy);
  return true;
}

void Connection::refuse(int status) {
  request_.keep_alive = false;
  enter(State::busy);
  reply(HttpReply(status, "text/plain", "no-store"));
}

// False: there is nothing to read now, or never again.
bool Connection::read_some() {
  char buffer[kReadSize];
  gssize count = 0;
  bool later = false;
  if (tls_) {
    GError *error = nullptr;
    GInputStream *stream = g_io_stream_get_input_stream(G_IO_STREAM(tls_.get()));
    count = g_pollable_input_stream_read_nonblocking(G_POLLABLE_INPUT_STREAM(stream), buffer, sizeof buffer,
                                                     nullptr, &error);
    later = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    g_clear_error(&error);
  } else {
    count = uninterrupted([&] { return recv(fd_, buffer, sizeof buffer, 0); });
    later = count < 0 && errno == EAGAIN;
  }
  if (count > 0) in_.append(buffer, static_cast<std::size_t>(count));
  if (later) may_read_ = false;
  if (count <= 0 && !later) cut();
  return count > 0;
}

void Connection::reply(HttpReply reply) {
  if (state_ != State::busy) return;
  const bool empty = request_.method == "HEAD";
  chunked_ = reply.growing && !request_.http_1_0;
  whole_ = !reply.growing || empty;
  out_.push_back(slice_of(write_head(reply, request_, common_)));
  if (reply.growing && request_.http_1_0) request_.keep_alive = false; // its end is the connection's
  queued_ += out_.back().bytes.size();
  for (BodySlice &slice : reply.body) {
    queued_ += slice.bytes.size();
    out_.push_back(std::move(slice));
  }
  progress_ = g_get_monotonic_time();
  if (whole_) flush();
}

void Connection::append(BodySlice slice) {
  if (whole_ || slice.bytes.empty()) return;
  if (queued_ == 0) progress_ = g_get_monotonic_time();
  const auto add = [this](BodySlice &&one) {
    queued_ += one.bytes.size();
    out_.push_back(std::move(one));
  };
  if (chunked_) add(slice_of(fmt::format("{:x}\r\n", slice.bytes.size())));
  add(std::move(slice));
  if (chunked_) add({nullptr, "\r\n"});
}

void Connection::finish() {
  if (whole_) return;
  whole_ = true;
  if (!chunked_) return;
  out_.push_back({nullptr, "0\r\n\r\n"});
  queued_ += out_.back().bytes.size();
}

// What the socket took; 0: nothing now.
gssize Connection::write_some() {
  if (tls_) {
    GError *error = nullptr;
    const gssize count = g_pollable_output_stream_write_nonblocking(
        G_POLLABLE_OUTPUT_STREAM(g_io_stream_get_output_stream(G_IO_STREAM(tls_.get()))),
        out_[first_].bytes.data(), out_[first_].bytes.size(), nullptr, &error);
    const bool later = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_WOULD_BLOCK);
    g_clear_error(&error);
    return later ? 0 : count;
  }
  iovec vectors[kPiecesPerWrite];
  const std::size_t count = std::min(kPiecesPerWrite, out_.size() - first_);
  for (std::size_t i = 0; i < count; ++i)
    vectors[i] = {const_cast<char *>(out_[first_ + i].bytes.data()), out_[first_ + i].bytes.size()};
  msghdr message{};
  message.msg_iov = vectors;
  message.msg_iovlen = count;
  const gssize sent = uninterrupted([&] { return sendmsg(fd_, &message, MSG_NOSIGNAL); });
  return sent < 0 && errno == EAGAIN ? 0 : sent;
}

void Connection::flush() {
  while (first_ < out_.size() && alive()) {
    const gssize count = write_some();
    if (count < 0) return cut();
    if (count == 0) return;
    progress_ = g_get_monotonic_time();
    auto left = static_cast<std::size_t>(count);
    sent_ += left;
    queued_ -= left;
    while (left > 0) {
      BodySlice &slice = out_[first_];
      const std::size_t part = std::min(left, slice.bytes.size());
      slice.bytes.remove_prefix(part);
      left -= part;
      if (!slice.bytes.empty()) continue;
      slice.owner.reset();
      ++first_;
    }
  }
  out_.clear();
  first_ = 0;
  if (whole_ && state_ == State::busy) ended();
}

void Connection::ended() {
  whole_ = false;
  if (request_.keep_alive) return enter(State::idle);
  enter(State::leaving);
  if (!tls_) shutdown(fd_, SHUT_WR);
  if (tls_) cut();
}

} // namespace hull::origin
