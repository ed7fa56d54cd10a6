#include "gst/isobmff/boxes/entry.h"
#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/boxes/fragment.h"
#include "gst/isobmff/boxes/movie.h"
#include "gst/isobmff/rules/cmaf.h"
#include "tests/plugins/mp4_harness.h"

#include <algorithm>
#include <cstdlib>
#include <gtest/gtest.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

TEST(Mp4Mux, FragmentsCarryTheFlagsAndTimesSinksRelyOn) {
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 120; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  const auto buffers = mux.finish();
  ASSERT_EQ(buffers.size(), 1u + 2 * 61);
  EXPECT_EQ(GST_BUFFER_FLAGS(buffers[0].get()), guint{GST_BUFFER_FLAG_DISCONT | GST_BUFFER_FLAG_HEADER});
  for (int fragment = 0; fragment < 2; ++fragment) {
    GstBuffer *moof = buffers[1 + fragment * 61].get();
    EXPECT_EQ(GST_BUFFER_FLAGS(moof), guint{GST_BUFFER_FLAG_HEADER});
    EXPECT_EQ(GST_BUFFER_PTS(moof), fragment * 2 * GST_SECOND);
    EXPECT_EQ(GST_BUFFER_DURATION(moof), 2 * GST_SECOND);
    for (int i = 1; i <= 60; ++i) {
      const guint flags = GST_BUFFER_FLAGS(buffers[1 + fragment * 61 + i].get());
      EXPECT_EQ(flags, guint{GST_BUFFER_FLAG_DELTA_UNIT} | (i == 60 ? guint{GST_BUFFER_FLAG_MARKER} : 0u));
    }
  }
}

TEST(Mp4Mux, AChunkLeavesWithItsLastSample) {
  Mux mux("cmaf", "chunk-duration=200000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 6; ++i)
    Mux::push_frame(video, i, i == 0);
  // Header, moof and six samples are there although no seventh sample came.
  std::vector<BufferRef> buffers;
  for (int i = 0; i < 8; ++i)
    buffers.push_back(BufferRef::adopt(gst_harness_pull(mux.out_)));
  EXPECT_TRUE(buffers.back());
  EXPECT_TRUE(GST_BUFFER_FLAG_IS_SET(buffers.back().get(), GST_BUFFER_FLAG_MARKER));
  for (guint64 i = 6; i < 12; ++i)
    Mux::push_frame(video, i, false);
  auto moof = BufferRef::adopt(gst_harness_pull(mux.out_));
  EXPECT_EQ(GST_BUFFER_FLAGS(moof.get()), guint{GST_BUFFER_FLAG_HEADER | GST_BUFFER_FLAG_DELTA_UNIT});
}

TEST(Mp4Mux, DecodeTimesAreContinuousWhateverTheTimestampsDo) {
  Mux mux("cmaf", "chunk-duration=100000000");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstClockTime time = 0;
  for (guint64 i = 0; i < 200; ++i) {
    time += 20'000'000 + i * 7'919'321 % 30'000'000; // announced durations are all wrong
    gst_harness_push(video, Mux::sample(time, time, 33'333'333, i % 50 == 0).release());
  }
  auto boxes = parse_boxes(joined(mux.finish()));
  ASSERT_TRUE(boxes);
  std::uint64_t end = 0;
  EXPECT_TRUE(continuous(*boxes, &end));
  const double seconds = static_cast<double>(end) / 15'360;
  EXPECT_NEAR(seconds, static_cast<double>(time) / 1e9, 0.07);
}

TEST(Mp4Mux, CmafHeaderSaysWhatTheRulesAskFor) {
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 10; ++i)
    Mux::push_frame(video, i, i == 0);
  auto boxes = parse_boxes(joined(mux.finish()));
  ASSERT_TRUE(boxes);
  const auto *ftyp = boxes->at(0).as<FileType>();
  ASSERT_TRUE(ftyp);
  EXPECT_EQ(ftyp->major_brand, FourCC("cmf2"));
  EXPECT_EQ(ftyp->minor_version, 0u);
  const Node &moov = boxes->at(1);
  EXPECT_EQ(find_box<TrackHeader>(moov, "trak/tkhd")->duration, 0u);
  EXPECT_EQ(find(moov, "trak/edts"), nullptr);
  EXPECT_EQ(find(moov, "mvex/mehd"), nullptr);
  const auto *tfhd = find_box<TrackFragmentHeader>(boxes->at(2), "traf/tfhd");
  ASSERT_TRUE(tfhd);
  EXPECT_TRUE(tfhd->flags & TrackFragmentHeader::kDefaultBaseIsMoof);
  EXPECT_FALSE(tfhd->flags & TrackFragmentHeader::kBaseDataOffset);
  EXPECT_EQ(find_box<TrackRun>(boxes->at(2), "traf/trun")->version, 1);
}

TEST(Mp4Mux, DropsWhatComesBeforeTheFirstKeyUnitAndSaysSo) {
  Mux mux("cmaf");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 20; ++i)
    Mux::push_frame(video, i, i == 7);
  auto boxes = parse_boxes(joined(mux.finish()));
  EXPECT_EQ(find_box<TrackRun>(boxes->at(2), "traf/trun")->sample_count, 13u);
  EXPECT_EQ(mux.stat("dropped"), 7u);
}

TEST(Mp4Mux, RepairsAndCounts) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  Mux::push_frame(video, 0, true);
  gst_harness_push(video,
                   Mux::sample(GST_CLOCK_TIME_NONE, GST_CLOCK_TIME_NONE, Mux::frame(1), false).release());
  gst_harness_push(video, Mux::sample(Mux::frame(2), Mux::frame(2), Mux::frame(1), false).release());
  gst_harness_push(video, Mux::sample(Mux::frame(3), Mux::frame(1), Mux::frame(1), false).release());
  gst_harness_push(video, gst_buffer_new());
  auto boxes = parse_boxes(joined(mux.finish()));
  ASSERT_TRUE(boxes);
  EXPECT_TRUE(continuous(*boxes));
  EXPECT_EQ(mux.stat("missing-pts"), 1u);
  EXPECT_EQ(mux.stat("backward-dts"), 1u);
  EXPECT_EQ(mux.stat("empty"), 1u);
  EXPECT_EQ(find_box<TrackRun>(boxes->at(2), "traf/trun")->sample_count, 4u);
}

TEST(Mp4Mux, TwoTracksShareAMoofAndAnEditListPutsReorderedPicturesBack) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *audio = mux.pad("audio_0", Mux::kAac);
  const guint64 shown[] = {0, 3, 1, 2};
  for (guint64 i = 0; i < 120; ++i) {
    const guint64 pts = i % 60 == 0 ? i : i / 4 * 4 + shown[i % 4];
    gst_harness_push(video,
                     Mux::sample(Mux::frame(pts + 2), Mux::frame(i), Mux::frame(1), i % 60 == 0).release());
    for (guint64 a = i * 1600 / 1024; a < (i + 1) * 1600 / 1024; ++a)
      gst_harness_push(audio, Mux::sample(gst_util_uint64_scale(a * 1024, GST_SECOND, 48'000) + Mux::frame(2),
                                          GST_CLOCK_TIME_NONE, 21'333'333, true)
                                  .release());
  }
  auto boxes = parse_boxes(joined(mux.finish()));
  ASSERT_TRUE(boxes);
  EXPECT_EQ(boxes->at(2).children.size(), 3u); // mfhd and two traf
  const auto *elst = find_box<EditList>(boxes->at(1), "trak/edts/elst");
  ASSERT_TRUE(elst);
  EXPECT_EQ(elst->entries.back().media_time, 2 * 512);
  EXPECT_EQ(find_box<TrackRun>(boxes->at(2), "traf/trun")->version, 0);
}

TEST(Mp4Mux, APadWithGapsOnlyDoesNotHoldTheOthersUp) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *audio = mux.pad("audio_0", Mux::kAac);
  gst_harness_push_event(audio, gst_event_new_gap(0, 10 * GST_SECOND));
  for (guint64 i = 0; i < 200; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  auto header = BufferRef::adopt(gst_harness_pull(mux.out_)); // without EOS
  EXPECT_TRUE(header);
}

TEST(Mp4Mux, EndWithoutDataIsAnEndAndNothingElse) {
  for (const char *variant : {"cmaf", "iso-fragmented"}) {
    Mux mux(variant);
    mux.pad("video_0", Mux::kAvc);
    EXPECT_TRUE(mux.finish().empty());
    EXPECT_TRUE(mux.ended());
  }
}

// 3 of 180 pictures: back as far as a camera's clock that was set, ahead, and by half a second.
TEST(Mp4Mux, StampsOutOfLineMoveNothing) {
  for (const gint64 by : {-9'800 * GST_SECOND, 37'600 * GST_SECOND, GST_SECOND / 2}) {
    Mux mux("iso-fragmented");
    GstHarness *video = mux.pad("video_0", Mux::kAvc);
    for (guint64 i = 0; i < 180; ++i) {
      const bool stray = i % 60 == 30;
      const auto time = static_cast<GstClockTime>(static_cast<gint64>(Mux::frame(i) + 20'000 * GST_SECOND) +
                                                  (stray ? by : 0));
      gst_harness_push(video, Mux::sample(time, time, Mux::frame(1), i % 60 == 0).release());
    }
    auto boxes = parse_boxes(joined(mux.finish()));
    ASSERT_TRUE(boxes);
    std::uint64_t end = 0;
    EXPECT_TRUE(continuous(*boxes, &end));
    const std::uint64_t start = 20'000ull * 30 * 512;
    EXPECT_EQ(end - start, 180u * 512) << by;
    EXPECT_EQ(mux.stat("strays"), 3u) << by;
    EXPECT_EQ(mux.stat("jumps"), 0u) << by;
  }
}

TEST(Mp4Mux, ABrokenRecordIsNotWritten) {
  const struct {
    const char *pad, *caps;
  } kBroken[] = {
      {"video_0",
       "video/x-h264,stream-format=avc,alignment=au,width=64,height=64,codec_data=(buffer)0042c00aff"},
      {"video_0",
       "video/x-h265,stream-format=hvc1,alignment=au,width=64,height=64,codec_data=(buffer)0101600000"},
      {"audio_0", "audio/mpeg,mpegversion=4,stream-format=raw,rate=48000,channels=2,codec_data=(buffer)ffff"},
      {"audio_0", "audio/x-flac,framed=true,rate=48000,channels=2"},
  };
  for (const auto &[name, caps] : kBroken) {
    Mux mux("iso-fragmented");
    GstHarness *input = mux.pad(name, caps);
    gst_harness_push(input, Mux::sample(0, 0, GST_SECOND, true).release());
    EXPECT_TRUE(mux.finish().empty()) << caps;
    EXPECT_TRUE(mux.ended()) << caps;
  }
}

TEST(Mp4Mux, APadThatLeavesEndsItsTrackOnly) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  GstHarness *audio = mux.pad("audio_0", Mux::kAac);
  for (guint64 i = 0; i < 47; ++i)
    gst_harness_push(audio, Mux::sample(i * 21'333'333, GST_CLOCK_TIME_NONE, 21'333'333, true).release());
  for (guint64 i = 0; i < 30; ++i)
    Mux::push_frame(video, i, i == 0);
  mux.inputs_.erase(std::find(mux.inputs_.begin(), mux.inputs_.end(), audio));
  gst_harness_teardown(audio);
  for (guint64 i = 30; i < 300; ++i)
    Mux::push_frame(video, i, i % 60 == 0);
  auto boxes = parse_boxes(joined(mux.finish()));
  ASSERT_TRUE(boxes);
  std::uint64_t end = 0;
  EXPECT_TRUE(continuous(*boxes, &end));
  EXPECT_EQ(end, 300u * 512);
}

TEST(Mp4Mux, ByteStreamIsRefusedByCaps) {
  const auto mux = ElementRef::retain(gst_element_factory_make("hullmp4mux", nullptr));
  const auto pad = PadRef::adopt(gst_element_request_pad_simple(mux.get(), "video_%u"));
  const auto caps =
      CapsRef::adopt(gst_caps_from_string("video/x-h264,stream-format=byte-stream,alignment=au"));
  EXPECT_FALSE(gst_pad_query_accept_caps(pad.get(), caps.get()));
  gst_element_release_request_pad(mux.get(), pad.get());
}

TEST(Mp4Mux, TwoTracksAreNoCmafTrackFile) {
  const Ran ran =
      launch("hullmp4mux name=m ! video/quicktime,variant=cmaf ! fakesink "
             "audiotestsrc num-buffers=10 ! opusenc ! m.audio_0 audiotestsrc num-buffers=10 ! opusenc ! "
             "m.audio_1");
  EXPECT_NE(ran.error.find("one muxer per stream"), std::string::npos) << ran.error;
}

TEST(Mp4Mux, AWholeFileWantsASinkThatCanGoBack) {
  const Ran ran =
      launch("audiotestsrc num-buffers=10 ! opusenc ! hullmp4mux ! video/quicktime,variant=iso ! fakesink");
  EXPECT_NE(ran.error.find("cannot go back"), std::string::npos) << ran.error;
}

TEST(Mp4Mux, APadWithoutDataHasNoTrack) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  mux.pad("audio_0", Mux::kAac);
  for (guint64 i = 0; i < 60; ++i)
    Mux::push_frame(video, i, i == 0);
  const auto boxes = parse_boxes(joined(mux.finish())).value();
  ASSERT_GE(boxes.size(), 3u);
  EXPECT_EQ(std::ranges::count(boxes[1].children, FourCC("trak"), &Node::type), 1);
}

TEST(Mp4Mux, ACapsChangeMakesAnotherSampleEntry) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  for (guint64 i = 0; i < 30; ++i)
    Mux::push_frame(video, i, i == 0);
  std::string wider = Mux::kAvc;
  wider.replace(wider.find("width=64"), 8, "width=96");
  gst_harness_set_src_caps_str(video, wider.c_str());
  for (guint64 i = 30; i < 60; ++i)
    Mux::push_frame(video, i, i == 30);
  const auto boxes = parse_boxes(joined(mux.finish())).value();
  const Node *last_movie = nullptr;
  std::vector<std::uint32_t> described;
  for (const Node &box : boxes) {
    if (box.type() == FourCC("moov")) last_movie = &box;
    if (const auto *tfhd = find_box<TrackFragmentHeader>(box, "traf/tfhd"))
      described.push_back(tfhd->sample_description_index);
  }
  ASSERT_TRUE(last_movie);
  EXPECT_EQ(find_box<VisualSampleEntry>(*last_movie, "trak/mdia/minf/stbl/stsd/avc1[1]")->width, 96);
  EXPECT_EQ(described, (std::vector<std::uint32_t>{1, 2}));
  EXPECT_TRUE(continuous(boxes));
}

// h264parse says its caps twice, and a stream may go back to what it was.
TEST(Mp4Mux, CapsThatComeAgainAddNoSampleEntry) {
  Mux mux("iso-fragmented");
  GstHarness *video = mux.pad("video_0", Mux::kAvc);
  const std::string again = std::string(Mux::kAvc) + ",interlace-mode=progressive";
  gst_harness_set_src_caps_str(video, again.c_str());
  std::string wider = Mux::kAvc;
  wider.replace(wider.find("width=64"), 8, "width=96");
  for (guint64 i = 0; i < 90; ++i) {
    if (i == 15) gst_harness_set_src_caps_str(video, Mux::kAvc);
    if (i == 30) gst_harness_set_src_caps_str(video, wider.c_str());
    if (i == 60) gst_harness_set_src_caps_str(video, again.c_str());
    Mux::push_frame(video, i, i % 30 == 0);
  }
  const auto boxes = parse_boxes(joined(mux.finish())).value();
  std::vector<std::size_t> entries;
  std::vector<std::uint32_t> described;
  for (const Node &box : boxes) {
    if (box.type() == FourCC("moov"))
      entries.push_back(find(box, "trak/mdia/minf/stbl/stsd")->children.size());
    if (const auto *tfhd = find_box<TrackFragmentHeader>(box, "traf/tfhd"))
      described.push_back(tfhd->sample_description_index);
  }
  EXPECT_EQ(entries, (std::vector<std::size_t>{1, 2, 2}));
  EXPECT_EQ(described, (std::vector<std::uint32_t>{1, 2, 1}));
}

// Every rule of the checklist, on what the muxer makes of pictures with and without reordering, and of sound.
TEST(Mp4Mux, CmafTracksBreakNoRule) {
  for (const char *chunks : {"chunk-duration=0", "chunk-duration=200000000"})
    for (const int kind : {0, 1, 2}) {
      Mux mux("cmaf", chunks);
      GstHarness *in = kind == 2 ? mux.pad("audio_0", Mux::kAac) : mux.pad("video_0", Mux::kAvc);
      const guint64 shown[] = {0, 3, 1, 2};
      for (guint64 i = 0; i < 360; ++i) {
        if (kind == 2) {
          const GstClockTime at = gst_util_uint64_scale(i * 1024, GST_SECOND, 48'000);
          gst_harness_push(in, Mux::sample(at, GST_CLOCK_TIME_NONE, 21'333'333, true).release());
        } else if (kind == 1) {
          const guint64 pts = (i % 60 == 0 ? i : i / 4 * 4 + shown[i % 4]) + 2;
          gst_harness_push(in,
                           Mux::sample(Mux::frame(pts), Mux::frame(i), Mux::frame(1), i % 60 == 0).release());
        } else {
          Mux::push_frame(in, i, i % 60 == 0);
        }
      }
      const ByteVector bytes = joined(mux.finish());
      MemorySource source(bytes);
      auto findings = cmaf::check_file(source);
      ASSERT_TRUE(findings) << findings.error().text;
      for (const auto &finding : *findings)
        EXPECT_NE(finding.level, cmaf::Level::must)
            << chunks << " " << kind << ": " << finding.rule << " " << finding.text;
    }
}

std::string shared(const char *name) {
  const char *folder = std::getenv("HULL_SHARED");
  const std::string path = std::string(folder ? folder : "") + "/media/" + name;
  return std::filesystem::exists(path) ? path : "";
}

// An elementary stream with B-frames has no presentation times of its own; every variant must show ffmpeg the
// pictures it decodes from the bare stream.
TEST(Mp4Mux, BFramesOfARealClipComeOutInOrderInEveryVariant) {
  const std::string clip = shared("drive_1080p25_high_b.264");
  if (clip.empty() || !have_ffmpeg()) GTEST_SKIP() << "needs ../shared/media and ffmpeg";
  const std::string expected = pictures_of(clip);
  const Folder folder;
  for (const char *variant : {"iso", "iso-fragmented", "cmaf"}) {
    const std::string file = folder / (std::string(variant) + ".mp4");
    const Ran ran =
        launch("filesrc location=" + clip + " ! h264parse ! hullmp4mux ! video/quicktime,variant=" + variant +
               " ! filesink location=" + file);
    ASSERT_EQ(ran.error, "");
    EXPECT_EQ(pictures_of(file), expected) << variant;
    EXPECT_EQ(probed(file, "v", "nb_read_packets"), "54");
    EXPECT_EQ(probed(file, "v", "duration"), "2.160000");
  }
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
