#include "gst/publish/utc.h"
#include "tests/plugins/cmaf_support.h"
#include "tests/support/sanitizer.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <vector>

#include <gst/app/gstappsrc.h>
#include <gst/check/gsttestclock.h>

namespace hull {
namespace {

using namespace cmaf_test;

class CmafWeather : public CmafSinkBase {
 protected:
  /// The stream is still there for somebody who comes now.
  void expect_alive() {
    const std::string reply = get(port_, "/v1.m3u8");
    EXPECT_TRUE(status(reply, 200)) << head(reply);
  }
  static double resident_mb() {
    std::ifstream file("/proc/self/statm");
    double all = 0, resident = 0;
    file >> all >> resident;
    return resident * static_cast<double>(sysconf(_SC_PAGESIZE)) / 1e6;
  }
  static unsigned descriptors(unsigned wanted) {
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = std::min<rlim_t>(wanted, limit.rlim_max);
    setrlimit(RLIMIT_NOFILE, &limit);
    return static_cast<unsigned>(limit.rlim_cur);
  }
};

TEST_F(CmafWeather, TenThousandHalfOpenConnectionsKeepNobodyOut) {
  const unsigned most = descriptors(20'000);
  const unsigned crowd = std::min(10'000u, most > 3000 ? most - 2500 : most / 2);
  start("max-clients=1000");
  expect_alive();
  std::vector<Connection> held;
  for (unsigned i = 0; i < crowd; ++i) {
    held.push_back(connect_to(port_));
    if (i % 2) send_text(held.back(), "GET /v1.m3u8 HT"); // some begin and never end
  }
  expect_alive();
  EXPECT_TRUE(status(get(port_, "/master.m3u8"), 200));
  EXPECT_LE(stat("clients"), 1100u) << "max-clients, and those that are being cut";
  EXPECT_GE(stat("refused-connections"), crowd - 1100u);
}

TEST_F(CmafWeather, OneAddressMayNotHoldMoreThanItsShare) {
  start("max-clients-per-address=20");
  std::vector<Connection> held;
  for (int i = 0; i < 20; ++i)
    held.push_back(connect_to(port_));
  EXPECT_TRUE(status(get(port_, "/time"), 503));
  held.clear();
  g_usleep(200'000);
  expect_alive();
}

TEST_F(CmafWeather, NoiseAndFloodsStopNobody) {
  start();
  expect_alive();
  const double before = resident_mb();
  talk(port_, std::string(1 << 20, 'x'));
  talk(port_, "GET / HTTP/1.1\r\nX: " + std::string(1 << 20, 'y') + "\r\n\r\n");
  talk(port_, "GET /" + std::string(1 << 20, 'a') + " HTTP/1.1\r\n\r\n");
  for (const char *path :
       {"/../../etc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/v1/..%2f..%2fetc%2fpasswd", "/v1/init.mp4%00.txt",
        "//etc/passwd", "/v1/%ff%fe", "/player/../../etc/passwd", "/v1.m3u8/../../x", "*"}) {
    const std::string reply = get(port_, path);
    EXPECT_FALSE(status(reply, 200)) << path << head(reply);
    EXPECT_EQ(reply.find("root:"), std::string::npos);
  }
  for (const char *query :
       {"_HLS_msn=-1", "_HLS_msn=18446744073709551616", "_HLS_msn=1e3", "_HLS_msn=&_HLS_part=", "_HLS_part=0",
        "_HLS_msn=99999&_HLS_part=0", "_HLS_msn=3&_HLS_part=99999"})
    EXPECT_TRUE(status(get(port_, std::string("/v1.m3u8?") + query), 400)) << query;
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=0&_HLS_part=0"), 200))
      << "old numbers get the playlist of now";
  // Bodies nobody asked for are not kept.
  const Connection liar = connect_to(port_);
  send_text(liar, "POST /v1.m3u8 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000000\r\n\r\n");
  const std::string junk(1 << 20, 'z');
  for (int i = 0; i < 60 && send_text(liar, junk); ++i) {
  }
  // Different wrong questions in one connection.
  std::string flood;
  for (int i = 0; i < 5000; ++i)
    flood += "GET /v1.m3u8?_HLS_msn=" + std::to_string(100'000 + i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  talk(port_, flood + "GET /time HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  expect_alive();
  if (!test::kAddressSanitizer) {
    EXPECT_LT(resident_mb() - before, 60);
  }
}

// Each of these ends with the origin closing the connection: talk() would wait otherwise.
TEST_F(CmafWeather, EveryWayToAskGetsAnAnswer) {
  start();
  follow(2);
  const std::string plain = "HTTP/1.1\r\nHost: x\r\nConnection: close\r\n";
  const std::pair<std::string, int> cases[] = {
      {"GET /time HTTP/1.0\r\n\r\n", 200},
      {"GET /time HTTP/1.0\r\nConnection: keep-alive\r\n\r\nGET /time HTTP/1.0\r\n\r\n", 200},
      {"\r\n\r\nGET /time " + plain + "\r\n", 200},
      {"GET /time HTTP/1.1\nHost: x\nConnection: close\n\n", 200},
      {"GET http://elsewhere:81/time?x=1#y " + plain + "\r\n", 200},
      {"OPTIONS * " + plain + "\r\n", 204},
      {"GET * " + plain + "\r\n", 400},
      {"GET time " + plain + "\r\n", 400},
      {"GET /time HTTP/1.1\r\nConnection: close\r\n\r\n", 400}, // no Host
      {"GET /time HTTP/2.0\r\nHost: x\r\n\r\n", 505},
      // What two readers may read in two ways.
      {"GET /time " + plain + "Content-Length : 5\r\n\r\n", 400},
      {"GET /time " + plain + "X-A\t: 5\r\n\r\n", 400},
      {"GET /time " + plain + ": 5\r\n\r\n", 400},
      {"GET /time " + plain + "no colon\r\n\r\n", 400},
      {"GET /time " + plain + "X: a\r\n folded: b\r\n\r\n", 400},
      {"GET /time " + plain + "Host: y\r\n\r\n", 400},
      {"GET /time " + plain + "Content-Length: +5\r\n\r\n", 400},
      {"GET /time " + plain + "Content-Length: 5\r\nContent-Length: 6\r\n\r\n", 400},
      {"GET /time " + plain + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
      {"GET /time HTTP/1.1\r\nHost:\r\nConnection: close\r\n\r\n", 200},
      {std::string("GET /time HTTP/1.1\r\nHost: x\0y\r\n\r\n", 33), 400},
      {"GET /time HTTP/1.1\r\nX: " + std::string(40'000, 'y') + "\r\n\r\n", 431},
      {"PUT /v1/1.m4s HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc", 405},
      // What hides in a body is not a request: one reply.
      {"GET /time HTTP/1.1\r\nHost: x\r\nContent-Length: 34\r\n\r\nGET /metrics HTTP/1.1\r\nHost: x\r\n\r\n",
       200},
      {"GET /time HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 200},
      {"HEAD /v1/9.m4s " + plain + "\r\n", 404},
  };
  for (const auto &[request, code] : cases) {
    const std::string reply = talk(port_, request);
    EXPECT_TRUE(status(reply, code)) << request.substr(0, 100) << "\n" << head(reply);
    EXPECT_EQ(reply.find("hull_chunks_total"), std::string::npos);
  }
  const std::string old = talk(port_, "GET /v1/3.m4s HTTP/1.0\r\n\r\n"); // ends with the connection
  EXPECT_EQ(head(old).find("chunked"), std::string::npos) << head(old);
  EXPECT_EQ(body(old), body(get(port_, "/v1/3.m4s")));
  const std::string growing_head = get(port_, "/v1/4.m4s", "", "HEAD");
  EXPECT_TRUE(status(growing_head, 200));
  EXPECT_TRUE(growing_head.ends_with("\r\n\r\n"));
  // Replies come in the order of the questions, also behind one that is held.
  const std::string three =
      talk(port_, "GET /v1/5.m4s HTTP/1.1\r\nHost: x\r\n\r\nGET /v1/init.mp4 HTTP/1.1\r\nHost: "
                  "x\r\n\r\nGET /time " +
                      plain + "\r\n");
  const std::size_t segment = three.find("video/mp4"), init = three.find("ftyp"),
                    time = three.find("text/plain");
  EXPECT_LT(segment, init);
  EXPECT_LT(init, time);
  EXPECT_NE(time, std::string::npos);
}

// Players add headers of their own: CMCD, tokens. Whether they may is asked before.
TEST_F(CmafWeather, PreflightsGetWhatTheyAskFor) {
  start();
  const auto allowed = [this](const std::string &wanted) {
    const std::string reply =
        get(port_, "/v1.m3u8",
            "Origin: http://a\r\nAccess-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: " +
                wanted + "\r\n",
            "OPTIONS");
    EXPECT_TRUE(status(reply, 204));
    const std::size_t at = reply.find("Access-Control-Allow-Headers: ");
    return at == std::string::npos ? "" : reply.substr(at, reply.find("\r\n", at) - at);
  };
  for (const std::string wanted : {"cmcd-request", "authorization", "cmcd-object,cmcd-session, x-my_token"})
    EXPECT_NE(allowed(wanted).find(wanted), std::string::npos) << allowed(wanted);
  EXPECT_NE(allowed("cmcd-request").find("Range"), std::string::npos);
  EXPECT_EQ(allowed("x<script>").find("script"), std::string::npos);
}

TEST_F(CmafWeather, ByteRanges) {
  start();
  follow(3);
  const std::string whole = body(get(port_, "/v1/1.m4s"));
  const auto range = [this](const std::string &wanted, const std::string &more = "") {
    return get(port_, "/v1/1.m4s", "Range: " + wanted + "\r\n" + more);
  };
  const std::string size = std::to_string(whole.size());
  EXPECT_EQ(body(range("bytes=-10")), whole.substr(whole.size() - 10));
  EXPECT_EQ(body(range("bytes=10-")), whole.substr(10));
  EXPECT_EQ(body(range("bytes=10-99999999999")), whole.substr(10));
  EXPECT_NE(range("bytes=10-99999999999")
                .find("Content-Range: bytes 10-" + std::to_string(whole.size() - 1) + "/" + size),
            std::string::npos);
  for (const char *longer : {"bytes=-99999999", "bytes=-99999999999"}) {
    EXPECT_TRUE(status(range(longer), 206)) << longer;
    EXPECT_EQ(body(range(longer)), whole);
    EXPECT_NE(range(longer).find("Content-Range: bytes 0-" + std::to_string(whole.size() - 1) + "/" + size),
              std::string::npos);
  }
  EXPECT_TRUE(status(range("bytes=9-3"), 200)) << "no range";
  for (const char *wrong : {"bytes=99999999-", "bytes=-0"}) {
    EXPECT_TRUE(status(range(wrong), 416)) << wrong;
    EXPECT_NE(range(wrong).find("Content-Range: bytes */" + size), std::string::npos);
  }
  // Several, another unit, or a validator that cannot match: all of it.
  EXPECT_EQ(body(range("bytes=0-0,5-6")), whole);
  EXPECT_EQ(body(range("items=0-3")), whole);
  EXPECT_EQ(body(range("bytes=0-3", "If-Range: \"x\"\r\n")), whole);
}

// One reads nothing of a growing segment, one a byte now and then; the others get theirs.
TEST_F(CmafWeather, SlowReadersHoldNobodyUp) {
  start();
  follow(2);
  std::vector<Connection> lazy;
  for (int i = 0; i < 50; ++i) {
    lazy.push_back(connect_to(port_));
    std::string all;
    for (int n = 0; n < 40; ++n)
      all += "GET /v1/" + std::to_string(n) + ".m4s HTTP/1.1\r\nHost: x\r\n\r\n";
    send_text(lazy.back(), all);
  }
  for (unsigned n = 3; n < 7; ++n) {
    const std::string reply = get(port_, "/v1/" + std::to_string(n) + ".m4s");
    EXPECT_TRUE(status(reply, 200)) << head(reply);
    EXPECT_GT(body(reply).size(), 200u);
  }
  expect_alive();
}

TEST_F(CmafWeather, AReaderWhoGoesWhileItsRequestIsHeldLeavesNothingBehind) {
  start();
  follow(1);
  for (int i = 0; i < 50; ++i) {
    const Connection gone = connect_to(port_);
    send_text(gone, "GET /v1.m3u8?_HLS_msn=" + std::to_string(2 + i % 2) +
                        "&_HLS_part=3 HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  follow(5);
  // The origin counts when all have been looked at, so our own reply may be here before.
  for (int i = 0; i < 200 && stat("waiting-requests") > 0; ++i)
    g_usleep(10'000);
  EXPECT_EQ(stat("waiting-requests"), 0u);
  expect_alive();
}

/// Pictures pushed by hand, with the times the test wants.
class CmafByHand : public CmafWeather {
 protected:
  void begin(const std::string &properties = "") {
    launch("appsrc name=in is-live=true format=time "
           "caps=video/x-raw,format=I420,width=64,height=64,framerate=25/1 ! "
           "hullh264enc key-int-max=1000 ! " +
           sink(properties));
    source_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
  }
  void push(double seconds) {
    GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 64 * 64 * 3 / 2, nullptr);
    gst_buffer_memset(buffer, 0, 128, 64 * 64 * 3 / 2);
    GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(seconds * 1e9);
    GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
    gst_app_src_push_buffer(GST_APP_SRC(source_.get()), buffer);
  }
  void push_range(double from, double to) {
    for (int i = 0; from + 0.04 * i < to - 0.001;
         ++i, g_usleep(5000)) // the request for a key unit comes in between
      push(from + 0.04 * i);
  }
  ElementRef source_;
};

TEST_F(CmafByHand, AnEncoderThatPausesLeavesGapsAndKeepsTheNumbers) {
  begin();
  push_range(0, 1.24);
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=2&_HLS_part=4"), 200));
  g_usleep(1'960'000); // as long as it says: times that jump alone are no pause
  push_range(3.2, 4.44);
  const std::string text = body(get(port_, "/v1.m3u8?_HLS_msn=10&_HLS_part=3"));
  publish::Findings found;
  publish::lint_playlist(text, "v1.m3u8", found);
  expect_kept(found, text);
  EXPECT_NE(text.find("#EXT-X-GAP"), std::string::npos) << text;
  EXPECT_NE(text.find("v1/8.m4s"), std::string::npos) << text;
  EXPECT_GE(stat("gap-segments"), 3u);
}

// The picture after a hole is the key unit that was asked for, and may be placed in the segment before. In
// real time, since the muxer gives up waiting by the clock.
TEST_F(CmafByHand, KeyUnitsComeAgainAfterAHoleWhereOneWasDue) {
  begin();
  for (int picture = 0; picture < 150; ++picture, g_usleep(40'000))
    if (picture < 26 || picture > 30) push(0.04 * picture); // from the end of a chunk over 1.2 s
  const std::string text = body(get(port_, "/v1.m3u8?_HLS_msn=13&_HLS_part=0"));
  const std::size_t last = text.rfind("v1/13.0.m4s"), whole = text.rfind("v1/12.0.m4s");
  ASSERT_NE(last, std::string::npos) << text;
  EXPECT_EQ(text.compare(last + 11, 17, "\",INDEPENDENT=YES"), 0) << text;
  EXPECT_EQ(text.compare(whole + 11, 17, "\",INDEPENDENT=YES"), 0) << text;
  EXPECT_LE(stat("late-segments"), 1u);
}

TEST_F(CmafByHand, SoundAheadOfPicturesIsServedAtOnce) {
  launch("appsrc name=in is-live=true format=time "
         "caps=video/x-raw,format=I420,width=64,height=64,framerate=25/1 ! "
         "hullh264enc key-int-max=1000 ! " +
         sink() +
         " audiotestsrc num-buffers=150 samplesperbuffer=1024 ! "
         "audio/x-raw,rate=48000,channels=1 ! avenc_aac ! s.");
  source_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
  push_range(0, 0.84);
  EXPECT_TRUE(status(get(port_, "/a1.m3u8?_HLS_msn=2&_HLS_part=0"), 200));
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=1&_HLS_part=4"), 200));
  push_range(0.84, 2.04);
  EXPECT_TRUE(status(get(port_, "/v1.m3u8?_HLS_msn=4&_HLS_part=0"), 200));
}

// A clock that jumps an hour takes the stream's time along, so players and media stay together whatever the
// system's clock says.
TEST_F(CmafByHand, TheStreamsClockIsThePipelinesNotTheSystems) {
  const auto clock = ObjectRef<GstClock>::adopt(gst_test_clock_new_with_start_time(1000 * GST_SECOND));
  pipeline_ = ElementRef::retain(
      gst_parse_launch(("appsrc name=in is-live=true format=time "
                        "caps=video/x-raw,format=I420,width=64,height=64,framerate=25/1 ! hullh264enc ! " +
                        sink())
                           .c_str(),
                       nullptr));
  gst_pipeline_use_clock(GST_PIPELINE(pipeline_.get()), clock.get());
  sink_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
  source_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "in"));
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  g_object_get(sink_.get(), "actual-port", &port_, nullptr);
  push_range(0, 0.84);
  const auto start = [this] {
    const std::string mpd = body(get(port_, "/manifest.mpd"));
    const std::size_t at = mpd.find("availabilityStartTime=\"");
    return at == std::string::npos ? "" : mpd.substr(at + 23, 24);
  };
  const std::string begun = start();
  EXPECT_EQ(begun.size(), 24u);
  const auto before = publish::parse_utc(body(get(port_, "/time")));
  gst_test_clock_advance_time(GST_TEST_CLOCK(clock.get()), 3600 * GST_SECOND);
  const auto after = publish::parse_utc(body(get(port_, "/time")));
  ASSERT_TRUE(before && after);
  EXPECT_EQ(*after - *before, 3'600'000'000'000);
  EXPECT_EQ(start(), begun);
}

// No folder can be made there, as on a disk without room; the stream goes on at the origin, with a warning
// that says so.
TEST_F(CmafWeather, AFolderThatTakesNothingIsAWarning) {
  const std::string folder = "/dev/full/live";
  start("location=" + folder);
  follow(3);
  const MessageRef warning = wait(GST_MESSAGE_WARNING, 10);
  ASSERT_TRUE(warning);
  GError *error = nullptr;
  gst_message_parse_warning(warning.get(), &error, nullptr);
  EXPECT_NE(std::string(error->message).find(folder), std::string::npos) << error->message;
  g_clear_error(&error);
  expect_alive();
  EXPECT_GE(stat("output-failures"), 1u);
}

/// A file system of its own with little room.
class SmallDisk {
 public:
  SmallDisk() {
    char pattern[] = "/tmp/hull-disk-XXXXXX";
    folder_ = mkdtemp(pattern);
    mounted_ = mount("tmpfs", folder_.c_str(), "tmpfs", 0, "size=512k") == 0;
  }
  ~SmallDisk() {
    if (mounted_) umount2(folder_.c_str(), MNT_DETACH);
    std::error_code ignored; // what was still being written may stand there now
    std::filesystem::remove_all(folder_, ignored);
  }
  bool mounted() const { return mounted_; }
  const std::string &folder() const { return folder_; }
  void fill() const {
    std::ofstream file(filler(), std::ios::binary);
    const std::string block(4096, 'x');
    while (file.write(block.data(), 4096) && file.flush()) {
    }
  }
  void make_room() const { std::filesystem::remove(filler()); }

 private:
  std::string filler() const { return folder_ + "/filler"; }
  std::string folder_;
  bool mounted_ = false;
};

TEST_F(CmafWeather, AFullDiskStopsOnlyTheFolderUntilThereIsRoomAgain) {
  const SmallDisk disk;
  if (!disk.mounted()) GTEST_SKIP() << "this process may not mount a small tmpfs";
  const auto missing = [&disk] { // of what the folder's playlist names
    std::ifstream file(disk.folder() + "/v1.m3u8");
    std::string none;
    for (std::string line; std::getline(file, line);)
      if (line.starts_with("v1/") && !std::filesystem::exists(disk.folder() + "/" + line)) none += line + " ";
    return none;
  };
  const auto wait_until = [](const auto &holds) {
    for (int i = 0; i < 1000 && !holds(); ++i)
      g_usleep(10'000);
    return holds();
  };
  const auto written = [&disk](std::uint64_t number) {
    return std::filesystem::exists(disk.folder() + "/v1/" + std::to_string(number) + ".m4s");
  };
  start("dvr-window=4000000000 location=" + disk.folder());
  ASSERT_TRUE(wait_until([&] { return written(1); }));
  disk.fill();
  const std::uint64_t full = stat("segments");
  const MessageRef warning = wait(GST_MESSAGE_WARNING, 20);
  ASSERT_TRUE(warning);
  GError *error = nullptr;
  gst_message_parse_warning(warning.get(), &error, nullptr);
  EXPECT_NE(std::string(error->message).find("Free space"), std::string::npos) << error->message;
  g_clear_error(&error);
  ASSERT_TRUE(wait_until([&] { return stat("segments") >= full + 4; })) << "the others' stream goes on";
  expect_alive();
  EXPECT_EQ(missing(), "");
  disk.make_room();
  const std::uint64_t room = stat("segments");
  ASSERT_TRUE(wait_until([&] { return written(room + 1); }));
  EXPECT_EQ(missing(), "");
  for (std::uint64_t number = full + 1; number <= room; ++number)
    EXPECT_TRUE(written(number)) << number << " was still in the window";
}

TEST_F(CmafWeather, HeadOptionsRangeAndCaching) {
  start();
  follow(3);
  const std::string whole = get(port_, "/v1/1.m4s");
  const std::string only_head = get(port_, "/v1/1.m4s", "", "HEAD");
  EXPECT_TRUE(status(only_head, 200));
  EXPECT_TRUE(body(only_head).empty());
  EXPECT_NE(only_head.find("Content-Length: " + std::to_string(body(whole).size())), std::string::npos)
      << only_head;
  const std::string range = get(port_, "/v1/1.m4s", "Range: bytes=4-7\r\n");
  EXPECT_TRUE(status(range, 206)) << head(range);
  EXPECT_EQ(body(range), body(whole).substr(4, 4));
  EXPECT_TRUE(status(get(port_, "/v1/1.m4s", "Range: bytes=99999999-\r\n"), 416));
  EXPECT_TRUE(status(get(port_, "/v1/1.m4s", "", "OPTIONS"), 204));
  for (const char *path : {"/v1/1.m4s", "/v1.m3u8", "/manifest.mpd", "/time", "/v1/99.m4s"})
    EXPECT_NE(get(port_, path).find("Access-Control-Allow-Origin: *"), std::string::npos) << path;
  EXPECT_NE(whole.find("Cache-Control: max-age="), std::string::npos);
  EXPECT_NE(get(port_, "/time").find("no-store"), std::string::npos);
  const std::string packed = get(port_, "/v1.m3u8", "Accept-Encoding: gzip\r\n");
  EXPECT_NE(packed.find("Content-Encoding: gzip"), std::string::npos);
  EXPECT_NE(packed.find("Vary: Accept-Encoding"), std::string::npos);
  EXPECT_EQ(body(packed).substr(0, 2), "\x1f\x8b");
  EXPECT_EQ(get(port_, "/v1/1.m4s", "Accept-Encoding: gzip\r\n").find("Content-Encoding"), std::string::npos);
}

} // namespace
} // namespace hull
