// gst-hull-1.0 pertitle as people call it: bad input first, since it is quick.

#include "tests/gst/tools/run.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace hull::tools {
namespace {

class Pertitle : public ToolTest {
 protected:
  Outcome pertitle(const std::string &file) { return run("pertitle " + file + " -o " + in("out")); }
  void expect_sentence(const Outcome &outcome, int status, const std::string &words) {
    EXPECT_EQ(outcome.status, status) << outcome.text;
    EXPECT_NE(outcome.text.find(words), std::string::npos) << outcome.text;
    EXPECT_FALSE(std::filesystem::exists(in("out/ladder.json")));
    EXPECT_FALSE(std::filesystem::exists(in("out/master.m3u8")));
  }
};

TEST_F(Pertitle, UsageErrorsExitWithTwo) {
  EXPECT_EQ(run("pertitle").status, 2);
  EXPECT_EQ(run("pertitle x.mp4").status, 2);
  EXPECT_EQ(run("pertitle x.mp4 -o " + in("out") + " --no-such-option").status, 2);
  EXPECT_EQ(run("pertitle x.mp4 -o " + in("out") + " --top 700").status, 2);
  EXPECT_EQ(run("pertitle x.mp4 -o " + in("out") + " --budget soon").status, 2);
}

TEST_F(Pertitle, MissingEmptyAndForeignFiles) {
  expect_sentence(pertitle(in("absent.mp4")), 1, "No such file");
  std::ofstream(in("empty.mp4")).flush();
  expect_sentence(pertitle(in("empty.mp4")), 1, "is empty");
  std::ofstream(in("text.mp4")) << "This is no video.\n";
  expect_sentence(pertitle(in("text.mp4")), 1, "text.mp4");
  expect_sentence(pertitle(path_), 1, "is a folder");
}

TEST_F(Pertitle, AudioOnly) {
  if (!shell("gst-launch-1.0 -q audiotestsrc num-buffers=20 ! wavenc ! filesink location=" + in("a.wav")))
    GTEST_SKIP() << "gst-launch-1.0 cannot make a WAV file here";
  expect_sentence(pertitle(in("a.wav")), 1, "holds only audio");
}

TEST_F(Pertitle, TooSmallAndCut) {
  write_clip("tiny.y4m", 32, 32, 3);
  expect_sentence(pertitle(in("tiny.y4m")), 1, "cannot be scored");
  write_clip("cut.y4m", 64, 64, 3);
  std::filesystem::resize_file(in("cut.y4m"), std::filesystem::file_size(in("cut.y4m")) - 9);
  expect_sentence(pertitle(in("cut.y4m")), 1, "is cut");
}

TEST_F(Pertitle, AFolderThatCannotBeMade) {
  write_clip("a.y4m", 64, 64, 2);
  std::ofstream(in("out")) << "a file where the folder should be";
  const Outcome outcome = pertitle(in("a.y4m"));
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.text.find("cannot"), std::string::npos) << outcome.text;
}

TEST_F(Pertitle, OneOddPictureGivesASaneLadder) {
  write_clip("one.y4m", 101, 67, 1);
  const Outcome outcome = pertitle(in("one.y4m"));
  EXPECT_EQ(outcome.status, 0) << outcome.text;
  EXPECT_TRUE(std::filesystem::exists(in("out/ladder.json")));
  EXPECT_TRUE(std::filesystem::exists(in("out/report.html")));
}

TEST_F(Pertitle, ASecondRunTakesEverythingFromTheCache) {
  write_clip("clip.y4m", 160, 90, 12);
  const Outcome first = pertitle(in("clip.y4m"));
  ASSERT_EQ(first.status, 0) << first.text;
  const std::string ladder = slurp("out/ladder.json");
  const auto made = std::filesystem::last_write_time(newest("out", ".mp4"));
  const Outcome second = pertitle(in("clip.y4m"));
  EXPECT_EQ(second.status, 0) << second.text;
  EXPECT_EQ(slurp("out/ladder.json"), ladder);
  EXPECT_EQ(std::filesystem::last_write_time(newest("out", ".mp4")), made);
  EXPECT_EQ(second.text.find("measuring"), std::string::npos) << second.text;
  // The commands that only decide or draw.
  EXPECT_EQ(run("pertitle ladder " + in("out")).status, 0);
  EXPECT_EQ(run("pertitle report " + in("out")).status, 0);
  EXPECT_EQ(run("pertitle ladder " + in("nowhere")).status, 1);
}

} // namespace
} // namespace hull::tools
