// WebVTT and TTML tracks: what stands in their samples, and what other people's readers make of them.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/formats/webvtt.h"
#include "gst/isobmff/rules/cmaf.h"
#include "tests/plugins/mp4_harness.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

constexpr char kVtt[] = "application/x-subtitle-vtt";

void push_text(GstHarness *to, const std::string &text, GstClockTime pts, GstClockTime duration) {
  auto buffer = BufferRef::adopt(gst_buffer_new_memdup(text.data(), text.size()));
  GST_BUFFER_PTS(buffer.get()) = pts;
  GST_BUFFER_DURATION(buffer.get()) = duration;
  gst_harness_push(to, buffer.release());
}

// All samples of one track of a fragmented stream: "start+duration:payloads" in ticks, one line per moof.
std::string text_of(const ByteVector &bytes, std::uint32_t track_id = 1) {
  auto boxes = parse_boxes(bytes);
  if (!boxes) return boxes.error().text;
  std::string said;
  for (const Node &box : *boxes) {
    for (const Node &traf : box.children) {
      const auto *tfhd = traf.get<TrackFragmentHeader>();
      const auto *tfdt = traf.get<TrackFragmentDecodeTime>();
      if (box.type() != FourCC("moof") || !tfhd || !tfdt || tfhd->track_id != track_id) continue;
      std::uint64_t time = tfdt->base_media_decode_time;
      for (const Node &child : traf.children) {
        const auto *trun = child.as<TrackRun>();
        if (!trun) continue;
        std::uint64_t at = box.offset + static_cast<std::uint64_t>(trun->data_offset);
        for (std::uint32_t i = 0; i < trun->sample_count; ++i) {
          const auto pick = [&](std::uint32_t flag, std::uint32_t own, std::uint32_t whole) {
            return trun->flags & flag ? own : whole;
          };
          const TrackRun::Sample own = trun->samples.empty() ? TrackRun::Sample{} : trun->samples[i];
          const auto size = pick(TrackRun::kSize, own.size, tfhd->default_sample_size);
          const auto duration = pick(TrackRun::kDuration, own.duration, tfhd->default_sample_duration);
          said += std::to_string(time) + "+" + std::to_string(duration) + ":";
          const auto cues = read_vtt_sample(Bytes(bytes).subspan(at, size));
          for (const StoredCue &cue : cues.value_or(std::vector<StoredCue>{}))
            said += cue.cue.payload + "#" + std::to_string(cue.source_id);
          said += " ";
          time += duration;
          at += size;
        }
      }
      said += "\n";
    }
  }
  return said;
}

TEST(Mp4Text, CuesAreCutAtFragmentsAndGapsAreFilled) {
  Mux mux("cmaf", "fragment-duration=2000000000");
  GstHarness *text = mux.pad("text_0", kVtt);
  push_text(text, "WEBVTT\n\nSTYLE\n::cue{}\n\n", 0, GST_CLOCK_TIME_NONE);
  push_text(text, "00:00:01.000 --> 00:00:05.000\none\n\n", GST_SECOND, 4 * GST_SECOND);
  push_text(text, "00:00:03.000 --> 00:00:03.500 line:0\ntwo\n\n", 3 * GST_SECOND, GST_SECOND / 2);
  push_text(text, "00:00:09.000 --> 00:00:09.250\nthree\n\n", 9 * GST_SECOND, GST_SECOND / 4);
  const ByteVector bytes = joined(mux.finish());
  EXPECT_EQ(text_of(bytes), "0+1000: 1000+1000:one#0 \n"
                            "2000+1000:one#0 3000+500:one#0two#1 3500+500:one#0 \n"
                            "4000+1000:one#0 5000+1000: \n"
                            "6000+2000: \n"
                            "8000+1000: 9000+250:three#2 9250+750: \n");
  auto boxes = parse_boxes(bytes).value();
  const auto *ftyp = boxes[0].as<FileType>();
  EXPECT_NE(std::ranges::find(ftyp->compatible_brands, FourCC("cwvt")), ftyp->compatible_brands.end());
  EXPECT_TRUE(find(boxes[1], "trak/mdia/minf/nmhd"));
  const auto *config = find_box<TextBox>(boxes[1], "trak/mdia/minf/stbl/stsd/wvtt/vttC");
  ASSERT_TRUE(config);
  EXPECT_EQ(config->text, "WEBVTT\n\nSTYLE\n::cue{}");
  EXPECT_TRUE(find(boxes[1], "trak/mdia/minf/stbl/stsd/wvtt/vlab"));
  cmaf::Checker checker;
  EXPECT_TRUE(checker.header(boxes[0], boxes[1]).empty());
}

TEST(Mp4Text, ChunksOfTextLeaveWhileTimePasses) {
  Mux mux("cmaf", "fragment-duration=1000000000 chunk-duration=400000000");
  GstHarness *text = mux.pad("subtitle_0", "text/x-raw,format=utf8");
  gst_harness_push_event(text, gst_event_new_gap(0, GST_SECOND));
  push_text(text, "a & b", GST_SECOND + 100'000'000, 100'000'000);
  gst_harness_push_event(text, gst_event_new_gap(GST_SECOND + 200'000'000, 300'000'000));
  // The last chunk but one left before the end: its time was known to hold nothing more.
  EXPECT_EQ(text_of(joined(mux.finish())),
            "0+400: \n400+400: \n800+200: \n1000+100: 1100+100:a &amp; b#0 1200+200: \n");
}

TEST(Mp4Text, JoinsTheFragmentsOfThePictures) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *text = mux.pad("text_0", kVtt);
  push_text(text, "WEBVTT\n\n00:00:01.000 --> 00:00:02.700\none\n\n00:00:03.000 --> 00:00:06.000\ntwo\n\n",
            GST_SECOND, GST_CLOCK_TIME_NONE);
  gst_harness_push_event(text, gst_event_new_eos());
  for (guint64 i = 0; i < 135; ++i) // 4.5 s, a key unit every 2 s
    Mux::push_frame(video, i, i % 60 == 0);
  EXPECT_EQ(text_of(joined(mux.finish()), 2),
            "0+1000: 1000+1000:one#0 \n2000+700:one#0 2700+300: 3000+1000:two#1 \n"
            "4000+2000:two#1 \n");
}

TEST(Mp4Text, ATextWithoutGapsHoldsAFileUpOnlyUntilItsEnd) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *text = mux.pad("text_0", "text/x-raw,format=pango-markup");
  push_text(text, "<span>one</span>", 0, GST_SECOND);
  for (guint64 i = 0; i < 120; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  gst_harness_push_event(text, gst_event_new_gap(GST_SECOND, 4 * GST_SECOND));
  EXPECT_EQ(text_of(joined(mux.finish()), 2), "0+1000:one#0 1000+1000: \n2000+2000: \n");
}

constexpr char kTtml[] =
    "<?xml version=\"1.0\"?><tt xmlns=\"http://www.w3.org/ns/ttml\" "
    "xmlns:ttp=\"http://www.w3.org/ns/ttml#parameter\" "
    "ttp:profile=\"http://www.w3.org/ns/ttml/profile/imsc1/text\" xml:lang=\"en\"><body><div>"
    "<p begin=\"1s\" end=\"3s\">Hello</p></div></body></tt>";

TEST(Mp4Text, TtmlIsStppWithItsNamespaces) {
  Mux mux("cmaf", "fragment-duration=2000000000");
  GstHarness *text = mux.pad("text_0", "application/ttml+xml");
  push_text(text, kTtml, 0, 3 * GST_SECOND);
  push_text(text, "no document", 3 * GST_SECOND, GST_SECOND);
  const ByteVector bytes = joined(mux.finish());
  auto boxes = parse_boxes(bytes).value();
  const auto *stpp = find_box<SubtitleSampleEntry>(boxes[1], "trak/mdia/minf/stbl/stsd/stpp");
  ASSERT_TRUE(stpp);
  EXPECT_EQ(stpp->namespaces, "http://www.w3.org/ns/ttml http://www.w3.org/ns/ttml#parameter");
  EXPECT_TRUE(find(boxes[1], "trak/mdia/minf/sthd"));
  EXPECT_EQ(find_box<Handler>(boxes[1], "trak/mdia/hdlr")->handler_type, FourCC("subt"));
  const auto *ftyp = boxes[0].as<FileType>();
  EXPECT_NE(std::ranges::find(ftyp->compatible_brands, FourCC("im1t")), ftyp->compatible_brands.end());
  // The document is in both fragments it reaches into.
  const std::string all(bytes.begin(), bytes.end());
  EXPECT_NE(all.find("Hello"), all.rfind("Hello"));
  EXPECT_EQ(mux.stat("dropped"), 1u);
}

// As filesrc gives a file: pieces without times.
TEST(Mp4Text, ATtmlFileMayComeInPiecesAndEndsWhereItSays) {
  Mux mux("iso-fragmented", "fragment-duration=60000000000");
  GstHarness *text = mux.pad("text_0", "application/ttml+xml");
  std::string whole = kTtml;
  whole.replace(whole.find("3s"), 2, "00:00:07.500");
  for (std::size_t at = 0; at < whole.size(); at += 100)
    push_text(text, whole.substr(at, 100), GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
  const ByteVector bytes = joined(mux.finish());
  const std::string all(bytes.begin(), bytes.end());
  EXPECT_NE(all.find(whole), std::string::npos);
  EXPECT_EQ(text_of(bytes).substr(0, 7), "0+7500:");
  EXPECT_EQ(mux.stat("dropped"), 0u);
}

// Times, names and references of XML, whatever the user's locale writes for a decimal point.
TEST(Mp4Text, TtmlIsReadAsTheXmlItIs) {
  const std::pair<const char *, const char *> ends[] = {
      {"end='3.5s'", "0+3500:"},
      {"end=\"3&#46;5s\"", "0+3500:"},
      {"end = \"00:00:02.25\"", "0+2250:"},
      {"end=\"1500ms\"", "0+1500:"},
      {"end=\"0.05m\"", "0+3000:"},
      {"dur='9s' xml:id='end=\"8s\"' end='2s'", "0+2000:"},
      {"><![CDATA[end=\"8s\"]]></p><p end=\"2.5s\"", "0+2500:"},
  };
  for (const auto &[end, wanted] : ends) {
    Mux mux("iso-fragmented", "fragment-duration=60000000000");
    GstHarness *text = mux.pad("text_0", "application/ttml+xml");
    push_text(text,
              "<t:tt xmlns:t=\"http://www.w3.org/ns/ttml\"><body><p begin=\"0s\" " + std::string(end) +
                  ">x</p></body></t:tt>",
              GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE);
    EXPECT_EQ(text_of(joined(mux.finish())).substr(0, 7), wanted) << end;
    EXPECT_EQ(mux.stat("dropped"), 0u) << end;
  }
}

constexpr char kFile[] = "WEBVTT\n\n00:00:00.500 --> 00:00:01.500\nGr\303\274\303\237e <i>an</i> alle\n\n"
                         "00:00:01.000 --> 00:00:02.250 line:0\nzwei\nZeilen\n\n"
                         "00:00:03.000 --> 00:00:04.000\nEnde\n";

// What GStreamer's demuxer gives back, its timing lines in order.
std::string demuxed(const std::string &file) {
  return output_of("gst-launch-1.0 -q filesrc location=" + file +
                   " ! qtdemux name=d d.subtitle_0 ! fdsink fd=1");
}

TEST(Mp4Text, OthersReadTheSameCues) {
  if (!have_ffmpeg() || !has("x264enc")) GTEST_SKIP() << "needs ffmpeg and x264enc";
  const Folder folder;
  const std::string vtt = folder / "in.vtt";
  std::ofstream(vtt) << kFile;
  for (const std::string variant : {"iso", "iso-fragmented", "cmaf"}) {
    SCOPED_TRACE(variant);
    const std::string file = folder / (variant + ".mp4");
    std::string pipeline =
        "filesrc location=" + vtt + " ! " + kVtt +
        " ! mux.text_0 hullmp4mux name=mux "
        "send-force-keyunit=false fragment-duration=1000000000 ! video/quicktime,variant=" +
        variant + " ! filesink location=" + file;
    if (variant != "cmaf")
      pipeline += " videotestsrc num-buffers=96 ! video/x-raw,width=64,height=64,framerate=24/1 ! "
                  "x264enc key-int-max=24 ! h264parse ! mux.video_0";
    const Ran ran = launch(pipeline);
    ASSERT_EQ(ran.error, "");
    EXPECT_TRUE(ran.warnings.empty()) << ran.warnings.front();
    if (variant == "cmaf") {
      auto source = FileSource::open(file);
      ASSERT_TRUE(source);
      const auto findings = cmaf::check_file(*source);
      ASSERT_TRUE(findings);
      EXPECT_TRUE(findings->empty()) << findings->front().text;
    }
    EXPECT_NE(output_of("ffprobe -v error -show_entries stream=codec_tag_string '" + file + "'").find("wvtt"),
              std::string::npos);
    const std::string said = output_of("mediainfo --Inform='Text;%Format%' '" + file + "'");
    if (said.find("not found") == std::string::npos) {
      EXPECT_EQ(said.substr(0, said.find('\n')), "wvtt");
    }
    const std::string cues = demuxed(file);
    EXPECT_NE(cues.find("Gr\303\274\303\237e <i>an</i> alle"), std::string::npos) << cues;
    EXPECT_NE(cues.find("zwei\nZeilen"), std::string::npos) << cues;
    EXPECT_NE(cues.find("00:00:03.000 --> 00:00:04.000"), std::string::npos) << cues;
  }
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
