// What stands around the samples: segment boxes, wall clocks, messages, what applications add, encryption.

#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/meta.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/boxes/protect.h"
#include "gst/isobmff/rules/cmaf.h"
#include "tests/plugins/mp4_harness.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

std::vector<std::string> types_of(const std::vector<Node> &boxes) {
  std::vector<std::string> types;
  for (const Node &box : boxes)
    types.push_back(box.type().text());
  return types;
}

std::string refusal(Mux &mux, const char *signal, const char *where, GBytes *bytes) {
  char *text = nullptr;
  g_signal_emit_by_name(mux.mux_.get(), signal, where, bytes, &text);
  const std::string result = text ? text : "";
  g_free(text);
  return result;
}

std::string add_box(Mux &mux, const char *place, Node box) {
  const ByteVector bytes = write_tree(box).value();
  GBytes *data = g_bytes_new(bytes.data(), bytes.size());
  std::string result = refusal(mux, "add-box", place, data);
  g_bytes_unref(data);
  return result;
}

std::string set_field(Mux &mux, const char *path, const char *value) {
  char *text = nullptr;
  g_signal_emit_by_name(mux.mux_.get(), "set-field", path, value, &text);
  const std::string result = text ? text : "";
  g_free(text);
  return result;
}

Node message(std::uint32_t timescale) {
  EventMessage emsg;
  emsg.scheme_id_uri = "urn:example:2026";
  emsg.value = "1";
  emsg.timescale = timescale;
  return Node(std::move(emsg));
}

const cmaf::Findings findings_of(const ByteVector &bytes) {
  MemorySource source(bytes);
  auto findings = cmaf::check_file(source);
  EXPECT_TRUE(findings);
  cmaf::Findings musts;
  for (auto &finding : *findings)
    if (finding.level == cmaf::Level::must) musts.push_back(finding);
  return musts;
}

TEST(Mp4MuxBoxes, SegmentsAreMarkedAndTheLastOneSaysSo) {
  for (const bool chunks : {false, true}) {
    Mux mux("cmaf", chunks ? "styp=true chunk-duration=200000000" : "styp=true");
    GstHarness *video = mux.pad("video_0", Mux::kAvc);
    for (guint64 i = 0; i < 150; ++i)
      Mux::push_frame(video, i, i % 60 == 0);
    const ByteVector bytes = joined(mux.finish());
    EXPECT_TRUE(findings_of(bytes).empty());
    const auto boxes = parse_boxes(bytes).value();
    std::vector<const SegmentType *> styps;
    for (const Node &box : boxes)
      if (const auto *styp = box.as<SegmentType>()) styps.push_back(styp);
    ASSERT_EQ(styps.size(), 3u);
    const auto lists = [](const SegmentType *styp, FourCC brand) {
      return std::ranges::count(styp->compatible_brands, brand) == 1;
    };
    for (const auto *styp : styps) {
      EXPECT_TRUE(lists(styp, "msdh"));
      EXPECT_EQ(lists(styp, "lmsg"), !chunks && styp == styps.back());
      EXPECT_EQ(lists(styp, "cmfl"), !chunks);
    }
  }
}

TEST(Mp4MuxBoxes, TheSendersClockStandsInFrontOfEachFragment) {
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  const auto unix_time = CapsRef::adopt(gst_caps_new_empty_simple("timestamp/x-unix"));
  constexpr guint64 kStart = 1'700'000'000ull * GST_SECOND;
  for (guint64 i = 0; i < 120; ++i) {
    BufferRef buffer = Mux::sample(Mux::frame(i), Mux::frame(i), Mux::frame(1), i % 60 == 0);
    gst_buffer_add_reference_timestamp_meta(buffer.get(), unix_time.get(), kStart + Mux::frame(i),
                                            GST_CLOCK_TIME_NONE);
    gst_harness_push(video, buffer.release());
  }
  const ByteVector bytes = joined(mux.finish());
  EXPECT_TRUE(findings_of(bytes).empty());
  const auto boxes = parse_boxes(bytes).value();
  EXPECT_EQ(types_of(boxes),
            (std::vector<std::string>{"ftyp", "moov", "prft", "moof", "mdat", "prft", "moof", "mdat"}));
  const auto *second = boxes.at(5).as<ProducerReferenceTime>();
  EXPECT_EQ(second->media_time, 60u * 512);
  EXPECT_EQ(second->ntp_timestamp >> 32, 1'700'000'002u + 2'208'988'800u);
}

TEST(Mp4MuxBoxes, MessagesWaitForTheNextSegment) {
  Mux mux("cmaf", "chunk-duration=500000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 50; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  std::vector<BufferRef> out;
  out.push_back(BufferRef::adopt(gst_harness_pull(mux.out_))); // the first segment is on its way
  EXPECT_EQ(add_box(mux, "fragment", message(15'360)), "");
  // The same by a serialized event, here with another track's timescale, which is refused later.
  const ByteVector wrong = write_tree(message(1000)).value();
  auto buffer = BufferRef::adopt(gst_buffer_new_memdup(wrong.data(), wrong.size()));
  gst_harness_push_event(
      video, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM,
                                  gst_structure_new("hull-mp4-box", "place", G_TYPE_STRING, "fragment", "box",
                                                    GST_TYPE_BUFFER, buffer.get(), nullptr)));
  for (guint64 i = 50; i < 120; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  for (BufferRef &buffer : mux.finish())
    out.push_back(std::move(buffer));
  const ByteVector bytes = joined(out);
  EXPECT_TRUE(findings_of(bytes).empty());
  const auto types = types_of(parse_boxes(bytes).value());
  EXPECT_EQ(std::count(types.begin(), types.end(), "emsg"), 1);
  EXPECT_EQ(types.at(2 + 4 * 2), "emsg"); // after four chunks of half a second
}

TEST(Mp4MuxBoxes, ApplicationsAddBoxesAndSetFieldsButBreakNothing) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  LocalizedText copyright("cprt");
  copyright.text = "us";
  EXPECT_EQ(add_box(mux, "moov/udta", Node(std::move(copyright))), "");
  EXPECT_EQ(add_box(mux, "moov/trak[0]/udta", Node(TrackKind{})), "");
  EXPECT_EQ(set_field(mux, "moov/trak[0]/tkhd.alternate_group", "3"), "");
  EXPECT_NE(add_box(mux, "moov", Node(MovieHeader{})).find("14496-12 6.2"), std::string::npos);
  EXPECT_NE(add_box(mux, "moov/udta", Node("emsg")).find("14496-12"), std::string::npos);
  EXPECT_NE(set_field(mux, "moov/trak[0]/mdia/mdhd.timescale", "5").find("14496-12 6.2"), std::string::npos);
  EXPECT_NE(set_field(mux, "moov/trak[0]/tkhd.track_ID", "5").find("14496-12 6.2"), std::string::npos);
  EXPECT_NE(set_field(mux, "ftyp.major_brand", "qt  "), "");
  GBytes *half = g_bytes_new_static("\0\0\0\x20udta", 8);
  EXPECT_NE(refusal(mux, "add-box", "moov", half).find("14496-12 4.2"), std::string::npos);
  g_bytes_unref(half);
  for (guint64 i = 0; i < 20; ++i)
    Mux::push_frame(video, i, i == 0);
  const auto boxes = parse_boxes(joined(mux.finish())).value();
  const auto *cprt = find_box<LocalizedText>(boxes.at(1), "udta/cprt");
  ASSERT_TRUE(cprt);
  EXPECT_EQ(cprt->text, "us");
  EXPECT_TRUE(find(boxes.at(1), "trak/udta/kind"));
  EXPECT_EQ(find_box<TrackHeader>(boxes.at(1), "trak/tkhd")->alternate_group, 3);
  EXPECT_NE(add_box(mux, "moov/udta", Node(TrackKind{})).find("written already"), std::string::npos);
}

TEST(Mp4MuxBoxes, WhatCmafForbidsIsLeftOutOfItsHeader) {
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  EXPECT_EQ(set_field(mux, "moov/mvhd.rate", "2.0"), ""); // what it breaks is known when the header is made
  EXPECT_EQ(set_field(mux, "moov/trak/tkhd.alternate_group", "1"), "");
  for (guint64 i = 0; i < 20; ++i)
    Mux::push_frame(video, i, i == 0);
  const ByteVector bytes = joined(mux.finish());
  EXPECT_TRUE(findings_of(bytes).empty());
  const auto boxes = parse_boxes(bytes).value();
  EXPECT_EQ(boxes.at(1).get<MovieHeader>()->rate, 0x10000);
  EXPECT_EQ(find_box<TrackHeader>(boxes.at(1), "trak/tkhd")->alternate_group, 1);
}

TEST(Mp4MuxBoxes, TheApplicationSaysWhereToSplit) {
  Mux mux("cmaf", "manual-split=true");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  g_signal_emit_by_name(mux.mux_.get(), "split-at-running-time", guint64{3 * GST_SECOND});
  for (guint64 i = 0; i < 150; ++i)
    Mux::push_frame(video, i, i % 30 == 0);
  const auto boxes = parse_boxes(joined(mux.finish())).value();
  std::vector<std::uint64_t> starts;
  for (const Node &box : boxes)
    if (const auto *tfdt = find_box<TrackFragmentDecodeTime>(box, "traf/tfdt"))
      starts.push_back(tfdt->base_media_decode_time);
  EXPECT_EQ(starts, (std::vector<std::uint64_t>{0, 90 * 512}));
}

TEST(Mp4MuxBoxes, KeyUnitsAreAskedForOneFragmentAhead) {
  Mux mux("cmaf", "send-force-keyunit=true fragment-duration=1000000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 90; ++i)
    Mux::push_frame(video, i, i % 30 == 0);
  std::vector<GstClockTime> asked; // the muxer has its own thread, and a pad at its end asks for nothing
  for (int patience = 5000; asked.size() < 2 && patience > 0; --patience) {
    GstEvent *event = gst_harness_try_pull_upstream_event(video);
    if (!event) {
      g_usleep(1000);
      continue;
    }
    GstClockTime time = 0;
    if (gst_video_event_is_force_key_unit(event) &&
        gst_video_event_parse_upstream_force_key_unit(event, &time, nullptr, nullptr))
      asked.push_back(time);
    gst_event_unref(event);
  }
  mux.finish();
  ASSERT_GE(asked.size(), 2u);
  for (guint64 i = 0; i < 2; ++i) { // at the boundary, or within the frame before it
    EXPECT_LE(asked[i], (i + 1) * GST_SECOND);
    EXPECT_GT(asked[i] + Mux::frame(1), (i + 1) * GST_SECOND);
  }
}

TEST(Mp4MuxBoxes, TheIndexAtTheEndPointsAtMoofs) {
  Mux mux("iso-fragmented", "mfra=true styp=true");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 180; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  const ByteVector bytes = joined(mux.finish());
  const auto boxes = parse_boxes(bytes).value();
  const auto *tfra = find_box<TrackFragmentRandomAccess>(boxes.back(), "tfra");
  ASSERT_TRUE(tfra);
  ASSERT_EQ(tfra->entries.size(), 3u);
  for (const auto &entry : tfra->entries)
    EXPECT_EQ(FourCC(static_cast<std::uint32_t>(load_be(bytes.data() + entry.moof_offset + 4, 4))),
              FourCC("moof"));
  EXPECT_EQ(load_be(bytes.data() + bytes.size() - 4, 4), boxes.back().size);
}

TEST(Mp4MuxBoxes, LatencyIsThatOfAChunk) {
  Mux mux("cmaf", "chunk-duration=200000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  gst_harness_set_upstream_latency(video, 0);
  for (guint64 i = 0; i < 12; ++i)
    Mux::push_frame(video, i, i == 0);
  BufferRef::adopt(gst_harness_pull(mux.out_));
  EXPECT_EQ(gst_harness_query_latency(mux.out_), 200 * GST_MSECOND);
}

TEST(Mp4MuxBoxes, TagsLanguageAndOrientationReachTheFile) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe reads them";
  const Folder folder;
  const std::string file = folder / "tags.mp4";
  const Ran ran =
      launch("videotestsrc num-buffers=30 ! video/x-raw,width=64,height=48 ! x264enc ! h264parse ! "
             "taginject tags=\"title=Hull,artist=Us,language-code=deu,image-orientation=rotate-90\" ! "
             "hullmp4mux ! video/quicktime,variant=iso ! filesink location=" +
             file);
  if (ran.error.find("no element") != std::string::npos) GTEST_SKIP() << ran.error;
  ASSERT_EQ(ran.error, "");
  const std::string said =
      output_of("ffprobe -v error -show_entries "
                "format_tags=title,artist:stream_tags=language:stream_side_data=rotation "
                "-of default=nk=1:nw=1 '" +
                file + "'");
  EXPECT_NE(said.find("Hull"), std::string::npos) << said;
  EXPECT_NE(said.find("Us"), std::string::npos) << said;
  EXPECT_NE(said.find("deu"), std::string::npos) << said;
  EXPECT_NE(said.find("-90"), std::string::npos) << said;
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
