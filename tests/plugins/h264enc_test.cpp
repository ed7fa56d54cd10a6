#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

std::string source(int frames, const std::string &caps = "width=176,height=144,framerate=25/1,format=I420") {
  return "videotestsrc num-buffers=" + std::to_string(frames) + " ! video/x-raw," + caps + " ! ";
}

CodedStream encode(const std::string &properties, int frames = 20, const std::string &filter = "profile=main",
                   const std::string &caps = "width=176,height=144,framerate=25/1,format=I420") {
  const Played result = play(source(frames, caps) + "hullh264enc " + properties + " ! video/x-h264," +
                             filter + " ! appsink name=out");
  EXPECT_EQ(result.error, "") << properties;
  return read_stream(all_bytes(result));
}

class H264Enc : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

struct ProfileCase {
  const char *name;
  std::uint8_t idc;
  bool cabac;
};

TEST_F(H264Enc, TheProfileIsWhatDownstreamAskedForWithCabacWhereItHasIt) {
  for (const ProfileCase c : {ProfileCase{"constrained-baseline", 66, false},
                              {"baseline", 66, false},
                              {"main", 77, true},
                              {"high", 100, true},
                              {"constrained-high", 100, true}}) {
    const Played result =
        play(source(3) + "hullh264enc ! video/x-h264,profile=" + c.name + " ! appsink name=out");
    ASSERT_EQ(result.error, "") << c.name;
    const CodedStream stream = read_stream(all_bytes(result));
    EXPECT_EQ(stream.sps.profile_idc, c.idc) << c.name;
    EXPECT_EQ(stream.pps.entropy_coding_mode_flag, c.cabac) << c.name;
    EXPECT_EQ(caps_text(result, "profile"), c.name);
    EXPECT_EQ(caps_text(result, "level"), level_name(stream.sps));
    EXPECT_EQ(stream.pictures.size(), 3u);
  }
}

TEST_F(H264Enc, TheFirstProfileThatFitsIsChosenWhenDownstreamTakesAll) {
  const Played result = play(source(2) + "hullh264enc ! appsink name=out");
  EXPECT_EQ(caps_text(result, "profile"), "main");
  EXPECT_EQ(caps_text(result, "stream-format"), "byte-stream");
  EXPECT_EQ(caps_text(result, "alignment"), "au");
}

TEST_F(H264Enc, AvcCarriesItsSetsInCodecDataOnly) {
  const Played result =
      play(source(12) + "hullh264enc key-int-max=5 ! video/x-h264,stream-format=avc ! appsink name=out");
  ASSERT_EQ(result.error, "");
  const GValue *value = gst_structure_get_value(gst_caps_get_structure(result.caps.get(), 0), "codec_data");
  ASSERT_NE(value, nullptr);
  const auto record = parse_decoder_configuration(bytes_of(gst_value_get_buffer(value)));
  ASSERT_TRUE(record);
  EXPECT_EQ(record->sequence_parameter_sets.size(), 1u);
  for (const BufferRef &buffer : result.buffers) {
    const auto data = bytes_of(buffer.get());
    const auto nals = split_length_prefixed(data, 4);
    ASSERT_TRUE(nals);
    for (const Nal &nal : *nals)
      EXPECT_TRUE(nal.is_slice());
  }
}

TEST_F(H264Enc, AlignmentNalPushesOneUnitPerBuffer) {
  const Played result =
      play(source(4) + "hullh264enc slice-mode=rows ! video/x-h264,alignment=nal ! appsink name=out");
  ASSERT_EQ(result.error, "");
  EXPECT_EQ(result.buffers.size(), 2u + 4u * 9u); // SPS, PPS, and nine rows of macroblocks in each picture
  for (const BufferRef &buffer : result.buffers)
    EXPECT_EQ(split_annexb(bytes_of(buffer.get())).size(), 1u);
  EXPECT_EQ(read_stream(all_bytes(result)).pictures.size(), 4u);
}

TEST_F(H264Enc, ConstantQuantizerHoldsInEveryPicture) {
  for (const int quantizer : {1, 10, 26, 45, 51}) {
    const auto stream = encode("rate-control=cqp key-int-max=7 quantizer=" + std::to_string(quantizer));
    ASSERT_EQ(stream.pictures.size(), 20u);
    for (const CodedPicture &picture : stream.pictures)
      EXPECT_EQ(picture.qp.at(0), quantizer);
  }
}

TEST_F(H264Enc, KeyUnitsStandWhereKeyIntMaxPutsThem) {
  const auto stream = encode("rate-control=cqp key-int-max=7", 30);
  for (std::size_t i = 0; i < stream.pictures.size(); ++i)
    EXPECT_EQ(stream.pictures[i].idr, i % 7 == 0) << i;
  const auto two_seconds = encode("", 60, "profile=main", "width=64,height=64,framerate=25/1");
  for (std::size_t i = 0; i < two_seconds.pictures.size(); ++i)
    EXPECT_EQ(two_seconds.pictures[i].idr, i % 50 == 0) << i;
}

TEST_F(H264Enc, EqualInputGivesEqualOutput) {
  const std::string line = source(30) + "hullh264enc bitrate=200 ! appsink name=out";
  EXPECT_EQ(all_bytes(play(line)), all_bytes(play(line)));
}

TEST_F(H264Enc, EveryInputFormatGivesTheSamePictures) {
  // 178 is no multiple of 16, so the planes' strides differ from their widths.
  const std::string tail = " ! hullh264enc rate-control=cqp ! video/x-h264,profile=main ! appsink name=out";
  const auto with = [&](const std::string &format) {
    return all_bytes(
        play("videotestsrc num-buffers=5 ! video/x-raw,format=I420,width=178,height=98 ! videoconvert ! "
             "video/x-raw,format=" +
             format + tail));
  };
  const auto planar = with("I420");
  EXPECT_GT(planar.size(), 1000u);
  EXPECT_EQ(planar, with("YV12"));
  EXPECT_EQ(planar, with("NV12"));
}

TEST_F(H264Enc, ColourShapeAndTimeAreInTheVui) {
  const auto stream = encode("", 2, "profile=high",
                             "width=320,height=240,framerate=30000/1001,pixel-aspect-ratio=10/11,format=I420,"
                             "colorimetry=(string)bt2100-pq");
  const Vui &vui = stream.sps.vui;
  EXPECT_EQ(vui.aspect_ratio_idc, 3);
  EXPECT_EQ(vui.colour_primaries, 9);
  EXPECT_EQ(vui.transfer_characteristics, 16);
  EXPECT_EQ(vui.matrix_coefficients, 9);
  EXPECT_FALSE(vui.video_full_range_flag);
  EXPECT_EQ(stream.sps.frame_rate(), (Ratio{30000, 1001}));
  EXPECT_EQ(vui.max_num_reorder_frames, 0);
  const auto full = encode("", 2, "profile=high",
                           "width=320,height=240,format=I420,colorimetry=1:3:5:1,"
                           "pixel-aspect-ratio=7/5");
  EXPECT_TRUE(full.sps.vui.video_full_range_flag);
  EXPECT_EQ(full.sps.sample_aspect_ratio(), (Ratio{7, 5}));
}

TEST_F(H264Enc, OddSizesAndInterlacedPicturesAreRefusedInWords) {
  const auto refuse = [](const std::string &caps) {
    return play("appsrc name=in ! hullh264enc ! fakesink",
                [&caps](GstElement *pipeline) {
                  const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
                  gst_util_set_object_arg(G_OBJECT(in.get()), "caps", caps.c_str());
                  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 1000000, nullptr);
                  GstFlowReturn flow;
                  g_signal_emit_by_name(in.get(), "push-buffer", buffer, &flow);
                  gst_buffer_unref(buffer);
                  g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
                })
        .error;
  };
  EXPECT_NE(refuse("video/x-raw,format=I420,width=321,height=241,framerate=25/1").find("even width"),
            std::string::npos);
  EXPECT_NE(refuse("video/x-raw,format=I420,width=320,height=240,framerate=25/1,interlace-mode=interleaved")
                .find("deinterlace"),
            std::string::npos);
  EXPECT_NE(refuse("video/x-raw,format=I420,width=8,height=8,framerate=25/1").find("16x16"),
            std::string::npos);
}

TEST_F(H264Enc, ALevelTooLowForTheStreamIsRefusedInWords) {
  const Played result = play(source(2, "width=1280,height=720,framerate=30/1") +
                             "hullh264enc ! video/x-h264,level=(string)2 ! appsink name=out");
  EXPECT_NE(result.error.find("level 3.1"), std::string::npos) << result.error;
  const auto higher = encode("", 2, "level=(string)4", "width=320,height=240,framerate=30/1");
  EXPECT_EQ(higher.sps.level_idc, 40);
}

TEST_F(H264Enc, ARequestedKeyUnitComesAtOnce) {
  const Played result = play(
      source(30) +
          "identity name=at ! hullh264enc key-int-max=100 ! video/x-h264,profile=main ! appsink name=out",
      [](GstElement *pipeline) {
        const auto at = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "at"));
        g_object_set(at.get(), "signal-handoffs", TRUE, nullptr);
        g_signal_connect(at.get(), "handoff", G_CALLBACK(+[](GstElement *element, GstBuffer *, gpointer) {
                           static int count = 0;
                           if (++count % 10 != 0) return;
                           GstStructure *s = gst_structure_new("GstForceKeyUnit", "all-headers",
                                                               G_TYPE_BOOLEAN, TRUE, nullptr);
                           GstPad *pad = gst_element_get_static_pad(element, "src");
                           gst_pad_push_event(pad, gst_event_new_custom(GST_EVENT_CUSTOM_DOWNSTREAM, s));
                           gst_object_unref(pad);
                         }),
                         nullptr);
      });
  ASSERT_EQ(result.error, "");
  const auto stream = read_stream(all_bytes(result));
  for (std::size_t i = 0; i < stream.pictures.size(); ++i) {
    EXPECT_EQ(stream.pictures[i].idr, i == 0 || i % 10 == 9) << i;
    EXPECT_EQ(stream.pictures[i].has_sps, stream.pictures[i].idr) << i;
    EXPECT_EQ(!GST_BUFFER_FLAG_IS_SET(result.buffers[i].get(), GST_BUFFER_FLAG_DELTA_UNIT),
              stream.pictures[i].idr);
  }
}

TEST_F(H264Enc, TimestampsPassAndNeverGoBack) {
  const Played result = play(source(25) + "hullh264enc ! appsink name=out");
  ASSERT_EQ(result.buffers.size(), 25u);
  GstClockTime last = 0;
  for (std::size_t i = 0; i < result.buffers.size(); ++i) {
    EXPECT_EQ(GST_BUFFER_DTS(result.buffers[i].get()), GST_BUFFER_PTS(result.buffers[i].get()));
    EXPECT_TRUE(i == 0 || GST_BUFFER_DTS(result.buffers[i].get()) - last == 40 * GST_MSECOND);
    last = GST_BUFFER_DTS(result.buffers[i].get());
  }
}

TEST_F(H264Enc, ANewSizeInTheStreamStartsANewSequence) {
  const Played result =
      play("concat name=c ! hullh264enc ! video/x-h264,profile=main ! appsink name=out "
           "videotestsrc num-buffers=6 ! video/x-raw,width=64,height=48,framerate=25/1 ! c. "
           "videotestsrc num-buffers=6 ! video/x-raw,width=96,height=80,framerate=25/1 ! c.");
  ASSERT_EQ(result.error, "");
  ASSERT_EQ(result.buffers.size(), 12u);
  EXPECT_EQ(caps_text(result, "width"), "96");
  const auto second = read_stream(bytes_of(result.buffers[6].get()));
  EXPECT_TRUE(second.pictures.at(0).idr);
  EXPECT_EQ(second.sps.width(), 96u);
}

TEST_F(H264Enc, PropertiesShowInTheStream) {
  EXPECT_TRUE(encode("aud=true").pictures[3].has_aud);
  EXPECT_FALSE(encode("").pictures[3].has_aud);
  EXPECT_EQ(encode("deblocking=off").pictures[3].deblocking, 1);
  EXPECT_EQ(encode("slice-mode=rows deblocking=within-slices").pictures[3].deblocking, 2);
  EXPECT_EQ(encode("deblocking-alpha=3").pictures[3].alpha, 3);
  EXPECT_FALSE(encode("entropy-coding=cavlc").pps.entropy_coding_mode_flag);
  EXPECT_EQ(encode("slice-mode=fixed num-slices=3 threads=1").pictures[3].slice_sizes.size(), 3u);
  EXPECT_EQ(encode("slice-mode=rows").pictures[3].slice_sizes.size(), 9u);
}

TEST_F(H264Enc, CabacWithABaselineProfileIsAnErrorInWords) {
  const Played result =
      play(source(2) + "hullh264enc entropy-coding=cabac ! video/x-h264,profile=constrained-baseline ! "
                       "appsink name=out");
  EXPECT_NE(result.error.find("cabac"), std::string::npos) << result.error;
}

TEST_F(H264Enc, AnMp4BecomesBaselineAt24FramesInMatroska) {
  const std::string in = "hull_old_friend.mp4", out = "hull_old_friend.mkv";
  ASSERT_EQ(play(source(60, "width=320,height=240,framerate=30/1") +
                 "hullh264enc ! video/x-h264,profile=high ! h264parse ! mp4mux ! filesink location=" + in)
                .error,
            "");
  const Played made =
      play("filesrc location=" + in +
           " ! qtdemux ! h264parse ! hullh264dec ! videorate ! video/x-raw,framerate=24/1 ! "
           "hullh264enc bitrate=500 ! video/x-h264,profile=constrained-baseline ! h264parse ! "
           "matroskamux ! filesink location=" +
           out);
  ASSERT_EQ(made.error, "");
  const Played read =
      play("filesrc location=" + out +
           " ! matroskademux ! h264parse ! video/x-h264,stream-format=byte-stream ! appsink name=out");
  EXPECT_EQ(read.error, "");
  EXPECT_EQ(read.buffers.size(), 48u);
  const CodedStream stream = read_stream(all_bytes(read));
  EXPECT_EQ(profile_name(stream.sps), "constrained-baseline");
  EXPECT_EQ(stream.sps.frame_rate(), (Ratio{24, 1}));
  EXPECT_EQ(stream.sps.width(), 320u);
  std::remove(in.c_str());
  std::remove(out.c_str());
}

TEST_F(H264Enc, EveryMuxerAndPayloaderTakesTheStream) {
  for (const char *tail :
       {"rtph264pay ! rtph264depay ! h264parse", "h264parse ! matroskamux ! matroskademux ! h264parse",
        "h264parse ! flvmux ! flvdemux ! h264parse", "h264parse ! mpegtsmux ! tsdemux ! h264parse"}) {
    const Played result = play(source(20) + "hullh264enc ! " + tail +
                               " ! video/x-h264,stream-format=byte-stream,alignment=au ! appsink name=out");
    EXPECT_EQ(result.error, "") << tail;
    EXPECT_EQ(read_stream(all_bytes(result)).pictures.size(), 20u) << tail;
  }
}

// What WebRTC senders do: byte-stream, constrained baseline, slices that fit a packet, headers with every key
// unit.
TEST_F(H264Enc, PacketsOfAWebrtcSenderFitAndDecode) {
  struct Seen {
    std::size_t packets = 0, largest = 0;
  } seen;
  const Played result =
      play(source(30) +
               "hullh264enc usage-type=camera bitrate=300 key-int-max=15 slice-mode=size-limited "
               "max-slice-size=500 ! video/x-h264,profile=constrained-baseline,stream-format=byte-stream ! "
               "rtph264pay mtu=600 config-interval=-1 aggregate-mode=zero-latency ! "
               "identity name=at signal-handoffs=true ! rtph264depay ! h264parse ! hullh264dec ! "
               "appsink name=out",
           [&seen](GstElement *pipeline) {
             const auto at = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "at"));
             g_signal_connect(at.get(), "handoff", G_CALLBACK(+[](GstElement *, GstBuffer *packet, Seen *s) {
                                ++s->packets;
                                s->largest = std::max<std::size_t>(s->largest, gst_buffer_get_size(packet));
                              }),
                              &seen);
           });
  EXPECT_EQ(result.error, "");
  EXPECT_EQ(result.buffers.size(), 30u);
  EXPECT_GT(seen.packets, 60u);
  EXPECT_LE(seen.largest, 600u);
  for (const BufferRef &buffer : result.buffers)
    EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(buffer.get(), GST_BUFFER_FLAG_CORRUPTED));
}

TEST_F(H264Enc, ItCanBeStartedAndStoppedWithoutData) {
  const auto encoder = ElementRef::retain(gst_element_factory_make("hullh264enc", nullptr));
  ASSERT_TRUE(encoder);
  for (int i = 0; i < 100; ++i) {
    EXPECT_NE(gst_element_set_state(encoder.get(), GST_STATE_PAUSED), GST_STATE_CHANGE_FAILURE);
    EXPECT_NE(gst_element_set_state(encoder.get(), GST_STATE_NULL), GST_STATE_CHANGE_FAILURE);
  }
  EXPECT_EQ(GST_OBJECT_REFCOUNT(encoder.get()), 1);
}

} // namespace
} // namespace hull::h264
