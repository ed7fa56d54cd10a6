// What the origin does with more clients than it wants, and with those who take next to nothing.

#include "tests/gst/origin/frames.h"

namespace hull::origin {
namespace {

class LimitsTest : public Station {
 protected:
  static constexpr char kNextPart[] = "v1.m3u8?_HLS_msn=3&_HLS_part=0"; // not made yet: its answer waits

  static ServerLimits two_connections() {
    ServerLimits limits;
    limits.connections = 2;
    return limits;
  }
  static ServerLimits lively() {
    ServerLimits limits;
    limits.stall_timeout = 2;
    limits.least_rate = 100'000;
    return limits;
  }
  bool connections_are(unsigned count) const {
    return soon([&] { return origin_->stats().connections == count; });
  }
};

constexpr char kAsk[] = "GET /time HTTP/1.1\r\nHost: x\r\n\r\n";

TEST_F(LimitsTest, TheOneThatIsIdleForLongestGivesWay) {
  start(false, two_connections());
  const Raw first(origin_->port()), second(origin_->port());
  for (const Raw *viewer : {&first, &second}) {
    viewer->say(kAsk);
    EXPECT_EQ(viewer->read(12), "HTTP/1.1 200");
  }
  const Raw third(origin_->port());
  third.say(kAsk);
  EXPECT_EQ(third.read(12), "HTTP/1.1 200");
  EXPECT_TRUE(first.ends_well());
  second.say(kAsk);
  EXPECT_TRUE(soon([&] { return second.read(1) == "H"; })) << "behind what was left of the first answer";
}

TEST_F(LimitsTest, AnIdleConnectionOfHttp2IsToldThatItEnds) {
  start(false, two_connections());
  const Frames first(origin_->port());
  first.ask(1, Frames::request("/time"));
  ASSERT_TRUE(first.next(Frames::headers));
  const Raw second(origin_->port());
  second.say("GET /" + std::string(kNextPart) + " HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(connections_are(2));
  EXPECT_EQ(curl("-o /dev/null -w '%{http_code}'", "time"), "200");
  EXPECT_TRUE(first.next(Frames::goaway));
  EXPECT_TRUE(first.ends_well());
}

class FullHouse : public LimitsTest, public testing::WithParamInterface<const char *> {};

// Both viewers wait for a part; whoever comes gets an answer, not a reset, and a place when one goes.
TEST_P(FullHouse, IsSaidToEachNewcomer) {
  const std::string kind = GetParam();
  start(kind != "clear", two_connections());
  const std::string options = kind == "h2" ? "--http2" : "--http1.1";
  {
    const std::string wait = "exec curl -sk --max-time 60 '" + url(kNextPart) + "'";
    Program first(wait), second(wait);
    ASSERT_TRUE(connections_are(2));
    for (int i = 0; i < 20; ++i) {
      const std::string answer = curl(options + " -i -w ' %{exitcode}'", "time");
      EXPECT_NE(answer.find(" 503"), std::string::npos) << answer;
      EXPECT_NE(answer.find("etry-"), std::string::npos) << answer;
      EXPECT_TRUE(answer.ends_with(" 0")) << answer;
    }
    EXPECT_GE(origin_->stats().refused, 20u);
    for (int i = 0; i < 2 * kChunks; ++i)
      add_chunk();
    EXPECT_NE(first.all().find("#EXTM3U"), std::string::npos);
    EXPECT_NE(second.all().find("#EXTM3U"), std::string::npos);
  }
  EXPECT_EQ(curl("-o /dev/null -w '%{http_code}'", "time"), "200");
}

INSTANTIATE_TEST_SUITE_P(Limits, FullHouse, testing::Values("clear", "tls", "h2"),
                         [](const auto &info) { return std::string(info.param); });

// More newcomers than are answered at a time, none of whom says a word, take no descriptor for long.
TEST_F(LimitsTest, NewcomersWhoSayNothingAreFew) {
  start(false, two_connections());
  const std::string ask = "GET /" + std::string(kNextPart) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  const Raw first(origin_->port()), second(origin_->port());
  first.say(ask);
  second.say(ask);
  ASSERT_TRUE(connections_are(2));
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int i = 0; i < 200; ++i)
    crowd.push_back(std::make_unique<Raw>(origin_->port()));
  EXPECT_TRUE(soon([&] { return origin_->stats().refused == 200; }));
  EXPECT_LE(origin_->stats().connections, 66u);
  EXPECT_TRUE(connections_are(2)) << "they end by themselves";
}

// Whoever is beyond its own share cannot take the room in which others are let go.
TEST_F(LimitsTest, ACrowdOfOneAddressKeepsNobodyElseOut) {
  ServerLimits limits = two_connections();
  limits.connections_per_address = 1;
  start(false, limits);
  const Raw first(origin_->port(), 0, 1), second(origin_->port(), 0, 2);
  for (const Raw *viewer : {&first, &second}) {
    viewer->say(kAsk);
    EXPECT_EQ(viewer->read(12), "HTTP/1.1 200");
  }
  std::vector<std::unique_ptr<Raw>> crowd;
  for (int i = 0; i < 100; ++i)
    crowd.push_back(std::make_unique<Raw>(origin_->port(), 0, 1));
  ASSERT_TRUE(soon([&] { return origin_->stats().refused == 100; }));
  const Raw third(origin_->port(), 0, 3);
  third.say(kAsk);
  EXPECT_EQ(third.read(12), "HTTP/1.1 200");
  EXPECT_TRUE(first.ends_well());
}

// Over TCP the kernel takes so much ahead that a slow reader's bytes go in few lumps; here they trickle.
TEST(Wires, LagBehindWhoeverTakesTooLittle) {
  int pair[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, pair), 0);
  const int small = 4096;
  setsockopt(pair[0], SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
  Wire wire(std::make_unique<Transport>(Fd(pair[0])));
  const Fd reader(pair[1]);
  wire.add(slice_of(std::string(1 << 20, 'x')));
  constexpr gint64 kWindow = 200'000; // µs
  const auto lags = [&](std::uint64_t least) {
    const gint64 begin = g_get_monotonic_time();
    bool any = false;
    while (g_get_monotonic_time() < begin + 3 * kWindow) {
      char bytes[100];
      (void)!::read(reader.get(), bytes, sizeof bytes);
      wire.has_room();
      wire.write();
      any |= wire.lags(g_get_monotonic_time() - kWindow, least);
      g_usleep(1000);
    }
    return any;
  };
  EXPECT_FALSE(lags(0));
  EXPECT_TRUE(lags(1 << 20));
}

TEST_F(LimitsTest, WhoTakesEnoughStays) {
  start(false, lively());
  for (int i = 0; i < kChunks; ++i)
    add_chunk(200'000);
  const Raw steady(origin_->port(), 4096);
  steady.say("GET /v1/3.m4s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  std::size_t taken = 0;
  for (std::size_t some; (some = steady.read(5000).size()) > 0; taken += some)
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  EXPECT_GT(taken, std::size_t{kChunks} * 200'000);
  EXPECT_EQ(origin_->stats().dropped_clients, 0u);
}

TEST_F(LimitsTest, AWindowThatOpensTooSlowlyLosesItsStream) {
  start(false, lively());
  const Frames client(origin_->port(), "\x00\x04\x00\x00\x00\x00"s); // SETTINGS_INITIAL_WINDOW_SIZE 0
  client.ask(1, Frames::request("/v1/1.m4s"));
  EXPECT_TRUE(soon([&] {
    client.say(Frames::frame(Frames::window_update, 0, 1, "\x00\x00\x00\x0a"s));
    return origin_->stats().dropped_clients == 1;
  }));
  EXPECT_TRUE(client.next(Frames::rst_stream));
}

} // namespace
} // namespace hull::origin
