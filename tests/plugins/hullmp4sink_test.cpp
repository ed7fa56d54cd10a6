#include "gst/isobmff/boxes/file.h"
#include "gst/isobmff/file/layout.h"
#include "tests/plugins/mp4_support.h"
#include "tests/support/sanitizer.h"

#include <algorithm>
#include <gtest/gtest.h>

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

// Sound needs no video encoder: what Debian's base plugins have.
const std::string kSound =
    "audiotestsrc num-buffers=500 samplesperbuffer=960 ! audio/x-raw,rate=48000 ! opusenc ! ";

std::vector<std::string> top_level(const std::string &path) {
  std::vector<std::string> types;
  auto source = FileSource::open(path);
  if (!source) return types;
  (void)for_each_box(*source, [&types](Node &node) {
    types.push_back(node.type().text());
    return true;
  });
  return types;
}

int count(const std::string &number) {
  return std::atoi(number.c_str());
}

class Layouts : public testing::TestWithParam<const char *> {};

TEST_P(Layouts, PacketsAreThoseOfTheEncoder) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe is the second opinion";
  const Folder folder;
  const std::string file = folder / "a.mp4";
  const Ran ran = launch(kSound + "hullmp4mux ! hullmp4sink layout=" + GetParam() + " location=" + file);
  ASSERT_EQ(ran.error, "");
  EXPECT_EQ(probed(file, "a", "codec_name"), "opus");
  const Ran plain =
      launch(kSound + "hullmp4mux ! video/quicktime,variant=iso ! filesink location=" + (folder / "b.mp4"));
  ASSERT_EQ(plain.error, "");
  const auto packets = [](const std::string &path) {
    return output_of("ffmpeg -v error -i '" + path +
                     "' -map 0:a -c copy -f framehash - | grep -v '^#' | sed 's/.*, *//'");
  };
  EXPECT_EQ(packets(file), packets(folder / "b.mp4"));
  EXPECT_FALSE(packets(file).empty());
  EXPECT_EQ(probed(file, "a", "duration"), probed(folder / "b.mp4", "a", "duration"));
}

TEST_P(Layouts, QtdemuxPlaysIt) {
  if (!has("qtdemux")) GTEST_SKIP() << "needs qtdemux";
  const Folder folder;
  const std::string file = folder / "a.mp4";
  ASSERT_EQ(launch(kSound + "hullmp4mux ! hullmp4sink layout=" + GetParam() + " location=" + file).error, "");
  EXPECT_EQ(launch("filesrc location=" + file + " ! qtdemux ! fakesink").error, "");
}

INSTANTIATE_TEST_SUITE_P(All, Layouts,
                         testing::Values("auto", "hybrid", "insert", "spool", "tail", "reserve"));

TEST(Mp4Sink, ARecordingEndsUnfragmentedWithTheMovieBoxFirst) {
  const Folder folder;
  const std::string file = folder / "a.mp4";
  ASSERT_EQ(launch(kSound + "hullmp4mux ! hullmp4sink location=" + file).error, "");
  const auto types = top_level(file);
  EXPECT_EQ(std::count(types.begin(), types.end(), "moof"), 0);
  auto probe = OutputFile::open(file);
  ASSERT_TRUE(probe);
  if (!probe->insert(0, probe->block_size())) {
    EXPECT_EQ(types.back(), "moov"); // this file system cannot insert
    return;
  }
  EXPECT_EQ(types.at(1), "moov");
}

TEST(Mp4Sink, ACmafTrackFileGetsItsIndex) {
  const Folder folder;
  const std::string file = folder / "a.mp4";
  ASSERT_EQ(
      launch(kSound + "hullmp4mux ! video/quicktime,variant=cmaf ! hullmp4sink sidx=true location=" + file)
          .error,
      "");
  const auto types = top_level(file);
  ASSERT_GT(types.size(), 4u);
  EXPECT_EQ(types[2], "sidx");
  EXPECT_EQ(types[3], "moof");
}

// READY is where a location may change, and what begins a new file; applications go there and back.
TEST(Mp4Sink, EachWayFromReadyToEosIsAFile) {
  const Folder folder;
  const auto pipeline = ElementRef::adopt(GST_ELEMENT(gst_object_ref_sink(gst_parse_launch(
      (kSound + "hullmp4mux ! hullmp4sink name=s location=" + (folder / "never.mp4")).c_str(), nullptr))));
  const auto sink = ElementRef::adopt(gst_bin_get_by_name(GST_BIN(pipeline.get()), "s"));
  const auto bus = ObjectRef<GstBus>::adopt(gst_element_get_bus(pipeline.get()));
  for (const char *name : {"a.mp4", "b.mp4"}) {
    gst_element_set_state(pipeline.get(), GST_STATE_READY);
    g_object_set(sink.get(), "location", (folder / name).c_str(), nullptr);
    gst_element_set_state(pipeline.get(), GST_STATE_PLAYING);
    const auto message = MessageRef::adopt(gst_bus_timed_pop_filtered(
        bus.get(), 30 * GST_SECOND, static_cast<GstMessageType>(GST_MESSAGE_EOS | GST_MESSAGE_ERROR)));
    ASSERT_TRUE(message && GST_MESSAGE_TYPE(message.get()) == GST_MESSAGE_EOS);
  }
  gst_element_set_state(pipeline.get(), GST_STATE_NULL);
  EXPECT_FALSE(std::filesystem::exists(folder / "never.mp4"));
  EXPECT_EQ(top_level(folder / "a.mp4"), top_level(folder / "b.mp4"));
  EXPECT_EQ(std::filesystem::file_size(folder / "a.mp4"), std::filesystem::file_size(folder / "b.mp4"));
}

TEST(Mp4Sink, RotationLosesNothing) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe counts";
  const Folder folder;
  ASSERT_EQ(
      launch(kSound +
             "hullmp4mux fragment-duration=1000000000 ! hullmp4sink max-size-time=2500000000 location=" +
             (folder / "part-%02d.mp4"))
          .error,
      "");
  int packets = 0, files = 0;
  for (int i = 0; i < 10; ++i) {
    char name[32];
    std::snprintf(name, sizeof name, "part-%02d.mp4", i);
    if (!std::filesystem::exists(folder / name)) break;
    packets += count(probed(folder / name, "a", "nb_read_packets"));
    ++files;
  }
  ASSERT_EQ(launch(kSound + "hullmp4mux ! hullmp4sink location=" + (folder / "one.mp4")).error, "");
  EXPECT_EQ(packets, count(probed(folder / "one.mp4", "a", "nb_read_packets")));
  EXPECT_EQ(files, 4);
}

TEST(Mp4Sink, BadSettingsAreNamed) {
  EXPECT_NE(launch("fakesrc num-buffers=1 ! hullmp4sink").error.find("set location"), std::string::npos);
  EXPECT_NE(launch("fakesrc num-buffers=1 ! hullmp4sink location=/nonexistent/a.mp4")
                .error.find("/nonexistent/a.mp4"),
            std::string::npos);
  EXPECT_NE(
      launch("fakesrc num-buffers=1 ! hullmp4sink max-size-bytes=99 location=/tmp/%s%n.mp4").error.find("%d"),
      std::string::npos);
}

// A limit on the file's size stands for a full disk: the write fails in the middle of a chunk.
TEST(Mp4Sink, WhatIsOnAFullDiskStaysPlayable) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe counts";
  if (test::kAddressSanitizer)
    GTEST_SKIP() << "gst-launch-1.0, a program without the sanitizer, cannot load plugins that have it";
  const Folder folder;
  for (const int limit : {30'000, 50'001, 77'777}) {
    const std::string file = folder / ("full" + std::to_string(limit) + ".mp4");
    const std::string command = "ulimit -f " + std::to_string(limit / 1024) +
                                "; trap '' XFSZ; gst-launch-1.0 -q " + kSound +
                                "hullmp4mux fragment-duration=1000000000 ! hullmp4sink location=" + file;
    const std::string said = output_of("bash -c \"" + command + "\"");
    EXPECT_NE(said.find("no room"), std::string::npos) << said;
    EXPECT_NE(said.find("MiB are left"), std::string::npos) << said;
    auto source = FileSource::open(file);
    ASSERT_TRUE(source);
    auto end = for_each_box(*source, [](Node &) { return true; });
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, source->size()); // ends with a whole box
    EXPECT_GT(count(probed(file, "a", "nb_read_packets")), 40);
  }
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
