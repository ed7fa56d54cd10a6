#include "gst/core/xml.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/publish/lint/server.h"
#include "gst/publish/m3u8.h"
#include "gst/publish/media_facts.h"
#include "gst/publish/utc.h"
#include "tests/plugins/cmaf_support.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <mutex>

namespace hull {
namespace {

using namespace cmaf_test;
using publish::parse_playlist;

class CmafStreams : public CmafSinkBase {
 protected:
  /// What a segment's first moof says, with the track's timescale from its header.
  publish::FragmentFacts facts(const std::string &track, const std::string &number, double &timescale) {
    const std::string init = body(get(port_, "/" + track + "/init.mp4")),
                      media = body(get(port_, "/" + track + "/" + number + ".m4s"));
    const auto header = publish::read_init(bytes_of(init));
    const auto boxes = isobmff::parse_boxes(bytes_of(media));
    EXPECT_TRUE(header && boxes) << media.substr(0, 100);
    if (!header || !boxes) return {};
    timescale = header->track.timescale;
    for (const isobmff::Node &box : *boxes)
      if (box.type() == isobmff::FourCC("moof"))
        return publish::read_fragment(box, header->defaults).value_or(publish::FragmentFacts{});
    return {};
  }
  static std::string audio(const std::string &language = "") {
    return " audiotestsrc is-live=true samplesperbuffer=1024 ! audio/x-raw,rate=48000,channels=2 ! avenc_aac "
           "! " +
           (language.empty() ? "" : "taginject tags=language-code=" + language + " ! ") + "s. ";
  }
};

TEST_F(CmafStreams, ALadderCutsEverywhereAtOnceAndTellsLanguagesApart) {
  launch(sink() + video(2000, "width=320,height=180") + "s. " + video(2000, "width=160,height=90") + "s. " +
         audio("en") + audio("de"));
  follow(3, "v1");
  for (const char *track : {"v2", "a1", "a2"})
    follow(3, track);
  double timescale = 1;
  // Every track has a live source of its own, so each cuts at the picture or block next to the grid.
  constexpr double kHalfPicture = 0.021, kHalfBlock = 0.0107;
  for (const char *number : {"1", "2"})
    for (const auto &[track, most] :
         {std::pair{"v1", kHalfPicture}, {"v2", kHalfPicture}, {"a1", kHalfBlock}, {"a2", kHalfBlock}})
      EXPECT_NEAR(static_cast<double>(facts(track, number, timescale).decode_time) / timescale,
                  std::stoi(number) * 0.4, most)
          << track;
  const std::string master = body(get(port_, "/master.m3u8")), mpd = body(get(port_, "/manifest.mpd"));
  for (const char *text : {"LANGUAGE=\"en\"", "LANGUAGE=\"de\"", "RESOLUTION=320x180", "RESOLUTION=160x90"})
    EXPECT_NE(master.find(text), std::string::npos) << text << master;
  const auto tree = parse_xml(mpd);
  ASSERT_TRUE(tree);
  const auto sets = tree->child("Period")->all("AdaptationSet");
  ASSERT_EQ(sets.size(), 3u) << mpd;
  EXPECT_EQ(sets[0]->all("Representation").size(), 2u) << "one set to switch in";
  std::vector<std::pair<std::string, std::string>> media;
  publish::Findings found;
  for (const char *track : {"v1", "v2", "a1", "a2"}) {
    media.emplace_back(track, body(get(port_, "/" + std::string(track) + ".m3u8")));
    publish::lint_playlist(media.back().second, track, found);
  }
  publish::lint_presentation(master, media, "master", found);
  publish::lint_playlist(master, "master", found);
  publish::lint_mpd(mpd, "mpd", found);
  expect_kept(found, master + mpd);
}

// availabilityStartTime, PROGRAM-DATE-TIME and prft are three spellings of one map.
TEST_F(CmafStreams, EveryClockSaysTheSameMillisecond) {
  launch(sink() + video() + "s. " + audio());
  follow(3);
  follow(3, "a1");
  const auto mpd = parse_xml(body(get(port_, "/manifest.mpd")));
  ASSERT_TRUE(mpd);
  const auto start = publish::parse_utc(mpd->get("availabilityStartTime"));
  ASSERT_TRUE(start);
  for (const std::string track : {"v1", "a1"}) {
    const std::string text = body(get(port_, "/" + track + ".m3u8"));
    const publish::Playlist list = parse_playlist(text);
    double timescale = 1;
    const publish::FragmentFacts first = facts(track, "0", timescale);
    const auto date = publish::parse_utc(list.find("EXT-X-PROGRAM-DATE-TIME")->value);
    ASSERT_TRUE(date);
    const double media = static_cast<double>(first.decode_time) / timescale;
    EXPECT_NEAR(static_cast<double>(*date - *start) / 1e9, media, 0.001) << track;
    const std::string segment = body(get(port_, "/" + track + "/0.m4s"));
    const auto boxes = isobmff::parse_boxes(bytes_of(segment));
    ASSERT_TRUE(boxes);
    const auto prft = std::find_if(boxes->begin(), boxes->end(),
                                   [](const auto &box) { return box.type() == isobmff::FourCC("prft"); });
    ASSERT_NE(prft, boxes->end());
    const std::size_t at = segment.find("prft");
    const auto ntp = load_be(bytes_of(segment).data() + at + 12, 8);
    const double utc = static_cast<double>((ntp >> 32) - 2'208'988'800u) +
                       static_cast<double>(ntp & 0xffffffffu) / 4294967296.0;
    EXPECT_NEAR(utc - static_cast<double>(*start) / 1e9,
                static_cast<double>(first.first_presentation) / timescale, 0.001)
        << track;
  }
  const auto now = publish::parse_utc(body(get(port_, "/time")));
  ASSERT_TRUE(now);
  EXPECT_NEAR(static_cast<double>(*now - publish::utc_now()) / 1e9, 0, 0.2);
}

// Each version of each text that a player could see over three segments, against itself, the one before and
// the others.
TEST_F(CmafStreams, EveryVersionServedKeepsTheRules) {
  launch(sink() + video() + "s. " + audio());
  publish::Findings found;
  std::string before[2], mpd_before, master;
  for (int part = 0; part < 16; ++part) {
    std::vector<std::pair<std::string, std::string>> media;
    for (const std::string track : {"v1", "a1"}) {
      const std::string path = "/" + track + ".m3u8?_HLS_msn=" + std::to_string(1 + part / 5) +
                               "&_HLS_part=" + std::to_string(part % 5);
      const std::string reply = get(port_, path);
      ASSERT_TRUE(status(reply, 200)) << path << head(reply);
      media.emplace_back(track, body(reply));
      publish::lint_playlist(media.back().second, path, found);
      std::string &old = before[track == "a1"];
      if (!old.empty()) publish::lint_reload(old, media.back().second, path, found);
      old = media.back().second;
    }
    if (master.empty()) master = body(get(port_, "/master.m3u8"));
    publish::lint_presentation(master, media, "master", found);
    publish::lint_delta(body(get(port_, "/v1.m3u8")), body(get(port_, "/v1.m3u8?_HLS_skip=YES")), "delta",
                        found);
    const std::string mpd = body(get(port_, "/manifest.mpd"));
    publish::lint_mpd(mpd, "mpd", found);
    if (!mpd_before.empty()) publish::lint_mpd_update(mpd_before, mpd, "mpd", found);
    mpd_before = mpd;
  }
  expect_kept(found, before[0] + before[1]);
}

// The same rules by asking, as gst-hull-1.0 lint does.
TEST_F(CmafStreams, TheOriginAnswersAsTheRulesSay) {
  launch(sink() + video() + "s. ");
  follow(4);
  publish::Findings found;
  const publish::Ask ask = [this](const std::string &url) {
    const gint64 begun = g_get_monotonic_time();
    const std::string text = get(port_, url.substr(8));
    publish::HttpReply reply;
    reply.seconds = reply.total_seconds = static_cast<double>(g_get_monotonic_time() - begun) / 1e6;
    reply.status = text.size() > 12 ? std::atoi(text.c_str() + 9) : 0;
    reply.body = body(text);
    reply.content_length = head(text).find("Content-Length") != std::string::npos;
    return reply;
  };
  publish::lint_hls_server(ask, "http://x/v1.m3u8", found);
  publish::NumberedTrack track;
  track.url = [](std::int64_t number) { return "http://x/v1/" + std::to_string(number) + ".m4s"; };
  track.newest = 3;
  track.start_number = 0;
  track.duration = 0.4;
  track.chunked = true;
  double timescale = 1;
  facts("v1", "3", timescale);
  track.timescale = timescale;
  publish::lint_dash_server(ask, track, found);
  for (const publish::Finding &finding : found.all()) // nothing about times: the machine may be busy
    EXPECT_TRUE(std::string("HLS-58 HLS-61 HLS-63").find(finding.rule->id) != std::string::npos)
        << publish::to_text(finding);
}

TEST_F(CmafStreams, TakesCmafAsItIs) {
  launch(video() +
         "hullmp4mux fragment-duration=400000000 chunk-duration=80000000 fragment-origin=0 ! "
         "video/quicktime,variant=cmaf ! " +
         sink());
  EXPECT_TRUE(status(follow(3), 200));
  const std::string init = body(get(port_, "/v1/init.mp4")), segment = body(get(port_, "/v1/2.m4s"));
  publish::Findings found;
  publish::lint_segment(bytes_of(init), bytes_of(segment), "v1/2.m4s", found);
  publish::lint_playlist(body(get(port_, "/v1.m3u8")), "v1.m3u8", found);
  expect_kept(found);
  double timescale = 1;
  EXPECT_NEAR(static_cast<double>(facts("v1", "2", timescale).decode_time) / timescale, 0.8, 0.021);
}

/// Streams kept in memory, as an application that uploads would have them.
struct Kept {
  std::mutex mutex;
  std::map<std::string, GMemoryOutputStream *> streams;
  std::map<std::string, unsigned> asked;
  std::vector<std::string> deleted;
  static GOutputStream *open(GstElement *, const char *location, gpointer data) {
    auto &kept = *static_cast<Kept *>(data);
    GOutputStream *stream = g_memory_output_stream_new_resizable();
    const std::lock_guard lock(kept.mutex);
    auto &slot = kept.streams[location];
    g_clear_object(&slot);
    slot = G_MEMORY_OUTPUT_STREAM(g_object_ref(stream));
    ++kept.asked[location];
    return stream;
  }
  static gboolean remove(GstElement *, const char *location, gpointer data) {
    auto &kept = *static_cast<Kept *>(data);
    const std::lock_guard lock(kept.mutex);
    kept.deleted.push_back(location);
    return TRUE;
  }
  std::string text(const std::string &name) {
    const std::lock_guard lock(mutex);
    const auto found = streams.find(name);
    if (found == streams.end()) return {};
    return {static_cast<const char *>(g_memory_output_stream_get_data(found->second)),
            g_memory_output_stream_get_data_size(found->second)};
  }
  ~Kept() {
    for (auto &[name, stream] : streams)
      g_object_unref(stream);
  }
};

TEST_F(CmafStreams, AnApplicationGetsEveryObjectInItsOwnStream) {
  Kept kept;
  pipeline_ = ElementRef::retain(
      gst_parse_launch((video(150) + sink("dvr-window=1000000000 serve=false")).c_str(), nullptr));
  sink_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
  for (const char *name : {"get-init-stream", "get-fragment-stream", "get-playlist-stream"})
    g_signal_connect(sink_.get(), name, G_CALLBACK(Kept::open), &kept);
  g_signal_connect(sink_.get(), "delete-fragment", G_CALLBACK(Kept::remove), &kept);
  gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
  ASSERT_TRUE(wait(static_cast<GstMessageType>(int(GST_MESSAGE_EOS) | int(GST_MESSAGE_ERROR))));
  stop();
  publish::Findings found;
  publish::lint_segment(bytes_of(kept.text("v1/init.mp4")), bytes_of(kept.text("v1/12.m4s")), "12", found);
  const std::string playlist = kept.text("v1.m3u8");
  publish::lint_playlist(playlist, "v1.m3u8", found);
  expect_kept(found, playlist);
  EXPECT_NE(playlist.find("#EXT-X-ENDLIST"), std::string::npos);
  EXPECT_NE(kept.text("master.m3u8").find("v1.m3u8"), std::string::npos);
  EXPECT_NE(kept.text("manifest.mpd").find("<MPD"), std::string::npos);
  EXPECT_EQ(kept.asked["v1/12.m4s"], 1u) << "one stream for all its chunks";
  EXPECT_FALSE(kept.deleted.empty());
}

// Numbers and times come from the wall clock alone, so an encoder that starts later or again goes on with
// them.
TEST_F(CmafStreams, ASecondEncoderContinuesTheSameNumbers) {
  launch(video() + sink("epoch-lock=true"));
  const auto number = [this](const std::string &track) {
    const publish::Playlist list = parse_playlist(body(get(port_, "/" + track + ".m3u8")));
    return static_cast<std::int64_t>(list.number("EXT-X-MEDIA-SEQUENCE").value_or(-1)) +
           static_cast<std::int64_t>(list.segments.size()) - 1;
  };
  const std::int64_t first = number("v1");
  EXPECT_NEAR(static_cast<double>(first) * 0.4, static_cast<double>(publish::utc_now()) / 1e9, 3);
  stop();
  launch(video() + sink("epoch-lock=true"));
  get(port_, "/v1.m3u8");
  const std::int64_t second = number("v1");
  EXPECT_GT(second, first);
  EXPECT_NEAR(static_cast<double>(second) * 0.4, static_cast<double>(publish::utc_now()) / 1e9, 3);
  double timescale = 1;
  const publish::FragmentFacts facts_of = facts("v1", std::to_string(second), timescale);
  EXPECT_NEAR(static_cast<double>(facts_of.decode_time) / timescale, static_cast<double>(second) * 0.4, 0.4);
  const auto mpd = parse_xml(body(get(port_, "/manifest.mpd")));
  ASSERT_TRUE(mpd);
  EXPECT_EQ(mpd->get("availabilityStartTime"), "1970-01-01T00:00:00.000Z");
}

} // namespace
} // namespace hull
