// Any bytes, taken as what a client sends: the first says how they are cut into reads, the rest is HTTP/1.1 or
// HTTP/2 as the origin tells them apart. What must hold: every request has a method and a path without its first
// slash, answers to it can be written, and nothing waits that nobody can send.

#include "gst/origin/connection.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>

namespace {

using namespace hull;
using namespace hull::origin;

void require(bool holds, const char *what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz http: %s\n", what);
  std::abort();
}

/// A client that has sent `input` and takes all that it is sent.
class Script final : public Transport {
 public:
  Script(std::string_view input, std::size_t step) : Transport(Fd()), input_(input), step_(step) {}
  Moved read(std::span<char> out) override {
    const std::size_t size = std::min({out.size(), input_.size(), step_});
    if (size == 0) return {Status::ended, 0};
    std::copy_n(input_.data(), size, out.data());
    input_.remove_prefix(size);
    return {Status::good, size};
  }
  Moved write(std::span<const BodySlice> slices) override {
    return {Status::good, slices.front().bytes.size()};
  }
  void say_end() override {}

 private:
  std::string_view input_;
  const std::size_t step_;
};

void answer(Exchange &exchange, unsigned turn) {
  const HttpRequest &request = exchange.request();
  require(!request.method.empty(), "a request has a method");
  request.accepts_gzip();
  request.parameter("_HLS_msn");
  HttpReply reply(200, "text/plain", "no-store", slice_of(std::string(100, 'x')));
  reply.growing = turn % 3 == 1;
  exchange.reply(std::move(reply));
  if (turn % 3 != 1) return;
  exchange.append(slice_of(std::string(40'000, 'y')));
  exchange.flush();
  if (turn % 2) exchange.finish();
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view input(reinterpret_cast<const char *>(data + 1), size - 1);
  const std::string common = "Server: fuzz\r\n";
  Connection connection(1, std::make_unique<Script>(input, data[0] ? data[0] : 16'384), "127.0.0.1", common);
  connection.readable();
  connection.shake_hands();
  for (unsigned turn = 0; turn < 100 && connection.alive(); ++turn) {
    while (Exchange *exchange = connection.next_request(32))
      answer(*exchange, turn++);
    connection.go_on();
    while (connection.next_drained() || connection.next_gone()) {
    }
    connection.forget_gone();
    if (connection.state() == Connection::State::leaving) break;
  }
  connection.drop_stalled(g_get_monotonic_time() + 1, 1000);
  connection.say_goodbye();
  return 0;
}
