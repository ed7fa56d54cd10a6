#include "gst/isobmff/formats/webvtt.h"
#include "gst/mux/text_track.h"

#include <gtest/gtest.h>

namespace hull::mux {
using namespace isobmff;
namespace {

constexpr char kFile[] =
    "\xef\xbb\xbfWEBVTT - some title\r\n"
    "X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:900000\r\n\r\n"
    "STYLE\r\n::cue { color: lime }\r\n\r\n"
    "NOTE not for readers\r\n\r\n"
    "first\r\n00:01.000 --> 00:02.500 align:start  line:0\r\n<b>One</b>\r\nand two\r\n\r\n"
    "\r\n\r\n"
    "01:00:00.250 --> 01:00:01.000\r\nthree\r\n\r\n"
    "00:05.00 --> 00:06.000\r\nbroken time\r\n\r\n"
    "100:00:00.000 --> 100:00:00.001\r\nlast, without an empty line";

// What the parser makes of kFile cut into pieces of `size` bytes.
std::vector<VttCue> parsed(std::size_t size, VttParser &parser) {
  const std::string_view text(kFile, sizeof kFile - 1);
  std::vector<VttCue> cues;
  for (std::size_t at = 0; at < text.size(); at += size)
    for (VttCue &cue : parser.feed(text.substr(at, size)))
      cues.push_back(std::move(cue));
  for (VttCue &cue : parser.flush())
    cues.push_back(std::move(cue));
  return cues;
}

TEST(WebVtt, ReadsAFileHoweverItIsCut) {
  for (const std::size_t size : {std::size_t{1}, std::size_t{3}, std::size_t{17}, sizeof kFile}) {
    SCOPED_TRACE(size);
    VttParser parser;
    const auto cues = parsed(size, parser);
    EXPECT_EQ(parser.header(), "WEBVTT - some title\n\nSTYLE\n::cue { color: lime }");
    EXPECT_EQ(parser.refused(), 1u);
    ASSERT_EQ(cues.size(), 3u);
    EXPECT_EQ(cues[0].identifier, "first");
    EXPECT_EQ(cues[0].start, 1'000'000'000);
    EXPECT_EQ(cues[0].end, 2'500'000'000);
    EXPECT_EQ(cues[0].settings, "align:start  line:0");
    EXPECT_EQ(cues[0].payload, "<b>One</b>\nand two");
    EXPECT_EQ(cues[1].start, 3'600'250'000'000);
    EXPECT_EQ(cues[2].end - cues[2].start, 1'000'000);
    EXPECT_EQ(cues[2].payload, "last, without an empty line");
  }
}

TEST(WebVtt, RefusesTimesThatAreNone) {
  for (const char *text : {"", ":", "1:2", "00:60.000", "00:00.00", "00:00.0000", "0:0:0:0.000", "00.000",
                           "-1:00.000", "00:00,000", "99999999999:00:00.000", "2000001:00:00.000", "00:.000"})
    EXPECT_FALSE(parse_vtt_time(text)) << text;
  EXPECT_EQ(parse_vtt_time("00:00.001").value(), 1'000'000);
  EXPECT_EQ(vtt_time(parse_vtt_time("123:59:59.999").value()), "123:59:59.999");
}

TEST(WebVtt, KeepsItsMemoryWhereNoBlockEnds) {
  VttParser parser;
  for (int i = 0; i < 100; ++i)
    EXPECT_TRUE(parser.feed(std::string(100'000, 'x')).empty());
  EXPECT_GE(parser.refused(), 9u);
}

TEST(WebVtt, OtherTextBecomesCueText) {
  EXPECT_EQ(vtt_from_plain("a < b & c --> d\n\n\r\ne\n"), "a &lt; b &amp; c --&gt; d\ne");
  EXPECT_EQ(vtt_from_pango("<span color=\"red\"><i>x</i></span> &amp; &quot;y&apos; >\n\n<b"),
            "<i>x</i> &amp; \"y' &gt;");
}

TEST(WebVtt, CuesSurviveTheirBox) {
  const VttCue cue{0, 0, "id", "line:1", "text\nof two lines"};
  auto sample = vtt_cue_box(cue, 7).value();
  append(sample, vtt_cue_box({0, 0, "", "", "other"}, 8).value());
  const auto stored = read_vtt_sample(sample).value();
  ASSERT_EQ(stored.size(), 2u);
  EXPECT_EQ(stored[0].source_id, 7);
  EXPECT_EQ(stored[0].cue.identifier, cue.identifier);
  EXPECT_EQ(stored[0].cue.settings, cue.settings);
  EXPECT_EQ(stored[0].cue.payload, cue.payload);
  EXPECT_EQ(stored[1].cue.payload, "other");
  for (std::size_t cut = 1; cut < sample.size(); ++cut)
    (void)read_vtt_sample(Bytes(sample).first(cut)); // must not crash
}

TextCue cue(std::int64_t start, std::int64_t end, std::uint8_t byte) {
  return {start, end, {byte}};
}

// The track up to `until`: "start+duration:data" of each sample; vtte is "-".
std::string samples(TextTrack &track, std::int64_t until = TextTrack::kForever) {
  std::string text;
  while (const auto sample = track.next(until)) {
    text += std::to_string(sample->start) + "+" + std::to_string(sample->duration) + ":";
    text += sample->data.size() == 8 ? "-" : std::string(sample->data.begin(), sample->data.end());
    text += " ";
  }
  return text;
}

TEST(TextTrack, SamplesNeitherOverlapNorLeaveGaps) {
  TextTrack track(TextTrack::Form::cues, 1000);
  track.begin(0);
  track.add(cue(1000, 3000, 'a'));
  track.add(cue(2000, 4000, 'b'));
  track.add(cue(6000, 7000, 'c'));
  EXPECT_EQ(samples(track), "0+1000:- 1000+1000:a 2000+1000:ab 3000+1000:b 4000+2000:- ");
  track.end();
  EXPECT_EQ(samples(track), "6000+1000:c ");
  EXPECT_TRUE(track.over());
}

// A fragment that ends with the last cue is the last one.
TEST(TextTrack, IsOverWhereTheLastCueEnds) {
  TextTrack track(TextTrack::Form::cues, 1000);
  track.begin(0);
  track.add(cue(2000, 4000, 'a'));
  track.end();
  EXPECT_FALSE(track.over());
  while (track.position() < 4000)
    ASSERT_TRUE(track.next(track.position() + 1000));
  EXPECT_TRUE(track.over());
}

TEST(TextTrack, WaitsForWhatMayStillCome) {
  TextTrack track(TextTrack::Form::cues, 1000);
  track.begin(0);
  track.add(cue(0, 5000, 'a'));
  EXPECT_EQ(samples(track), ""); // another cue may start at 0
  track.reach(4000);
  EXPECT_EQ(samples(track, 2000), "0+2000:a ");
  EXPECT_EQ(samples(track, 4000), "2000+2000:a ");
  EXPECT_EQ(samples(track, 4500), "");
  track.reach(9000);
  EXPECT_EQ(samples(track, 8000), "4000+1000:a 5000+3000:- ");
}

TEST(TextTrack, OpenCuesEndWithTheNext) {
  TextTrack track(TextTrack::Form::cues, 1000);
  track.begin(0);
  track.add(cue(0, TextCue::kOpen, 'a'));
  track.add(cue(3000, 0, 'b'));
  EXPECT_EQ(samples(track), "0+3000:a ");
  track.end();
  EXPECT_EQ(samples(track), "3000+5000:b ");
}

TEST(TextTrack, LateCuesAreCutOrCounted) {
  TextTrack track(TextTrack::Form::cues, 1000);
  track.begin(5000);
  track.add(cue(1000, 2000, 'a'));
  track.add(cue(1000, 6000, 'b'));
  track.end();
  EXPECT_EQ(samples(track), "5000+1000:b ");
  EXPECT_EQ(track.late(), 1u);
}

TEST(TextTrack, OneDocumentAtATime) {
  TextTrack track(TextTrack::Form::documents, 1000);
  track.begin(0);
  track.add(cue(0, 9000, 'a'));
  track.add(cue(2000, 3000, 'b'));
  track.add(cue(8000, 9000, 'c'));
  EXPECT_EQ(samples(track, 2500), "0+2000:a 2000+500:b ");
  const auto rest = track.next(2800);
  ASSERT_TRUE(rest);
  EXPECT_EQ(rest->data, ByteVector{'b'});
  track.next(3000);
  const auto nothing = track.next(8000);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->start, 3000);
  EXPECT_NE(std::string(nothing->data.begin(), nothing->data.end()).find("<tt "), std::string::npos);
}

} // namespace
} // namespace hull::mux
