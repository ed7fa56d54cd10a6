// Every readable property of hullh264enc, hullh264dec, hullrtpfeedback and hullscale can be read from any
// thread at any time.

#include "tests/plugins/property_access.h"

#include <gtest/gtest.h>
#include <string>

namespace hull {
namespace {

using test::Place;
using test::run_twice;

struct Case {
  const char *element, *settings;
};

class H264Access : public testing::TestWithParam<Case> {};

// Settings that are warned of, so that messages are among the places.
TEST_P(H264Access, PropertiesAreReadableFromEverywhereAtAnyTime) {
  const Case &one = GetParam();
  GError *error = nullptr;
  const auto pipeline = ElementRef::retain(gst_parse_launch(
      (std::string("videotestsrc num-buffers=60 pattern=snow ! "
                   "video/x-raw,width=64,height=64,framerate=25/1 ! hullscale name=hullscale ! "
                   "video/x-raw,width=48,height=48 ! hullh264enc name=hullh264enc ") +
       one.settings + " ! hullrtpfeedback name=hullrtpfeedback ! hullh264dec name=hullh264dec ! fakesink")
          .c_str(),
      &error));
  ASSERT_FALSE(error) << error->message;
  const auto element = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), one.element));
  test::PropertyAccess access(pipeline.get(), element.get());
  run_twice(pipeline.get());
  for (const Place place : {Place::deep_notify, Place::probe, Place::bus, Place::thread})
    EXPECT_GT(access.reads(place), 0u) << static_cast<int>(place);
}

INSTANTIATE_TEST_SUITE_P(Elements, H264Access,
                         testing::Values(Case{"hullh264enc", "slice-mode=fixed num-slices=35 bitrate=1"},
                                         Case{"hullh264enc", "parallel=gop threads=2 key-int-max=10"},
                                         Case{"hullh264dec", ""}, Case{"hullrtpfeedback", ""},
                                         Case{"hullscale", ""}));

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
