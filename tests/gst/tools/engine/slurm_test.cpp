// A title by a Slurm cluster of two nodes on this machine, one of which is lost in the middle.

#include "tests/gst/tools/run.h"

#include <algorithm>
#include <chrono>
#include <csignal>
#include <thread>

namespace hull::tools {
namespace {

class Slurm : public ToolTest {
 protected:
  void SetUp() override {
    ToolTest::SetUp();
    if (tool_.empty()) return;
    // Three ports below those that the system gives to clients (32768 and up): one of these may be taken.
    const int status = std::system(
        (script("start") + std::to_string(20000 + ::getpid() % 12000) + " >" + in("cluster.log") + " 2>&1")
            .c_str());
    if (WEXITSTATUS(status) == 77) GTEST_SKIP() << slurp("cluster.log");
    ASSERT_EQ(WEXITSTATUS(status), 0) << slurp("cluster.log");
    ::setenv("SLURM_CONF", in("slurm.conf").c_str(), 1);
    write_clip("clip.y4m", 320, 180, 1200);
  }
  void TearDown() override {
    if (!path_.empty()) std::system((script("stop") + ">/dev/null 2>&1").c_str());
    std::this_thread::sleep_for(std::chrono::seconds(1)); // daemons write when they go
    ToolTest::TearDown();
  }
  std::string script(const std::string &command) const {
    const char *source = std::getenv("HULL_SOURCE");
    return std::string(source ? source : ".") + "/tests/gst/tools/engine/slurm.sh " + command + " " + path_ +
           " ";
  }
  std::vector<std::string> arguments(const std::string &out, const std::string &engine) const {
    return {"pertitle", in("clip.y4m"), "-o", in(out), "--res", "180", "--qp", "28,40", "--engine", engine};
  }
  // Both nodes are at work.
  void wait_for_both() const {
    bool busy = false;
    for (int i = 0; i < 600 && !busy; ++i) {
      const std::string text = queue();
      busy = text.find("RUNNING n1") != std::string::npos && text.find("RUNNING n2") != std::string::npos;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    EXPECT_TRUE(busy) << queue();
  }
  void expect_the_same_as_locally() const {
    ASSERT_EQ(status_of(start(arguments("local", "local"))), 0);
    for (const char *name : {"ladder.json", "points.json", "points.csv", "tasks.json", "master.m3u8"}) {
      EXPECT_FALSE(slurp(std::string("out/") + name).empty()) << name;
      EXPECT_TRUE(slurp(std::string("out/") + name) == slurp(std::string("local/") + name)) << name;
    }
  }
  std::string queue() const {
    std::system(("squeue --noheader --format='%i %T %N' >" + in("queue") + " 2>&1").c_str());
    return slurp("queue");
  }
};

TEST_F(Slurm, ALostNodeChangesNothing) {
  const pid_t run = start(arguments("out", "slurm"));
  wait_for_both();
  std::system((script("kill-node") + "n2 >" + in("kill.log") + " 2>&1").c_str());
  // The node's daemon, the task's and the task.
  const std::string killed = slurp("kill.log");
  EXPECT_GE(std::count(killed.begin(), killed.end(), ' '), 3) << killed;
  EXPECT_EQ(status_of(run), 0) << queue() << killed;
  expect_the_same_as_locally();
}

// The node itself stays, takes every task it is given and ends it at once.
TEST_F(Slurm, ANodeThatLosesItsDiskChangesNothing) {
  const pid_t run = start(arguments("out", "slurm"));
  wait_for_both();
  const int lost =
      std::system((script("lose-disk") + "n2 " + in("out") + " >" + in("lost.log") + " 2>&1").c_str());
  if (WEXITSTATUS(lost) == 77) {
    ::kill(run, SIGINT);
    status_of(run);
    GTEST_SKIP() << "no mount namespaces here";
  }
  ASSERT_EQ(lost, 0) << slurp("lost.log");
  EXPECT_EQ(status_of(run), 0) << queue();
  expect_the_same_as_locally();
}

TEST_F(Slurm, WithoutANodeThatHasTheDiskASentenceNamesIt) {
  std::filesystem::create_directory(in("out"));
  if (std::system((script("lose-disk") + "n2 " + in("out") + " >" + in("lost.log") + " 2>&1").c_str()) != 0)
    GTEST_SKIP() << "no mount namespaces here: " << slurp("lost.log");
  std::string line;
  for (const std::string &argument : arguments("out", "slurm"))
    line += argument + " ";
  const Outcome outcome = ToolTest::run(line + "--slurm-options=--nodelist=n2 --progress none");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.text.find("Can n2 read and write this folder?"), std::string::npos) << outcome.text;
}

TEST_F(Slurm, CtrlCCancelsTheJobs) {
  const pid_t run = start(arguments("out", "slurm"));
  for (int i = 0; i < 600 && queue().find("RUNNING") == std::string::npos; ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  ::kill(run, SIGINT);
  EXPECT_EQ(status_of(run), 130);
  for (int i = 0; i < 600 && !queue().empty(); ++i)
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(queue(), "");
  EXPECT_FALSE(std::filesystem::exists(in("out/ladder.json")));
}

TEST_F(Slurm, OptionsSlurmRefusesEndInASentence) {
  auto list = arguments("out", "slurm");
  std::string line;
  for (const std::string &argument : list)
    line += argument + " ";
  const Outcome outcome = ToolTest::run(line + "--slurm-options=--partition=absent --progress none");
  EXPECT_EQ(outcome.status, 1);
  EXPECT_NE(outcome.text.find("Slurm takes no job"), std::string::npos) << outcome.text;
}

} // namespace
} // namespace hull::tools
