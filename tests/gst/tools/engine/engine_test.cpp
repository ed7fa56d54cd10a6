// One title by every engine: the same results, byte for byte, also when workers die.

#include "tests/gst/tools/run.h"

#include <chrono>
#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

namespace hull::tools {
namespace {

class Engines : public ToolTest {
 protected:
  // Long enough for two parts, small enough for seconds.
  static constexpr char kOptions[] = " --res 90 --qp 28,40 --progress none ";
  void SetUp() override {
    ToolTest::SetUp();
    if (!tool_.empty()) write_clip("clip.y4m", 160, 90, 460);
  }
  std::string command(const std::string &out, const std::string &more = "") const {
    return "pertitle " + in("clip.y4m") + " -o " + in(out) + kOptions + more;
  }
  void expect_equal(const std::string &a, const std::string &b) const {
    for (const char *name : {"ladder.json", "points.json", "points.csv", "tasks.json", "master.m3u8"}) {
      const std::string text = slurp(a + "/" + name);
      EXPECT_FALSE(text.empty()) << name;
      EXPECT_TRUE(text == slurp(b + "/" + name)) << name; // too long to print
    }
    EXPECT_TRUE(slurp_file(newest(a, ".mp4")) == slurp_file(newest(b, ".mp4")));
  }
  static std::string slurp_file(const std::filesystem::path &path) {
    std::ostringstream text;
    text << std::ifstream(path, std::ios::binary).rdbuf();
    return text.str();
  }
};

TEST_F(Engines, TheNumberOfWorkersChangesNothing) {
  ASSERT_EQ(run(command("one", "--workers 1")).status, 0);
  ASSERT_EQ(run(command("two", "--workers 2")).status, 0);
  expect_equal("one", "two");
  const auto tasks = nlohmann::json::parse(slurp("one/tasks.json"));
  EXPECT_GE(tasks.size(), 2u);
}

TEST_F(Engines, JoinedPartsPlayAsOneTrack) {
  ASSERT_EQ(run(command("out")).status, 0);
  EXPECT_EQ(run("lint " + in("out/master.m3u8") + " " + in("out/manifest.mpd")).status, 0);
  const auto ladder = nlohmann::json::parse(slurp("out/ladder.json"));
  const std::string file = in("out/" + ladder["ladder"][0]["file"].get<std::string>());
  if (!shell("ffprobe -version")) GTEST_SKIP() << "ffprobe is not installed";
  ASSERT_TRUE(
      shell("ffprobe -v error -count_frames -show_entries stream=nb_read_frames,duration -of csv=p=0 " +
            file + " >" + in("probe")));
  const std::string probe =
      "ffprobe -v error -count_frames -show_entries stream=nb_read_frames -of csv=p=0 " + file + " >" +
      in("frames") + " 2>" + in("errors");
  EXPECT_EQ(std::system(probe.c_str()), 0);
  EXPECT_EQ(slurp("frames").substr(0, 3), "460");
  EXPECT_EQ(slurp("errors"), "");
}

// A worker that is killed is started again.
TEST_F(Engines, AKilledWorkerIsReplaced) {
  ASSERT_EQ(run(command("whole")).status, 0);
  const pid_t tool = start({"pertitle", in("clip.y4m"), "-o", in("out"), "--res", "90", "--qp", "28,40"});
  const std::string list = "/proc/" + std::to_string(tool) + "/task/" + std::to_string(tool) + "/children";
  pid_t worker = 0;
  for (int i = 0; i < 4000 && worker == 0; ++i) {
    std::ifstream(list) >> worker;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ASSERT_GT(worker, 0);
  ::kill(worker, SIGKILL);
  EXPECT_EQ(status_of(tool), 0);
  expect_equal("whole", "out");
}

TEST_F(Engines, CtrlCLeavesNoWorkerAndTheNextRunGoesOn) {
  ASSERT_EQ(run(command("whole")).status, 0);
  const pid_t tool = start({"pertitle", in("clip.y4m"), "-o", in("out"), "--res", "90", "--qp", "28,40"});
  const std::string list = "/proc/" + std::to_string(tool) + "/task/" + std::to_string(tool) + "/children";
  pid_t worker = 0;
  for (int i = 0; i < 4000 && worker == 0; ++i) {
    std::ifstream(list) >> worker;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  ::kill(tool, SIGINT);
  EXPECT_EQ(status_of(tool), 130);
  EXPECT_EQ(::kill(worker, 0), -1); // waited for: not even a zombie
  EXPECT_FALSE(std::filesystem::exists(in("out/ladder.json")));
  ASSERT_EQ(run(command("out")).status, 0);
  for (const char *name : {"ladder.json", "points.json"})
    EXPECT_TRUE(slurp(std::string("whole/") + name) == slurp(std::string("out/") + name)) << name;
}

TEST_F(Engines, OnlyOneRunAtATimeWorksInAFolder) {
  const pid_t tool = start({"pertitle", in("clip.y4m"), "-o", in("out"), "--res", "90", "--qp", "28,40"});
  for (int i = 0; i < 4000 && !std::filesystem::exists(in("out/cache")); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  const Outcome second = run(command("out"));
  EXPECT_EQ(second.status, 1);
  EXPECT_NE(second.text.find("another run"), std::string::npos) << second.text;
  EXPECT_EQ(status_of(tool), 0);
}

TEST_F(Engines, ListNamesTheTasksAndDoesNone) {
  const Outcome listed = run(command("out", "--engine list"));
  ASSERT_EQ(listed.status, 0) << listed.text;
  const auto tasks = nlohmann::json::parse(listed.text, nullptr, false);
  ASSERT_TRUE(tasks.is_array()) << listed.text;
  ASSERT_EQ(tasks.size(), 2u);
  for (const auto &task : tasks) {
    EXPECT_EQ(task["inputs"][0], in("clip.y4m"));
    for (const auto &output : task["output"])
      EXPECT_FALSE(std::filesystem::exists(in("out/" + output.get<std::string>())));
    // Its command does it, in the folder.
    EXPECT_TRUE(shell("cd " + in("out") + " && " + tool_ + " pertitle task " +
                      task["command"][3].get<std::string>()));
    for (const auto &output : task["output"])
      EXPECT_TRUE(std::filesystem::exists(in("out/" + output.get<std::string>())));
  }
  EXPECT_EQ(run(command("out", "--engine list")).status, 0);
}

TEST_F(Engines, WithoutSlurmASentenceSaysSo) {
  const std::string log = in("log");
  const int status = std::system(
      ("PATH=/nonexistent " + tool_ + " " + command("out", "--engine slurm") + " >" + log + " 2>&1").c_str());
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_NE(slurp("log").find("there is no Slurm here"), std::string::npos) << slurp("log");
}

TEST_F(Engines, ATaskWhoseSourceChangedFailsAndTheRunSaysWhy) {
  ASSERT_EQ(run(command("out", "--engine list")).status, 0);
  std::ofstream(in("clip.y4m"), std::ios::app) << "FRAME\n" << std::string(160 * 90 * 3 / 2, 'x');
  for (const auto &entry : std::filesystem::directory_iterator(in("out/tasks"))) {
    if (entry.path().extension() != ".json") continue;
    const Outcome outcome = run("pertitle task " + entry.path().string());
    EXPECT_EQ(outcome.status, 1);
    EXPECT_NE(outcome.text.find("changed"), std::string::npos) << outcome.text;
    break;
  }
}

TEST_F(Engines, ExportedToSnakemakeItComesOutTheSame) {
  if (!shell("snakemake --version")) GTEST_SKIP() << "snakemake is not installed";
  ASSERT_EQ(run(command("local")).status, 0);
  ASSERT_EQ(run(command("out", "--engine export")).status, 0);
  const std::string log = in("snakemake.log");
  const std::string snakemake = "HOME=" + path_ + " snakemake -s " + in("out/Snakefile") + " -d " +
                                in("out") + " -j 2 --nocolor >" + log + " 2>&1";
  ASSERT_EQ(std::system(snakemake.c_str()), 0) << slurp("snakemake.log");
  for (const char *name : {"ladder.json", "points.json"})
    EXPECT_TRUE(slurp(std::string("local/") + name) == slurp(std::string("out/") + name)) << name;
}

} // namespace
} // namespace hull::tools
