// Plugins that are linked in instead of loaded: each registers itself, each element registers alone, and one
// of each is made. Built only with -Ddefault_library=static.

#include <gtest/gtest.h>
#include <set>
#include <string>

#include <gst/gst.h>

G_BEGIN_DECLS
GST_PLUGIN_STATIC_DECLARE(hullh264);
GST_PLUGIN_STATIC_DECLARE(hullmp4);
GST_PLUGIN_STATIC_DECLARE(hullvmaf);
GST_PLUGIN_STATIC_DECLARE(hullcmaf);
GST_ELEMENT_REGISTER_DECLARE(hullh264enc)
GST_ELEMENT_REGISTER_DECLARE(hullh264dec)
GST_ELEMENT_REGISTER_DECLARE(hullrtpfeedback)
GST_ELEMENT_REGISTER_DECLARE(hullmp4mux)
GST_ELEMENT_REGISTER_DECLARE(hullmp4sink)
GST_ELEMENT_REGISTER_DECLARE(hullvmafsink)
GST_ELEMENT_REGISTER_DECLARE(hullscale)
GST_ELEMENT_REGISTER_DECLARE(hullcmafsink)
G_END_DECLS

namespace {

const std::set<std::string> kElements{"hullh264enc", "hullh264dec",  "hullrtpfeedback", "hullmp4mux",
                                      "hullmp4sink", "hullvmafsink", "hullscale",       "hullcmafsink"};

void expect_each_is_made() {
  for (const std::string &name : kElements) {
    GstElement *element = gst_element_factory_make(name.c_str(), nullptr);
    ASSERT_TRUE(element) << name;
    gst_object_unref(gst_object_ref_sink(element));
  }
}

TEST(Static, ElementsRegisterAlone) {
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullh264enc, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullh264dec, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullrtpfeedback, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullmp4mux, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullmp4sink, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullvmafsink, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullscale, nullptr));
  EXPECT_TRUE(GST_ELEMENT_REGISTER(hullcmafsink, nullptr));
  expect_each_is_made();
}

TEST(Static, PluginsRegisterTheirElements) {
  GST_PLUGIN_STATIC_REGISTER(hullh264);
  GST_PLUGIN_STATIC_REGISTER(hullmp4);
  GST_PLUGIN_STATIC_REGISTER(hullvmaf);
  GST_PLUGIN_STATIC_REGISTER(hullcmaf);
  std::set<std::string> found;
  for (const char *plugin : {"hullh264", "hullmp4", "hullvmaf", "hullcmaf"}) {
    GstPlugin *linked = gst_registry_find_plugin(gst_registry_get(), plugin);
    ASSERT_TRUE(linked) << plugin;
    EXPECT_EQ(gst_plugin_get_filename(linked), nullptr) << plugin; // it is not an installed one
    gst_object_unref(linked);
    GList *features = gst_registry_get_feature_list_by_plugin(gst_registry_get(), plugin);
    for (GList *at = features; at; at = at->next)
      found.insert(gst_plugin_feature_get_name(static_cast<GstPluginFeature *>(at->data)));
    gst_plugin_feature_list_free(features);
  }
  EXPECT_EQ(found, kElements);
  expect_each_is_made();
}

// Two plugins that hold the same rooms, in one pipeline.
TEST(Static, APipelineRuns) {
  GError *error = nullptr;
  GstElement *pipeline =
      gst_parse_launch("videotestsrc num-buffers=5 ! video/x-raw,width=64,height=64 ! hullh264enc ! "
                       "hullh264dec ! hullscale ! video/x-raw,width=32,height=32 ! fakesink",
                       &error);
  if (error) GTEST_SKIP() << error->message; // without videotestsrc
  gst_element_set_state(pipeline, GST_STATE_PLAYING);
  GstBus *bus = gst_element_get_bus(pipeline);
  const auto end = static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR);
  GstMessage *message = gst_bus_timed_pop_filtered(bus, 60 * GST_SECOND, end);
  ASSERT_TRUE(message);
  EXPECT_EQ(GST_MESSAGE_TYPE(message), GST_MESSAGE_EOS);
  gst_message_unref(message);
  gst_object_unref(bus);
  gst_element_set_state(pipeline, GST_STATE_NULL);
  gst_object_unref(pipeline);
}

} // namespace

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
