// Every property of both elements, and what those change that no other test looks at.

#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace hull::h264 {
namespace {

class H264Properties : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

// The zone plate moves all over the picture; smpte stands still.
std::string source(int frames, const std::string &pattern = "zone-plate kx2=20 ky2=20 kt=5",
                   const std::string &caps = "width=176,height=144,framerate=25/1") {
  return "videotestsrc pattern=" + pattern + " num-buffers=" + std::to_string(frames) +
         " ! video/x-raw,format=I420," + caps + " ! ";
}

Played encode(const std::string &properties, int frames = 30,
              const std::string &pattern = "zone-plate kx2=20 ky2=20 kt=5") {
  Played played = play(source(frames, pattern) + "hullh264enc " + properties +
                       " ! video/x-h264,stream-format=byte-stream,profile=main ! appsink name=out");
  EXPECT_EQ(played.error, "") << properties;
  return played;
}

CodedStream stream_of(const std::string &properties, int frames = 30) {
  return read_stream(all_bytes(encode(properties, frames)));
}

double kbps(const Played &played, std::size_t from, double fps) {
  std::size_t bytes = 0, count = 0;
  for (std::size_t i = from; i < played.buffers.size(); ++i, ++count)
    bytes += gst_buffer_get_size(played.buffers[i].get());
  return static_cast<double>(bytes) * 8 * fps / static_cast<double>(std::max<std::size_t>(count, 1)) / 1000;
}

std::vector<std::string> values_of(GParamSpec *spec) {
  if (G_IS_PARAM_SPEC_BOOLEAN(spec)) return {"true", "false"};
  if (G_IS_PARAM_SPEC_UINT(spec))
    return {std::to_string(G_PARAM_SPEC_UINT(spec)->minimum),
            std::to_string(G_PARAM_SPEC_UINT(spec)->maximum)};
  if (G_IS_PARAM_SPEC_INT(spec))
    return {std::to_string(G_PARAM_SPEC_INT(spec)->minimum), std::to_string(G_PARAM_SPEC_INT(spec)->maximum)};
  std::vector<std::string> values;
  if (G_IS_PARAM_SPEC_ENUM(spec))
    for (guint i = 0; i < G_PARAM_SPEC_ENUM(spec)->enum_class->n_values; ++i)
      values.push_back(G_PARAM_SPEC_ENUM(spec)->enum_class->values[i].value_nick);
  return values;
}

std::string read(GstElement *element, GParamSpec *spec) {
  GValue value = G_VALUE_INIT;
  g_object_get_property(G_OBJECT(element), spec->name, &value);
  const OwnedText text(gst_value_serialize(&value));
  g_value_unset(&value);
  return text.c_str();
}

TEST_F(H264Properties, EachCanBeSetToItsLimitsAndRead) {
  for (const char *factory : {"hullh264enc", "hullh264dec"}) {
    const auto element = ElementRef::retain(gst_element_factory_make(factory, nullptr));
    ASSERT_TRUE(element);
    guint count = 0;
    GParamSpec **specs = g_object_class_list_properties(G_OBJECT_GET_CLASS(element.get()), &count);
    int own = 0;
    for (guint i = 0; i < count; ++i) {
      if (specs[i]->owner_type != G_OBJECT_TYPE(element.get()) || !(specs[i]->flags & G_PARAM_WRITABLE))
        continue;
      ++own;
      EXPECT_GT(std::string(g_param_spec_get_blurb(specs[i])).size(), 8u) << specs[i]->name;
      const std::string initial = read(element.get(), specs[i]);
      for (const std::string &value : values_of(specs[i])) {
        gst_util_set_object_arg(G_OBJECT(element.get()), specs[i]->name, value.c_str());
        EXPECT_EQ(read(element.get(), specs[i]), value) << specs[i]->name;
      }
      gst_util_set_object_arg(G_OBJECT(element.get()), specs[i]->name, initial.c_str());
      EXPECT_EQ(read(element.get(), specs[i]), initial) << specs[i]->name;
    }
    g_free(specs);
    EXPECT_EQ(own, std::string(factory) == "hullh264enc" ? 28 : 2);
  }
}

TEST_F(H264Properties, EachRateControlIsAnother) {
  std::vector<ByteVector> streams;
  for (const char *mode : {"bitrate", "quality", "buffer", "timestamp", "cqp", "capped-quality"})
    streams.push_back(all_bytes(encode(std::string("bitrate=200 max-bitrate=250 rate-control=") + mode, 60)));
  for (std::size_t i = 0; i < streams.size(); ++i)
    for (std::size_t j = 0; j < i; ++j)
      EXPECT_NE(streams[i], streams[j]) << i << j;
}

TEST_F(H264Properties, TheBufferOfBufferModeEmptiesAtTheBitrate) {
  for (const int rate : {150, 400})
    EXPECT_NEAR(kbps(encode("rate-control=buffer bitrate=" + std::to_string(rate), 200), 50, 25), rate,
                rate * 0.15);
}

TEST_F(H264Properties, TimestampModeHoldsTheBitrateAboveSixtyPicturesASecond) {
  const Played played =
      play(source(480, "zone-plate kx2=20 ky2=20 kt=5", "width=176,height=144,framerate=120/1") +
           "hullh264enc rate-control=timestamp bitrate=300 ! video/x-h264,profile=main ! appsink name=out");
  ASSERT_EQ(played.error, "");
  EXPECT_NEAR(kbps(played, 240, 120), 300, 60);
}

TEST_F(H264Properties, WithoutAFrameRateInCapsTimestampsSteer) {
  const Played played = play(
      source(80, "zone-plate kx2=20 ky2=20 kt=5", "width=176,height=144,framerate=10/1") +
      "capssetter caps=video/x-raw,framerate=0/1 ! hullh264enc bitrate=100 ! video/x-h264,profile=main ! "
      "appsink name=out");
  ASSERT_EQ(played.error, "");
  EXPECT_NEAR(kbps(played, 20, 10), 100,
              20); // 30 pictures a second taken for granted would make a third of it
  EXPECT_FALSE(read_stream(all_bytes(played)).sps.vui.timing_info_present_flag);
}

TEST_F(H264Properties, MaxBitrateAndItsBufferBoundTheLargestPicture) {
  const auto largest = [](const std::string &properties) {
    const Played played = play("concat name=c ! hullh264enc key-int-max=1000 bitrate=150 " + properties +
                               " ! video/x-h264,profile=main ! appsink name=out " + source(50, "smpte") +
                               "c. " + source(25, "snow") + "c. " + source(50) + "c.");
    EXPECT_EQ(played.error, "");
    std::size_t most = 0;
    for (const BufferRef &buffer : played.buffers)
      most = std::max(most, gst_buffer_get_size(buffer.get()));
    return most;
  };
  EXPECT_LE(largest("max-bitrate=160 vbv-buffer=300") * 8, 48'000u);
  EXPECT_GT(largest("max-bitrate=0") * 8, 16'000u);
  EXPECT_LE(largest("max-bitrate=160 vbv-buffer=100") * 8, 16'000u);
}

TEST_F(H264Properties, OthersShowInSliceHeadersAndPictures) {
  EXPECT_EQ(stream_of("deblocking-beta=-2", 3).pictures[1].beta, -2);
  EXPECT_EQ(stream_of("slice-mode=fixed num-slices=0 threads=3", 3).pictures[1].slice_sizes.size(), 3u);
  EXPECT_NE(all_bytes(encode("ltr=true ltr-mark-period=4", 60)),
            all_bytes(encode("ltr=true ltr-mark-period=30", 60)));
  EXPECT_NE(all_bytes(encode("rate-control=cqp background-detection=true", 40, "ball")),
            all_bytes(encode("rate-control=cqp background-detection=false", 40, "ball")));
}

constexpr guint8 kLine21[] = {0x94, 0x20};

TEST_F(H264Properties, CaptionsStayOutOnRequest) {
  const auto messages = [](const std::string &property) {
    const Played played =
        play(source(3) + "identity name=at signal-handoffs=true ! hullh264enc " + property +
                 " ! video/x-h264,stream-format=byte-stream,profile=main ! appsink name=out",
             [](GstElement *pipeline) {
               const auto at = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "at"));
               g_signal_connect(
                   at.get(), "handoff", G_CALLBACK(+[](GstElement *, GstBuffer *buffer, gpointer) {
                     gst_buffer_add_video_caption_meta(buffer, GST_VIDEO_CAPTION_TYPE_CEA608_RAW, kLine21, 2);
                   }),
                   nullptr);
             });
    return read_stream(all_bytes(played)).pictures.at(1).sei.size();
  };
  EXPECT_EQ(messages("captions=true"), 1u);
  EXPECT_EQ(messages("captions=false"), 0u);
}

TEST_F(H264Properties, EveryCombinationOfCapsIsMetAndReadable) {
  for (const char *format : {"I420", "YV12", "NV12"})
    for (const char *stream_format : {"byte-stream", "avc"})
      for (const char *alignment : {"au", "nal"})
        for (const char *profile : {"constrained-baseline", "main", "high", "constrained-high"}) {
          SCOPED_TRACE(std::string(format) + stream_format + alignment + profile);
          // h264parse takes lengths only of whole access units.
          const bool parsed = std::string(stream_format + std::string(alignment)) != "avcnal";
          const Played played = play(
              std::string("videotestsrc num-buffers=3 ! video/x-raw,width=64,height=48,format=") + format +
              " ! hullh264enc ! video/x-h264,stream-format=" + stream_format + ",alignment=" + alignment +
              ",profile=" + profile + " ! tee name=t t. ! queue ! appsink name=out t. ! queue ! " +
              (parsed ? "h264parse ! avdec_h264 ! " : "") + "fakesink");
          EXPECT_EQ(played.error, "");
          EXPECT_EQ(caps_text(played, "stream-format"), stream_format);
          EXPECT_EQ(caps_text(played, "alignment"), alignment);
          EXPECT_EQ(caps_text(played, "profile"), profile);
          std::size_t slices = 0;
          for (const BufferRef &buffer : played.buffers) {
            const ByteVector bytes = bytes_of(buffer.get());
            const auto nals = std::string(stream_format) == "avc"
                                  ? split_length_prefixed(bytes, 4)
                                  : Result<std::vector<Nal>>(split_annexb(bytes));
            ASSERT_TRUE(nals);
            slices += static_cast<std::size_t>(std::ranges::count_if(*nals, &Nal::is_slice));
          }
          EXPECT_EQ(slices, 3u);
        }
}

} // namespace
} // namespace hull::h264
