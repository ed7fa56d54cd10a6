// Every readable property of hullmp4mux and hullmp4sink can be read from any thread at any time.

#include "tests/plugins/mp4_support.h"
#include "tests/plugins/property_access.h"

#include <filesystem>
#include <gtest/gtest.h>

namespace hull {
namespace {

using test::Place;
using test::run_twice;

class Mp4Access : public testing::TestWithParam<const char *> {};

TEST_P(Mp4Access, PropertiesAreReadableFromEverywhereAtAnyTime) {
  const std::string path = testing::TempDir() + "/mp4_access_" + GetParam() + ".mp4";
  GError *error = nullptr;
  const auto pipeline = ElementRef::retain(
      gst_parse_launch(("videotestsrc num-buffers=50 ! video/x-raw,width=64,height=64,framerate=25/1 ! "
                        "hullh264enc key-int-max=25 ! "
                        "h264parse name=end hullmp4mux name=hullmp4mux fragment-duration=500000000 ! "
                        "hullmp4sink name=hullmp4sink "
                        "location=" +
                        path)
                           .c_str(),
                       &error));
  ASSERT_FALSE(error) << error->message;
  const auto find = [&](const char *name) {
    return ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), name));
  };
  test::PropertyAccess access(pipeline.get(), find(GetParam()).get());
  ASSERT_TRUE(gst_element_link_pads(find("end").get(), "src", find("hullmp4mux").get(), "video_0"));
  run_twice(pipeline.get());
  for (const Place place : {Place::deep_notify, Place::bus, Place::thread})
    EXPECT_GT(access.reads(place), 0u) << static_cast<int>(place);
  if (std::string(GetParam()) == "hullmp4mux") {
    EXPECT_GT(access.reads(Place::pad_added), 0u);
    EXPECT_GT(access.reads(Place::probe), 0u);
  }
  std::filesystem::remove(path);
}

INSTANTIATE_TEST_SUITE_P(Elements, Mp4Access, testing::Values("hullmp4mux", "hullmp4sink"));

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
