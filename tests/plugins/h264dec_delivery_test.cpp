// What hullh264dec says of the pictures it delivers: when, how exact, with what attached, and what it tells
// the encoder of losses.

#include "tests/plugins/h264_mutations.h"

#include <algorithm>
#include <gtest/gtest.h>

#include <gst/check/gstharness.h>
#include <gst/video/video-sei.h>
#include <gst/video/video.h>

namespace hull::h264 {
namespace {

class H264DecDelivery : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

struct Harness {
  explicit Harness(const char *description) : h(gst_harness_new_parse(description)) {}
  Harness(const Harness &) = delete;
  Harness &operator=(const Harness &) = delete;
  ~Harness() { gst_harness_teardown(h); }
  operator GstHarness *() const { return h; }
  GstHarness *h;
};

bool has(const char *factory) {
  return static_cast<bool>(ElementRef::retain(gst_element_factory_make(factory, nullptr)));
}

Played encoded(const std::string &encoder, int count = 12) {
  return play("videotestsrc num-buffers=" + std::to_string(count) +
              " pattern=ball ! video/x-raw,width=80,height=64,framerate=25/1 ! " + encoder +
              " ! appsink name=out");
}

bool flagged(GstBuffer *buffer) {
  return GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED);
}

// The SPS of each unit changed by `change`.
template <class Change> std::vector<ByteVector> with_sps(const Played &coded, Change change) {
  std::vector<ByteVector> list;
  for (const BufferRef &buffer : coded.buffers) {
    const ByteVector bytes = bytes_of(buffer.get());
    ByteVector unit;
    for (const Nal &nal : split_annexb(bytes)) {
      if (nal.type() != NalType::sps) {
        append_annexb(unit, nal.data);
        continue;
      }
      Sps sps = *parse_sps(nal);
      change(sps);
      append_annexb(unit, *write_sps(sps));
    }
    list.push_back(unit);
  }
  return list;
}

TEST_F(H264DecDelivery, PicturesComeAtOnceWhereTheStreamSaysSo) {
  struct Case {
    const char *profile;
    int silent; // no bitstream_restriction
    std::size_t delay;
  };
  for (const Case &c : {Case{"constrained-baseline", 0, 0},
                        {"constrained-baseline", 1, 0},
                        {"main", 0, 0},
                        {"high", 0, 0},
                        {"main", 1, 1},
                        {"high", 1, 1}}) {
    SCOPED_TRACE(std::string(c.profile) + (c.silent ? " silent" : ""));
    const Played coded =
        encoded(std::string("hullh264enc ! video/x-h264,stream-format=byte-stream,profile=") + c.profile);
    const auto units = with_sps(coded, [&c](Sps &sps) {
      sps.vui.bitstream_restriction_flag = !c.silent;
      sps.vui.max_num_reorder_frames = 0;
    });
    Harness h("hullh264dec");
    gst_harness_set_src_caps(h, gst_caps_ref(coded.caps.get()));
    for (std::size_t i = 0; i < units.size(); ++i) {
      GstBuffer *buffer = gst_buffer_new_memdup(units[i].data(), units[i].size());
      GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
      ASSERT_EQ(gst_harness_push(h, buffer), GST_FLOW_OK);
      const bool type_2 = parse_sps({split_annexb(units[0])[0]})->pic_order_cnt_type == 2;
      EXPECT_EQ(gst_harness_buffers_received(h), i + 1 - std::min(i + 1, type_2 ? 0 : c.delay));
      if (i == 1) {
        EXPECT_EQ(gst_harness_query_latency(h), (type_2 ? 0 : c.delay) * 40 * GST_MSECOND);
      }
    }
    gst_harness_push_event(h, gst_event_new_eos());
    EXPECT_EQ(gst_harness_buffers_received(h), units.size());
  }
}

TEST_F(H264DecDelivery, PicturesOfBSlicesAreFlaggedAndAllOthersExact) {
  if (!has("x264enc") || !has("avdec_h264")) GTEST_SKIP() << "x264enc or avdec_h264 is not installed";
  for (const char *options :
       {"bframes=1", "bframes=3 option-string=b-pyramid=none", "bframes=3 option-string=b-pyramid=normal",
        "bframes=3 option-string=direct=temporal", "bframes=2 cabac=false dct8x8=true",
        "bframes=3 ref=4 key-int-max=9"}) {
    SCOPED_TRACE(options);
    const std::string file = "hull_b_slices.264";
    ASSERT_EQ(
        play(std::string(
                 "videotestsrc num-buffers=30 pattern=zone-plate kx2=12 ky2=9 kt=3 ! "
                 "video/x-raw,format=I420,width=176,height=144,framerate=25/1 ! x264enc b-adapt=false ") +
             options + " ! video/x-h264,stream-format=byte-stream ! filesink location=" + file)
            .error,
        "");
    const std::string read = "filesrc location=" + file + " ! h264parse ! ";
    const Played ours = play(read + "hullh264dec ! appsink name=out");
    const Played right = play(read + "avdec_h264 ! video/x-raw,format=I420 ! appsink name=out");
    const Played refused = play(read + "hullh264dec inexact-pictures=refuse ! appsink name=out");
    std::remove(file.c_str());
    EXPECT_NE(refused.error.find("avdec_h264"), std::string::npos) << refused.error;
    EXPECT_EQ(ours.error, "");
    ASSERT_EQ(ours.buffers.size(), 30u);
    ASSERT_EQ(right.buffers.size(), 30u);
    std::size_t exact = 0;
    for (std::size_t i = 0; i < 30; ++i) {
      if (flagged(ours.buffers[i].get())) continue;
      ++exact;
      EXPECT_TRUE(bytes_of(ours.buffers[i].get()) == bytes_of(right.buffers[i].get())) << i;
    }
    EXPECT_GT(exact, 0u);
    EXPECT_LT(exact, 30u);
  }
}

TEST_F(H264DecDelivery, ClosedCaptionsAndUserDataComeOutOnce) {
  const Played coded =
      play("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
           "hullh264enc ! video/x-h264,stream-format=byte-stream,profile=main ! appsink name=out");
  const ByteVector triplets{0xfc, 0x94, 0x20, 0xfd, 0x11, 0x22};
  for (const bool parsed : {false, true}) {
    Harness h(parsed ? "h264parse ! hullh264dec" : "hullh264dec");
    gst_harness_set_src_caps_str(h, "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1");
    for (std::size_t i = 0; i < 3; ++i) {
      ByteVector unit;
      const ByteVector bytes = bytes_of(coded.buffers[i].get());
      bool told = false;
      for (const Nal &nal : split_annexb(bytes)) {
        if (nal.is_slice() && !std::exchange(told, true)) {
          std::array<std::uint8_t, 16> uuid{1, 2, 3};
          const std::uint8_t text[] = {'h', 'i'};
          append_annexb(unit, write_sei({atsc_captions(triplets), user_data_unregistered(uuid, text)}));
        }
        append_annexb(unit, nal.data);
      }
      GstBuffer *buffer = gst_buffer_new_memdup(unit.data(), unit.size());
      GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
      ASSERT_EQ(gst_harness_push(h, buffer), GST_FLOW_OK);
    }
    gst_harness_push_event(h, gst_event_new_eos());
    for (std::size_t i = 0; i < 3; ++i) {
      const auto out = BufferRef::adopt(gst_harness_try_pull(h));
      ASSERT_TRUE(out) << parsed << i;
      std::size_t captions = 0, texts = 0;
      gpointer state = nullptr;
      while (GstMeta *meta = gst_buffer_iterate_meta(out.get(), &state)) {
        if (meta->info->api == GST_VIDEO_CAPTION_META_API_TYPE) {
          const auto *caption = reinterpret_cast<GstVideoCaptionMeta *>(meta);
          EXPECT_EQ(ByteVector(caption->data, caption->data + caption->size), triplets);
          ++captions;
        }
        texts += meta->info->api == GST_VIDEO_SEI_USER_DATA_UNREGISTERED_META_API_TYPE;
      }
      EXPECT_EQ(captions, 1u) << parsed;
      EXPECT_EQ(texts, 1u) << parsed;
    }
  }
}

TEST_F(H264DecDelivery, LightOfTheDisplayReachesTheCaps) {
  const Played coded = encoded("hullh264enc ! video/x-h264,stream-format=byte-stream,profile=main", 2);
  SeiMessage display{137, from_hex("33c2 86c4 1d4c 0bb8 84d0 3e80 3d13 4042 00989680 00000001")};
  SeiMessage light{144, from_hex("03e8 0190")};
  ByteVector unit;
  const ByteVector bytes = bytes_of(coded.buffers[0].get());
  for (const Nal &nal : split_annexb(bytes)) {
    if (nal.is_slice()) append_annexb(unit, write_sei({display, light}));
    append_annexb(unit, nal.data);
  }
  Harness h("hullh264dec");
  gst_harness_set_src_caps_str(h, "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1");
  gst_harness_push(h, gst_buffer_new_memdup(unit.data(), unit.size()));
  gst_harness_push_event(h, gst_event_new_eos());
  const auto caps = CapsRef::adopt(gst_pad_get_current_caps(h.h->sinkpad));
  ASSERT_TRUE(caps);
  const GstStructure *s = gst_caps_get_structure(caps.get(), 0);
  EXPECT_STREQ(gst_structure_get_string(s, "mastering-display-info"),
               "34000:16000:13250:34500:7500:3000:15635:16450:10000000:1");
  EXPECT_STREQ(gst_structure_get_string(s, "content-light-level"), "1000:400");
}

TEST_F(H264DecDelivery, TheVersionOfTheLibraryCanBeRead) {
  const auto decoder = ElementRef::retain(gst_element_factory_make("hullh264dec", nullptr));
  gchar *version = nullptr;
  g_object_get(decoder.get(), "openh264-version", &version, nullptr);
  const OwnedText text(version);
  EXPECT_EQ(std::count(text.c_str(), text.c_str() + strlen(text.c_str()), '.'), 2) << text.c_str();
  EXPECT_GE(std::atoi(text.c_str()), 2);
}

struct Reports {
  std::vector<std::pair<int, bool>> marked; // frame_num, success
  std::vector<std::pair<int, int>> lost;    // last correct, current
  std::size_t key_units = 0;
};

Reports reports_of(GstHarness *h) {
  Reports reports;
  while (GstEvent *pulled = gst_harness_try_pull_upstream_event(h)) {
    const auto event = EventRef::adopt(pulled);
    reports.key_units += gst_video_event_is_force_key_unit(pulled);
    const GstStructure *s = gst_event_get_structure(pulled);
    int a = -9, b = -9;
    gboolean success = FALSE;
    if (gst_event_has_name(pulled, "HullLtrMarked")) {
      gst_structure_get(s, "frame-num", G_TYPE_INT, &a, "success", G_TYPE_BOOLEAN, &success, nullptr);
      reports.marked.emplace_back(a, success);
    } else if (gst_event_has_name(pulled, "HullLossRecovery")) {
      gst_structure_get(s, "last-correct-frame-num", G_TYPE_INT, &a, "current-frame-num", G_TYPE_INT, &b,
                        nullptr);
      reports.lost.emplace_back(a, b);
    }
  }
  return reports;
}

TEST_F(H264DecDelivery, LostAndAcknowledgedReferencesAreReported) {
  const Played coded = encoded("hullh264enc ltr=true ltr-mark-period=5 key-int-max=100 ! "
                               "video/x-h264,stream-format=byte-stream,profile=main",
                               40);
  ASSERT_EQ(coded.buffers.size(), 40u);
  const CodedStream stream = read_stream(all_bytes(coded));
  for (const int lost : {-1, 13, 22}) {
    SCOPED_TRACE(lost);
    Harness h("hullh264dec");
    gst_harness_set_src_caps(h, gst_caps_ref(coded.caps.get()));
    for (int i = 0; i < 40; ++i)
      if (i != lost) {
        EXPECT_EQ(gst_harness_push(h, gst_buffer_ref(coded.buffers[static_cast<std::size_t>(i)].get())),
                  GST_FLOW_OK);
      }
    const Reports reports = reports_of(h);
    EXPECT_GT(reports.marked.size(), 1u);
    for (const auto &[frame_num, success] : reports.marked) {
      EXPECT_LT(frame_num, 40);
      EXPECT_EQ(success, lost < 0 || frame_num < lost) << frame_num;
    }
    if (lost < 0) {
      EXPECT_TRUE(reports.lost.empty());
      EXPECT_EQ(reports.key_units, 0u);
    } else {
      ASSERT_FALSE(reports.lost.empty());
      EXPECT_EQ(reports.lost[0], std::pair(lost - 1, lost + 1));
      // An acknowledged reference is there and the events are taken: key units only after a second.
      EXPECT_LE(reports.key_units, 1u);
    }
  }
}

} // namespace
} // namespace hull::h264
