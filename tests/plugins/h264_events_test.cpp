// Flushes, seeks, lost references, captions, and a thousand lives of both elements.

#include "tests/plugins/h264_mutations.h"
#include "tests/support/sanitizer.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <unistd.h>

#include <gst/check/gstharness.h>
#include <gst/video/video-sei.h>

namespace hull::h264 {
namespace {

struct Harness {
  explicit Harness(const char *element) : h(gst_harness_new(element)) {}
  Harness(const Harness &) = delete;
  Harness &operator=(const Harness &) = delete;
  ~Harness() { gst_harness_teardown(h); }
  operator GstHarness *() const { return h; }
  GstHarness *h;
};

constexpr char kRaw[] = "video/x-raw,format=I420,width=64,height=48,framerate=25/1";

BufferRef picture(int number) {
  GstBuffer *buffer = gst_buffer_new_allocate(nullptr, 64 * 48 * 3 / 2, nullptr);
  gst_buffer_memset(buffer, 0, static_cast<guint8>(16 + number * 7), 64 * 48 * 3 / 2);
  GST_BUFFER_PTS(buffer) = static_cast<GstClockTime>(number) * 40 * GST_MSECOND;
  GST_BUFFER_DURATION(buffer) = 40 * GST_MSECOND;
  return BufferRef::adopt(buffer);
}

bool is_key(GstBuffer *buffer) {
  return !GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_DELTA_UNIT);
}

std::size_t resident_kb() {
  std::ifstream file("/proc/self/statm");
  std::size_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::size_t>(sysconf(_SC_PAGESIZE)) / 1024;
}

class H264Events : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

TEST_F(H264Events, AfterAFlushTheEncoderStartsWithAKeyUnit) {
  for (const char *parallel : {"slices", "gop"}) {
    Harness h("hullh264enc");
    gst_util_set_object_arg(G_OBJECT(h.h->element), "parallel", parallel);
    gst_harness_set_src_caps_str(h, kRaw);
    for (int i = 0; i < 5; ++i)
      EXPECT_EQ(gst_harness_push(h, picture(i).release()), GST_FLOW_OK);
    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    while (GstBuffer *old = gst_harness_try_pull(h))
      gst_buffer_unref(old);
    for (int i = 5; i < 9; ++i)
      EXPECT_EQ(gst_harness_push(h, picture(i).release()), GST_FLOW_OK);
    gst_harness_push_event(h, gst_event_new_eos());
    int count = 0;
    while (GstBuffer *buffer = gst_harness_try_pull(h)) {
      EXPECT_EQ(is_key(buffer), count == 0) << parallel;
      EXPECT_EQ(GST_BUFFER_PTS(buffer), static_cast<GstClockTime>(5 + count) * 40 * GST_MSECOND);
      ++count;
      gst_buffer_unref(buffer);
    }
    EXPECT_EQ(count, 4) << parallel;
  }
}

TEST_F(H264Events, CaptionsAndUserDataAreInTheStream) {
  Harness h("hullh264enc");
  gst_harness_set_src_caps_str(h, kRaw);
  const std::uint8_t line21[] = {0x94, 0x20}, triplet[] = {0xfc, 0x80, 0x80, 0xfd, 0x01, 0x02};
  const std::uint8_t s334[] = {0x80, 0x11, 0x22};
  const auto cdp = from_hex("9669 15 4f 43 0000 72 e2 fc1122 fd3344 740000 00"); // two triplets
  const std::uint8_t uuid[16] = {9, 8, 7};
  const auto push = [&](int number, GstVideoCaptionType type, const std::uint8_t *data, std::size_t size) {
    auto buffer = picture(number);
    gst_buffer_add_video_caption_meta(buffer.get(), type, data, size);
    gst_harness_push(h, buffer.release());
  };
  push(0, GST_VIDEO_CAPTION_TYPE_CEA608_RAW, line21, 2);
  push(1, GST_VIDEO_CAPTION_TYPE_CEA708_RAW, triplet, 6);
  push(2, GST_VIDEO_CAPTION_TYPE_CEA608_S334_1A, s334, 3);
  push(3, GST_VIDEO_CAPTION_TYPE_CEA708_CDP, cdp.data(), cdp.size());
  auto with_user_data = picture(4);
  std::uint8_t copy[16];
  std::copy(std::begin(uuid), std::end(uuid), copy);
  std::uint8_t text[] = {'h', 'i'};
  gst_buffer_add_video_sei_user_data_unregistered_meta(with_user_data.get(), copy, text, sizeof text);
  gst_harness_push(h, with_user_data.release());
  ByteVector all;
  while (GstBuffer *buffer = gst_harness_try_pull(h)) {
    EXPECT_EQ(gst_buffer_get_video_caption_meta(buffer), nullptr);
    append(all, bytes_of(buffer));
    gst_buffer_unref(buffer);
  }
  const CodedStream stream = read_stream(all);
  ASSERT_EQ(stream.pictures.size(), 5u);
  static const char *const kWanted[] = {"fc9420", "fc8080fd0102", "fc1122", "fc1122fd3344"};
  for (std::size_t i = 0; i < 4; ++i) {
    ASSERT_EQ(stream.pictures[i].sei.size(), 1u) << i;
    EXPECT_EQ(to_hex(caption_triplets(stream.pictures[i].sei[0])), kWanted[i]);
  }
  ASSERT_EQ(stream.pictures[4].sei.size(), 1u);
  EXPECT_EQ(stream.pictures[4].sei[0].payload_type, 5u);
  EXPECT_EQ(to_hex(stream.pictures[4].sei[0].payload).substr(32), "6869");
}

TEST_F(H264Events, LostReferencesAskForASyncPointButNotForEveryPicture) {
  const std::string file = shared("media/h264/MPS_MW_A.264");
  if (!is_there(file)) GTEST_SKIP() << "../shared/media/h264 is absent";
  Harness h("hullh264dec");
  gst_harness_set_src_caps_str(
      h, "video/x-h264,stream-format=byte-stream,alignment=au,framerate=25/1,width=176,height=144");
  const auto units = access_units(damaged(units_of(file), Damage::lost_20, 3));
  GstClockTime time = 0;
  for (const ByteVector &unit : units) {
    GstBuffer *buffer = gst_buffer_new_memdup(unit.data(), unit.size());
    GST_BUFFER_PTS(buffer) = time;
    time += 40 * GST_MSECOND;
    EXPECT_EQ(gst_harness_push(h, buffer), GST_FLOW_OK);
  }
  std::size_t requests = 0;
  while (GstEvent *event = gst_harness_try_pull_upstream_event(h)) {
    requests += gst_video_event_is_force_key_unit(event);
    gst_event_unref(event);
  }
  EXPECT_GT(requests, 0u);
  EXPECT_LE(requests, time / (500 * GST_MSECOND) + 1);
}

TEST_F(H264Events, PicturesComeRightAfterAStormOfSeeks) {
  const std::string file = "hull_seek_storm.mp4";
  ASSERT_EQ(play("videotestsrc num-buffers=250 ! video/x-raw,width=96,height=64,framerate=25/1 ! hullh264enc "
                 "key-int-max=25 ! video/x-h264,profile=high ! h264parse ! mp4mux ! filesink location=" +
                 file)
                .error,
            "");
  const auto pipeline = ElementRef::retain(gst_parse_launch(
      ("filesrc location=" + file + " ! qtdemux ! h264parse ! hullh264dec ! appsink name=out sync=false")
          .c_str(),
      nullptr));
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "out"));
  gst_element_set_state(pipeline.get(), GST_STATE_PAUSED);
  ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND),
            GST_STATE_CHANGE_SUCCESS);
  std::mt19937 random(1);
  for (int i = 0; i < 40; ++i) {
    const std::uint32_t number = random() % 240;
    ASSERT_TRUE(gst_element_seek_simple(
        pipeline.get(), GST_FORMAT_TIME,
        static_cast<GstSeekFlags>(GST_SEEK_FLAG_FLUSH | GST_SEEK_FLAG_ACCURATE), number * 40 * GST_MSECOND));
    if (i % 3) continue; // the next one comes while this one is under way
    ASSERT_EQ(gst_element_get_state(pipeline.get(), nullptr, nullptr, 20 * GST_SECOND),
              GST_STATE_CHANGE_SUCCESS);
    const auto sample = SampleRef::adopt(gst_app_sink_pull_preroll(GST_APP_SINK(sink.get())));
    ASSERT_TRUE(sample);
    GstBuffer *buffer = gst_sample_get_buffer(sample.get());
    EXPECT_EQ(GST_BUFFER_PTS(buffer) / GST_MSECOND, number * 40u) << i;
    EXPECT_FALSE(GST_BUFFER_FLAG_IS_SET(buffer, GST_BUFFER_FLAG_CORRUPTED)) << i;
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  std::remove(file.c_str());
}

// With a running time: of events without one the base class keeps only one under way.
GstEvent *force(int number, bool all_headers) {
  const GstClockTime time = static_cast<GstClockTime>(number) * 40 * GST_MSECOND;
  return gst_video_event_new_downstream_force_key_unit(time, time, time, all_headers, 0);
}

std::vector<BufferRef> pull_all(GstHarness *h) {
  std::vector<BufferRef> list;
  while (GstBuffer *buffer = gst_harness_try_pull(h))
    list.push_back(BufferRef::adopt(buffer));
  return list;
}

TEST_F(H264Events, KeyUnitsWithAllHeadersCarryThemInAvcToo) {
  Harness h("hullh264enc");
  gst_harness_set_caps_str(h, kRaw, "video/x-h264,stream-format=avc,alignment=au");
  for (int i = 0; i < 9; ++i) {
    if (i == 3 || i == 6) gst_harness_push_event(h, force(i, i == 6));
    gst_harness_push(h, picture(i).release());
  }
  const auto buffers = pull_all(h);
  ASSERT_EQ(buffers.size(), 9u);
  for (std::size_t i = 0; i < 9; ++i) {
    EXPECT_EQ(is_key(buffers[i].get()), i % 3 == 0) << i;
    const ByteVector bytes = bytes_of(buffers[i].get());
    const auto nals = split_length_prefixed(bytes, 4);
    ASSERT_TRUE(nals);
    const auto of = [&nals](NalType type) {
      return std::ranges::count_if(*nals, [type](const Nal &nal) { return nal.type() == type; });
    };
    EXPECT_EQ(of(NalType::sps), i == 6) << i;
    EXPECT_EQ(of(NalType::pps), i == 6) << i;
  }
}

TEST_F(H264Events, AKeyUnitAskedForWithEveryPictureIsMadeWithEveryPicture) {
  for (const char *parallel : {"slices", "gop"}) {
    Harness h("hullh264enc");
    gst_util_set_object_arg(G_OBJECT(h.h->element), "parallel", parallel);
    gst_harness_set_caps_str(h, kRaw, "video/x-h264,stream-format=byte-stream,alignment=au,profile=main");
    for (int i = 0; i < 200; ++i) {
      if (i % 2) gst_harness_push_event(h, force(i, true));
      g_object_set(h.h->element, "bitrate", 100u + static_cast<guint>(i), nullptr);
      EXPECT_EQ(gst_harness_push(h, picture(i).release()), GST_FLOW_OK);
    }
    gst_harness_push_event(h, gst_event_new_eos());
    ByteVector all;
    for (const BufferRef &buffer : pull_all(h))
      append(all, bytes_of(buffer.get()));
    const CodedStream stream = read_stream(all);
    ASSERT_EQ(stream.pictures.size(), 200u) << parallel;
    int last_id = -1;
    for (std::size_t i = 0; i < 200; ++i) {
      EXPECT_EQ(stream.pictures[i].idr, i % 2 || i == 0) << parallel << i;
      if (!stream.pictures[i].idr) continue;
      EXPECT_NE(stream.pictures[i].idr_pic_id, last_id) << parallel << i;
      last_id = stream.pictures[i].idr_pic_id;
    }
  }
}

TEST_F(H264Events, TimesRiseWhateverComesIn) {
  Harness h("hullh264enc");
  gst_harness_set_src_caps_str(h, kRaw);
  const int order[] = {0, 1, 2, 2, 1, 5, 3, 6};
  for (const int number : order)
    gst_harness_push(h, picture(number).release());
  GstClockTime last = GST_CLOCK_TIME_NONE;
  const auto buffers = pull_all(h);
  ASSERT_EQ(buffers.size(), std::size(order));
  for (const BufferRef &buffer : buffers) {
    EXPECT_EQ(GST_BUFFER_PTS(buffer.get()), GST_BUFFER_DTS(buffer.get()));
    EXPECT_TRUE(!GST_CLOCK_TIME_IS_VALID(last) || GST_BUFFER_DTS(buffer.get()) > last);
    last = GST_BUFFER_DTS(buffer.get());
  }
  EXPECT_EQ(last, 6 * 40 * GST_MSECOND); // right again as soon as time has caught up
}

TEST_F(H264Events, TheEncoderOffersAPoolAndTakesVideoMeta) {
  Harness h("hullh264enc");
  gst_harness_set_src_caps_str(h, kRaw);
  const auto caps = CapsRef::adopt(gst_caps_from_string(kRaw));
  GstQuery *query = gst_query_new_allocation(caps.get(), TRUE);
  EXPECT_TRUE(gst_pad_peer_query(h.h->srcpad, query));
  EXPECT_TRUE(gst_query_find_allocation_meta(query, GST_VIDEO_META_API_TYPE, nullptr));
  ASSERT_GE(gst_query_get_n_allocation_pools(query), 1u);
  guint size = 0;
  gst_query_parse_nth_allocation_pool(query, 0, nullptr, &size, nullptr, nullptr);
  EXPECT_GE(size, 64u * 48 * 3 / 2);
  gst_query_unref(query);
}

TEST_F(H264Events, StreamsWithoutOrWithOnePictureEnd) {
  for (const char *parallel : {"slices", "gop"})
    for (const int count : {0, 1}) {
      Harness h("hullh264enc");
      gst_util_set_object_arg(G_OBJECT(h.h->element), "parallel", parallel);
      gst_harness_set_src_caps_str(h, kRaw);
      for (int i = 0; i < count; ++i)
        gst_harness_push(h, picture(i).release());
      EXPECT_TRUE(gst_harness_push_event(h, gst_event_new_eos()));
      EXPECT_EQ(pull_all(h).size(), static_cast<std::size_t>(count)) << parallel;
    }
  Harness decoder("hullh264dec");
  gst_harness_set_src_caps_str(decoder, "video/x-h264,stream-format=byte-stream,alignment=au");
  EXPECT_TRUE(gst_harness_push_event(decoder, gst_event_new_eos()));
}

TEST_F(H264Events, AStormOfFlushesAndSizesLeavesTheEncoderWhole) {
  for (const char *parallel : {"slices", "gop"}) {
    Harness h("hullh264enc");
    gst_util_set_object_arg(G_OBJECT(h.h->element), "parallel", parallel);
    std::mt19937 random(3);
    GstSegment segment;
    gst_segment_init(&segment, GST_FORMAT_TIME);
    for (int round = 0; round < 40; ++round) {
      const int width = 32 + 16 * static_cast<int>(random() % 4);
      const std::string caps =
          "video/x-raw,format=I420,width=" + std::to_string(width) + ",height=48,framerate=25/1";
      gst_harness_set_src_caps_str(h, caps.c_str());
      for (unsigned i = 0; i < 1 + random() % 5; ++i) {
        GstBuffer *buffer = gst_buffer_new_allocate(nullptr, static_cast<gsize>(width) * 72, nullptr);
        gst_buffer_memset(buffer, 0, 90, static_cast<gsize>(width) * 72);
        GST_BUFFER_PTS(buffer) = i * 40 * GST_MSECOND;
        EXPECT_EQ(gst_harness_push(h, buffer), GST_FLOW_OK);
      }
      if (random() % 2) {
        gst_harness_push_event(h, gst_event_new_flush_start());
        gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
        gst_harness_push_event(h, gst_event_new_segment(&segment));
      }
      pull_all(h);
    }
    gst_harness_push_event(h, gst_event_new_flush_start());
    gst_harness_push_event(h, gst_event_new_flush_stop(TRUE));
    gst_harness_push_event(h, gst_event_new_segment(&segment));
    pull_all(h);
    gst_harness_set_src_caps_str(h, kRaw);
    gst_harness_push(h, picture(0).release());
    gst_harness_push_event(h, gst_event_new_eos());
    const auto last = pull_all(h);
    ASSERT_EQ(last.size(), 1u) << parallel;
    EXPECT_TRUE(is_key(last[0].get()));
  }
}

TEST_F(H264Events, AThousandLivesLeakNothing) {
  ByteVector coded;
  {
    Harness h("hullh264enc");
    gst_harness_set_src_caps_str(h, kRaw);
    gst_harness_push(h, picture(0).release());
    const auto out = BufferRef::adopt(gst_harness_pull(h));
    coded = bytes_of(out.get());
  }
  const auto live = [&coded] {
    Harness encoder("hullh264enc");
    gst_harness_set_src_caps_str(encoder, kRaw);
    for (int i = 0; i < 2; ++i)
      gst_harness_push(encoder, picture(i).release());
    Harness decoder("hullh264dec");
    gst_harness_set_src_caps_str(decoder,
                                 "video/x-h264,stream-format=byte-stream,alignment=au,width=64,height=48");
    gst_harness_push(decoder, gst_buffer_new_memdup(coded.data(), coded.size()));
  };
  for (int i = 0; i < 200; ++i)
    live();
  const std::size_t before = resident_kb();
  for (int i = 0; i < 1000; ++i)
    live();
  // A leaked encoder alone would be 300 kB each time.
  if (!test::kAddressSanitizer) {
    EXPECT_LT(resident_kb(), before + 4096);
  }
}

} // namespace
} // namespace hull::h264
