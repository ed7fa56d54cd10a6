// TLS over sockets, before clients that others made: curl, openssl s_client, h2load.

#include "tests/gst/origin/station.h"

namespace hull::origin {
namespace {

using TlsTest = Station;

TEST_F(TlsTest, AgreesOnHttp2AndOnHttp1) {
  start(true);
  EXPECT_EQ(curl("--http2 -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"), "2 200");
  EXPECT_EQ(curl("--http1.1 -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"), "1.1 200");
  EXPECT_EQ(curl("--no-alpn -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"), "1.1 200");
  EXPECT_EQ(curl("--http2 --tls-max 1.2 -o /dev/null -w '%{http_version} %{http_code}'", "v1.m3u8"), "2 200");
  const std::string playlist = curl("--http2", "v1.m3u8");
  EXPECT_TRUE(playlist.starts_with("#EXTM3U")) << playlist;
  EXPECT_EQ(playlist, curl("--http1.1", "v1.m3u8"));
}

TEST_F(TlsTest, OldVersionsAreRefused) {
  start(true);
  const std::string said = run(
      fmt::format("openssl s_client -connect 127.0.0.1:{} -tls1_1 -cipher ALL:@SECLEVEL=0 </dev/null 2>&1",
                  origin_->port()));
  EXPECT_NE(said.find("alert"), std::string::npos) << said;
  EXPECT_EQ(said.find("HTTP/1.1 200"), std::string::npos);
}

TEST_F(TlsTest, TicketsBringAClientBack) {
  start(true);
  for (const char *version : {"-tls1_2", "-tls1_3"}) {
    const auto visit = [&](const char *with) {
      return run(fmt::format("printf 'GET /time HTTP/1.1\\r\\nHost: x\\r\\nConnection: close\\r\\n\\r\\n' | "
                             "openssl s_client -connect 127.0.0.1:{} {} -ign_eof {} {}/ticket 2>&1",
                             origin_->port(), version, with, folder_.string()));
    };
    EXPECT_NE(visit("-sess_out").find("New, TLS"), std::string::npos) << version;
    const std::string again = visit("-sess_in");
    EXPECT_NE(again.find("Reused, TLS"), std::string::npos) << version << again;
    EXPECT_NE(again.find("HTTP/1.1 200"), std::string::npos) << version << again;
  }
}

TEST_F(TlsTest, WhoSpeaksNoTlsIsTold) {
  start(true);
  const Raw client(origin_->port());
  client.say("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
  const std::string said = client.read_all();
  EXPECT_TRUE(said.starts_with("HTTP/1.1 400")) << said;
  EXPECT_NE(said.find("https://"), std::string::npos);
}

/// Clients of whom half say nothing and half begin a ClientHello.
std::vector<std::unique_ptr<Raw>> silent_clients(unsigned port) {
  std::vector<std::unique_ptr<Raw>> silent;
  for (int i = 0; i < 200; ++i) {
    silent.push_back(std::make_unique<Raw>(port));
    if (i % 2) silent.back()->say(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
  }
  return silent;
}

TEST_F(TlsTest, SilentHandshakesKeepNobodyWaiting) {
  ServerLimits patient; // a slow machine is no silent client
  patient.handshake_timeout = patient.idle_timeout = 100;
  start(true, patient);
  const auto silent = silent_clients(origin_->port());
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == silent.size(); }));
  EXPECT_EQ(curl("--http2 -o /dev/null -w '%{http_code}'", "v1.m3u8"), "200");
  EXPECT_GE(origin_->stats().connections, silent.size());
}

TEST_F(TlsTest, SilentHandshakesEnd) {
  ServerLimits limits;
  limits.handshake_timeout = 1;
  start(true, limits);
  for (const auto &client : silent_clients(origin_->port()))
    EXPECT_EQ(client->read_all(), "");
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
}

TEST_F(TlsTest, JunkInsteadOfAHandshakeEndsTheConnection) {
  start(true);
  for (const std::string &junk : {std::string(600, '\xff'), std::string("\x16\x03\x01\x00\x05junk!", 10),
                                  std::string("\x15\x03\x01\x00\x02\x02\x28", 7), std::string(600, '\0')}) {
    const Raw client(origin_->port());
    client.say(junk);
    client.read_all();
  }
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
  EXPECT_EQ(curl("--http2 -o /dev/null -w '%{http_code}'", "v1.m3u8"), "200");
}

TEST_F(TlsTest, ResetsInTheMiddleOfAHandshakeCostNothing) {
  start(true);
  for (int i = 0; i < 50; ++i) {
    Raw client(origin_->port());
    client.say(std::string_view("\x16\x03\x01\x02\x00\x01", 6));
    client.reset();
  }
  EXPECT_EQ(curl("--http2 -o /dev/null -w '%{http_code}'", "v1.m3u8"), "200");
  EXPECT_TRUE(soon([&] { return origin_->stats().connections == 0; }));
}

TEST_F(TlsTest, ACrowdJoinsAtOnce) {
  if (!installed("h2load")) GTEST_SKIP() << "h2load (nghttp2-client) is missing";
  ServerLimits patient; // a slow machine is no silent client
  patient.handshake_timeout = patient.idle_timeout = 100;
  start(true, patient);
  const std::string said = run(fmt::format("h2load -n 600 -c 300 -m 1 '{}' 2>&1", url("v1/1.m4s")));
  EXPECT_NE(said.find("600 succeeded, 0 failed, 0 errored"), std::string::npos) << said;
  EXPECT_NE(said.find("Application protocol: h2"), std::string::npos) << said;
}

TEST_F(TlsTest, AFileWithoutAKeyIsRefused) {
  certificate();
  OriginSettings settings;
  settings.port = 0;
  settings.certificate = folder_ / "hull.pem.crt";
  const auto origin = Origin::start(settings);
  ASSERT_FALSE(origin);
  EXPECT_NE(origin.error().text.find("PEM"), std::string::npos) << origin.error().text;
}

} // namespace
} // namespace hull::origin
