// Rate control, layers, slices, parallel groups, live changes: what needs more pictures than h264enc_test.

#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <numeric>

namespace hull::h264 {
namespace {

// Moving, detailed and cheap: the zone plate moves by its phase.
std::string plate(int frames, const std::string &caps = "width=320,height=240,framerate=25/1") {
  return "videotestsrc pattern=zone-plate kx2=20 ky2=20 kt=5 num-buffers=" + std::to_string(frames) +
         " ! video/x-raw,format=I420," + caps + " ! ";
}

Played encode(const std::string &properties, int frames, const std::string &profile = "main") {
  Played result = play(plate(frames) + "hullh264enc name=enc " + properties +
                       " ! video/x-h264,profile=" + profile + " ! appsink name=out");
  EXPECT_EQ(result.error, "") << properties;
  return result;
}

double kbps(const Played &played, std::size_t from, double fps = 25) {
  std::size_t bytes = 0, count = 0;
  for (std::size_t i = from; i < played.buffers.size(); ++i, ++count)
    bytes += gst_buffer_get_size(played.buffers[i].get());
  return static_cast<double>(bytes) * 8 * fps / static_cast<double>(count) / 1000;
}

// Calls `change` with the encoder before picture `at` of a stream goes in.
template <class Change> Played change_at(const std::string &properties, int frames, int at, Change change) {
  struct Context {
    int at, seen = 0;
    GstElement *encoder = nullptr;
    Change change;
  } context{at, 0, nullptr, change};
  return play(plate(frames) + "identity name=gate signal-handoffs=true ! hullh264enc name=enc " + properties +
                  " ! video/x-h264,profile=main ! appsink name=out",
              [&context](GstElement *pipeline) {
                const auto gate = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "gate"));
                context.encoder = gst_bin_get_by_name(GST_BIN(pipeline), "enc");
                gst_object_unref(context.encoder); // the pipeline keeps it
                g_signal_connect(gate.get(), "handoff",
                                 G_CALLBACK(+[](GstElement *, GstBuffer *, Context *c) {
                                   if (c->seen++ == c->at) c->change(c->encoder);
                                 }),
                                 &context);
              });
}

class H264EncControl : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(H264EncControl, TheBitrateIsHeld) {
  for (const int target : {150, 600}) {
    const Played played = encode("key-int-max=50 bitrate=" + std::to_string(target), 150);
    EXPECT_NEAR(kbps(played, 50), target, target * 0.1);
  }
}

TEST_F(H264EncControl, ABitrateOutOfReachIsSaidOnTheBus) {
  std::string words;
  const Played played =
      play(plate(80) + "hullh264enc bitrate=8 ! appsink name=out", [&words](GstElement *pipeline) {
        const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline));
        gst_bus_set_sync_handler(
            bus.get(),
            [](GstBus *, GstMessage *message, gpointer data) {
              if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
                GError *error = nullptr;
                gst_message_parse_warning(message, &error, nullptr);
                *static_cast<std::string *>(data) = error->message;
                g_clear_error(&error);
              }
              return GST_BUS_PASS;
            },
            &words, nullptr);
      });
  EXPECT_EQ(played.error, "");
  EXPECT_NE(words.find("cannot be held"), std::string::npos) << words;
  EXPECT_EQ(read_stream(all_bytes(played)).pictures.back().qp.at(0), 51);
}

TEST_F(H264EncControl, QuantizerLimitsHold) {
  for (const CodedPicture &picture :
       read_stream(all_bytes(encode("bitrate=5000 qp-min=30 qp-max=33", 50))).pictures) {
    EXPECT_GE(picture.qp.at(0), 30);
    EXPECT_LE(picture.qp.at(0), 33);
  }
  for (const CodedPicture &picture : read_stream(all_bytes(encode("bitrate=20 qp-max=33", 50))).pictures)
    EXPECT_LE(picture.qp.at(0), 33);
}

TEST_F(H264EncControl, CappedQualitySpendsNoMoreThanItsQuantizerOrItsCap) {
  const Played roomy = encode("rate-control=capped-quality quantizer=30 max-bitrate=20000", 75);
  std::size_t at_best = 0;
  const CodedStream stream = read_stream(all_bytes(roomy));
  for (const CodedPicture &picture : stream.pictures) {
    EXPECT_GE(picture.qp.at(0), 30);
    at_best += picture.qp.at(0) == 30;
  }
  EXPECT_GT(at_best, stream.pictures.size() * 8 / 10);
  const Played tight = encode("rate-control=capped-quality quantizer=20 max-bitrate=200", 150);
  EXPECT_LT(kbps(tight, 50), 220);
}

TEST_F(H264EncControl, ContradictingPropertiesAreRefusedInWords) {
  const auto error = [](const std::string &properties) {
    return play(plate(2) + "hullh264enc " + properties + " ! appsink name=out").error;
  };
  EXPECT_NE(error("bitrate=500 max-bitrate=400").find("below bitrate"), std::string::npos);
  EXPECT_NE(error("rate-control=capped-quality").find("max-bitrate"), std::string::npos);
  EXPECT_NE(error("qp-min=40 qp-max=30").find("above qp-max"), std::string::npos);
  EXPECT_NE(error("parallel=gop ltr=true").find("parallel=slices"), std::string::npos);
}

TEST_F(H264EncControl, TheBitrateChangesWhilePlayingWithoutAKeyUnit) {
  const Played played = change_at("bitrate=600 key-int-max=1000", 150, 50, [](GstElement *encoder) {
    g_object_set(encoder, "bitrate", 150u, nullptr);
  });
  ASSERT_EQ(played.error, "");
  const CodedStream stream = read_stream(all_bytes(played));
  EXPECT_EQ(std::ranges::count_if(stream.pictures, &CodedPicture::idr), 1);
  EXPECT_NEAR(kbps(played, 100), 150, 30);
}

TEST_F(H264EncControl, TheKeyIntervalChangesWhilePlaying) {
  const Played played = change_at("rate-control=cqp key-int-max=1000", 60, 20, [](GstElement *encoder) {
    g_object_set(encoder, "key-int-max", 10u, nullptr);
  });
  const CodedStream stream = read_stream(all_bytes(played));
  std::vector<std::size_t> keys;
  for (std::size_t i = 0; i < stream.pictures.size(); ++i)
    if (stream.pictures[i].idr) keys.push_back(i);
  ASSERT_GE(keys.size(), 4u);
  EXPECT_EQ(keys[3] - keys[2], 10u);
}

TEST_F(H264EncControl, TheConstantQuantizerChangesWhilePlayingWithoutAKeyUnit) {
  const Played played =
      change_at("rate-control=cqp quantizer=30 key-int-max=1000", 30, 12,
                [](GstElement *encoder) { g_object_set(encoder, "quantizer", 40u, nullptr); });
  const CodedStream stream = read_stream(all_bytes(played));
  ASSERT_EQ(stream.pictures.size(), 30u);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_EQ(stream.pictures[i].qp.at(0), i < 12 ? 30 : 40) << i;
    EXPECT_EQ(stream.pictures[i].idr, i == 0) << i;
  }
}

TEST_F(H264EncControl, TheQuantizerRangeChangesWithoutAKeyUnit) {
  const Played played =
      change_at("bitrate=2000 qp-min=20 qp-max=30 key-int-max=1000", 30, 12,
                [](GstElement *encoder) { g_object_set(encoder, "qp-max", 45u, "qp-min", 40u, nullptr); });
  const CodedStream stream = read_stream(all_bytes(played));
  ASSERT_EQ(stream.pictures.size(), 30u);
  EXPECT_FALSE(stream.pictures[12].idr);
  for (std::size_t i = 0; i < 30; ++i) {
    EXPECT_GE(stream.pictures[i].qp.at(0), i < 12 ? 20 : 40) << i;
    EXPECT_LE(stream.pictures[i].qp.at(0), i < 12 ? 30 : 45) << i;
  }
}

TEST_F(H264EncControl, TheLevelHasRoomForTwiceTheBitrateOrForMaxBitrate) {
  const auto level = [](const std::string &properties) {
    return caps_text(change_at(properties, 30, 10,
                               [](GstElement *encoder) { g_object_set(encoder, "bitrate", 5000u, nullptr); }),
                     "level");
  };
  EXPECT_EQ(level("bitrate=500"), "2"); // 2000 kbit/s
  EXPECT_EQ(level("bitrate=500 max-bitrate=5000"), "3");
}

TEST_F(H264EncControl, TemporalLayersAreMarkedAndDroppable) {
  const Played played = encode("rate-control=cqp temporal-layers=3 key-int-max=16", 33);
  const CodedStream stream = read_stream(all_bytes(played));
  ASSERT_EQ(stream.pictures.size(), 33u);
  static constexpr unsigned kLayers[] = {0, 2, 1, 2};
  for (std::size_t i = 0; i < 33; ++i) {
    GstBuffer *buffer = played.buffers[i].get();
    GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, "HullTemporalLayerMeta");
    ASSERT_NE(meta, nullptr);
    guint layer = 9;
    gst_structure_get_uint(gst_custom_meta_get_structure(meta), "temporal-id", &layer);
    EXPECT_EQ(layer, kLayers[i % 4]) << i;
    EXPECT_EQ(static_cast<bool>(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DROPPABLE)), layer == 2) << i;
    EXPECT_EQ(stream.pictures[i].ref_idc == 0, layer == 2) << i;
    EXPECT_EQ(stream.pictures[i].idr, i % 16 == 0) << i;
  }
}

TEST_F(H264EncControl, SlicesKeepTheirSize) {
  for (const char *profile : {"constrained-baseline", "main"}) {
    const CodedStream stream = read_stream(
        all_bytes(encode("bitrate=3000 slice-mode=size-limited max-slice-size=900", 25, profile)));
    std::size_t largest = 0, most = 0;
    for (const CodedPicture &picture : stream.pictures) {
      most = std::max(most, picture.slice_sizes.size());
      largest = std::max(largest, *std::ranges::max_element(picture.slice_sizes));
    }
    EXPECT_LE(largest, 900u) << profile;
    EXPECT_GT(most, 4u) << profile;
  }
}

TEST_F(H264EncControl, ParallelGroupsGiveTheSamePicturesInOrder) {
  const Played one = encode("rate-control=cqp key-int-max=10", 95);
  const Played many = encode("rate-control=cqp key-int-max=10 parallel=gop threads=3", 95);
  ASSERT_EQ(many.buffers.size(), 95u);
  const CodedStream a = read_stream(all_bytes(one)), b = read_stream(all_bytes(many));
  EXPECT_EQ(caps_text(one, "level"), caps_text(many, "level"));
  int last_id = -1;
  for (std::size_t i = 0; i < 95; ++i) {
    EXPECT_EQ(GST_BUFFER_PTS(many.buffers[i].get()), GST_BUFFER_PTS(one.buffers[i].get()));
    EXPECT_EQ(a.pictures[i].idr, b.pictures[i].idr);
    EXPECT_EQ(a.pictures[i].qp, b.pictures[i].qp);
    if (b.pictures[i].idr) {
      EXPECT_NE(b.pictures[i].idr_pic_id, last_id) << i;
      last_id = b.pictures[i].idr_pic_id;
    }
  }
  const auto bytes_a = all_bytes(one).size(), bytes_b = all_bytes(many).size();
  EXPECT_NEAR(static_cast<double>(bytes_b), static_cast<double>(bytes_a),
              static_cast<double>(bytes_a) * 0.01);
}

TEST_F(H264EncControl, ParallelGroupsHoldTheBitrateAndReportTheirDelay) {
  GstClockTime least = 0;
  const std::string line = plate(200) +
                           "hullh264enc name=enc bitrate=400 key-int-max=20 parallel=gop threads=2 ! "
                           "video/x-h264,profile=main ! appsink name=out";
  Played played = play(line);
  EXPECT_NEAR(kbps(played, 50), 400, 40);
  const auto pipeline = ElementRef::retain(gst_parse_launch((line).c_str(), nullptr));
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  gst_element_get_state(pipeline.get(), nullptr, nullptr, GST_CLOCK_TIME_NONE);
  const auto encoder = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "enc"));
  gst_video_encoder_get_latency(GST_VIDEO_ENCODER(encoder.get()), &least, nullptr);
  EXPECT_EQ(least, 2 * 20 * 40 * GST_MSECOND);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL); // with pictures under way
}

TEST_F(H264EncControl, FrameSkipLeavesPicturesOutAndCountsThem) {
  GstStructure *stats = nullptr;
  const Played played =
      play(plate(100) + "hullh264enc name=enc bitrate=30 qp-max=30 frame-skip=true ! appsink name=out",
           [](GstElement *) {});
  EXPECT_EQ(played.error, "");
  EXPECT_LT(played.buffers.size(), 100u);
  EXPECT_GT(played.buffers.size(), 1u);
  (void)stats;
}

TEST_F(H264EncControl, StatsCountWhatCameOut) {
  struct Seen {
    guint64 frames = 0, keys = 0, bytes = 0;
    double quantizer = 0;
  } seen;
  const Played played =
      change_at("rate-control=cqp quantizer=33 key-int-max=10", 31, 30, [&seen](GstElement *encoder) {
        GstStructure *stats = nullptr;
        g_object_get(encoder, "stats", &stats, nullptr);
        gst_structure_get(stats, "frames", G_TYPE_UINT64, &seen.frames, "key-units", G_TYPE_UINT64,
                          &seen.keys, "bytes", G_TYPE_UINT64, &seen.bytes, "average-quantizer", G_TYPE_DOUBLE,
                          &seen.quantizer, nullptr);
        gst_structure_free(stats);
      });
  EXPECT_EQ(seen.frames, 30u);
  EXPECT_EQ(seen.keys, 3u);
  EXPECT_DOUBLE_EQ(seen.quantizer, 33);
  std::size_t bytes = 0;
  for (std::size_t i = 0; i < 30; ++i)
    bytes += gst_buffer_get_size(played.buffers[i].get());
  EXPECT_EQ(seen.bytes, bytes);
}

TEST_F(H264EncControl, LossIsRecoveredFromALongTermReferenceWithoutAKeyUnit) {
  struct Context {
    int seen = 0;
  } context;
  // Marks every fourth picture, says that the marking of the first one arrived, then reports a loss.
  const Played played = play(
      plate(40) +
          "identity name=gate signal-handoffs=true ! hullh264enc name=enc ltr=true ltr-mark-period=4 "
          "rate-control=cqp key-int-max=1000 ! video/x-h264,profile=constrained-baseline ! appsink name=out",
      [&context](GstElement *pipeline) {
        const auto gate = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "gate"));
        g_object_set_data(G_OBJECT(gate.get()), "pipeline", pipeline);
        g_signal_connect(gate.get(), "handoff", G_CALLBACK(+[](GstElement *element, GstBuffer *, Context *c) {
                           auto *pipeline = GST_ELEMENT(g_object_get_data(G_OBJECT(element), "pipeline"));
                           const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "out"));
                           const auto pad = PadRef::adopt(gst_element_get_static_pad(sink.get(), "sink"));
                           ++c->seen;
                           GstStructure *s = nullptr;
                           if (c->seen % 4 == 1 && c->seen < 20)
                             s = gst_structure_new("HullLtrMarked", "frame-num", G_TYPE_INT, c->seen - 1,
                                                   "success", G_TYPE_BOOLEAN, TRUE, nullptr);
                           else if (c->seen == 26)
                             s = gst_structure_new("HullLossRecovery", "last-correct-frame-num", G_TYPE_INT,
                                                   22, "current-frame-num", G_TYPE_INT, 25, nullptr);
                           if (s)
                             gst_pad_push_event(pad.get(),
                                                gst_event_new_custom(GST_EVENT_CUSTOM_UPSTREAM, s));
                         }),
                         &context);
      });
  ASSERT_EQ(played.error, "");
  const CodedStream stream = read_stream(all_bytes(played));
  EXPECT_EQ(std::ranges::count_if(stream.pictures, &CodedPicture::idr), 1);
  EXPECT_GT(std::ranges::count_if(stream.pictures, [](const CodedPicture &p) { return p.markings > 0; }), 0);
  EXPECT_GT(
      std::ranges::count_if(stream.pictures, [](const CodedPicture &p) { return p.long_term_prediction; }),
      0);
  EXPECT_GT(stream.sps.max_num_ref_frames, 1);
}

TEST_F(H264EncControl, SceneCutsBecomeKeyUnitsOnlyOnRequest) {
  const std::string cut =
      "concat name=c ! video/x-raw,format=I420,width=160,height=96,framerate=25/1 ! hullh264enc "
      "key-int-max=1000 %s ! video/x-h264,profile=main ! appsink name=out "
      "videotestsrc num-buffers=20 pattern=smpte ! c. videotestsrc num-buffers=20 pattern=snow ! c.";
  const auto keys = [&cut](const std::string &property) {
    std::string line = cut;
    line.replace(line.find("%s"), 2, property);
    const Played played = play(line);
    EXPECT_EQ(played.error, "");
    const CodedStream stream = read_stream(all_bytes(played));
    return std::ranges::count_if(stream.pictures, &CodedPicture::idr);
  };
  EXPECT_EQ(keys("scene-cut=false"), 1);
  EXPECT_GT(keys("scene-cut=true"), 1);
}

TEST_F(H264EncControl, PreprocessingAndUsageChangeThePictures) {
  const auto bytes = [](const std::string &properties) {
    return all_bytes(
        play("videotestsrc num-buffers=20 pattern=snow ! video/x-raw,format=I420,width=176,height=144 ! "
             "hullh264enc rate-control=cqp " +
             properties + " ! video/x-h264,profile=main ! appsink name=out"));
  };
  const auto plain = bytes("");
  EXPECT_NE(plain, bytes("denoise=true"));
  EXPECT_NE(all_bytes(encode("bitrate=300", 30)), all_bytes(encode("bitrate=300 complexity=low", 30)));
  EXPECT_NE(all_bytes(encode("bitrate=300", 30)), all_bytes(encode("bitrate=300 usage-type=screen", 30)));
}

} // namespace
} // namespace hull::h264
