// Viewers who all join at once and stay: bench_crowd [VIEWERS] [SECONDS] [KBIT/S|even]
// One keep-alive connection each, following the growing segments of one track of hullcmafsink in this
// process: pictures of so many kbit/s, whose key pictures are several times as large as the others, or, with
// "even", lossless noise of 1.5 Mb/s, in chunks of 38 kB every 0.2 s. Prints how long it took until all were
// connected, how late each chunk reached each viewer after it was published, and what the origin's thread
// cost.

#include "gst/core/number.h"
#include "gst/glue/ref.h"

#include <algorithm>
#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fmt/format.h>
#include <fstream>
#include <map>
#include <mutex>
#include <string>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>
#include <vector>

#include <gst/gst.h>

namespace {

using namespace hull;

double now_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// When each chunk of each segment of v1 was published.
struct Published {
  std::mutex mutex;
  std::map<std::uint64_t, std::vector<double>> times;
  std::atomic<std::uint64_t> newest = 0;
  double of(std::uint64_t segment, std::size_t chunk) {
    const std::lock_guard lock(mutex);
    const auto found = times.find(segment);
    return found == times.end() || chunk >= found->second.size() ? 0 : found->second[chunk];
  }
};

GstBusSyncReply note(GstBus *, GstMessage *message, gpointer data) {
  const GstStructure *structure = gst_message_get_structure(message);
  guint64 number = 0;
  if (structure && gst_structure_has_name(structure, "cmaf-chunk-published") &&
      gst_structure_get_uint64(structure, "number", &number)) {
    auto &published = *static_cast<Published *>(data);
    const std::lock_guard lock(published.mutex);
    published.times[number].push_back(now_ms());
    published.newest = number;
  }
  return GST_BUS_PASS;
}

struct Viewer {
  enum class State { connecting, head, size, data, end, trailer } state = State::connecting;
  int fd = -1;
  std::uint64_t segment = 0;
  std::size_t chunk = 0;
  std::uint64_t left = 0;
  std::string line;
  bool chunked = false;
  double asked = 0, connected = 0, first_byte = 0;
};

class Crowd {
 public:
  Crowd(unsigned port, std::string track, unsigned count, Published &published)
      : track_(std::move(track)), published_(published), viewers_(count) {
    poll_ = epoll_create1(EPOLL_CLOEXEC);
    address_.sin_family = AF_INET;
    address_.sin_port = htons(static_cast<std::uint16_t>(port));
    address_.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  }
  ~Crowd() {
    for (const Viewer &viewer : viewers_)
      if (viewer.fd >= 0) close(viewer.fd);
    close(poll_);
  }

  void run(double seconds) {
    begun_ = now_ms();
    for (Viewer &viewer : viewers_) {
      viewer.fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
      viewer.segment = published_.newest;
      connect(viewer.fd, reinterpret_cast<const sockaddr *>(&address_), sizeof address_);
      epoll_event event{EPOLLOUT, {}};
      event.data.ptr = &viewer;
      epoll_ctl(poll_, EPOLL_CTL_ADD, viewer.fd, &event);
    }
    std::vector<epoll_event> events(256);
    while (now_ms() < begun_ + seconds * 1000) {
      const int ready = epoll_wait(poll_, events.data(), static_cast<int>(events.size()), 100);
      for (int i = 0; i < ready; ++i)
        serve(*static_cast<Viewer *>(events[static_cast<std::size_t>(i)].data.ptr));
    }
  }

  void print() const {
    double all_connected = 0, all_started = 0;
    std::size_t connected = 0;
    for (const Viewer &viewer : viewers_) {
      connected += viewer.connected > 0;
      all_connected = std::max(all_connected, viewer.connected - begun_);
      all_started = std::max(all_started, viewer.first_byte - begun_);
    }
    std::vector<float> lags = lags_;
    std::sort(lags.begin(), lags.end());
    const auto at = [&lags](double share) {
      return lags.empty()
                 ? 0.0
                 : static_cast<double>(lags[std::min(
                       lags.size() - 1, static_cast<std::size_t>(share * static_cast<double>(lags.size())))]);
    };
    fmt::print("{} of {} viewers connected within {:.0f} ms, first media for all within {:.0f} ms, {} lost\n",
               connected, viewers_.size(), all_connected, all_started, lost_);
    fmt::print("chunk lag ms: p50 {:.1f}  p95 {:.1f}  p99 {:.1f}  max {:.1f}  ({} deliveries, {:.0f} Mb/s)\n",
               at(0.5), at(0.95), at(0.99), lags.empty() ? 0.0 : static_cast<double>(lags.back()),
               lags.size(), static_cast<double>(bytes_) * 8 / (now_ms() - begun_) / 1e3);
  }

 private:
  void ask(Viewer &viewer) {
    const std::string request =
        "GET /" + track_ + "/" + std::to_string(viewer.segment) + ".m4s HTTP/1.1\r\nHost: crowd\r\n\r\n";
    viewer.asked = now_ms();
    viewer.state = Viewer::State::head;
    viewer.chunk = 0;
    viewer.line.clear();
    if (send(viewer.fd, request.data(), request.size(), MSG_NOSIGNAL) < 0) lose(viewer);
  }

  void lose(Viewer &viewer) {
    ++lost_;
    close(viewer.fd);
    viewer.fd = -1;
  }

  void serve(Viewer &viewer) {
    if (viewer.fd < 0) return;
    if (viewer.state == Viewer::State::connecting) {
      int error = 0;
      socklen_t size = sizeof error;
      getsockopt(viewer.fd, SOL_SOCKET, SO_ERROR, &error, &size);
      if (error) return lose(viewer);
      viewer.connected = now_ms();
      epoll_event event{EPOLLIN, {}};
      event.data.ptr = &viewer;
      epoll_ctl(poll_, EPOLL_CTL_MOD, viewer.fd, &event);
      return ask(viewer);
    }
    char buffer[65536];
    const ssize_t count = recv(viewer.fd, buffer, sizeof buffer, 0);
    if (count < 0 && errno == EAGAIN) return;
    if (count <= 0) return lose(viewer);
    bytes_ += static_cast<std::uint64_t>(count);
    take(viewer, buffer, static_cast<std::size_t>(count));
  }

  void take(Viewer &viewer, const char *at, std::size_t count) {
    using State = Viewer::State;
    while (count && viewer.fd >= 0) {
      if (viewer.state == State::data) {
        const std::size_t part = static_cast<std::size_t>(std::min<std::uint64_t>(count, viewer.left));
        viewer.left -= part;
        at += part;
        count -= part;
        if (viewer.left == 0) data_done(viewer);
        continue;
      }
      viewer.line.push_back(*at++);
      --count;
      if (viewer.line.back() != '\n') continue;
      line(viewer);
    }
  }

  void line(Viewer &viewer) {
    using State = Viewer::State;
    std::string &text = viewer.line;
    if (viewer.state == State::head) {
      if (!text.ends_with("\r\n\r\n")) return;
      if (text.rfind("HTTP/1.1 200", 0) != 0) return lose(viewer);
      if (viewer.first_byte == 0) viewer.first_byte = now_ms();
      viewer.chunked = text.find("hunked") != std::string::npos;
      const std::size_t length = text.find("Content-Length: ");
      viewer.left = length == std::string::npos ? 0 : std::strtoull(text.c_str() + length + 16, nullptr, 10);
      viewer.state = viewer.chunked ? State::size : State::data;
    } else if (viewer.state == State::size) {
      viewer.left = std::strtoull(text.c_str(), nullptr, 16);
      viewer.state = viewer.left ? State::data : State::trailer;
    } else if (viewer.state == State::end) {
      viewer.state = State::size;
    } else {
      ++viewer.segment;
      return ask(viewer);
    }
    text.clear();
  }

  void data_done(Viewer &viewer) {
    viewer.line.clear();
    if (!viewer.chunked) {
      ++viewer.segment;
      return ask(viewer);
    }
    const double published = published_.of(viewer.segment, viewer.chunk++);
    if (published > viewer.asked) lags_.push_back(static_cast<float>(std::max(0.0, now_ms() - published)));
    viewer.state = Viewer::State::end;
  }

  const std::string track_;
  Published &published_;
  std::vector<Viewer> viewers_;
  sockaddr_in address_{};
  int poll_ = -1;
  double begun_ = 0;
  std::uint64_t bytes_ = 0;
  std::size_t lost_ = 0;
  std::vector<float> lags_;
};

/// CPU seconds of the origin's thread so far.
double origin_cpu() {
  for (const auto &task : std::filesystem::directory_iterator("/proc/self/task")) {
    std::string name;
    std::getline(std::ifstream(task.path() / "comm"), name);
    if (name != "hull-origin") continue;
    double run_ns = 0;
    std::ifstream(task.path() / "schedstat") >> run_ns;
    return run_ns / 1e9;
  }
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  const unsigned count = argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1000;
  const double seconds = argc > 2 ? to_number<double>(argv[2]).value_or(20) : 20;
  const std::string rate = argc > 3 ? argv[3] : "1600";
  rlimit files{20'000, 20'000};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  const bool even = rate == "even";
  const std::string source =
      even ? "audiotestsrc is-live=true wave=white-noise ! audio/x-raw,format=S16LE,rate=48000,channels=2 ! "
             "flacenc ! flacparse"
           : "videotestsrc is-live=true pattern=snow ! "
             "video/x-raw,format=I420,width=320,height=180,framerate=25/1 ! hullh264enc bitrate=" +
                 rate;
  const std::string text = source +
                           " ! hullcmafsink name=sink port=0 segment-duration=4000000000 max-clients=" +
                           std::to_string(count + 100);
  const auto pipeline = ElementRef::retain(gst_parse_launch(text.c_str(), nullptr));
  const auto sink =
      pipeline ? ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "sink")) : ElementRef();
  if (!sink) return std::fprintf(stderr, "an element of %s is missing\n", text.c_str()), 77;
  Published published;
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_bus_set_sync_handler(bus.get(), note, &published, nullptr);
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  guint port = 0;
  g_object_get(sink.get(), "actual-port", &port, nullptr);
  std::this_thread::sleep_for(std::chrono::seconds(9));
  const double cpu = origin_cpu();
  Crowd crowd(port, even ? "a1" : "v1", count, published);
  crowd.run(seconds);
  const double used = origin_cpu() - cpu;
  crowd.print();
  fmt::print("origin thread: {:.1f} % of a core\n", 100 * used / seconds);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  gst_bus_set_sync_handler(bus.get(), nullptr, nullptr, nullptr);
  return 0;
}
