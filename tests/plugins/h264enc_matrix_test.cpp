// Hard pictures through hullh264enc in seeded combinations of everything that sets the size of its output: it
// must code them all, and what comes out must be the pictures. HULL_MATRIX says how many combinations (100),
// and HULL_MATRIX_FROM the first seed.

#include "gst/h264/activity.h"
#include "tests/plugins/h264_support.h"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <random>
#include <tuple>

namespace hull::h264 {
namespace {

class H264Matrix : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
};

using Random = std::mt19937;

template <class T> const T &one_of(Random &random, const std::vector<T> &values) {
  return values[random() % values.size()];
}

enum class Pattern {
  binary,
  grey_noise,
  colour_noise,
  checkers,
  squares,
  stripes,
  black_white,
  half_noise,
  calm_then_noise,
  flat
};

struct Size {
  int width, height;
};

struct Case {
  Size size{};
  Pattern pattern{};
  int pictures = 4;
  std::string properties, profile, rate;
  bool constant = false, may_skip = false;
  std::string name() const {
    return std::to_string(size.width) + "x" + std::to_string(size.height) + " pattern " +
           std::to_string(static_cast<int>(pattern)) + " " + rate + " " + profile + " " + properties;
  }
};

ByteVector make_picture(const Case &c, int number, Random &random) {
  const auto width = static_cast<std::size_t>(c.size.width), height = static_cast<std::size_t>(c.size.height);
  ByteVector picture(width * height * 3 / 2, 128);
  const auto fill = [&](std::size_t at, std::size_t w, std::size_t h, bool luma) {
    for (std::size_t y = 0; y < h; ++y)
      for (std::size_t x = 0; x < w; ++x) {
        std::uint8_t &sample = picture[at + y * w + x];
        const auto noise = [&] { return static_cast<std::uint8_t>(random()); };
        const auto extreme = [](bool on) -> std::uint8_t { return on ? 255 : 0; };
        switch (c.pattern) {
        case Pattern::binary:
          sample = extreme(random() & 1);
          break;
        case Pattern::grey_noise:
          if (luma) sample = noise();
          break;
        case Pattern::colour_noise:
          sample = noise();
          break;
        case Pattern::checkers:
          sample = extreme((x + y + static_cast<unsigned>(number)) & 1);
          break;
        case Pattern::squares:
          sample = extreme(((x / 3 + y / 5) ^ static_cast<unsigned>(number)) & 1);
          break;
        case Pattern::stripes:
          sample = extreme((x ^ (y / 8 * 7)) & 2);
          break;
        case Pattern::black_white:
          sample = extreme(number & 1);
          break;
        case Pattern::half_noise:
          if (y > h / 2) sample = extreme(random() & 1);
          break;
        case Pattern::calm_then_noise:
          sample = number < 2 ? static_cast<std::uint8_t>(x) : extreme(random() & 1);
          break;
        case Pattern::flat:
          break;
        }
      }
  };
  fill(0, width, height, true);
  fill(width * height, width / 2, height / 2, false);
  fill(width * height * 5 / 4, width / 2, height / 2, false);
  return picture;
}

Case make_case(unsigned seed) {
  Random random(seed);
  Case c;
  c.size = one_of<Size>(random, {{16, 16},
                                 {18, 16},
                                 {16, 34},
                                 {32, 32},
                                 {34, 18},
                                 {48, 64},
                                 {64, 64},
                                 {176, 144},
                                 {178, 98},
                                 {320, 180},
                                 {322, 242},
                                 {640, 32},
                                 {32, 640},
                                 {640, 360},
                                 {854, 480},
                                 {1280, 720}});
  c.pattern = static_cast<Pattern>(random() % 10);
  c.pictures = c.size.width * c.size.height > 200'000 ? 3 : 6;
  c.profile = one_of<std::string>(random, {"constrained-baseline", "main", "high"});
  c.rate = one_of<std::string>(random, {"1/2", "25/1", "30000/1001", "60/1", "240/1", "1000/1"});
  const auto control = one_of<std::string>(
      random, {"cqp", "cqp", "bitrate", "quality", "buffer", "timestamp", "capped-quality"});
  const int quantizer = static_cast<int>(random() % 52);
  const int kbps = one_of<int>(random, {30, 100, 500, 2000, 20'000, 200'000});
  c.constant = control == "cqp";
  std::string p = "rate-control=" + control + " quantizer=" + std::to_string(quantizer) +
                  " bitrate=" + std::to_string(kbps);
  if (control == "capped-quality" || random() % 3 == 0)
    p += " max-bitrate=" + std::to_string(kbps * (1 + random() % 2));
  if (random() % 3 == 0) p += " vbv-buffer=" + std::to_string(one_of<int>(random, {40, 200, 1000, 3000}));
  const auto slices = one_of<std::string>(random, {"single", "single", "fixed", "rows", "size-limited"});
  p += " slice-mode=" + (slices == "rows" && c.size.height > 560 ? "fixed" : slices);
  p += " num-slices=" + std::to_string(random() % 36) + " threads=" + std::to_string(1 + random() % 4);
  p += " max-slice-size=" + std::to_string(one_of<int>(random, {500, 900, 1200, 9000}));
  p += " temporal-layers=" + std::to_string(random() % 4 == 0 ? 1 + random() % 4 : 1);
  if (random() % 5 == 0) p += " usage-type=screen";
  if (random() % 5 == 0) p += " complexity=low";
  if (random() % 8 == 0) p += " denoise=true";
  if (random() % 8 == 0) p += " background-detection=true";
  if (random() % 8 == 0) p += " scene-cut=true";
  if (random() % 8 == 0 && control != "timestamp") p += " parallel=gop key-int-max=2";
  if (random() % 8 == 0) p += " entropy-coding=cavlc";
  if (random() % 6 == 0) {
    p += " frame-skip=true";
    c.may_skip = true;
  }
  c.properties = p;
  return c;
}

GstVideoInfo info_of(const Case &c) {
  GstVideoInfo info;
  gst_video_info_set_format(&info, GST_VIDEO_FORMAT_I420, static_cast<guint>(c.size.width),
                            static_cast<guint>(c.size.height));
  return info;
}

BufferRef unpacked(const Case &c, const ByteVector &bytes) {
  const GstVideoInfo info = info_of(c);
  auto buffer = BufferRef::adopt(gst_buffer_new_allocate(nullptr, info.size, nullptr));
  MappedFrame frame(info, buffer.get(), GST_MAP_WRITE);
  const std::uint8_t *from = bytes.data();
  for (unsigned p = 0; p < 3; ++p)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame.get(), p); ++y) {
      const int width = GST_VIDEO_FRAME_COMP_WIDTH(frame.get(), p);
      std::copy_n(from, width, frame.plane(p) + y * frame.stride(p));
      from += width;
    }
  return buffer;
}

ByteVector packed(const Case &c, GstBuffer *buffer) {
  const GstVideoInfo info = info_of(c);
  MappedFrame frame(info, buffer, GST_MAP_READ);
  ByteVector bytes;
  for (unsigned p = 0; p < 3; ++p)
    for (int y = 0; y < GST_VIDEO_FRAME_COMP_HEIGHT(frame.get(), p); ++y)
      append(bytes, {frame.plane(p) + y * frame.stride(p),
                     static_cast<std::size_t>(GST_VIDEO_FRAME_COMP_WIDTH(frame.get(), p))});
  return bytes;
}

double mean_difference(const ByteVector &a, const ByteVector &b) {
  double sum = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    sum += std::abs(a[i] - b[i]);
  return sum / static_cast<double>(a.size());
}

// What was decoded: pictures, and how far they are from what went in, with the worst quantizer they may have
// had.
struct Outcome {
  Played played;
  std::size_t largest_slice = 0;
  std::vector<double> quantizers;
};

Outcome run(const Case &c, const std::vector<ByteVector> &pictures) {
  Outcome outcome;
  const std::string caps = "video/x-raw,format=I420,width=" + std::to_string(c.size.width) +
                           ",height=" + std::to_string(c.size.height) + ",framerate=" + c.rate;
  int num = 1, den = 1;
  std::tie(num, den) = fraction(c.rate); // clang 14 lets no lambda see a structured binding
  outcome.played =
      play("appsrc name=in format=time max-bytes=0 caps=\"" + caps + "\" ! hullh264enc name=enc " +
               c.properties + " ! video/x-h264,stream-format=byte-stream,profile=" + c.profile +
               " ! identity name=at signal-handoffs=true ! h264parse ! avdec_h264 max-threads=1 ! "
               "video/x-raw,format=I420 ! "
               "appsink name=out",
           [&](GstElement *pipeline) {
             const auto at = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "at"));
             g_signal_connect(
                 at.get(), "handoff", G_CALLBACK(+[](GstElement *, GstBuffer *buffer, Outcome *to) {
                   const ByteVector bytes = bytes_of(buffer);
                   for (const Nal &nal : split_annexb(bytes))
                     if (nal.is_slice()) to->largest_slice = std::max(to->largest_slice, nal.data.size());
                   GstCustomMeta *meta = gst_buffer_get_custom_meta(buffer, "HullCodedPictureMeta");
                   double quantizer = -1;
                   if (meta)
                     gst_structure_get_double(gst_custom_meta_get_structure(meta), "quantizer", &quantizer);
                   to->quantizers.push_back(quantizer);
                 }),
                 &outcome);
             const auto in = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline), "in"));
             GstFlowReturn flow;
             for (std::size_t i = 0; i < pictures.size(); ++i) {
               GstBuffer *buffer = unpacked(c, pictures[i]).release();
               GST_BUFFER_PTS(buffer) = gst_util_uint64_scale(i * GST_SECOND, static_cast<guint64>(den),
                                                              static_cast<guint64>(num));
               g_signal_emit_by_name(in.get(), "push-buffer", buffer, &flow);
               gst_buffer_unref(buffer);
             }
             g_signal_emit_by_name(in.get(), "end-of-stream", &flow);
           });
  return outcome;
}

void check(unsigned seed) {
  const Case c = make_case(seed);
  SCOPED_TRACE("seed " + std::to_string(seed) + ": " + c.name());
  Random random(seed);
  std::vector<ByteVector> pictures;
  for (int i = 0; i < c.pictures; ++i)
    pictures.push_back(make_picture(c, i, random));
  const Outcome outcome = run(c, pictures);
  EXPECT_EQ(outcome.played.error, "");
  if (!c.may_skip) {
    EXPECT_EQ(outcome.quantizers.size(), pictures.size());
  }
  EXPECT_GT(outcome.quantizers.size(), 0u);
  EXPECT_EQ(outcome.played.buffers.size(), outcome.quantizers.size());
  const std::size_t limited = c.properties.find("slice-mode=size-limited");
  if (limited != std::string::npos) {
    EXPECT_LE(outcome.largest_slice,
              std::strtoul(c.properties.c_str() + c.properties.find("max-slice-size=") + 15, nullptr, 10));
  }
  if (c.may_skip || outcome.played.buffers.size() != pictures.size() ||
      c.properties.find("denoise") != std::string::npos)
    return;
  for (std::size_t i = 0; i < pictures.size(); ++i)
    EXPECT_LT(mean_difference(pictures[i], packed(c, outcome.played.buffers[i].get())),
              step_of(outcome.quantizers[i]) * 0.6 + 2)
        << i;
}

unsigned number(const char *name, unsigned otherwise) {
  const char *text = std::getenv(name);
  return text ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : otherwise;
}

TEST_F(H264Matrix, EveryHardPictureIsCoded) {
  const unsigned from = number("HULL_MATRIX_FROM", 0), count = number("HULL_MATRIX", 100);
  for (unsigned seed = from; seed < from + count; ++seed)
    check(seed);
}

} // namespace
} // namespace hull::h264
