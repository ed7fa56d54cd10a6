// hullvmafsink where one side comes late, holds frames back, or does not come at all: never a silent wait.

#include "tests/plugins/vmaf_support.h"

#include <thread>

namespace hull {
namespace {

using namespace vmaf_test;

const std::string kFormat = "format=I420,width=96,height=64,framerate=25/1";

/// Lets as many frames through only once as many are there, as an encoder's look-ahead does.
std::string holding_back(int frames) {
  return " queue max-size-buffers=" + std::to_string(frames + 1) +
         " max-size-bytes=0 max-size-time=0 min-threshold-buffers=" + std::to_string(frames) + " ! ";
}

class HeldBack : public testing::TestWithParam<int> {};
INSTANTIATE_TEST_SUITE_P(VmafSinkWaits, HeldBack, testing::Values(3, 40, 150));

TEST_P(HeldBack, ABranchIsWaitedForWithTheOthersFrames) {
  for (const std::string held : {"distorted_0", "reference"}) {
    const std::string other = held == "reference" ? "distorted_0" : "reference";
    Playback run("hullvmafsink name=v" + source(200, kFormat) +
                 "tee name=t t. ! queue max-size-buffers=2 ! v." + other +
                 " t. ! queue max-size-buffers=2 !" + holding_back(GetParam()) + "v." + held);
    const Ended ended = run.play();
    ASSERT_TRUE(ended.ok) << held << ": " << ended.error;
    EXPECT_EQ(run.result()["alignment"]["matched"], 200);
    EXPECT_TRUE(ended.warnings.empty());
  }
}

TEST(VmafSinkWaits, NeitherQueueNorAutoAlignIsNeededForThat) {
  Playback run("hullvmafsink name=v auto-align=3" + source(100, kFormat) +
               "tee name=t t. ! v.reference t. !" + holding_back(50) + "v.distorted_0");
  const Ended ended = run.play();
  ASSERT_TRUE(ended.ok) << ended.error;
  EXPECT_EQ(run.result()["alignment"]["matched"], 100);
}

struct Lack {
  std::string pipeline, error, warning;
};

// All at once: each takes some seconds to be sure.
TEST(VmafSinkWaits, WhatNeverComesIsTold) {
  const std::string silent = " appsrc ! video/x-raw," + kFormat + " ! ";
  const std::string none = "no distorted input is linked", no_reference = "no reference is linked";
  const std::vector<Lack> lacks{
      {"hullvmafsink name=v" + source(1, kFormat) + "v.reference", none, ""},
      {"hullvmafsink name=v" + source(30, kFormat) + "v.reference", none, ""},
      {"hullvmafsink name=v" + source(1, kFormat) + "v.distorted_0", no_reference, ""},
      {"hullvmafsink name=v" + source(30, kFormat) + "v.distorted_0", no_reference, ""},
      {"hullvmafsink name=v" + source(30, kFormat) + "v.reference" + silent + "v.distorted_0", "",
       "waits for distorted_0, where no frame has come for 5 s, with 30 frames on reference"},
      {"hullvmafsink name=v" + source(9, kFormat) + "v.distorted_0" + silent + "v.reference", "",
       "waits for reference, where no frame has come for 5 s, with 9 frames on distorted_0"},
      {"hullvmafsink name=v auto-align=3" + source(30, kFormat) + "v.reference" + silent + "v.distorted_0",
       "", "waits for distorted_0"},
  };
  std::vector<Ended> ends(lacks.size());
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < lacks.size(); ++i)
    threads.emplace_back(
        [&lacks, &ends, i] { ends[i] = Playback(lacks[i].pipeline).play(!lacks[i].warning.empty()); });
  for (std::thread &thread : threads)
    thread.join();
  for (std::size_t i = 0; i < lacks.size(); ++i) {
    EXPECT_FALSE(ends[i].ok);
    EXPECT_NE(ends[i].error.find(lacks[i].error), std::string::npos) << lacks[i].pipeline << ends[i].error;
    if (lacks[i].warning.empty()) continue;
    ASSERT_EQ(ends[i].warnings.size(), 1u) << lacks[i].pipeline;
    EXPECT_NE(ends[i].warnings[0].find(lacks[i].warning), std::string::npos) << ends[i].warnings[0];
  }
}

} // namespace
} // namespace hull
