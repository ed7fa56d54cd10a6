#include "gst/glue/ref.h"
#include "gst/publish/lint.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <string>
#include <thread>
#include <vector>

#include <gio/gio.h>
#include <gst/gst.h>

namespace hull {
namespace {

using Connection = Ref<GSocketConnection, g_object_ref, g_object_unref>;

Connection connect_to(unsigned port) {
  GSocketClient *client = g_socket_client_new();
  g_socket_client_set_timeout(client, 20);
  auto connection = Connection::adopt(
      g_socket_client_connect_to_host(client, "127.0.0.1", static_cast<guint16>(port), nullptr, nullptr));
  g_object_unref(client);
  return connection;
}

/// Sends `request` as it is and reads until the origin closes.
std::string talk(unsigned port, const std::string &request) {
  const Connection connection = connect_to(port);
  if (!connection) return {};
  GIOStream *stream = G_IO_STREAM(connection.get());
  g_output_stream_write_all(g_io_stream_get_output_stream(stream), request.data(), request.size(), nullptr,
                            nullptr, nullptr);
  std::string reply;
  char buffer[65536];
  for (gssize n; (n = g_input_stream_read(g_io_stream_get_input_stream(stream), buffer, sizeof buffer,
                                          nullptr, nullptr)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(n));
  return reply;
}

std::string get(unsigned port, const std::string &path, const std::string &headers = {},
                const char *method = "GET") {
  return talk(port, std::string(method) + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                        headers + "\r\n");
}
std::string body(const std::string &reply) {
  const std::size_t at = reply.find("\r\n\r\n");
  return at == std::string::npos ? "" : reply.substr(at + 4);
}
bool status(const std::string &reply, int code) {
  return reply.starts_with("HTTP/1.1 " + std::to_string(code));
}

class CmafSinkTest : public testing::Test {
 protected:
  void SetUp() override {
    gst_init(nullptr, nullptr);
    for (const char *name : {"hullcmafsink", "hullmp4mux", "hullh264enc"}) {
      const auto factory = ObjectRef<GstElementFactory>::adopt(gst_element_factory_find(name));
      ASSERT_TRUE(factory) << name;
    }
  }
  void TearDown() override {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  /// A live source of 25 pictures/s into the sink, segments of 0.4 s in chunks of 0.08 s.
  GstStateChangeReturn start(const std::string &properties = "", int pictures = 2000) {
    const std::string text =
        "videotestsrc is-live=true num-buffers=" + std::to_string(pictures) +
        " ! video/x-raw,width=160,height=96,framerate=25/1 ! hullh264enc key-int-max=10 ! hullcmafsink "
        "name=s port=0 segment-duration=400000000 chunk-duration=80000000 part-duration=80000000 " +
        properties;
    pipeline_ = ElementRef::retain(gst_parse_launch(text.c_str(), nullptr));
    sink_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
    const auto changed = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    g_object_get(sink_.get(), "actual-port", &port_, nullptr);
    return changed;
  }
  /// Follows the stream by blocking reloads, as a player does, to part 0 of segment `number`; its last reply.
  std::string follow(unsigned number) {
    std::string reply;
    for (unsigned n = 1; n <= number; ++n)
      reply = get(port_, "/v1.m3u8?_HLS_msn=" + std::to_string(n) + "&_HLS_part=0");
    return reply;
  }
  MessageRef wait(GstMessageType types) {
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    return MessageRef::adopt(gst_bus_timed_pop_filtered(bus.get(), 30 * GST_SECOND, types));
  }
  ElementRef pipeline_, sink_;
  guint port_ = 0;
};

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
  for (const publish::Finding &finding : out.all())
    EXPECT_NE(finding.rule->level, publish::Level::must) << publish::to_text(finding) << playlist;
  const std::string init = body(get(port_, "/v1/init.mp4")), segment = body(get(port_, "/v1/2.m4s"));
  const auto bytes = [](const std::string &text) {
    return Bytes(reinterpret_cast<const std::uint8_t *>(text.data()), text.size());
  };
  publish::Findings media;
  publish::lint_segment(bytes(init), bytes(segment), "v1/2.m4s", media);
  for (const publish::Finding &finding : media.all())
    EXPECT_NE(finding.rule->level, publish::Level::must) << publish::to_text(finding);
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

TEST_F(CmafSinkTest, HalfOpenConnectionsAndNoiseStopNobody) {
  start("max-clients=200");
  std::vector<Connection> held;
  for (int i = 0; i < 150; ++i)
    held.push_back(connect_to(port_));
  EXPECT_TRUE(status(get(port_, "/master.m3u8"), 200));
  talk(port_, std::string(1 << 20, 'x'));
  talk(port_, "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'y') + "\r\n\r\n");
  EXPECT_TRUE(status(get(port_, "/v1.m3u8"), 200));
  for (int i = 0; i < 100; ++i)
    held.push_back(connect_to(port_));
  EXPECT_TRUE(status(get(port_, "/v1.m3u8"), 503)) << "above max-clients";
  held.clear();
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

TEST_F(CmafSinkTest, StartsAgain) {
  for (int round = 0; round < 3; ++round) {
    start();
    EXPECT_TRUE(status(get(port_, "/v1.m3u8"), 200));
    gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
}

} // namespace
} // namespace hull
