#include "gst/isobmff/file/fragment_scan.h"
#include "gst/isobmff/file/layout.h"
#include "gst/isobmff/file/recover.h"
#include "tests/plugins/mp4_support.h"
#include "tests/support/numbers.h"

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <optional>
#include <random>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

namespace hull {
namespace {

using namespace isobmff;
using namespace mp4test;

// Seconds of a file as a program says them; nothing where it is not there. qtdemux answers through
// gst-discoverer, mp4box.js through node.
using Duration = std::optional<double>;

Duration parsed(const std::string &text) {
  std::string_view rest = text;
  return take_number<double>(rest);
}

Duration of_ffprobe(const std::string &file) {
  return parsed(output_of("ffprobe -v error -show_entries format=duration -of csv=p=0 '" + file + "'"));
}

Duration of_mediainfo(const std::string &file) {
  const Duration ms = parsed(output_of("mediainfo --Inform='General;%Duration%' '" + file + "'"));
  return ms ? *ms / 1000 : ms;
}

Duration of_qtdemux(const std::string &file) {
  const std::string said = output_of("gst-discoverer-1.0 '" + file + "'");
  const auto at = said.find("Duration: ");
  if (at == std::string::npos) return std::nullopt;
  const std::vector<double> clock = numbers_in(said.substr(at, said.find('\n', at) - at));
  if (clock.size() != 3) return std::nullopt;
  return clock[0] * 3600 + clock[1] * 60 + clock[2];
}

Duration of_mp4box_js(const std::string &file) {
  const char *source = std::getenv("HULL_SOURCE");
  if (!source) return std::nullopt;
  return parsed(output_of("node '" + std::string(source) + "/tests/browser/duration.mjs' '" + file + "'"));
}

// All who are there say the same; returned is how many that were.
unsigned agree(const std::string &file, double expected) {
  unsigned asked = 0;
  const struct {
    const char *name;
    Duration (*ask)(const std::string &);
  } kReaders[] = {{"ffprobe", of_ffprobe},
                  {"mediainfo", of_mediainfo},
                  {"qtdemux", of_qtdemux},
                  {"mp4box.js", of_mp4box_js}};
  for (const auto &[name, ask] : kReaders) {
    const Duration said = ask(file);
    if (!said) continue;
    ++asked;
    EXPECT_NEAR(*said, expected, 0.011) << name << " on " << file; // MediaInfo and mvhd count milliseconds
  }
  return asked;
}

// A live recording in a process of its own, killed at a random moment: every whole chunk must be there, and
// the repaired file must hold exactly their samples.
TEST(Mp4SinkKilled, EveryWholeChunkSurvives) {
  if (!have_ffmpeg()) GTEST_SKIP() << "ffprobe counts";
  const Folder folder;
  std::mt19937 random(20);
  int recordings = 0;
  std::uint64_t chunks = 0;
  unsigned readers = 0;
  constexpr double kOpusRate = 48'000;
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
    double seconds = 0;
    {
      auto source = FileSource::open(file);
      if (!source) continue;
      auto scan = scan_fragments(*source, true, false);
      ASSERT_TRUE(scan);
      if (scan->moofs == 0) continue; // killed before the first chunk
      whole = scan->moofs;
      for (const auto &[id, track] : scan->tracks) {
        samples += track.table.samples();
        seconds = static_cast<double>(static_cast<std::int64_t>(track.table.duration()) - track.media_start) /
                  kOpusRate;
      }
    }
    EXPECT_EQ(probed(file, "a", "nb_read_packets"), std::to_string(samples)) << "as it was left";
    auto done = recover(file);
    ASSERT_TRUE(done) << done.error().text;
    EXPECT_EQ(done->fragments, whole);
    EXPECT_EQ(probed(file, "a", "nb_read_packets"), std::to_string(samples)) << "repaired";
    readers = std::max(readers, agree(file, seconds));
    ++recordings;
    chunks += whole;
  }
  std::printf("%d recordings with %llu whole chunks\n", recordings, static_cast<unsigned long long>(chunks));
  std::printf("%u readers agree on every duration\n", readers);
  EXPECT_GT(recordings, 5);
  EXPECT_GE(readers, 2u);
}

} // namespace
} // namespace hull

int main(int argc, char **argv) {
  gst_init(&argc, &argv);
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
