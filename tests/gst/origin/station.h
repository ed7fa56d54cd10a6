#pragma once

// An origin with a track on air whose chunks the test makes, and clients of other people's making before it.

#include "gst/origin/origin.h"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fmt/format.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

namespace hull::origin {

/// True once `holds` does; false if it does not within a time that only broken code needs.
template <class Condition> bool soon(Condition holds) {
  for (int i = 0; i < 3000; ++i) {
    if (holds()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

/// A program that runs, and what it prints.
class Program {
 public:
  explicit Program(const std::string &command) : pipe_(popen(command.c_str(), "r")) {}
  ~Program() {
    if (pipe_) pclose(pipe_);
  }
  Program(const Program &) = delete;
  Program &operator=(const Program &) = delete;

  /// At least `size` bytes of what it printed so far, or all if it ended.
  const std::string &until(std::size_t size) {
    char buffer[65536];
    while (said_.size() < size) {
      const ssize_t count = ::read(fileno(pipe_), buffer, sizeof buffer);
      if (count <= 0) break;
      said_.append(buffer, static_cast<std::size_t>(count));
    }
    return said_;
  }
  std::string all() { return until(~std::size_t{0}); }

 private:
  FILE *pipe_;
  std::string said_;
};

inline std::string run(const std::string &command) {
  return Program(command).all();
}

inline bool installed(const char *program) {
  return !run(fmt::format("command -v {}", program)).empty();
}

/// A TCP connection that says what the test tells it to.
class Raw {
 public:
  /// `receive_buffer`: bytes that the kernel takes ahead of the test, doubled; 0: as it likes.
  /// `host`: the client is 127.0.0.HOST.
  explicit Raw(unsigned port, int receive_buffer = 0, unsigned host = 1)
      : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    if (receive_buffer) setsockopt(fd_.get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK - 1 + host);
    (void)bind(fd_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address);
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const timeval most{30, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    connected_ = connect(fd_.get(), reinterpret_cast<const sockaddr *>(&address), sizeof address) == 0;
  }
  bool connected() const { return connected_; }
  void say(std::string_view bytes) const { send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL); }
  std::string read(std::size_t size) const {
    std::string bytes(size, '\0');
    const ssize_t count = recv(fd_.get(), bytes.data(), size, MSG_WAITALL);
    bytes.resize(count > 0 ? static_cast<std::size_t>(count) : 0);
    return bytes;
  }
  std::string read_all() const {
    std::string all, some;
    while (!(some = read(4096)).empty())
      all += some;
    return all;
  }
  /// Waits for the server's end, a request on its lips; false: there came a reset.
  bool ends_well() const {
    char byte = 0;
    ssize_t count = 0;
    while ((count = recv(fd_.get(), &byte, 1, 0)) > 0) {
    }
    return count == 0;
  }
  /// Closes with a reset instead of an end.
  void reset() {
    const linger hard{1, 0};
    setsockopt(fd_.get(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    fd_.reset();
  }

 private:
  Fd fd_;
  bool connected_ = false;
};

class Station : public testing::Test {
 protected:
  static constexpr std::size_t kChunk = 5000;
  static constexpr int kChunks = 10; // of a segment

  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / fmt::format("hull-station-{}", getpid());
    std::filesystem::create_directories(folder_);
  }
  void TearDown() override {
    origin_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start(bool secure, ServerLimits limits = {}) {
    OriginSettings settings;
    settings.port = 0;
    settings.limits = limits;
    if (secure) settings.certificate = certificate();
    auto origin = Origin::start(std::move(settings));
    ASSERT_TRUE(origin) << origin.error().text;
    origin_ = std::move(*origin);
    live_ = std::make_shared<publish::Live>(publish::LiveConfig{});
    live_->set_epoch(1'700'000'000'000'000'000);
    publish::Track track;
    track.id = "v1";
    live_->add_track(track);
    track.codecs = "avc1.42c01e";
    track.timescale = 12800;
    track.frame_rate = {25, 1};
    live_->set_init(0, track, std::make_shared<const ByteVector>(9, std::uint8_t{1}));
    while (made_ < 3 * kChunks)
      add_chunk();
    origin_->publish(live_);
  }

  /// Chunk n is kChunk bytes of 'a' + n % 26.
  void add_chunk(std::size_t size = kChunk) {
    const std::int64_t i = made_++;
    auto bytes = std::make_shared<const ByteVector>(size, static_cast<std::uint8_t>('a' + i % 26));
    ASSERT_TRUE(live_->add_chunk(
        0, {std::move(bytes), i * 2560, 2560, 512, i % kChunks == 0, false, i % kChunks == 0}));
    if (origin_) origin_->kick();
  }

  std::string certificate() const {
    const std::string file = folder_ / "hull.pem";
    const std::string made =
        run(fmt::format("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "
                        "-subj /CN=localhost -keyout {0} -out {0}.crt 2>&1 && cat {0}.crt >> {0}",
                        file));
    return file;
  }

  std::string url(const std::string &path) const {
    return fmt::format("http{}://127.0.0.1:{}/{}", origin_->secure() ? "s" : "", origin_->port(), path);
  }
  /// What curl prints.
  std::string curl(const std::string &arguments, const std::string &path) const {
    return run(fmt::format("curl -sk --max-time 60 {} '{}'", arguments, url(path)));
  }

  std::filesystem::path folder_;
  std::unique_ptr<Origin> origin_;
  std::shared_ptr<publish::Live> live_;
  int made_ = 0;
};

} // namespace hull::origin
