#include "tests/plugins/cmaf_support.h"
#include "tests/plugins/property_access.h"

namespace hull {
namespace {

using test::Place;

class CmafAccess : public cmaf_test::CmafSinkBase {};

TEST_F(CmafAccess, PropertiesAreReadableFromEverywhereAtAnyTime) {
  GError *error = nullptr;
  pipeline_ = ElementRef::retain(
      gst_parse_launch(("videotestsrc is-live=true num-buffers=50 ! video/x-raw,width=64,height=64,"
                        "framerate=25/1 ! hullh264enc key-int-max=1000 ! h264parse name=end " +
                        sink())
                           .c_str(),
                       &error));
  ASSERT_FALSE(error) << error->message;
  sink_ = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "s"));
  const auto end = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline_.get()), "end"));
  test::PropertyAccess access(pipeline_.get(), sink_.get());
  ASSERT_TRUE(gst_element_link_pads(end.get(), "src", sink_.get(), "video_0"));
  for (int round = 0; round < 2; ++round) { // the second time everything was there before
    gst_element_set_state(pipeline_.get(), GST_STATE_PLAYING);
    const MessageRef message = wait(
        static_cast<GstMessageType>(static_cast<int>(GST_MESSAGE_EOS) | static_cast<int>(GST_MESSAGE_ERROR)));
    ASSERT_TRUE(message);
    EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
    EXPECT_GE(stat("segments"), 3u);
    stop();
  }
  for (const Place place : {Place::pad_added, Place::element_added, Place::deep_element_added,
                            Place::child_added, Place::deep_notify, Place::probe, Place::bus, Place::thread})
    EXPECT_GT(access.reads(place), 0u) << static_cast<int>(place);
  GstPad *pad = gst_element_get_static_pad(sink_.get(), "video_0");
  gst_element_release_request_pad(sink_.get(), pad);
  gst_object_unref(pad);
}

} // namespace
} // namespace hull
