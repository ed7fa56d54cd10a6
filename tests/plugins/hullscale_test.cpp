#include "gst/core/bytes.h"
#include "gst/glue/ref.h"

#include <cmath>
#include <cstdlib>
#include <fstream>
#include <gtest/gtest.h>
#include <vector>

#include <gst/gst.h>

namespace hull {
namespace {

ByteVector file(const std::string &path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Runs a pipeline to its end; the text of its error otherwise.
std::string run(const std::string &description) {
  GError *error = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(description.c_str(), &error));
  if (error) {
    std::string text = error->message;
    g_clear_error(&error);
    return text;
  }
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
      bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  if (!message) return "no end after 30 s";
  if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) return {};
  gst_message_parse_error(message.get(), &error, nullptr);
  std::string text = error->message;
  g_clear_error(&error);
  return text;
}

class HullScale : public testing::Test {
 protected:
  static void SetUpTestSuite() { gst_init(nullptr, nullptr); }
  void SetUp() override {
    char name[] = "/tmp/hullscale-XXXXXX";
    folder_ = mkdtemp(name);
  }
  void TearDown() override {
    for (const char *name : {"/in.raw", "/out.raw", "/peer.raw"})
      std::remove((folder_ + name).c_str());
    std::remove(folder_.c_str());
  }
  std::string path(const char *name) const { return folder_ + "/" + name; }
  std::string folder_;
};

TEST_F(HullScale, AFlatPictureStaysFlat) {
  ASSERT_EQ(
      run("videotestsrc num-buffers=1 pattern=solid-color foreground-color=0xff336699 ! "
          "video/x-raw,format=I420,width=322,"
          "height=202 ! tee name=t t. ! queue ! filesink location=" +
          path("in.raw") +
          " t. ! queue ! hullscale ! video/x-raw,width=130,height=98 ! filesink location=" + path("out.raw")),
      "");
  const ByteVector in = file(path("in.raw")), out = file(path("out.raw"));
  ASSERT_EQ(out.size(), 132u * 98 + 2 * 68 * 49);
  for (int y = 0; y < 98; ++y)
    for (int x = 0; x < 130; ++x)
      ASSERT_EQ(out[static_cast<std::size_t>(y * 132 + x)], in[0]);
}

TEST_F(HullScale, EqualSizesPassThroughUntouched) {
  ASSERT_EQ(run("videotestsrc num-buffers=3 pattern=snow ! video/x-raw,format=Y444,width=64,height=48 ! tee "
                "name=t t. ! queue ! "
                "filesink location=" +
                path("in.raw") + " t. ! queue ! hullscale ! filesink location=" + path("out.raw")),
            "");
  EXPECT_EQ(file(path("in.raw")), file(path("out.raw")));
}

TEST_F(HullScale, KeepsThePicturesShapeWhereThePixelsAreFree) {
  EXPECT_EQ(run("videotestsrc num-buffers=1 ! video/x-raw,width=320,height=240 ! hullscale ! "
                "video/x-raw,width=160,height=240,pixel-aspect-ratio=2/1 ! fakesink"),
            "");
}

// The field's figures are made with swscale's bicubic; ours may differ from it by rounding only.
TEST_F(HullScale, AgreesWithSwscalesBicubic) {
  if (std::system("command -v ffmpeg >/dev/null 2>&1") != 0) GTEST_SKIP() << "ffmpeg is not installed";
  for (const auto &[width, height] : {std::pair{320, 180}, {640, 360}, {1280, 720}}) {
    const std::string size = std::to_string(width) + "x" + std::to_string(height);
    ASSERT_EQ(run("videotestsrc num-buffers=1 pattern=zone-plate kx2=8 ky2=8 ! "
                  "video/x-raw,format=GRAY8,width=640,height=360 ! tee name=t "
                  "t. ! queue ! filesink location=" +
                  path("in.raw") + " t. ! queue ! hullscale ! video/x-raw,width=" + std::to_string(width) +
                  ",height=" + std::to_string(height) + " ! filesink location=" + path("out.raw")),
              "");
    ASSERT_EQ(std::system(("ffmpeg -v error -y -f rawvideo -pix_fmt gray -s 640x360 -i " + path("in.raw") +
                           " -vf scale=" + size + ":flags=bicubic+accurate_rnd -f rawvideo -pix_fmt gray " +
                           path("peer.raw"))
                              .c_str()),
              0);
    const ByteVector ours = file(path("out.raw")), peer = file(path("peer.raw"));
    ASSERT_EQ(ours.size(), peer.size()) << size;
    double sum = 0;
    for (std::size_t i = 0; i < ours.size(); ++i)
      sum += std::abs(ours[i] - peer[i]);
    EXPECT_LT(sum / static_cast<double>(ours.size()), 0.5) << size;
  }
}

} // namespace
} // namespace hull
