#include "tests/plugins/cmaf_support.h"

#include <atomic>
#include <list>
#include <map>
#include <mutex>
#include <thread>
#include <vector>

namespace hull {
namespace {

using namespace cmaf_test;

/// A server that takes PUT, POST and DELETE, and can be away for a while.
class IngestServer {
 public:
  struct Object {
    std::string method, type, authorization, body;
    std::size_t chunks = 0; ///< of the chunked coding; 0 = it had a length
  };
  ~IngestServer() { die(); }

  unsigned port() const { return port_; }
  void live() {
    socket_ = g_socket_new(G_SOCKET_FAMILY_IPV4, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_TCP, nullptr);
    GInetAddress *loopback = g_inet_address_new_loopback(G_SOCKET_FAMILY_IPV4);
    GSocketAddress *address = g_inet_socket_address_new(loopback, static_cast<guint16>(port_));
    ASSERT_TRUE(g_socket_bind(socket_, address, TRUE, nullptr));
    g_object_unref(address);
    g_object_unref(loopback);
    g_socket_listen(socket_, nullptr);
    GSocketAddress *local = g_socket_get_local_address(socket_, nullptr);
    port_ = g_inet_socket_address_get_port(G_INET_SOCKET_ADDRESS(local));
    g_object_unref(local);
    accepting_ = std::thread([this] { accept(); });
  }
  /// Cuts everybody off, in the middle of what they send.
  void die() {
    if (!socket_) return;
    g_socket_shutdown(socket_, TRUE, TRUE, nullptr);
    accepting_.join();
    {
      const std::lock_guard lock(mutex_);
      for (GSocket *client : clients_)
        g_socket_shutdown(client, TRUE, TRUE, nullptr);
    }
    for (std::thread &thread : threads_)
      thread.join();
    threads_.clear();
    g_socket_close(socket_, nullptr);
    g_clear_object(&socket_);
  }
  std::map<std::string, Object> objects() const {
    const std::lock_guard lock(mutex_);
    return objects_;
  }
  std::vector<std::string> order() const {
    const std::lock_guard lock(mutex_);
    return order_;
  }
  bool wait_for(const std::string &name) const {
    for (int i = 0; i < 1000; ++i, g_usleep(10'000))
      if (objects().contains(name)) return true;
    return false;
  }
  /// What the next requests for init segments are answered.
  std::atomic<int> status = 200;

 private:
  void accept() {
    while (GSocket *client = g_socket_accept(socket_, nullptr, nullptr)) {
      const std::lock_guard lock(mutex_);
      clients_.push_back(client);
      threads_.emplace_back([this, client] { serve(client); });
    }
  }

  static bool more(GSocket *client, std::string &data) {
    char buffer[16384];
    const gssize count = g_socket_receive(client, buffer, sizeof buffer, nullptr, nullptr);
    if (count > 0) data.append(buffer, static_cast<std::size_t>(count));
    return count > 0;
  }
  static std::string field(const std::string &head, const std::string &name) {
    const std::size_t at = head.find("\r\n" + name + ": ");
    if (at == std::string::npos) return {};
    const std::size_t from = at + 4 + name.size();
    return head.substr(from, head.find("\r\n", from) - from);
  }
  /// Takes `count` bytes off the front.
  static bool take(GSocket *client, std::string &data, std::size_t count, std::string &out) {
    while (data.size() < count)
      if (!more(client, data)) return false;
    out += data.substr(0, count);
    data.erase(0, count);
    return true;
  }
  static bool take_chunks(GSocket *client, std::string &data, Object &object) {
    for (;;) {
      std::size_t end;
      while ((end = data.find("\r\n")) == std::string::npos)
        if (!more(client, data)) return false;
      const std::size_t size = std::stoul(data, nullptr, 16);
      data.erase(0, end + 2);
      std::string line;
      if (!take(client, data, size, object.body) || !take(client, data, 2, line)) return false;
      if (size == 0) return true;
      ++object.chunks;
    }
  }

  void serve(GSocket *client) {
    std::string data;
    for (;;) {
      std::size_t end;
      while ((end = data.find("\r\n\r\n")) == std::string::npos)
        if (!more(client, data)) return leave(client);
      const std::string head = data.substr(0, end + 2);
      data.erase(0, end + 4);
      Object object;
      object.method = head.substr(0, head.find(' '));
      object.type = field(head, "Content-Type");
      object.authorization = field(head, "Authorization");
      const std::size_t slash = head.find('/');
      const std::string name = head.substr(slash + 1, head.find(' ', slash) - slash - 1);
      const std::string length = field(head, "Content-Length");
      const bool whole = !length.empty() ? take(client, data, std::stoul(length), object.body)
                         : field(head, "Transfer-Encoding") == "chunked" ? take_chunks(client, data, object)
                                                                         : true;
      if (!whole) return leave(client);
      const int code = name.ends_with("init.mp4") ? status.load() : 200;
      if (code == 200) {
        const std::lock_guard lock(mutex_);
        order_.push_back(object.method + " " + name);
        if (object.method == "DELETE")
          objects_.erase(name);
        else
          objects_[name] = object;
      }
      const std::string reply = "HTTP/1.1 " + std::to_string(code) + " x\r\nContent-Length: 0\r\n\r\n";
      g_socket_send(client, reply.data(), reply.size(), nullptr, nullptr);
    }
  }
  void leave(GSocket *client) {
    const std::lock_guard lock(mutex_);
    clients_.remove(client);
    g_socket_close(client, nullptr);
    g_object_unref(client);
  }

  GSocket *socket_ = nullptr;
  unsigned port_ = 0;
  std::thread accepting_;
  mutable std::mutex mutex_; // leaf
  std::list<GSocket *> clients_;
  std::list<std::thread> threads_;
  std::map<std::string, Object> objects_;
  std::vector<std::string> order_;
};

class CmafPush : public CmafSinkBase {
 protected:
  void SetUp() override {
    CmafSinkBase::SetUp();
    server_.live();
  }
  std::string target(const char *more = "") const {
    return "ingest-url=http://127.0.0.1:" + std::to_string(server_.port()) + "/live " + more;
  }
  IngestServer server_;
};

TEST_F(CmafPush, SendsEachSegmentInOneRequestWhileItGrows) {
  start(target());
  ASSERT_TRUE(server_.wait_for("live/v1/3.m4s"));
  const auto objects = server_.objects();
  const auto order = server_.order();
  EXPECT_EQ(order.front(), "PUT live/v1/init.mp4");
  const IngestServer::Object &segment = objects.at("live/v1/2.m4s");
  EXPECT_GE(segment.chunks, 5u) << "five chunks of 0.08 s each";
  EXPECT_EQ(segment.type, "video/mp4");
  EXPECT_EQ(segment.body, body(get(port_, "/v1/2.m4s"))) << "what the origin serves";
  publish::Findings found;
  publish::lint_segment(bytes_of(objects.at("live/v1/init.mp4").body), bytes_of(segment.body), "2.m4s",
                        found);
  expect_kept(found);
  ASSERT_TRUE(objects.contains("live/manifest.mpd"));
  publish::lint_mpd(objects.at("live/manifest.mpd").body, "manifest.mpd", found);
  expect_kept(found);
}

TEST_F(CmafPush, GoesOnWhenTheServerComesBackAndStartsWithTheHeader) {
  start(target("ingest-queue=2"));
  ASSERT_TRUE(server_.wait_for("live/v1/1.m4s"));
  server_.die();
  follow(7); // the stream goes on for those at the origin
  EXPECT_GE(stat("output-failures"), 1u);
  const std::size_t before = server_.order().size();
  server_.live();
  const std::uint64_t newest = stat("segments");
  ASSERT_TRUE(server_.wait_for("live/v1/" + std::to_string(newest + 2) + ".m4s"));
  const auto order = server_.order();
  for (std::size_t i = before; i < order.size(); ++i) {
    if (order[i].find("v1/") == std::string::npos) continue;
    EXPECT_EQ(order[i], "PUT live/v1/init.mp4");
    break;
  }
  EXPECT_GE(stat("dropped-segments"), 1u) << "two of them waited";
  const auto objects = server_.objects();
  EXPECT_FALSE(objects.contains("live/v1/3.m4s"));
  const std::string kept = "/v1/" + std::to_string(newest + 1) + ".m4s";
  EXPECT_EQ(objects.at("live" + kept).body, body(get(port_, kept)));
}

TEST_F(CmafPush, AServerAwayForThirtySecondsGetsWholeSegmentsAndTheHeaderAgain) {
  start(target("ingest-queue=3"));
  ASSERT_TRUE(server_.wait_for("live/v1/2.m4s"));
  const std::uint64_t held = stat("window-bytes");
  server_.die();
  g_usleep(30 * G_USEC_PER_SEC);
  const std::size_t before = server_.order().size();
  const std::uint64_t back = stat("segments");
  EXPECT_GT(back, 60u) << "segments of 0.4 s went on for those at the origin";
  server_.live();
  ASSERT_TRUE(server_.wait_for("live/v1/" + std::to_string(back + 2) + ".m4s"));
  const auto order = server_.order();
  std::size_t first = before;
  while (first < order.size() && order[first].find("v1/") == std::string::npos)
    ++first;
  ASSERT_LT(first, order.size());
  EXPECT_EQ(order[first], "PUT live/v1/init.mp4");
  const std::uint64_t dropped = stat("dropped-segments");
  EXPECT_GE(dropped + 8, back - 2) << "all but those that waited";
  EXPECT_LE(dropped, back);
  for (const auto &[name, object] : server_.objects()) {
    if (!name.ends_with(".m4s")) continue;
    const std::string reply = get(port_, name.substr(4));
    if (!status(reply, 200)) continue; // left the window since
    EXPECT_EQ(object.body, body(reply)) << name;
  }
  EXPECT_LT(stat("window-bytes"), held + (8u << 20)) << "what waits is not kept beside the window";
}

TEST_F(CmafPush, WhatIsPushedKeepsTheRulesOfIngest) {
  start(target(), 61);
  ASSERT_TRUE(wait(static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR))));
  stop();
  publish::IngestTrack track;
  const auto objects = server_.objects();
  track.where = "v1";
  track.init = bytes_of(objects.at("live/v1/init.mp4").body);
  track.segment_duration = 0.4;
  std::map<std::uint64_t, Bytes> in_order;
  for (const auto &[name, object] : objects)
    if (name.ends_with(".m4s")) in_order[std::stoull(name.substr(8))] = bytes_of(object.body);
  for (const auto &[number, media] : in_order)
    track.segments.push_back(media);
  EXPECT_GE(track.segments.size(), 5u);
  publish::Findings found;
  publish::lint_ingest_track(track, found);
  publish::lint_ingest_mpd(objects.at("live/manifest.mpd").body, "manifest.mpd", found);
  for (const publish::Finding &finding : found.all())
    // Segments of 0.4 s, and not counted from 1970; lmsg marks only what was still open at the end.
    if (std::string("ING-08 ING-09 DSH-34").find(finding.rule->id) == std::string::npos)
      ADD_FAILURE() << publish::to_text(finding);
}

TEST_F(CmafPush, AServerThatRefusesStopsNobody) {
  server_.status = 403;
  start(target());
  follow(3);
  const MessageRef warning = wait(GST_MESSAGE_WARNING, 5);
  ASSERT_TRUE(warning);
  GError *error = nullptr;
  gst_message_parse_warning(warning.get(), &error, nullptr);
  EXPECT_NE(std::string(error->message).find("403"), std::string::npos) << error->message;
  EXPECT_NE(std::string(error->message).find("ingest-url"), std::string::npos) << error->message;
  g_clear_error(&error);
  server_.status = 200; // and the header goes again
  const std::uint64_t newest = stat("segments");
  EXPECT_TRUE(server_.wait_for("live/v1/" + std::to_string(newest + 1) + ".m4s"));
}

TEST_F(CmafPush, PostsAndNamesItself) {
  std::string url = target("ingest-post=true");
  url.replace(url.find("http://"), 7, "http://me:s%2Fcret@");
  start(url);
  ASSERT_TRUE(server_.wait_for("live/v1/0.m4s"));
  const auto object = server_.objects().at("live/v1/0.m4s");
  EXPECT_EQ(object.method, "POST");
  EXPECT_EQ(object.authorization, "Basic bWU6cy9jcmV0");
}

TEST_F(CmafPush, InterfaceTwoKeepsAPlayableFolder) {
  start(target("ingest-mode=objects dvr-window=1000000000"), 160);
  const auto end = wait(static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR)));
  ASSERT_TRUE(end);
  stop();
  const auto objects = server_.objects();
  for (const char *name :
       {"live/master.m3u8", "live/v1.m3u8", "live/manifest.mpd", "live/v1/init.mp4", "live/v1/15.m4s"})
    EXPECT_TRUE(objects.contains(name)) << name;
  EXPECT_NE(objects.at("live/v1.m3u8").body.find("#EXT-X-ENDLIST"), std::string::npos);
  EXPECT_FALSE(objects.contains("live/v1/0.m4s")) << "deleted when it left the window";
  publish::Findings found;
  publish::lint_playlist(objects.at("live/v1.m3u8").body, "v1.m3u8", found);
  expect_kept(found, objects.at("live/v1.m3u8").body);
}

// Playlists of interface 2 name WebVTT files, so those must be there; interface 1 has only fragments.
TEST_F(CmafPush, InterfaceTwoGetsSubtitlesAsWebVtt) {
  launch(video(60) + sink(target("ingest-mode=objects")) +
         " dataurisrc uri=data:text/vtt,WEBVTT%0A%0A00:00.500%20--%3E%2000:01.500%0AHello%0A ! "
         "application/x-subtitle-vtt ! s.text_0");
  ASSERT_TRUE(wait(static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR))));
  stop();
  const auto objects = server_.objects();
  ASSERT_TRUE(objects.contains("live/t1.m3u8"));
  const std::string &playlist = objects.at("live/t1.m3u8").body;
  for (const char *name : {"t1/1.vtt", "t1/3.vtt", "t1/5.vtt"}) {
    EXPECT_NE(playlist.find(name), std::string::npos) << playlist;
    ASSERT_TRUE(objects.contains(std::string("live/") + name)) << name;
    EXPECT_TRUE(objects.at(std::string("live/") + name).body.starts_with("WEBVTT")) << name;
    EXPECT_EQ(objects.at(std::string("live/") + name).type, "text/vtt");
  }
  EXPECT_NE(objects.at("live/t1/2.vtt").body.find("Hello"), std::string::npos);
  EXPECT_TRUE(objects.contains("live/t1/2.m4s")) << "DASH reads those";
}

} // namespace
} // namespace hull
