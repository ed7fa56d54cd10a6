#pragma once

// A live pipeline into hullcmafsink, and requests written by hand.

#include "gst/glue/ref.h"
#include "gst/publish/lint/lint.h"

#include <gtest/gtest.h>
#include <string>

#include <gio/gio.h>
#include <gst/gst.h>

namespace hull::cmaf_test {

using Connection = Ref<GSocketConnection, g_object_ref, g_object_unref>;

inline Connection connect_to(unsigned port) {
  GSocketClient *client = g_socket_client_new();
  g_socket_client_set_timeout(client, 20);
  auto connection = Connection::adopt(
      g_socket_client_connect_to_host(client, "127.0.0.1", static_cast<guint16>(port), nullptr, nullptr));
  g_object_unref(client);
  return connection;
}

inline bool send_text(const Connection &connection, const std::string &text) {
  return connection && g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection.get())),
                                                 text.data(), text.size(), nullptr, nullptr, nullptr);
}

/// Everything until the other side closes.
inline std::string read_all(const Connection &connection) {
  std::string reply;
  char buffer[65536];
  if (!connection) return reply;
  GInputStream *stream = g_io_stream_get_input_stream(G_IO_STREAM(connection.get()));
  for (gssize n; (n = g_input_stream_read(stream, buffer, sizeof buffer, nullptr, nullptr)) > 0;)
    reply.append(buffer, static_cast<std::size_t>(n));
  return reply;
}

/// Sends `request` as it is and reads until the origin closes.
inline std::string talk(unsigned port, const std::string &request) {
  const Connection connection = connect_to(port);
  send_text(connection, request);
  return read_all(connection);
}

inline std::string get(unsigned port, const std::string &path, const std::string &headers = {},
                       const char *method = "GET") {
  return talk(port, std::string(method) + " " + path + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" +
                        headers + "\r\n");
}
inline std::string head(const std::string &reply) {
  return reply.substr(0, reply.find("\r\n\r\n"));
}
/// The body, put together again where it came in chunks.
inline std::string body(const std::string &reply) {
  const std::size_t at = reply.find("\r\n\r\n");
  if (at == std::string::npos) return {};
  std::string rest = reply.substr(at + 4), whole;
  if (head(reply).find("chunked") == std::string::npos) return rest;
  for (std::size_t from = 0; from < rest.size();) {
    const std::size_t line = rest.find("\r\n", from);
    if (line == std::string::npos) break;
    const std::size_t size = std::stoul(rest.substr(from, line - from), nullptr, 16);
    if (size == 0) break;
    whole += rest.substr(line + 2, size);
    from = line + 2 + size + 2;
  }
  return whole;
}
inline bool status(const std::string &reply, int code) {
  return reply.starts_with("HTTP/1.1 " + std::to_string(code));
}
inline Bytes bytes_of(const std::string &text) {
  return {reinterpret_cast<const std::uint8_t *>(text.data()), text.size()};
}

/// No finding of level must.
inline void expect_kept(const publish::Findings &found, const std::string &about = {}) {
  for (const publish::Finding &finding : found.all())
    EXPECT_NE(finding.rule->level, publish::Level::must) << publish::to_text(finding) << about;
}

class CmafSinkBase : public testing::Test {
 protected:
  void SetUp() override {
    g_unsetenv("HULL_PLAYER_DIR");
    gst_init(nullptr, nullptr);
    for (const char *name : {"hullcmafsink", "hullmp4mux", "hullh264enc"}) {
      const auto factory = ObjectRef<GstElementFactory>::adopt(gst_element_factory_find(name));
      ASSERT_TRUE(factory) << name;
    }
  }
  void TearDown() override { stop(); }
  void stop() {
    if (pipeline_) gst_element_set_state(pipeline_.get(), GST_STATE_NULL);
  }
  /// `text` holds a hullcmafsink named s with port=0.
  GstStateChangeReturn launch(const std::string &text) {
    GError *error = nullptr;
    pipeline_ = ElementRef::retain(gst_parse_launch(text.c_str(), &error));
    EXPECT_FALSE(error) << error->message;
    g_clear_error(&error);
    sink_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
    const auto changed = gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    g_object_get(sink_.get(), "actual-port", &port_, nullptr);
    return changed;
  }
  static std::string sink(const std::string &properties = "") {
    return "hullcmafsink name=s port=0 segment-duration=400000000 chunk-duration=80000000 "
           "part-duration=80000000 " +
           properties;
  }
  static std::string video(int pictures = 2000, const std::string &size = "width=160,height=96") {
    return "videotestsrc is-live=true num-buffers=" + std::to_string(pictures) + " ! video/x-raw," + size +
           ",framerate=25/1 ! hullh264enc key-int-max=1000 ! ";
  }
  /// A live source of 25 pictures/s into the sink, segments of 0.4 s in chunks of 0.08 s.
  GstStateChangeReturn start(const std::string &properties = "", int pictures = 2000) {
    return launch(video(pictures) + sink(properties));
  }
  /// Follows the stream by blocking reloads, as a player does, to part 0 of segment `number`; its last reply.
  std::string follow(unsigned number, const std::string &track = "v1") {
    std::string reply;
    for (unsigned n = 1; n <= number; ++n)
      reply = get(port_, "/" + track + ".m3u8?_HLS_msn=" + std::to_string(n) + "&_HLS_part=0");
    return reply;
  }
  MessageRef wait(GstMessageType types, unsigned seconds = 30) {
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline_.get()));
    return MessageRef::adopt(gst_bus_timed_pop_filtered(bus.get(), seconds * GST_SECOND, types));
  }
  std::uint64_t stat(const char *field) const {
    GstStructure *all = nullptr;
    g_object_get(sink_.get(), "stats", &all, nullptr);
    const auto held = StructureRef::adopt(all);
    guint64 value = 0;
    guint small = 0;
    if (gst_structure_get_uint64(all, field, &value)) return value;
    EXPECT_TRUE(gst_structure_get_uint(all, field, &small)) << field;
    return small;
  }
  ElementRef pipeline_, sink_;
  guint port_ = 0;
};

} // namespace hull::cmaf_test
