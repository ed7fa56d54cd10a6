#include "gst/isobmff/fragment_scan.h"
#include "gst/isobmff/layout.h"
#include "tests/plugins/mp4_support.h"

#include <csignal>
#include <gtest/gtest.h>
#include <random>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

// A live recording in a process of its own, killed at a random moment: every whole chunk must be there, and
// the repaired file must hold exactly their samples.
TEST(Mp4SinkKilled, EveryWholeChunkSurvives) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe counts";
  const Folder folder;
  std::mt19937 random(20);
  int recordings = 0;
  std::uint64_t chunks = 0;
  for (int round = 0; round < 50; ++round) {
    const std::string file = folder / ("k" + std::to_string(round) + ".mp4");
    const std::string location = "location=" + file;
    const char *arguments[] = {"gst-launch-1.0",
                               "-q",
                               "audiotestsrc",
                               "is-live=true",
                               "samplesperbuffer=240",
                               "!",
                               "audio/x-raw,rate=48000",
                               "!",
                               "opusenc",
                               "frame-size=5",
                               "!",
                               "hullmp4mux",
                               "fragment-duration=40000000",
                               "!",
                               "hullmp4sink",
                               location.c_str(),
                               nullptr};
    pid_t child = 0;
    ASSERT_EQ(posix_spawnp(&child, arguments[0], nullptr, nullptr, const_cast<char **>(arguments), environ),
              0);
    usleep(static_cast<useconds_t>(250'000 + random() % 600'000));
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
    std::uint64_t samples = 0, whole = 0;
    {
      auto source = FileSource::open(file);
      if (!source) continue;
      auto scan = scan_fragments(*source, true, false);
      ASSERT_TRUE(scan);
      if (scan->moofs == 0) continue; // killed before the first chunk
      whole = scan->moofs;
      for (const auto &[id, track] : scan->tracks)
        samples += track.table.samples();
    }
    EXPECT_EQ(probed(file, "a", "nb_read_packets"), std::to_string(samples)) << "as it was left";
    auto done = recover(file);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->fragments, whole);
    EXPECT_EQ(probed(file, "a", "nb_read_packets"), std::to_string(samples)) << "repaired";
    ++recordings;
    chunks += whole;
  }
  std::printf("%d recordings with %llu whole chunks\n", recordings, static_cast<unsigned long long>(chunks));
  EXPECT_GT(recordings, 5);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
