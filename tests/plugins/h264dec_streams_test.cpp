// hullh264dec on streams of other encoders, streams that change on the way, and consumers that are late.

#include "plugins/h264/unit_gatherer.h"
#include "tests/plugins/h264_mutations.h"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

#include <gst/check/gstharness.h>

namespace hull::h264 {
namespace {

class H264DecStreams : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

bool has(const char *factory) {
  return static_cast<bool>(ElementRef::retain(gst_element_factory_make(factory, nullptr)));
}

// Whatever x264 makes of I and P pictures, and one of the small shapes no test clip has.
TEST_F(H264DecStreams, WhatX264MakesOfIAndPPicturesEqualsAvdec) {
  if (!has("x264enc") || !has("avdec_h264")) GTEST_SKIP() << "x264enc or avdec_h264 is not installed";
  for (const char *settings :
       {"x264enc bframes=0 ! video/x-h264,profile=constrained-baseline",
        "x264enc bframes=0 cabac=false ref=4 option-string=slices=4 ! video/x-h264,profile=main",
        "x264enc bframes=0 ref=5 option-string=weightp=2 ! video/x-h264,profile=main",
        "x264enc bframes=0 dct8x8=true option-string=weightp=2:trellis=2:partitions=all ! "
        "video/x-h264,profile=high",
        "x264enc bframes=0 dct8x8=true cabac=false ref=3 ! video/x-h264,profile=high",
        "x264enc bframes=0 intra-refresh=true key-int-max=10 ! video/x-h264,profile=high",
        "x264enc bframes=0 option-string=slice-max-size=300:no-deblock=1 ! video/x-h264,profile=main",
        "x264enc bframes=0 option-string=constrained-intra=1:deblock=-3,3 ! video/x-h264,profile=high",
        "x264enc bframes=0 option-string=cqm=jvt dct8x8=true ! video/x-h264,profile=high",
        "x264enc bframes=0 option-string=chroma-qp-offset=-6:qpmin=0:qpmax=8 ! video/x-h264,profile=main"})
    for (const char *size : {"width=176,height=144", "width=98,height=70"}) {
      SCOPED_TRACE(std::string(settings) + " " + size);
      // A fade, for weighted prediction, under something that moves.
      const std::string raw =
          std::string(
              "videotestsrc num-buffers=24 pattern=zone-plate kx2=12 ky2=9 kt=3 ! video/x-raw,format=I420,"
              "framerate=25/1,") +
          size + " ! alpha alpha=0.7 ! videoconvert ! video/x-raw,format=I420 ! " + settings +
          ",stream-format=byte-stream ! ";
      const std::string file = "hull_x264.264", read = "filesrc location=" + file + " ! h264parse ! ";
      ASSERT_EQ(play(raw + "filesink location=" + file).error, "");
      const Played ours = play(read + "hullh264dec ! appsink name=out");
      const Played right = play(read + "avdec_h264 ! video/x-raw,format=I420 ! appsink name=out");
      std::remove(file.c_str());
      EXPECT_EQ(ours.error, "");
      ASSERT_EQ(ours.buffers.size(), 24u);
      ASSERT_EQ(right.buffers.size(), 24u);
      GstVideoInfo a, b;
      ASSERT_TRUE(gst_video_info_from_caps(&a, ours.caps.get()));
      ASSERT_TRUE(gst_video_info_from_caps(&b, right.caps.get()));
      for (std::size_t i = 0; i < 24; ++i) {
        EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(ours.buffers[i].get(), GST_BUFFER_FLAG_CORRUPTED)) << i;
        MappedFrame x(a, ours.buffers[i].get(), GST_MAP_READ), y(b, right.buffers[i].get(), GST_MAP_READ);
        bool equal = true;
        for (unsigned c = 0; c < 3; ++c)
          for (int row = 0; row < GST_VIDEO_FRAME_COMP_HEIGHT(x.get(), c); ++row)
            equal &= std::equal(x.plane(c) + row * x.stride(c),
                                x.plane(c) + row * x.stride(c) + GST_VIDEO_FRAME_COMP_WIDTH(x.get(), c),
                                y.plane(c) + row * y.stride(c));
        EXPECT_TRUE(equal) << i;
      }
    }
}

TEST_F(H264DecStreams, ANewSizeOnTheWayLosesNoPicture) {
  for (const char *profile : {"constrained-baseline", "main"})
    for (const char *format : {"byte-stream", "avc"})
      for (const char *alignment : {"au", "nal"}) {
        SCOPED_TRACE(std::string(profile) + format + alignment);
        std::vector<std::string> sizes;
        const Played played =
            play(std::string("concat name=c ! hullh264enc ! video/x-h264,profile=") + profile +
                     ",stream-format=" + format + ",alignment=" + alignment +
                     " ! hullh264dec ! identity name=at signal-handoffs=true ! appsink name=out "
                     "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48,framerate=25/1 ! c. "
                     "videotestsrc num-buffers=6 ! video/x-raw,width=96,height=80,framerate=25/1 ! c. "
                     "videotestsrc num-buffers=6 ! video/x-raw,width=32,height=32,framerate=25/1 ! c.",
                 [&sizes](GstElement *pipeline) {
                   const auto at = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "at"));
                   g_signal_connect(
                       at.get(), "handoff",
                       G_CALLBACK(+[](GstElement *element, GstBuffer *, std::vector<std::string> *list) {
                         const auto pad = PadRef::adopt(gst_element_get_static_pad(element, "sink"));
                         const auto caps = CapsRef::adopt(gst_pad_get_current_caps(pad.get()));
                         int width = 0;
                         gst_structure_get_int(gst_caps_get_structure(caps.get(), 0), "width", &width);
                         list->push_back(std::to_string(width));
                       }),
                       &sizes);
                 });
        EXPECT_EQ(played.error, "");
        ASSERT_EQ(sizes.size(), 18u);
        for (std::size_t i = 0; i < 18; ++i)
          EXPECT_EQ(sizes[i], i < 6 ? "64" : i < 12 ? "96" : "32") << i;
      }
}

TEST_F(H264DecStreams, ANewDescriptionOfTheSameSizeReachesDownstream) {
  for (const char *format : {"byte-stream", "avc"}) {
    const Played played = play(
        std::string("concat name=c ! hullh264enc ! video/x-h264,profile=main,stream-format=") + format +
        " ! hullh264dec ! appsink name=out "
        "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48,framerate=25/1,colorimetry=bt601 ! c. "
        "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48,framerate=30/1,colorimetry=bt709,"
        "pixel-aspect-ratio=4/3 ! c.");
    EXPECT_EQ(played.error, "");
    EXPECT_EQ(played.buffers.size(), 12u);
    EXPECT_EQ(caps_text(played, "colorimetry"), "bt709");
    EXPECT_EQ(caps_text(played, "framerate"), "30/1");
    EXPECT_EQ(caps_text(played, "pixel-aspect-ratio"), "4/3");
  }
}

TEST_F(H264DecStreams, LosslessCodingIsRefusedAndNamesAvdec) {
  if (!has("x264enc")) GTEST_SKIP() << "x264enc is not installed";
  for (const char *format : {"byte-stream", "avc"}) {
    const Played played =
        play(std::string("videotestsrc num-buffers=10 ! video/x-raw,format=I420,width=64,height=64 ! x264enc "
                         "pass=quant quantizer=0 ! h264parse ! video/x-h264,stream-format=") +
             format + " ! hullh264dec ! appsink name=out");
    EXPECT_NE(played.error.find("lossless"), std::string::npos) << played.error;
    EXPECT_NE(played.error.find("avdec_h264"), std::string::npos) << played.error;
  }
}

// The stream of an encoder whose picture parameter set is exchanged for one with slice groups.
ByteVector with_slice_groups(const Played &coded, std::uint8_t map_type) {
  ByteVector stream;
  for (const BufferRef &buffer : coded.buffers) {
    const ByteVector unit = bytes_of(buffer.get());
    for (const Nal &nal : split_annexb(unit)) {
      if (nal.type() != NalType::pps) {
        append_annexb(stream, nal.data);
        continue;
      }
      Pps pps = *parse_pps(nal);
      pps.num_slice_groups_minus1 = 1;
      pps.slice_group_map_type = map_type;
      append_annexb(stream, *write_pps(pps));
    }
  }
  return stream;
}

// Pictures that only repeat the one before take 8 bytes where the picture order follows from frame_num.
TEST_F(H264DecStreams, ATinyLastSliceIsAPictureOfItsOwn) {
  const ByteVector two = {0, 0, 0, 1, 0x61, 0xe0, 0x01, 0x3e, 0x40, 0x2e, 0xe3, 0x2f, 0x80,
                          0, 0, 0, 1, 0x61, 0xe0, 0x01, 0x7e, 0x40, 0x32, 0xe3, 0x60};
  UnitGatherer gatherer;
  EXPECT_EQ(gatherer.end_of_unit(two, 0, false),
            std::nullopt); // the second may still be a part of its beginning
  EXPECT_EQ(gatherer.end_of_unit(two, 0, true), 13u);
  gatherer.reset();
  EXPECT_EQ(gatherer.end_of_unit(Bytes(two).subspan(13), 0, true), std::nullopt);
}

TEST_F(H264DecStreams, SliceGroupsBeyondTheLibraryAreRefusedInWords) {
  const Played coded = play("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=64 ! hullh264enc ! "
                            "video/x-h264,profile=baseline,stream-format=byte-stream ! appsink name=out");
  for (std::uint8_t type : {0, 3, 5}) {
    const std::string file = ::testing::TempDir() + "hull-slice-groups.264";
    const ByteVector stream = with_slice_groups(coded, type);
    std::ofstream(file, std::ios::binary)
        .write(reinterpret_cast<const char *>(stream.data()), static_cast<std::streamsize>(stream.size()));
    const Played played = play("filesrc location=" + file + " ! h264parse ! hullh264dec ! appsink name=out");
    EXPECT_EQ(played.error.find("map type " + std::to_string(type)) != std::string::npos, type > 1)
        << played.error;
    std::remove(file.c_str());
  }
}

TEST_F(H264DecStreams, LatePicturesThatNobodyNeedsAreLeftOut) {
  const Played coded =
      play("videotestsrc num-buffers=40 ! video/x-raw,width=64,height=48,framerate=25/1 ! hullh264enc "
           "temporal-layers=2 key-int-max=100 ! video/x-h264,profile=constrained-baseline ! "
           "appsink name=out");
  ASSERT_EQ(coded.buffers.size(), 40u);
  GstHarness *h = gst_harness_new("hullh264dec");
  gst_harness_set_src_caps(h, gst_caps_ref(coded.caps.get()));
  std::vector<GstClockTime> out;
  for (std::size_t i = 0; i < 40; ++i) {
    if (i == 10) // what comes in the next 400 ms is too late
      gst_harness_push_upstream_event(h, gst_event_new_qos(GST_QOS_TYPE_UNDERFLOW, 2.0, 200 * GST_MSECOND,
                                                           GST_BUFFER_PTS(coded.buffers[i].get())));
    EXPECT_EQ(gst_harness_push(h, gst_buffer_ref(coded.buffers[i].get())), GST_FLOW_OK);
    while (GstBuffer *buffer = gst_harness_try_pull(h)) {
      EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED)) << i;
      out.push_back(GST_BUFFER_PTS(buffer));
      gst_buffer_unref(buffer);
    }
  }
  gst_harness_teardown(h);
  EXPECT_LT(out.size(), 36u);
  for (std::size_t i = 0; i < 40; ++i) // whole pictures come before and after
    EXPECT_TRUE(std::ranges::count(out, GST_BUFFER_PTS(coded.buffers[i].get())) || (i >= 10 && i < 24)) << i;
}

TEST_F(H264DecStreams, EveryConcealmentTakesDamageInItsWay) {
  const std::string file = shared("media/h264/BA_MW_D.264");
  if (!is_there(file)) GTEST_SKIP() << "../shared/media/h264 is absent";
  const auto list = access_units(damaged(units_of(file), Damage::lost_5, 5));
  std::map<std::string, Decoded> results;
  for (const char *mode : {"off", "frame-copy", "slice-copy", "frame-copy-cross-idr", "slice-copy-cross-idr",
                           "slice-copy-freeze", "motion-copy", "motion-copy-freeze"}) {
    const Decoded decoded = decode(list, std::string("hullh264dec error-concealment=") + mode);
    EXPECT_EQ(decoded.error, "") << mode;
    EXPECT_LE(decoded.pictures, list.size()) << mode;
    results[mode] = decoded;
  }
  EXPECT_LT(results["off"].pictures, results["slice-copy"].pictures);
  EXPECT_GT(results["slice-copy"].flagged, 0u);
}

TEST_F(H264DecStreams, AStormOfFlushesLeavesWholePictures) {
  const Played coded =
      play("videotestsrc num-buffers=60 ! video/x-raw,width=64,height=48,framerate=25/1 ! hullh264enc "
           "key-int-max=10 ! video/x-h264,profile=main ! appsink name=out");
  ASSERT_EQ(coded.buffers.size(), 60u);
  GstHarness *h = gst_harness_new("hullh264dec");
  gst_harness_set_src_caps(h, gst_caps_ref(coded.caps.get()));
  std::mt19937 random(7);
  for (int round = 0; round < 100; ++round) {
    const std::size_t first = random() % 5 * 10, count = 1 + random() % 9;
    for (std::size_t i = first; i < first + count; ++i)
      EXPECT_EQ(gst_harness_push(h, gst_buffer_ref(coded.buffers[i].get())), GST_FLOW_OK);
    std::size_t out = 0;
    while (GstBuffer *buffer = gst_harness_try_pull(h)) {
      EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED));
      EXPECT_EQ(GST_BUFFER_PTS(buffer), GST_BUFFER_PTS(coded.buffers[first + out].get()));
      ++out;
      gst_buffer_unref(buffer);
    }
    EXPECT_GE(out + 1, count); // main holds one back
    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(h, gst_event_new_segment(&segment));
  }
  gst_harness_teardown(h);
}

} // namespace
} // namespace hull::h264
