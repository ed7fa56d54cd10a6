// The rate of hullh264enc: buffers that never underflow as an analyser sees them, rates held over all kinds
// of content, and properties that change while it runs.

#include "gst/h264/hrd.h"
#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <numeric>

namespace hull::h264 {
namespace {

class H264Rate : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

std::string pattern(const char *content, int frames, const std::string &caps) {
  const std::string tail = " ! video/x-raw,format=I420," + caps;
  const auto part = [&](const std::string &name, int count) {
    return "videotestsrc pattern=" + name + " num-buffers=" + std::to_string(count) + tail + " ! c. ";
  };
  const std::string kind = content;
  const std::string plate = "zone-plate kx2=20 ky2=20 kt=5";
  if (kind == "cuts")
    return "concat name=c " + part("black", frames / 4) + part("snow", frames / 4) +
           part("smpte", frames / 4) + part(plate, frames / 4) + "c. ";
  return "videotestsrc pattern=" + (kind == "plate" ? plate : kind) +
         " num-buffers=" + std::to_string(frames) + tail;
}

/// Warnings and stats of a run.
struct Watched {
  Played played;
  std::vector<std::string> warnings;
  guint64 overruns = 0, again = 0, dropped = 0;
};

template <class Prepare> Watched watch(const std::string &line, Prepare prepare) {
  Watched watched;
  ElementRef encoder;
  watched.played = play(line, [&](GstElement *pipeline) {
    const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline));
    gst_bus_set_sync_handler(
        bus.get(),
        [](GstBus *, GstMessage *message, gpointer data) {
          if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_WARNING) {
            GError *error = nullptr;
            gst_message_parse_warning(message, &error, nullptr);
            static_cast<Watched *>(data)->warnings.push_back(error->message);
            g_clear_error(&error);
          }
          return GST_BUS_PASS;
        },
        &watched, nullptr);
    encoder = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "enc"));
    prepare(pipeline);
  });
  GstStructure *stats = nullptr;
  g_object_get(encoder.get(), "stats", &stats, nullptr);
  gst_structure_get(stats, "overruns", G_TYPE_UINT64, &watched.overruns, "coded-again", G_TYPE_UINT64,
                    &watched.again, "dropped", G_TYPE_UINT64, &watched.dropped, nullptr);
  gst_structure_free(stats);
  return watched;
}

Watched watch(const std::string &line) {
  return watch(line, [](GstElement *) {});
}

// Annex C by the letter: bits arrive at most at the signalled rate and not before the delay says so, and each
// picture must be there when it is taken. Pictures that are late are counted.
int late_pictures(const std::vector<BufferRef> &buffers) {
  int late = 0;
  Sps sps;
  Pps pps;
  double arrived = 0, removal = 0, period = 0; // seconds: end of the last picture's bits, removal times
  bool any = false;
  for (const BufferRef &buffer : buffers) {
    const ByteVector bytes = bytes_of(buffer.get());
    double delay = -1, initial = -1;
    for (const Nal &nal : split_annexb(bytes)) {
      if (nal.type() == NalType::sps) sps = *parse_sps(nal);
      if (nal.type() != NalType::sei) continue;
      const auto messages = parse_sei(nal);
      for (const SeiMessage &message : *messages) {
        if (message.payload_type == 0) initial = *parse_initial_delay(message, sps) / 90000.0;
        if (message.payload_type == 1) delay = parse_picture_timing(message, sps)->removal_delay;
      }
    }
    if (delay < 0 || !sps.vui.nal_hrd_parameters_present_flag) return -1;
    const Hrd &hrd = sps.vui.nal_hrd;
    const double tick = static_cast<double>(sps.vui.num_units_in_tick) / sps.vui.time_scale;
    removal = any ? period + delay * tick : initial;
    if (initial >= 0) period = removal;
    const double full = static_cast<double>(buffer_size(hrd)) / static_cast<double>(bit_rate(hrd));
    const double earliest = removal - full; // the buffer holds no more than this
    const double begin = any ? std::max(arrived, earliest) : 0;
    arrived = begin + static_cast<double>(bytes.size()) * 8 / static_cast<double>(bit_rate(hrd));
    late += arrived > removal + 1e-4;
    any = true;
  }
  return late;
}

double most_in_a_second(const std::vector<BufferRef> &buffers, const char *rate) {
  const auto [num, den] = fraction(rate);
  const auto pictures = static_cast<std::size_t>(std::max(1, num / den));
  double most = 0;
  for (std::size_t i = 0; i < buffers.size(); ++i) {
    double bits = 0;
    for (std::size_t j = i; j < std::min(buffers.size(), i + pictures); ++j)
      bits += static_cast<double>(gst_buffer_get_size(buffers[j].get())) * 8;
    most = std::max(most, bits);
  }
  return most / 1000;
}

TEST_F(H264Rate, TheSignalledBufferNeverUnderflows) {
  int cases = 0;
  for (const char *content : {"black", "snow", "cuts", "plate", "ball"})
    for (const char *rate : {"1/2", "25/1", "30000/1001", "240/1"})
      for (const int kbps : {800, 3000}) {
        const char *control =
            std::array{"bitrate", "quality", "buffer", "timestamp", "capped-quality"}[cases++ % 5];
        const int buffer = cases % 3 ? 1000 : 400;
        SCOPED_TRACE(std::string(content) + " " + rate + " " + std::to_string(kbps) + " " + control);
        const Watched w = watch(
            pattern(content, 80, std::string("width=160,height=96,framerate=") + rate) +
            " ! hullh264enc name=enc quantizer=20 key-int-max=20 bitrate=" + std::to_string(kbps * 8 / 10) +
            " max-bitrate=" + std::to_string(kbps) + " vbv-buffer=" + std::to_string(buffer) +
            " rate-control=" + control + " ! video/x-h264,profile=main ! appsink name=out");
        ASSERT_EQ(w.played.error, "");
        EXPECT_EQ(w.played.buffers.size(), 80u);
        EXPECT_EQ(w.overruns, 0u);
        EXPECT_EQ(late_pictures(w.played.buffers), 0);
        EXPECT_LE(most_in_a_second(w.played.buffers, rate), kbps * (1 + buffer / 1000.0) * 1.001);
      }
}

TEST_F(H264Rate, WhereTheCoarsestIsNotEnoughPicturesAreLeftOutOrOverrunsSaid) {
  const std::string line = pattern("snow", 60, "width=320,height=192,framerate=30/1") +
                           " ! hullh264enc name=enc bitrate=30 max-bitrate=40 key-int-max=30 ";
  const Watched said = watch(line + "! appsink name=out");
  ASSERT_EQ(said.played.error, "");
  EXPECT_EQ(said.played.buffers.size(), 60u);
  EXPECT_GT(said.overruns, 0u);
  EXPECT_EQ(
      std::ranges::count_if(said.warnings,
                            [](const std::string &w) { return w.find("larger than the buffer") != w.npos; }),
      1);
  const CodedStream coded = read_stream(all_bytes(said.played));
  EXPECT_EQ(coded.pictures.back().qp.at(0), 51);
  const Watched skipped = watch(line + "frame-skip=true ! appsink name=out");
  ASSERT_EQ(skipped.played.error, "");
  EXPECT_GT(skipped.dropped, 0u);
  EXPECT_GT(skipped.played.buffers.size(), 1u);
  EXPECT_EQ(skipped.overruns, 0u);
  EXPECT_EQ(late_pictures(skipped.played.buffers), 0);
}

TEST_F(H264Rate, WithoutMaxBitrateThereAreNoHrdParameters) {
  const Watched w = watch(pattern("ball", 5, "width=160,height=96,framerate=30/1") +
                          " ! hullh264enc name=enc bitrate=200 ! appsink name=out");
  const CodedStream stream = read_stream(all_bytes(w.played));
  EXPECT_FALSE(stream.sps.vui.nal_hrd_parameters_present_flag);
  EXPECT_TRUE(stream.pictures.at(0).sei.empty());
  EXPECT_TRUE(stream.sps.vui.bitstream_restriction_flag);
  EXPECT_EQ(stream.sps.vui.max_num_reorder_frames, 0);
}

TEST_F(H264Rate, TheMeanHoldsOverAllRatesAndFrameRates) {
  for (const char *control : {"bitrate", "quality", "buffer", "timestamp"})
    for (const char *rate : {"1/2", "10/1", "60/1", "1000/1"}) {
      const auto [num, den] = fraction(rate);
      const double fps = static_cast<double>(num) / den;
      const double kbps = 5 * fps; // 5 kbit a picture
      if (kbps < 1) continue;
      SCOPED_TRACE(std::string(control) + " " + rate);
      const Watched w =
          watch(pattern("plate", 200, std::string("width=160,height=96,framerate=") + rate) +
                " ! hullh264enc name=enc key-int-max=40 bitrate=" + std::to_string(static_cast<int>(kbps)) +
                " rate-control=" + control + " ! video/x-h264,profile=main ! appsink name=out");
      ASSERT_EQ(w.played.error, "");
      std::size_t bytes = 0;
      for (const BufferRef &buffer : w.played.buffers)
        bytes += gst_buffer_get_size(buffer.get());
      EXPECT_NEAR(static_cast<double>(bytes) * 8 / 200 / 1000, std::floor(kbps) / fps, 0.1 * kbps / fps);
    }
}

TEST_F(H264Rate, QuantizersBelowTwelveAreUsedWhereTheRateAllows) {
  const Watched w = watch(pattern("plate", 60, "width=160,height=96,framerate=30/1") +
                          " ! hullh264enc name=enc bitrate=4000 ! appsink name=out");
  const CodedStream stream = read_stream(all_bytes(w.played));
  EXPECT_LT(stream.pictures.back().qp.at(0), 12);
}

// Calls `change(encoder, number)` before each picture goes in.
template <class Change>
Watched while_playing(const std::string &properties, const std::string &tail, int frames, Change change) {
  struct Context {
    Change change;
    GstElement *encoder = nullptr;
    int seen = 0;
  } context{change};
  return watch(pattern("plate", frames, "width=160,height=96,framerate=30/1") +
                   " ! identity name=gate signal-handoffs=true ! hullh264enc name=enc " + properties + tail,
               [&context](GstElement *pipeline) {
                 const auto gate = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "gate"));
                 context.encoder = gst_bin_get_by_name(GST_BIN(pipeline), "enc");
                 gst_object_unref(context.encoder); // the pipeline keeps it
                 g_signal_connect(gate.get(), "handoff",
                                  G_CALLBACK(+[](GstElement *, GstBuffer *, Context *c) {
                                    c->change(c->encoder, c->seen++);
                                  }),
                                  &context);
               });
}

int key_units(const Watched &w) {
  return static_cast<int>(std::ranges::count_if(w.played.buffers, [](const BufferRef &b) {
    return !GST_BUFFER_FLAG_IS_SET(b.get(), GST_BUFFER_FLAG_DELTA_UNIT);
  }));
}

TEST_F(H264Rate, PropertiesThatBelongTogetherMayBeSetOneAfterTheOther) {
  struct Step {
    const char *name, *value;
  };
  const std::vector<std::pair<const char *, std::vector<Step>>> all = {
      {"bitrate=1000 max-bitrate=2000", {{"bitrate", "3000"}, {"max-bitrate", "4000"}}},
      {"bitrate=1000 max-bitrate=2000", {{"max-bitrate", "500"}, {"bitrate", "400"}}},
      {"bitrate=1000 qp-min=10 qp-max=30", {{"qp-min", "35"}, {"qp-max", "45"}}},
      {"bitrate=1000 qp-min=30 qp-max=45", {{"qp-max", "20"}, {"qp-min", "10"}}},
      {"bitrate=1000", {{"rate-control", "capped-quality"}, {"max-bitrate", "1500"}}},
      {"bitrate=1000 max-bitrate=2000",
       {{"rate-control", "cqp"}, {"quantizer", "20"}, {"rate-control", "quality"}}},
      {"rate-control=cqp", {{"rate-control", "bitrate"}, {"bitrate", "800"}, {"max-bitrate", "900"}}},
      {"rate-control=capped-quality max-bitrate=1000", {{"max-bitrate", "0"}, {"rate-control", "buffer"}}},
      {"bitrate=300", {{"bitrate", "3000"}}},
      {"bitrate=300 max-bitrate=600",
       {{"vbv-buffer", "5000"}, {"max-bitrate", "60000"}, {"bitrate", "50000"}}},
      {"bitrate=300 parallel=gop key-int-max=10",
       {{"bitrate", "900"}, {"max-bitrate", "500"}, {"qp-max", "3"}}},
  };
  for (const auto &[start, steps] : all)
    for (const char *tail : {" ! h264parse ! matroskamux ! matroskademux ! h264parse ! appsink name=out",
                             " ! video/x-h264,stream-format=avc ! h264parse ! mp4mux ! fakesink"}) {
      SCOPED_TRACE(std::string(start) + " then " + steps[0].name + "=" + steps[0].value + tail);
      const Watched w = while_playing(start, tail, 60, [&steps = steps](GstElement *encoder, int number) {
        if (number % 10 == 9 && static_cast<std::size_t>(number / 10) < steps.size())
          gst_util_set_object_arg(G_OBJECT(encoder), steps[static_cast<std::size_t>(number / 10)].name,
                                  steps[static_cast<std::size_t>(number / 10)].value);
      });
      EXPECT_EQ(w.played.error, "");
      if (std::string(tail).find("appsink") != std::string::npos) {
        EXPECT_EQ(w.played.buffers.size(), 60u);
      }
    }
}

TEST_F(H264Rate, ChangesWithinTheHeadRoomCostNeitherAKeyUnitNorNewCaps) {
  const Watched w = while_playing("bitrate=300 max-bitrate=3000 key-int-max=1000",
                                  " ! video/x-h264,stream-format=avc ! appsink name=out", 90,
                                  [](GstElement *encoder, int number) {
                                    if (number == 20) g_object_set(encoder, "bitrate", 2500u, nullptr);
                                    if (number == 40)
                                      g_object_set(encoder, "qp-min", 30u, "qp-max", 40u, nullptr);
                                    if (number == 60)
                                      g_object_set(encoder, "qp-max", 51u, "bitrate", 200u, nullptr);
                                  });
  ASSERT_EQ(w.played.error, "");
  EXPECT_EQ(key_units(w), 1);
  EXPECT_TRUE(w.warnings.empty());
}

TEST_F(H264Rate, MoreThanWasSignalledIsRefusedWithOneWarning) {
  const Watched w =
      while_playing("bitrate=300 key-int-max=1000", " ! video/x-h264,profile=main ! appsink name=out", 60,
                    [](GstElement *encoder, int number) {
                      if (number == 20) g_object_set(encoder, "bitrate", 30000u, nullptr);
                    });
  ASSERT_EQ(w.played.error, "");
  EXPECT_EQ(key_units(w), 1);
  ASSERT_EQ(w.warnings.size(), 1u);
  EXPECT_NE(w.warnings[0].find("bitrate=30000"), std::string::npos) << w.warnings[0];
  EXPECT_EQ(read_stream(all_bytes(w.played)).sps.level_idc, 13); // twice 300 kbit/s, and held
}

TEST_F(H264Rate, AnotherFrameRateGoesOnInTheSequence) {
  const Watched w =
      watch("concat name=c ! hullh264enc name=enc bitrate=300 key-int-max=1000 ! "
            "video/x-h264,stream-format=avc ! appsink name=out "
            "videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=160,height=96,framerate=30/1 ! c. "
            "videotestsrc num-buffers=20 ! video/x-raw,format=I420,width=160,height=96,framerate=15/1 ! c.");
  ASSERT_EQ(w.played.error, "");
  EXPECT_EQ(w.played.buffers.size(), 40u);
  EXPECT_EQ(key_units(w), 1);
  EXPECT_EQ(caps_text(w.played, "framerate"), "30/1");
}

TEST_F(H264Rate, ALevelDownstreamCannotRaiseIsTheLimitAndSaid) {
  const Watched w = watch(pattern("snow", 60, "width=176,height=144,framerate=15/1") +
                          " ! hullh264enc name=enc bitrate=900 key-int-max=30 ! "
                          "video/x-h264,profile=constrained-baseline,level=(string)1.1 ! "
                          "appsink name=out");
  ASSERT_EQ(w.played.error, "");
  ASSERT_GE(w.warnings.size(), 1u);
  EXPECT_NE(w.warnings[0].find("level 1.1"), std::string::npos);
  EXPECT_EQ(caps_text(w.played, "level"), "1.1");
}

struct LevelCase {
  int width, height;
  const char *rate, *filter, *level;
};

TEST_F(H264Rate, LevelsAreTrue) {
  for (const LevelCase c : {LevelCase{4096, 2304, "120/1", "", "6.1"},
                            {9216, 1024, "10/1", "", "6"},
                            {1920, 1080, "30/1", "", "4"},
                            {176, 144, "15/1", ",level=(string){1,1b},profile=constrained-baseline", "1b"},
                            {176, 144, "15/1", ",level=(string)1b,profile=high", "1b"}}) {
    const Watched w =
        watch("videotestsrc num-buffers=1 pattern=black ! video/x-raw,format=I420,width=" +
              std::to_string(c.width) + ",height=" + std::to_string(c.height) + ",framerate=" + c.rate +
              " ! hullh264enc name=enc bitrate=60 ! video/x-h264,stream-format=byte-stream" + c.filter +
              " ! appsink name=out");
    EXPECT_EQ(w.played.error, "") << c.width;
    EXPECT_EQ(caps_text(w.played, "level"), c.level) << c.width;
    EXPECT_EQ(level_name(read_stream(all_bytes(w.played)).sps), c.level) << c.width;
  }
}

TEST_F(H264Rate, ErrorsNameTheCause) {
  const auto error = [](const std::string &caps, const std::string &properties) {
    return watch("videotestsrc num-buffers=3 pattern=black ! video/x-raw,format=I420," + caps +
                 " ! hullh264enc name=enc " + properties + " ! appsink name=out")
        .played.error;
  };
  EXPECT_NE(error("width=64,height=576,framerate=25/1", "slice-mode=rows").find("36 rows"),
            std::string::npos);
  EXPECT_EQ(error("width=64,height=560,framerate=25/1", "slice-mode=rows"), "");
  EXPECT_NE(error("width=8192,height=4320,framerate=25/1", "").find("macroblocks"), std::string::npos);
  EXPECT_EQ(error("width=64,height=64,framerate=1/2", "bitrate=500"), "");
  EXPECT_EQ(error("width=64,height=64,framerate=25/1", "bitrate=300000"), "");
  const Watched slices =
      watch("videotestsrc num-buffers=3 ! video/x-raw,format=I420,width=64,height=32 ! hullh264enc name=enc "
            "slice-mode=fixed num-slices=35 ! appsink name=out");
  ASSERT_EQ(slices.warnings.size(), 1u);
  EXPECT_NE(slices.warnings[0].find("num-slices=35 became"), std::string::npos) << slices.warnings[0];
}

} // namespace
} // namespace hull::h264
