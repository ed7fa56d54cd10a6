#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/tree.h"
#include "gst/publish/lint/server.h"
#include "gst/publish/live/live.h"
#include "tests/gst/publish/lint/examples.h"

#include <gtest/gtest.h>
#include <memory>

namespace hull::publish {
namespace {

Chunk some(std::size_t size) {
  return std::make_shared<const ByteVector>(size, std::uint8_t{1});
}

/// A window behind an origin without a network: a request that must wait makes the stream go on.
class FakeOrigin {
 public:
  explicit FakeOrigin(int chunks = 253) {
    live_->set_epoch(1'700'000'000'000'000'000);
    Track track;
    track.id = "v1";
    live_->add_track(track);
    track.codecs = "avc1.42c01e";
    track.timescale = 12800;
    track.frame_rate = {25, 1};
    live_->set_init(0, track, some(9));
    while (made_ < chunks)
      go_on();
  }
  void end() { live_->end_track(0); }

  HttpReply operator()(const std::string &url) {
    HttpReply reply;
    const std::size_t mark = url.find('?');
    const std::string path = url.substr(8, mark - 8); // after http://x
    PlaylistQuery query;
    const auto number = [&url](const char *key) -> std::optional<std::uint64_t> {
      const std::size_t at = url.find(key);
      if (at == std::string::npos) return std::nullopt;
      return std::stoull(url.substr(at + std::char_traits<char>::length(key)));
    };
    query.msn = number("_HLS_msn=");
    query.part = number("_HLS_part=");
    query.skip = url.find("_HLS_skip") != std::string::npos;
    for (int waited = 0; waited < 60; ++waited, go_on(), reply.seconds += 0.2) {
      if (path == "/v1.m3u8") {
        const PlaylistReply answer = live_->playlist("v1", query);
        reply.status = answer.status;
        reply.body = answer.text;
        if (answer.status) break;
        continue;
      }
      const ObjectView view = live_->object(path.substr(1));
      reply.status = view.found == Found::ready || view.found == Found::growing ? 200
                     : view.found == Found::gone                                ? 410
                     : view.found == Found::hold                                ? 0
                                                                                : 404;
      reply.body = std::string(view.bytes, 'x');
      if (reply.status) break;
    }
    reply.total_seconds = reply.seconds;
    return reply;
  }

 private:
  void go_on() {
    const std::int64_t i = made_++;
    ASSERT_TRUE(live_->add_chunk(0, {some(4000), i * 2560, 2560, 512, i % 10 == 0, false, i % 10 == 0}));
  }
  std::shared_ptr<Live> live_ = std::make_shared<Live>(LiveConfig{});
  int made_ = 0;
};

using Change = std::function<void(FakeOrigin &origin, const std::string &url, HttpReply &reply)>;

/// The sound origin with one habit of its own.
Ask with_habit(Change change) {
  auto origin = std::make_shared<FakeOrigin>();
  return [origin, change = std::move(change)](const std::string &url) {
    HttpReply reply = (*origin)(url);
    change(*origin, url, reply);
    return reply;
  };
}

constexpr const char *kUrl = "http://x/v1.m3u8";
bool asks(const std::string &url, const char *what) {
  return url.find(what) != std::string::npos;
}

Example hls(const char *rule, Change change) {
  return {rule,
          [change = std::move(change)](Findings &out) { lint_hls_server(with_habit(change), kUrl, out); }};
}

/// A segment of `chunks` chunks that starts at `time` ticks of 1000.
std::string media(std::uint64_t time, int chunks = 2) {
  ByteVector bytes;
  for (int i = 0; i < chunks; ++i) {
    isobmff::Node moof("moof");
    moof.add<isobmff::MovieFragmentHeader>();
    isobmff::Node &traf = moof.add("traf");
    traf.add<isobmff::TrackFragmentHeader>();
    traf.add<isobmff::TrackFragmentDecodeTime>().base_media_decode_time = time;
    isobmff::TrackRun &run = traf.add<isobmff::TrackRun>();
    run.flags = isobmff::TrackRun::kDuration | isobmff::TrackRun::kSize;
    run.samples = {{1000, 100, 0, 0}};
    run.sample_count = 1;
    std::vector<isobmff::Node> boxes;
    boxes.push_back(std::move(moof));
    append(bytes, *isobmff::write_trees(boxes));
  }
  return {bytes.begin(), bytes.end()};
}

NumberedTrack numbered() {
  NumberedTrack track;
  track.url = [](std::int64_t number) { return "http://x/v/" + std::to_string(number) + ".m4s"; };
  track.newest = 20;
  track.start_number = 0;
  track.duration = 2;
  track.timescale = 1000;
  track.chunked = true;
  return track;
}

HttpReply dash_origin(const std::string &url) {
  HttpReply reply;
  const int number = std::atoi(url.c_str() + 11);
  reply.status = number <= 21 ? 200 : 404;
  reply.cache_control = "no-cache";
  if (number <= 21) reply.body = media(static_cast<std::uint64_t>(number) * 2000);
  return reply;
}

Example dash(const char *rule, std::function<void(int number, HttpReply &reply)> change) {
  return {rule, [change = std::move(change)](Findings &out) {
            lint_dash_server(
                [&change](const std::string &url) {
                  HttpReply reply = dash_origin(url);
                  change(std::atoi(url.c_str() + 11), reply);
                  return reply;
                },
                numbered(), out);
          }};
}

std::string all(const Findings &found) {
  std::string text;
  for (const Finding &finding : found.all())
    text += to_text(finding) + "\n";
  return text;
}

TEST(LintServer, FindsNothingWrongWithOurOwnWindow) {
  Findings out;
  lint_hls_server(FakeOrigin(), kUrl, out);
  lint_renditions(FakeOrigin(), {kUrl, kUrl}, out);
  lint_dash_server(dash_origin, numbered(), out);
  FakeOrigin ended;
  ended.end();
  lint_hls_server(ended, kUrl, out);
  EXPECT_TRUE(out.all().empty()) << all(out);
}

} // namespace

std::vector<Example> server_examples() {
  const auto stale = [](FakeOrigin &origin, HttpReply &reply) { reply = origin(kUrl); };
  return {
      hls("HLS-50",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            if (asks(url, "msn=") && !asks(url, "part=") && reply.status == 200) reply.status = 404;
          }),
      hls("HLS-51",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            static const std::string old = FakeOrigin()(kUrl).body;
            if (asks(url, "part=") && reply.status == 200) reply.body = old;
          }),
      hls("HLS-52",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            if (asks(url, "part=22")) reply.status = 404;
          }),
      hls("HLS-53",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            if (asks(url, "part=0")) reply.status = 400;
          }),
      hls("HLS-54",
          [stale](FakeOrigin &origin, const std::string &url, HttpReply &reply) {
            if (asks(url, "msn=") && reply.status == 400 && !asks(url, "part=")) stale(origin, reply);
          }),
      hls("HLS-55",
          [stale](FakeOrigin &origin, const std::string &url, HttpReply &reply) {
            if (asks(url, "msn=") && reply.status == 400) stale(origin, reply);
          }),
      hls("HLS-56",
          [stale](FakeOrigin &origin, const std::string &url, HttpReply &reply) {
            if (!asks(url, "msn=") && reply.status == 400) stale(origin, reply);
          }),
      hls("HLS-58", [](FakeOrigin &, const std::string &url,
                       HttpReply &reply) { reply.seconds += asks(url, "part=") ? 3 : 0; }),
      {"HLS-59",
       [](Findings &out) {
         lint_hls_server(
             [](const std::string &url) {
               FakeOrigin origin;
               origin.end();
               HttpReply reply = origin(kUrl);
               if (asks(url, "msn=")) reply.status = 400;
               return reply;
             },
             kUrl, out);
       }},
      hls("HLS-60",
          [stale](FakeOrigin &origin, const std::string &url, HttpReply &reply) {
            if (asks(url, "skip=")) stale(origin, reply);
          }),
      hls("HLS-61", [](FakeOrigin &, const std::string &url,
                       HttpReply &reply) { reply.seconds += asks(url, "part=") ? 0.9 : 0; }),
      hls("HLS-62",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            if (asks(url, ".m4s") && reply.seconds == 0) reply.status = 404;
          }),
      hls("HLS-63", [](FakeOrigin &, const std::string &url,
                       HttpReply &reply) { reply.total_seconds += asks(url, ".m4s") ? 0.5 : 0; }),
      hls("HLS-64",
          [](FakeOrigin &, const std::string &url, HttpReply &reply) {
            if (asks(url, "never")) reply.status = 200;
          }),
      {"HLS-65",
       [](Findings &out) {
         std::string oldest;
         lint_hls_server(with_habit([&oldest](FakeOrigin &, const std::string &url, HttpReply &reply) {
                           if (asks(url, ".m4s") && oldest.empty() &&
                               url.find('.', url.find("v1/")) != url.rfind('.'))
                             oldest = url;
                           if (asks(url, ".0.m4s")) reply.status = 404;
                         }),
                         kUrl, out);
       }},
      {"HLS-70",
       [](Findings &out) {
         lint_renditions(
             [](const std::string &url) { return FakeOrigin(asks(url, "late") ? 250 : 260)(kUrl); },
             {"http://x/late.m3u8", kUrl}, out);
       }},
      dash("DSH-24",
           [](int number, HttpReply &reply) {
             reply.body = media(static_cast<std::uint64_t>(number) * 2000, 1);
           }),
      dash("DSH-25",
           [](int number, HttpReply &reply) {
             reply.body = media(static_cast<std::uint64_t>(number) * 2000 + 1500);
           }),
      dash("DSH-50", [](int, HttpReply &reply) { reply.status = 404; }),
      dash("DSH-51", [](int, HttpReply &reply) { reply.status = 200; }),
      dash("DSH-52",
           [](int number, HttpReply &reply) {
             if (number == 21) reply.content_length = true, reply.body = "x";
           }),
      dash("DSH-53", [](int, HttpReply &reply) { reply.cache_control = "max-age=600"; }),
  };
}

} // namespace hull::publish
