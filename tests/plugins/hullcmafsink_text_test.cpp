// WebVTT beside pictures: wvtt fragments for DASH, WebVTT files of the same cues for HLS.

#include "tests/plugins/cmaf_support.h"

#include <algorithm>

#include <gst/app/gstappsrc.h>

namespace hull {
namespace {

using namespace cmaf_test;

class CmafSinkText : public CmafSinkBase {
 protected:
  void start_with_text(const std::string &properties = "") {
    launch(video() + sink(properties) + " appsrc name=text is-live=true format=time " +
           "caps=application/x-subtitle-vtt ! s.text_0");
    text_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "text"));
    say("WEBVTT\n\n", 0, GST_CLOCK_TIME_NONE);
  }
  void say(const std::string &text, GstClockTime pts, GstClockTime duration) {
    auto buffer = BufferRef::adopt(gst_buffer_new_memdup(text.data(), text.size()));
    GST_BUFFER_PTS(buffer.get()) = pts;
    GST_BUFFER_DURATION(buffer.get()) = duration;
    gst_app_src_push_buffer(GST_APP_SRC(text_.get()), buffer.release());
  }
  ElementRef text_;
};

TEST_F(CmafSinkText, BothProtocolsCarryTheCue) {
  start_with_text();
  say("00:00:00.900 --> 00:00:01.700 line:0\nHello, <i>world</i>\n\n", 900 * GST_MSECOND, 800 * GST_MSECOND);
  const std::string playlist = body(follow(6, "t1"));
  EXPECT_NE(playlist.find("t1/2.vtt"), std::string::npos) << playlist;
  EXPECT_EQ(playlist.find("EXT-X-MAP"), std::string::npos) << playlist;
  EXPECT_EQ(playlist.find(".m4s"), std::string::npos) << playlist;
  publish::Findings out;
  publish::lint_playlist(playlist, "t1.m3u8", out);

  // Segments are 0.4 s: the cue is in 2, 3 and 4, cut at their ends.
  const std::string second = get(port_, "/t1/2.vtt"), third = body(get(port_, "/t1/3.vtt"));
  EXPECT_NE(head(second).find("text/vtt"), std::string::npos) << second;
  EXPECT_NE(body(second).find("WEBVTT\nX-TIMESTAMP-MAP=MPEGTS:72000,LOCAL:00:00:00.800\n"), std::string::npos)
      << second;
  EXPECT_NE(body(second).find("00:00:00.900 --> 00:00:01.200 line:0\nHello, <i>world</i>\n"),
            std::string::npos)
      << second;
  EXPECT_NE(third.find("00:00:01.200 --> 00:00:01.600 line:0\n"), std::string::npos) << third;
  EXPECT_EQ(body(get(port_, "/t1/1.vtt")).find("Hello"), std::string::npos);
  const std::string part = body(get(port_, "/t1/3.0.vtt"));
  EXPECT_NE(part.find("00:00:01.200 --> 00:00:01.280 line:0\n"), std::string::npos) << part;

  const std::string master = body(get(port_, "/master.m3u8"));
  EXPECT_NE(master.find("TYPE=SUBTITLES"), std::string::npos) << master;
  EXPECT_NE(master.find(",SUBTITLES=\"text-wvtt\""), std::string::npos) << master;
  const std::string mpd = body(get(port_, "/manifest.mpd"));
  EXPECT_NE(mpd.find("contentType=\"text\" mimeType=\"application/mp4\""), std::string::npos) << mpd;
  EXPECT_NE(mpd.find("codecs=\"wvtt\""), std::string::npos) << mpd;
  publish::lint_playlist(master, "master.m3u8", out);
  publish::lint_mpd(mpd, "manifest.mpd", out);
  expect_kept(out, playlist + master + mpd);
  publish::Findings media;
  publish::lint_segment(bytes_of(body(get(port_, "/t1/init.mp4"))), bytes_of(body(get(port_, "/t1/3.m4s"))),
                        "t1/3.m4s", media);
  expect_kept(media);
}

TEST_F(CmafSinkText, SilenceHasSegmentsToo) {
  start_with_text();
  const std::string playlist = body(follow(5, "t1")), pictures = body(follow(5, "v1"));
  EXPECT_NE(playlist.find("t1/4.vtt"), std::string::npos) << playlist;
  const std::string said = body(get(port_, "/t1/4.vtt"));
  EXPECT_TRUE(said.starts_with("WEBVTT\n")) << said;
  EXPECT_EQ(said.find("-->"), std::string::npos) << said;
}

TEST_F(CmafSinkText, TextThatEndsEarlyGoesOnEmpty) {
  start_with_text();
  say("00:00:00.100 --> 00:00:00.300\nonly\n\n", 100 * GST_MSECOND, 200 * GST_MSECOND);
  gst_app_src_end_of_stream(GST_APP_SRC(text_.get()));
  EXPECT_NE(body(follow(6, "t1")).find("t1/5.vtt"), std::string::npos);
  EXPECT_NE(body(get(port_, "/t1/0.vtt")).find("only"), std::string::npos);
}

TEST_F(CmafSinkText, PicturesDoNotWaitForText) {
  launch(video() + sink() +
         " appsrc name=text is-live=true format=time caps=application/x-subtitle-vtt ! s.text_0");
  const std::string playlist = body(follow(4));
  EXPECT_NE(playlist.find("v1/3.m4s"), std::string::npos) << playlist;
  EXPECT_EQ(body(get(port_, "/master.m3u8")).find("SUBTITLES"), std::string::npos) << "nothing was said yet";
}

} // namespace
} // namespace hull
