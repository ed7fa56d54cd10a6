#include "tests/plugins/cmaf_support.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

namespace hull {
namespace {

using namespace cmaf_test;

class CmafSinkTest : public CmafSinkBase {};

TEST_F(CmafSinkTest, ServesManifestsThatKeepTheRules) {
  start();
  ASSERT_NE(port_, 0u);
  const std::string master = body(get(port_, "/master.m3u8"));
  EXPECT_NE(master.find("v1.m3u8"), std::string::npos) << master;
  const std::string playlist = body(follow(3));
  publish::Findings out;
  publish::lint_playlist(playlist, "v1.m3u8", out);
  const std::string mpd = body(get(port_, "/manifest.mpd"));
  publish::lint_mpd(mpd, "manifest.mpd", out);
  EXPECT_NE(playlist.find("v1/2.m4s"), std::string::npos) << playlist;
  expect_kept(out, playlist);
  const std::string init = body(get(port_, "/v1/init.mp4")), segment = body(get(port_, "/v1/2.m4s"));
  publish::Findings media;
  publish::lint_segment(bytes_of(init), bytes_of(segment), "v1/2.m4s", media);
  expect_kept(media);
}

TEST_F(CmafSinkTest, AGrowingSegmentIsSentAsItGrows) {
  start();
  follow(2);
  const std::string reply = get(port_, "/v1/3.m4s"); // not there yet, so held, or growing
  EXPECT_TRUE(status(reply, 200)) << reply.substr(0, 200);
  EXPECT_TRUE(status(follow(4), 200));
  EXPECT_TRUE(status(get(port_, "/v1/3.m4s", "Range: bytes=0-9\r\n"), 206));
}

TEST_F(CmafSinkTest, ServesNothingElse) {
  start();
  get(port_, "/master.m3u8");
  for (const char *path : {"/../etc/passwd", "/v1/../../etc/passwd", "/v1/%2e%2e/init.mp4", "/v1/init.mp4%00",
                           "/v1//init.mp4", "/v9.m3u8", "/v1/99999.m4s", "/player/../x", "/x"}) {
    const std::string reply = get(port_, path);
    EXPECT_TRUE(reply.empty() || status(reply, 404) || status(reply, 400)) << path << reply.substr(0, 100);
  }
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_part=1"), 400));
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=1000"), 400));
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=x"), 400));
  EXPECT_TRUE(status(get(port_, "/time", "", "POST"), 405));
  EXPECT_TRUE(status(get(port_, "/time", "", "OPTIONS"), 204));
  EXPECT_NE(get(port_, "/master.m3u8", "Accept-Encoding: gzip\r\n").find("Content-Encoding: gzip"),
            std::string::npos);
  EXPECT_NE(get(port_, "/").find("npm install"), std::string::npos);
  EXPECT_NE(get(port_, "/metrics").find("hull_chunks_total"), std::string::npos);
}

TEST_F(CmafSinkTest, OneConnectionServesManyRequests) {
  start();
  get(port_, "/master.m3u8");
  const Connection connection = connect_to(port_);
  std::string requests;
  for (int i = 0; i < 20; ++i)
    requests += "GET /v1/init.mp4 HTTP/1.1\r\nHost: x\r\n\r\n";
  send_text(connection, requests + "GET /time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::string reply = read_all(connection);
  std::size_t replies = 0;
  for (std::size_t at = reply.find("HTTP/1.1 200"); at != std::string::npos;
       at = reply.find("HTTP/1.1 200", at + 1))
    ++replies;
  EXPECT_EQ(replies, 21u);
}

TEST_F(CmafSinkTest, ATakenPortIsAnErrorThatSaysWhatToDo) {
  start();
  const guint taken = port_;
  const auto other = ElementRef::retain(gst_element_factory_make("hullcmafsink", nullptr));
  const auto bus = ObjectRef<GstBus>::adopt(gst_bus_new());
  gst_element_set_bus(other.get(), bus.get());
  g_object_set(other.get(), "port", taken, nullptr);
  EXPECT_EQ(gst_element_set_state(other.get(), GST_STATE_READY), GST_STATE_CHANGE_FAILURE);
  const auto message = MessageRef::adopt(gst_bus_pop_filtered(bus.get(), GST_MESSAGE_ERROR));
  ASSERT_TRUE(message);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  EXPECT_NE(std::string(error->message).find("Choose another port"), std::string::npos) << error->message;
  g_clear_error(&error);
  gst_element_set_state(other.get(), GST_STATE_NULL);
  gst_element_set_bus(other.get(), nullptr);
}

TEST_F(CmafSinkTest, TheEndClosesManifestsAndTheFolderPlays) {
  const auto folder = std::filesystem::temp_directory_path() / ("hull-live-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder / "v1");
  std::ofstream(folder / "v1" / "7.m4s.part") << "left by a process that was killed";
  start("location=" + folder.string() + " playlist-type=event", 50);
  const auto end = wait(static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR)));
  ASSERT_TRUE(end);
  EXPECT_EQ(GST_MESSAGE_TYPE(end.get()), GST_MESSAGE_EOS);
  EXPECT_NE(body(get(port_, "/v1.m3u8?_HLS_msn=99")).find("#EXT-X-ENDLIST"), std::string::npos);
  EXPECT_NE(body(get(port_, "/manifest.mpd")).find("type=\"static\""), std::string::npos);
  gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  for (const char *name : {"master.m3u8", "v1.m3u8", "manifest.mpd", "v1/init.mp4", "v1/0.m4s", "v1/4.m4s"})
    EXPECT_TRUE(std::filesystem::exists(folder / name)) << name;
  for (const auto &entry : std::filesystem::recursive_directory_iterator(folder))
    EXPECT_NE(entry.path().extension(), ".part");
  std::filesystem::remove_all(folder);
}

TEST_F(CmafSinkTest, ServesOverTls) {
  const auto file =
      std::filesystem::temp_directory_path() / ("hull-tls-" + std::to_string(getpid()) + ".pem");
  const std::string make = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days "
                           "2 -subj /CN=localhost -keyout " +
                           file.string() + " -out " + file.string() + ".crt >/dev/null 2>&1 && cat " +
                           file.string() + ".crt >> " + file.string();
  if (std::system(make.c_str()) != 0) GTEST_SKIP() << "the openssl program is missing";
  start("tls-certificate=" + file.string());
  char *url = nullptr;
  g_object_get(sink_.get(), "url", &url, nullptr);
  EXPECT_EQ(std::string(OwnedText(url).c_str()).substr(0, 8), "https://");
  GSocketClient *client = g_socket_client_new();
  g_socket_client_set_tls(client, TRUE);
  g_signal_connect(
      client, "event",
      G_CALLBACK(
          +[](GSocketClient *, GSocketClientEvent event, GSocketConnectable *, GIOStream *stream, gpointer) {
            if (event == G_SOCKET_CLIENT_TLS_HANDSHAKING)
              g_signal_connect(stream, "accept-certificate",
                               G_CALLBACK(+[](GTlsConnection *, GTlsCertificate *, GTlsCertificateFlags,
                                              gpointer) -> gboolean { return TRUE; }),
                               nullptr);
          }),
      nullptr);
  // Those who begin a handshake and leave it take no thread from the others.
  std::vector<Connection> half;
  for (int i = 0; i < 200; ++i) {
    half.push_back(connect_to(port_));
    send_text(half.back(), std::string("\x16\x03\x01\x02\x00\x01", 6));
  }
  for (int i = 0; i < 2; ++i) {
    const auto connection = Connection::adopt(
        g_socket_client_connect_to_host(client, "127.0.0.1", static_cast<guint16>(port_), nullptr, nullptr));
    ASSERT_TRUE(connection);
    send_text(connection, "GET /v1.m3u8 HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/1.m4s HTTP/1.1\r\nHost: "
                          "x\r\nConnection: close\r\n\r\n");
    const std::string reply = read_all(connection);
    EXPECT_TRUE(status(reply, 200)) << reply.substr(0, 200);
    EXPECT_NE(reply.find("mdat"), std::string::npos);
  }
  g_object_unref(client);
  EXPECT_NE(body(get(port_, "/v1.m3u8")).find("https://"), std::string::npos) << "not without TLS";
  std::filesystem::remove(file);
  std::filesystem::remove(file.string() + ".crt");
}

TEST_F(CmafSinkTest, ACertificateThatIsNoneIsAnErrorThatSaysWhatToDo) {
  EXPECT_EQ(start("tls-certificate=/nowhere.pem"), GST_STATE_CHANGE_FAILURE);
  const MessageRef message = wait(GST_MESSAGE_ERROR, 1);
  ASSERT_TRUE(message);
  GError *error = nullptr;
  gst_message_parse_error(message.get(), &error, nullptr);
  EXPECT_NE(std::string(error->message).find("PEM"), std::string::npos) << error->message;
  g_clear_error(&error);
}

TEST_F(CmafSinkTest, StartsAgain) {
  for (int round = 0; round < 3; ++round) {
    start();
    EXPECT_TRUE(status(get(port_, "/v1.m3u8"), 200));
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
}

} // namespace
} // namespace hull
