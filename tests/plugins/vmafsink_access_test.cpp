#include "tests/plugins/property_access.h"
#include "tests/plugins/vmaf_support.h"

#include <cmath>

namespace hull {
namespace {

using namespace vmaf_test;
using test::Place;

TEST(VmafSinkAccess, PropertiesAreReadableFromEverywhereAtAnyTime) {
  gst_init(nullptr, nullptr);
  const auto pipeline = ElementRef::retain(gst_pipeline_new(nullptr));
  GstElement *sink = gst_element_factory_make("hullvmafsink", "v");
  ASSERT_TRUE(sink) << "hullvmafsink is not found: GST_PLUGIN_PATH must name its folder";
  gst_bin_add(GST_BIN(pipeline.get()), sink);
  g_object_set(sink, "auto-align", 3u, nullptr);
  test::PropertyAccess access(pipeline.get(), sink);
  for (const char *pad : {"reference", "distorted_0", "distorted_1"}) {
    GError *error = nullptr;
    GstElement *branch = gst_parse_bin_from_description((source(40) + "queue").c_str(), TRUE, &error);
    ASSERT_TRUE(branch) << error->message;
    gst_bin_add(GST_BIN(pipeline.get()), branch);
    ASSERT_TRUE(gst_element_link_pads(branch, "src", sink, pad));
  }
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  for (int round = 0; round < 2; ++round) { // the second time results of the first are there
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
        bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    ASSERT_TRUE(message);
    EXPECT_EQ(GST_MESSAGE_TYPE(message.get()), GST_MESSAGE_EOS);
    if (round == 0) gst_element_set_state(pipeline.get(), GST_STATE_READY);
  }
  // A pad goes while others read it.
  GstPad *leaving = gst_element_get_static_pad(sink, "distorted_1");
  gst_element_release_request_pad(sink, leaving);
  gchar *result = nullptr;
  g_object_get(leaving, "result", &result, nullptr);
  EXPECT_EQ(result, nullptr);
  gst_object_unref(leaving);
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  for (const Place place :
       {Place::pad_added, Place::child_added, Place::deep_notify, Place::probe, Place::bus, Place::thread})
    EXPECT_GT(access.reads(place), 0u) << static_cast<int>(place);
}

/// While a pad is released, whoever hears of it may still read it.
TEST(VmafSinkAccess, APadIsReadableWhileItIsReleased) {
  Playback run("hullvmafsink name=v" + source(4) + "v.reference" + source(4) + "v.distorted_0" + source(4) +
               "v.distorted_1");
  ASSERT_TRUE(run.play().ok);
  const auto sink = run.element("v");
  struct Read {
    bool done = false;
    std::string result;
    double score = 0;
  } read;
  const auto on_removed = +[](GstChildProxy *, GObject *pad, gchar *, gpointer data) {
    auto &into = *static_cast<Read *>(data);
    gchar *result = nullptr;
    g_object_get(pad, "result", &result, "score", &into.score, nullptr);
    into.result = result ? result : "";
    into.done = true;
    g_free(result);
  };
  g_signal_connect(sink.get(), "child-removed", G_CALLBACK(on_removed), &read);
  const auto leaving = run.pad("distorted_0");
  gst_element_release_request_pad(sink.get(), leaving.get());
  g_signal_handlers_disconnect_by_data(sink.get(), &read);
  EXPECT_TRUE(read.done);
  EXPECT_EQ(read.result, "");
  EXPECT_TRUE(std::isnan(read.score));
  EXPECT_FALSE(run.result("distorted_1").is_discarded());
}

} // namespace
} // namespace hull
