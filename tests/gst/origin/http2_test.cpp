// HTTP/2 over sockets: curl as a viewer, and frames written by hand as one who breaks the rules.

#include "tests/gst/origin/frames.h"

#include <algorithm>
#include <fstream>

namespace hull::origin {
namespace {

using namespace std::string_literals;

class Http2Test : public Station {
 protected:
  /// An HPACK index of ":status: 200" starts the answer.
  static bool is_200(const std::optional<Frames::Frame> &frame) {
    return frame && !frame->payload.empty() && static_cast<unsigned char>(frame->payload[0]) == 0x88;
  }
};

TEST_F(Http2Test, SpeaksWithAProxyThatKnows) {
  start(false);
  EXPECT_EQ(curl("--http2-prior-knowledge -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"),
            "2 200");
  EXPECT_EQ(curl("--http1.1 -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"), "1.1 200");
  EXPECT_EQ(curl("--http2-prior-knowledge", "v1/1.m4s"), curl("--http1.1", "v1/1.m4s"));
}

TEST_F(Http2Test, AnswersAsHttp1Does) {
  start(true);
  for (const char *path : {"v1/0.m4s", "v1/init.mp4", "nothing", "v1.m3u8?_HLS_msn=x", "v1/99999999.m4s"})
    for (const char *arguments : {"", "-r 0-9", "-r -5", "-r 99999999-", "-I", "-X OPTIONS", "-X PUT"}) {
      const std::string format =
          fmt::format("{} -o - -w ' %{{http_code}} %header{{content-length}} %header{{content-range}} "
                      "%header{{content-type}} %header{{cache-control}} %header{{allow}}'",
                      std::string_view(arguments) == "-I" ? "--head -o /dev/null" : arguments);
      EXPECT_EQ(curl("--http2 " + format, path), curl("--http1.1 " + format, path))
          << path << " " << arguments;
    }
}

TEST_F(Http2Test, OneConnectionServesAViewer) {
  start(true);
  std::string all;
  for (int i = 0; i < 8; ++i)
    all += fmt::format(" -o /dev/null '{}'", url(i % 2 ? "v1.m3u8" : "v1/1.m4s"));
  const std::string said =
      run("curl -sk --http2 --max-time 60 -Z --parallel-max 8 -w '%{num_connects}%{http_code} '" + all);
  EXPECT_EQ(std::count(said.begin(), said.end(), '2'), 8) << said;
  EXPECT_EQ(said.find("1200") == std::string::npos ? 0 : 1, 1) << said;
  EXPECT_EQ(said.find("1200"), said.rfind("1200")) << said << " more than one connection";
}

// The end of one chunk is seen before the next is made, so nothing is kept back for it.
TEST_F(Http2Test, ObjectsThatGrowArriveChunkByChunk) {
  for (const char *kind : {"--http2", "--http1.1", "--http2-prior-knowledge"}) {
    made_ = 0;
    start(std::string_view(kind) != "--http2-prior-knowledge");
    add_chunk();
    const std::string path = fmt::format("v1/{}.m4s", made_ / kChunks);
    Program client(fmt::format("curl -skN {} --max-time 60 '{}'", kind, url(path)));
    std::string wanted(kChunk, static_cast<char>('a' + (made_ - 1) % 26));
    EXPECT_EQ(client.until(wanted.size()), wanted) << kind;
    for (int i = 1; i < kChunks; ++i) {
      wanted += std::string(kChunk, static_cast<char>('a' + made_ % 26));
      add_chunk();
      EXPECT_EQ(client.until(wanted.size()).size(), wanted.size()) << kind;
    }
    add_chunk(); // the next segment
    EXPECT_EQ(client.all(), wanted) << kind;
  }
}

TEST_F(Http2Test, APlaylistIsHeldUntilItsPartIsThere) {
  start(true);
  Program client(fmt::format("curl -sk --http2 --max-time 60 '{}'", url("v1.m3u8?_HLS_msn=3&_HLS_part=0")));
  EXPECT_TRUE(soon([&] { return origin_->stats().held == 1; }));
  for (int i = 0; i < 3; ++i)
    add_chunk();
  EXPECT_NE(client.all().find("v1/3.0.m4s"), std::string::npos);
}

TEST_F(Http2Test, AResetEndsWhatWaits) {
  start(false);
  const Frames client(origin_->port());
  client.ask(1, Frames::request("/v1.m3u8?_HLS_msn=3&_HLS_part=0"));
  EXPECT_TRUE(soon([&] { return origin_->stats().waiting == 1; }));
  client.say(Frames::frame(Frames::rst_stream, 0, 1, "\0\0\0\x08"s));
  EXPECT_TRUE(soon([&] { return origin_->stats().waiting == 0; }));
  client.ask(3, Frames::request("/time"));
  EXPECT_TRUE(is_200(client.next(Frames::headers)));
}

// A viewer whose window is closed loses that stream, and only that.
TEST_F(Http2Test, AReaderWhoTakesNothingLosesItsStream) {
  ServerLimits limits;
  limits.stall_timeout = 1;
  start(false, limits);
  const Frames client(origin_->port(), "\x00\x04\x00\x00\x00\x00"s); // SETTINGS_INITIAL_WINDOW_SIZE 0
  client.ask(1, Frames::request("/v1/1.m4s"));
  const auto reset = client.next(Frames::rst_stream);
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->stream, 1u);
  EXPECT_EQ(origin_->stats().dropped_clients, 1u);
  client.ask(3, Frames::request("/time", "HEAD"));
  EXPECT_TRUE(is_200(client.next(Frames::headers)));
}

TEST_F(Http2Test, AReaderWhoseSocketIsFullIsCut) {
  ServerLimits limits;
  limits.stall_timeout = 1;
  start(false, limits);
  while (made_ % kChunks != kChunks - 1)
    add_chunk(1 << 20);
  add_chunk(1 << 20);
  const std::string wide = "\x00\x04\x7f\xff\xff\xff"s; // a window of 2 GiB
  const Frames client(origin_->port(), wide);
  client.say(Frames::frame(Frames::window_update, 0, 0, "\x7f\xff\x00\x00"s));
  client.ask(1, Frames::request("/v1/3.m4s"));
  EXPECT_TRUE(soon([&] { return origin_->stats().dropped_clients == 1; }));
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
}

TEST_F(Http2Test, JunkInHpackEndsTheConnectionWithAWord) {
  start(false);
  for (const std::string &junk : {"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"s, "\xc0"s, "\x00\x7f\xff"s,
                                  "\x3f\xff\xff\xff\x7f"s, "\x00\x85\xff\xff\xff\xff\xff\x00"s}) {
    const Frames client(origin_->port());
    client.ask(1, junk);
    const auto goaway = client.next(Frames::goaway);
    ASSERT_TRUE(goaway);
    EXPECT_EQ(goaway->number(4), 9u) << "COMPRESSION_ERROR, RFC 9113 7";
  }
  EXPECT_EQ(curl("--http2-prior-knowledge -o /dev/null -w '%{http_code}'", "v1.m3u8"), "200");
}

TEST_F(Http2Test, FieldsThatAreNoneResetTheStream) {
  start(false);
  const std::string good = Frames::request("/time");
  for (const std::string &bad :
       {good + Frames::field("Upper", "x"), good + Frames::field("connection", "close"),
        good + Frames::field("a\nb", "x"), good + Frames::field("a", "x\r\ny"),
        Frames::field(":method", "GET"), good + Frames::field(":path", "/"),
        Frames::field("a", "b") + good}) {
    const Frames client(origin_->port());
    client.ask(1, bad);
    const auto reset = client.next(Frames::rst_stream);
    ASSERT_TRUE(reset);
    EXPECT_EQ(reset->number(0), 1u) << "PROTOCOL_ERROR";
    client.ask(3, good);
    EXPECT_TRUE(is_200(client.next(Frames::headers)));
  }
}

TEST_F(Http2Test, AHeadThatIsTooLongIsRefused) {
  start(false);
  std::string fields;
  for (int i = 0; i < 600; ++i)
    fields += fmt::format("-H 'x-{}: {}' ", i, std::string(80, 'x'));
  EXPECT_EQ(curl("--http2-prior-knowledge -o /dev/null -w '%{http_code}' " + fields, "time"), "431");
  EXPECT_EQ(curl("--http2-prior-knowledge -o /dev/null -w '%{http_code}'", "time"), "200");
}

TEST_F(Http2Test, ABodyThatNobodyAskedForIsAnswered) {
  start(true);
  std::ofstream(folder_ / "body") << std::string(500'000, 'x');
  EXPECT_EQ(curl(fmt::format("--http2 -o /dev/null -w '%{{http_code}}' --data-binary @{}",
                             (folder_ / "body").string()),
                 "time"),
            "405");
}

TEST_F(Http2Test, ABodyThatNeverEndsEndsWithItsStream) {
  ServerLimits limits;
  limits.stall_timeout = 1;
  start(false, limits);
  const Frames client(origin_->port());
  client.ask(1, Frames::request("/time", "POST"), Frames::kEndHeaders);
  const auto reset = client.next(Frames::rst_stream);
  ASSERT_TRUE(reset);
  EXPECT_EQ(reset->number(0), 0u) << "NO_ERROR, RFC 9113 8.1";
  EXPECT_EQ(origin_->stats().dropped_clients, 0u);
}

TEST_F(Http2Test, FloodsEndTheConnection) {
  start(false);
  for (const std::string &flood :
       {Frames::frame(Frames::ping, 0, 0, "12345678"), Frames::frame(Frames::settings, 0, 0, "")}) {
    Frames client(origin_->port());
    std::string many;
    for (int i = 0; i < 1000; ++i)
      many += flood;
    for (int i = 0; i < 1000 && origin_->stats().connections > 0; ++i)
      client.say(many);
    client.reset();
  }
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
  EXPECT_EQ(curl("--http2-prior-knowledge -o /dev/null -w '%{http_code}'", "time"), "200");
}

TEST_F(Http2Test, WhoAsksForNothingIsToldThatItEnds) {
  ServerLimits limits;
  limits.idle_timeout = 1;
  start(false, limits);
  const Frames client(origin_->port());
  client.ask(1, Frames::request("/time"));
  const auto goaway = client.next(Frames::goaway);
  ASSERT_TRUE(goaway);
  EXPECT_EQ(goaway->number(4), 0u) << "NO_ERROR";
  EXPECT_FALSE(client.next());
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
}

TEST_F(Http2Test, ViewersMayStayWhenTheOriginGoes) {
  start(false);
  add_chunk();
  const Frames client(origin_->port());
  client.ask(1, Frames::request("/v1/3.m4s"));
  client.ask(3, Frames::request("/v1.m3u8?_HLS_msn=4&_HLS_part=0"));
  EXPECT_TRUE(soon([&] { return origin_->stats().streaming == 1 && origin_->stats().waiting == 1; }));
  origin_.reset();
  while (client.next()) {
  }
}

} // namespace
} // namespace hull::origin
