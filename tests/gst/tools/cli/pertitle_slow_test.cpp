// Whole titles: real clips against the figures of the pilot, and what survives kill -9.

#include "tests/gst/tools/run.h"
#include "tests/support/numbers.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <random>
#include <set>
#include <signal.h>
#include <thread>

namespace hull::tools {
namespace {

class Slow : public ToolTest {
 protected:
  nlohmann::json ladder_of(const std::string &clip, const std::string &options) {
    const char *shared = std::getenv("HULL_SHARED");
    const std::string file = std::string(shared ? shared : "../shared") + "/media/" + clip;
    if (!std::filesystem::exists(file)) return {};
    const Outcome outcome = run("pertitle " + file + " -o " + in("out") + " --progress none " + options);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    return nlohmann::json::parse(slurp("out/ladder.json"), nullptr, false);
  }
  static double cross_over(const nlohmann::json &ladder, unsigned from, unsigned to) {
    for (const auto &c : ladder["cross_overs"])
      if (c["from"] == from && c["to"] == to) return c.value("kbps", 0.0);
    return 0;
  }
  // Cheapest of all sizes, linear between the points of the CSV in log rate.
  double rate_for(double vmaf) {
    std::ifstream csv(in("out/points.csv"));
    std::string line;
    std::getline(csv, line);
    std::map<int, std::vector<std::pair<double, double>>> sizes;
    while (std::getline(csv, line)) {
      const std::vector<double> row = numbers_in(line); // width, height, qp, bytes, kbps, vmaf, …
      if (row.size() > 5) sizes[static_cast<int>(row[1])].emplace_back(row[5], std::log(row[4]));
    }
    double best = 1e9;
    for (auto &[height, points] : sizes) {
      std::sort(points.begin(), points.end());
      for (std::size_t i = 1; i < points.size(); ++i) {
        const auto &[q0, r0] = points[i - 1];
        const auto &[q1, r1] = points[i];
        if (vmaf >= q0 && vmaf <= q1)
          best = std::min(best, std::exp(r0 + (r1 - r0) * (vmaf - q0) / (q1 - q0)));
      }
    }
    return best;
  }
};

TEST_F(Slow, DriveHasThePilotsCrossOverAndRate) {
  const auto ladder = ladder_of("drive_1080p25_high_b.264", "--grid");
  if (ladder.is_null()) GTEST_SKIP() << "../shared/media is absent";
  EXPECT_NEAR(cross_over(ladder, 540, 720), 2000, 500);
  EXPECT_NEAR(rate_for(90), 4100, 820);
}

TEST_F(Slow, FlowerGetsALadderOfSeveralSizes) {
  const auto ladder = ladder_of("flower_720p30_high_b.264", "");
  if (ladder.is_null()) GTEST_SKIP() << "../shared/media is absent";
  EXPECT_NEAR(cross_over(ladder, 540, 720), 1266, 316);
  // The pilot needed 2049 kb/s with CAVLC and a steered QP; CABAC at constant QP saves 21 % of that.
  EXPECT_NEAR(rate_for(90), 0.79 * 2049, 0.2 * 2049);
  std::set<int> heights;
  for (const auto &rung : ladder["ladder"])
    heights.insert(rung["height"].get<int>());
  EXPECT_GE(heights.size(), 2u);
}

TEST_F(Slow, KillNineAtAnyMomentLosesNothingFinished) {
  write_clip("clip.y4m", 320, 180, 50);
  const std::string arguments = "pertitle " + in("clip.y4m") + " --res 90,180 --progress none -o ";
  ASSERT_EQ(run(arguments + in("whole")).status, 0);
  const std::string expected = slurp("whole/ladder.json");
  std::mt19937 random(3);
  for (int kill_number = 0; kill_number < 6; ++kill_number) {
    const pid_t child =
        start({"pertitle", in("clip.y4m"), "--res", "90,180", "--progress", "none", "-o", in("out")});
    std::this_thread::sleep_for(std::chrono::milliseconds(150 + random() % 1500));
    ::kill(child, SIGKILL);
    ::waitpid(child, nullptr, 0);
  }
  const Outcome last = run(arguments + in("out"));
  EXPECT_EQ(last.status, 0) << last.text;
  EXPECT_EQ(slurp("out/ladder.json"), expected);
}

} // namespace
} // namespace hull::tools
