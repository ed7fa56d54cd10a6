// One cause, one message: what is wrong with the settings, the input or the disk is said once by our elements,
// whatever the elements around them add, and the message names the place that found it. hullh264enc and hullh264dec: h264_messages_test.cpp.

#include "gst/glue/ref.h"
#include "tests/support/message_place.h"

#include <filesystem>
#include <gtest/gtest.h>
#include <ostream>
#include <string>
#include <unistd.h>
#include <vector>

#include <gst/gst.h>

namespace hull {
namespace {

bool is_ours(GstMessage *message) {
  if (!GST_IS_ELEMENT(GST_MESSAGE_SRC(message))) return false;
  GstElementFactory *factory = gst_element_get_factory(GST_ELEMENT(GST_MESSAGE_SRC(message)));
  return factory && g_str_has_prefix(GST_OBJECT_NAME(factory), "hull");
}

struct Said {
  std::string words, debug;
};

Said said_by(GstMessage *message) {
  GError *error = nullptr;
  gchar *debug = nullptr;
  if (GST_MESSAGE_TYPE(message) == GST_MESSAGE_ERROR)
    gst_message_parse_error(message, &error, &debug);
  else
    gst_message_parse_warning(message, &error, &debug);
  const Said said{error->message, debug ? debug : ""};
  g_clear_error(&error);
  g_free(debug);
  return said;
}

// Errors and warnings of our elements until the pipeline has ended, or half a second after its first error:
// what still comes then is the repetition that is looked for.
std::vector<Said> messages_of(const std::string &description) {
  GError *error = nullptr;
  const auto pipeline =
      ElementRef::adopt(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(description.c_str(), &error))));
  EXPECT_EQ(error, nullptr) << error->message;
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
  std::vector<Said> said;
  GstClockTime patience = 20 * GST_SECOND;
  while (const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
             bus.get(), patience,
             static_cast<GstMessageType>(GST_MESSAGE_ERROR | GST_MESSAGE_WARNING | GST_MESSAGE_EOS)))) {
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS) break;
    if (GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_ERROR) patience = GST_SECOND / 2;
    if (is_ours(message.get())) said.push_back(said_by(message.get()));
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  return said;
}

struct Cause {
  const char *name;
  std::string pipeline, words;
  std::string source = words; ///< what stands at the place that the message names
};
void PrintTo(const Cause &cause, std::ostream *out) {
  *out << cause.name;
}

class Messages : public testing::TestWithParam<Cause> {};

TEST_P(Messages, EachCauseIsSaidOnce) {
  const Cause &cause = GetParam();
  const auto folder = std::filesystem::temp_directory_path() / ("hull-messages-" + std::to_string(getpid()));
  std::filesystem::create_directories(folder);
  std::string pipeline = cause.pipeline;
  for (std::size_t at; (at = pipeline.find("FOLDER")) != std::string::npos;)
    pipeline.replace(at, 6, folder.string());
  const auto said = messages_of(pipeline);
  std::filesystem::remove_all(folder);
  std::string all;
  for (const Said &one : said)
    all += one.words + "\n" + one.debug + "\n";
  ASSERT_EQ(said.size(), 1u) << all;
  EXPECT_NE(said[0].words.find(cause.words), std::string::npos) << all;
  EXPECT_NE(test::source_at(said[0].debug).find(cause.source), std::string::npos) << all;
}

constexpr char kRaw[] =
    "videotestsrc num-buffers=100 ! video/x-raw,format=I420,width=64,height=64,framerate=25/1";

std::string coded(const std::string &caps = "stream-format=avc") {
  return std::string(kRaw) + " ! hullh264enc bitrate=200 key-int-max=10 ! video/x-h264," + caps;
}

std::string two(const std::string &first, const std::string &second, const std::string &settings) {
  return "videotestsrc num-buffers=50 ! video/x-raw," + first +
         ",framerate=25/1 ! v.reference videotestsrc num-buffers=50 ! video/x-raw," + second +
         ",framerate=25/1 ! v.distorted_0 hullvmafsink name=v " + settings;
}

std::string name_of(const testing::TestParamInfo<Cause> &info) {
  return info.param.name;
}

INSTANTIATE_TEST_SUITE_P(
    Muxer, Messages,
    testing::Values(
        Cause{"bad_codec_data",
              coded() + " ! capssetter caps=\"video/x-h264,codec_data=(buffer)0042\" ! hullmp4mux ! fakesink",
              "codec_data"},
        Cause{"no_codec_data",
              coded() + " ! capssetter replace=true caps=\"video/x-h264,stream-format=avc,alignment=au,"
                        "width=64,height=64,framerate=25/1\" ! hullmp4mux ! fakesink",
              "codec_data"},
        Cause{"no_key", coded() + " ! hullmp4mux encryption=cenc ! video/quicktime,variant=cmaf ! fakesink",
              "key"},
        Cause{"key_in_a_whole_file",
              coded() + " ! hullmp4mux encryption=cenc key=00112233445566778899aabbccddeeff "
                        "key-id=00112233445566778899aabbccddeeff ! video/quicktime,variant=iso ! filesink "
                        "location=FOLDER/a.mp4",
              "fragments"},
        Cause{"timecode", coded() + " ! hullmp4mux timecode=nonsense ! fakesink", "timecode"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    FileSink, Messages,
    testing::Values(Cause{"no_location", coded() + " ! hullmp4mux ! hullmp4sink", "set location"},
                    Cause{"no_folder", coded() + " ! hullmp4mux ! hullmp4sink location=FOLDER/missing/a.mp4",
                          "missing", "cannot be made"},
                    Cause{"a_folder", coded() + " ! hullmp4mux ! hullmp4sink location=FOLDER", "directory",
                          "cannot be made"},
                    Cause{"full_disk", coded() + " ! hullmp4mux ! hullmp4sink location=/dev/full",
                          "No space left", "failed(\"Writing\""}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    LiveSink, Messages,
    testing::Values(Cause{"folder_is_a_file", coded() + " ! hullcmafsink port=0 location=/dev/null",
                          "Cannot write"},
                    Cause{"bad_codec_data",
                          coded() + " ! capssetter caps=\"video/x-h264,codec_data=(buffer)0042\" ! "
                                    "hullcmafsink port=0 location=FOLDER",
                          "codec_data"},
                    Cause{"no_certificate", coded() + " ! hullcmafsink port=0 tls-certificate=FOLDER/none",
                          "none", "It must be a PEM file"}),
    name_of);

INSTANTIATE_TEST_SUITE_P(
    Vmaf, Messages,
    testing::Values(
        Cause{"no_model", two("width=64,height=64", "width=64,height=64", "model-location=FOLDER/none.json"),
              "none", "cannot be read or is empty"},
        Cause{"log_folder", two("width=64,height=64", "width=64,height=64", "location=FOLDER/no/a.json"),
              "cannot be written"},
        Cause{"too_small", two("width=8,height=8", "width=8,height=8", ""), "above 32 pixels"},
        Cause{
            "one_input_only",
            "videotestsrc num-buffers=50 ! video/x-raw,width=64,height=64 ! v.reference hullvmafsink name=v",
            "no distorted input is linked", "Nothing can be scored"}),
    name_of);

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
