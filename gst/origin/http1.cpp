#include "gst/origin/http1.h"

#include <algorithm>
#include <fmt/format.h>

namespace hull::origin {
namespace {

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

Http1::Http1(Wire &wire, std::uint64_t number, const std::string &address, const std::string &common)
    : Exchange(number, address), wire_(wire), common_(common) {}

void Http1::enter(State state) {
  state_ = state;
  since_ = g_get_monotonic_time();
}

std::optional<gint64> Http1::idle_since() const {
  return state_ == State::reading ? std::optional(since_) : std::nullopt;
}

Exchange *Http1::next_request() {
  while (state_ == State::reading)
    if (!take_request())
      return nullptr;
    else if (state_ == State::answering && !whole_)
      return this;
  return nullptr;
}

// What is in the buffer may already be a request, or be refused as one.
bool Http1::take_request() {
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
  enter(State::answering);
  return true;
}

void Http1::refuse(int status) {
  request_.keep_alive = false;
  enter(State::answering);
  reply(HttpReply(status, "text/plain", "no-store"));
}

void Http1::reply(HttpReply reply) {
  if (state_ != State::answering || whole_) return;
  const bool empty = request_.method == "HEAD";
  chunked_ = reply.growing && !request_.http_1_0;
  whole_ = !reply.growing || empty;
  wire_.add(slice_of(write_head(reply, request_, common_)));
  if (reply.growing && request_.http_1_0) request_.keep_alive = false; // its end is the connection's
  for (BodySlice &slice : reply.body)
    wire_.add(std::move(slice));
  if (whole_) flush();
}

void Http1::append(BodySlice slice) {
  if (whole_ || slice.bytes.empty()) return;
  if (chunked_) wire_.add(slice_of(fmt::format("{:x}\r\n", slice.bytes.size())));
  wire_.add(std::move(slice));
  if (chunked_) wire_.add({nullptr, "\r\n"});
}

void Http1::finish() {
  if (whole_) return;
  whole_ = true;
  if (chunked_) wire_.add({nullptr, "0\r\n\r\n"});
}

void Http1::flush() {
  wire_.write();
  if (!whole_ || wire_.queued() > 0 || wire_.broken()) return;
  whole_ = false;
  enter(request_.keep_alive ? State::reading : State::ended);
}

void Http1::go_on() {
  const bool waited = wire_.queued() > 0;
  flush();
  drained_ = waited && wire_.queued() == 0 && state_ == State::answering;
}

} // namespace hull::origin
