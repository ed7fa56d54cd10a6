// What travels with pictures into and out of hullh264enc, what it refuses to take, and its presets.

#include "gst/h264/hrd.h"
#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <gtest/gtest.h>

#include <gst/check/gstharness.h>

namespace hull::h264 {
namespace {

class H264EncMetadata : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(H264EncMetadata, EveryPictureSaysItsTypeSizeQuantizerAndLayer) {
  for (const char *alignment : {"au", "nal"}) {
    const Played played =
        play(std::string("videotestsrc num-buffers=9 ! video/x-raw,format=I420,width=176,height=144 ! "
                         "hullh264enc rate-control=cqp quantizer=31 key-int-max=4 temporal-layers=2 "
                         "slice-mode=fixed num-slices=2 ! "
                         "video/x-h264,alignment=") +
             alignment + " ! appsink name=out");
    ASSERT_EQ(played.error, "");
    const CodedStream stream = read_stream(all_bytes(played));
    std::size_t number = 0, bytes = 0;
    for (const BufferRef &buffer : played.buffers) {
      bytes += gst_buffer_get_size(buffer.get());
      GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer.get(), "HullCodedPictureMeta");
      if (!meta) continue;
      const GstStructure *s = gst_custom_meta_get_structure(meta);
      guint size = 0, layer = 9, slices = 0;
      double quantizer = 0;
      gst_structure_get(s, "size", G_TYPE_UINT, &size, "temporal-id", G_TYPE_UINT, &layer, "quantizer",
                        G_TYPE_DOUBLE, &quantizer, "slices", G_TYPE_UINT, &slices, nullptr);
      EXPECT_EQ(size, bytes) << number;
      EXPECT_STREQ(gst_structure_get_string(s, "type"), number % 4 ? "p" : "idr");
      EXPECT_EQ(layer, number % 2);
      EXPECT_EQ(slices, 2u);
      EXPECT_DOUBLE_EQ(quantizer, stream.pictures.at(number).qp.at(0));
      bytes = 0;
      ++number;
    }
    EXPECT_EQ(number, 9u) << alignment;
  }
}

bool accepts(const char *caps) {
  GstHarness *h = gst_harness_new("hullh264enc");
  const auto wanted = CapsRef::adopt(gst_caps_from_string(caps));
  const auto pad = PadRef::adopt(gst_element_get_static_pad(h->element, "sink"));
  const bool accepted = gst_pad_query_accept_caps(pad.get(), wanted.get());
  gst_harness_teardown(h);
  return accepted;
}

TEST_F(H264EncMetadata, OtherMemoryAndFieldsAreRefusedWhenCapsAreAskedFor) {
  EXPECT_TRUE(accepts("video/x-raw,format=NV12,width=64,height=64,framerate=25/1"));
  EXPECT_TRUE(accepts("video/x-raw(memory:SystemMemory),format=NV12,width=64,height=64,framerate=25/1"));
  for (const char *features : {"memory:GLMemory", "memory:DMABuf", "format:Interlaced", "memory:VAMemory",
                               "memory:SystemMemory, meta:GstVideoOverlayComposition"})
    EXPECT_FALSE(accepts(
        (std::string("video/x-raw(") + features + "),format=NV12,width=64,height=64,framerate=25/1").c_str()))
        << features;
}

TEST_F(H264EncMetadata, TheLightOfTheDisplayIsInKeyPictures) {
  const Played played = play(
      "videotestsrc num-buffers=6 ! video/x-raw,format=I420,width=64,height=64,framerate=25/1 ! capssetter "
      "caps=\"video/"
      "x-raw,mastering-display-info=(string)34000:16000:13250:34500:7500:3000:15635:16450:10000000:1,"
      "content-light-level=(string)1000:400\" ! hullh264enc key-int-max=3 ! appsink name=out");
  ASSERT_EQ(played.error, "");
  const CodedStream stream = read_stream(all_bytes(played));
  for (std::size_t i = 0; i < 6; ++i) {
    const auto &sei = stream.pictures.at(i).sei;
    ASSERT_EQ(sei.size(), i % 3 ? 0u : 2u) << i;
    if (i % 3) continue;
    EXPECT_EQ(sei[0].payload_type, 137u);
    // Green, blue, red, white, most, least.
    EXPECT_EQ(to_hex(sei[0].payload), "33c286c41d4c0bb884d03e803d134042"
                                      "0098968000000001");
    EXPECT_EQ(sei[1].payload_type, 144u);
    EXPECT_EQ(to_hex(sei[1].payload), "03e80190");
  }
}

TEST_F(H264EncMetadata, TimeCodesStandInPictureTiming) {
  for (const char *buffer : {"", "max-bitrate=500 "}) {
    const Played played = play(
        std::string(
            "videotestsrc num-buffers=40 ! video/x-raw,format=I420,width=64,height=64,framerate=30000/1001 ! "
            "timecodestamper set=always drop-frame=true ! hullh264enc bitrate=300 ") +
        buffer + "! appsink name=out");
    ASSERT_EQ(played.error, "");
    const CodedStream stream = read_stream(all_bytes(played));
    ASSERT_EQ(stream.pictures.size(), 40u);
    EXPECT_TRUE(stream.sps.vui.pic_struct_present_flag);
    for (std::size_t i = 0; i < 40; ++i) {
      const auto &sei = stream.pictures[i].sei;
      const auto found = std::ranges::find(sei, 1u, &SeiMessage::payload_type);
      ASSERT_NE(found, sei.end()) << i;
      const auto timing = parse_picture_timing(*found, stream.sps);
      ASSERT_TRUE(timing && timing->time) << i;
      EXPECT_EQ(timing->time->frames, i % 30);
      EXPECT_EQ(timing->time->seconds, i / 30);
      EXPECT_TRUE(timing->time->drop_frame);
    }
  }
}

TEST_F(H264EncMetadata, PresetsAreFoundAndEncode) {
  const auto element = ElementRef::retain(gst_element_factory_make("hullh264enc", nullptr));
  ASSERT_TRUE(GST_IS_PRESET(element.get()));
  for (const char *name : {"live", "webrtc", "archive", "cctv"}) {
    SCOPED_TRACE(name);
    const Played played =
        play("videotestsrc num-buffers=30 ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! "
             "hullh264enc name=enc ! "
             "appsink name=out",
             [name](GstElement *pipeline) {
               const auto encoder = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "enc"));
               EXPECT_TRUE(gst_preset_load_preset(GST_PRESET(encoder.get()), name));
               guint most = 0;
               gboolean ltr = FALSE;
               g_object_get(encoder.get(), "max-bitrate", &most, "ltr", &ltr, nullptr);
               EXPECT_EQ(most > 0, std::string(name) != "archive");
               EXPECT_EQ(static_cast<bool>(ltr), std::string(name) == "webrtc");
             });
    EXPECT_EQ(played.error, "");
    EXPECT_EQ(played.buffers.size(), 30u);
  }
}

} // namespace
} // namespace hull::h264
