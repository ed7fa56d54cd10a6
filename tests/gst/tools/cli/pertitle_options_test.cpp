// Options of pertitle: each changes what it promises, and would fail here if it were ignored.

#include "tests/gst/tools/run.h"
#include "tests/support/numbers.h"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numeric>

namespace hull::tools {
namespace {

class Options : public ToolTest {
 protected:
  // A calm half and a hard one, so that a mean, a harmonic mean and a low percentile differ.
  void write_two_scenes(const std::string &name, unsigned width, unsigned height, unsigned pictures) const {
    std::ofstream out(in(name), std::ios::binary);
    out << "YUV4MPEG2 W" << width << " H" << height << " F25:1 Ip A1:1 C420jpeg\n";
    std::uint32_t noise = 7;
    for (unsigned t = 0; t < pictures; ++t) {
      std::string picture;
      for (unsigned y = 0; y < height; ++y)
        for (unsigned x = 0; x < width; ++x) {
          noise = noise * 1664525u + 1013904223u;
          const bool hard = t >= pictures / 2;
          picture += static_cast<char>(hard ? 40 + (x * 3 + y * 5 + 9 * t) % 97 + (noise >> 26)
                                            : 60 + (x + t) / 16 % 2 * 100);
        }
      picture.append(2ull * (width / 2) * (height / 2), '\x80');
      out << "FRAME\n" << picture;
    }
  }
  nlohmann::json points(const std::string &out, const std::string &options) {
    const Outcome outcome =
        run("pertitle analyze " + in("clip.y4m") + " --progress none -o " + in(out) + " " + options);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    return nlohmann::json::parse(slurp(out + "/points.json"), nullptr, false)["points"];
  }
  // The VMAF column of the first rung of a table.
  double first_quality(const std::string &options) {
    const Outcome outcome = run("pertitle ladder " + in("out") + " " + options);
    EXPECT_EQ(outcome.status, 0) << outcome.text;
    std::istringstream table(outcome.text);
    std::string header, rung, size, qp, kbps, quality;
    std::getline(table, header);
    table >> rung >> size >> qp >> kbps >> quality;
    return number_in(quality);
  }
};

TEST_F(Options, QuickScoresEveryFifthPictureOfFewerEncodes) {
  write_two_scenes("clip.y4m", 320, 180, 60);
  const auto plain = points("plain", "--res 90,108,144,180 --cap 100000");
  const auto quick = points("quick", "--res 90,108,144,180 --cap 100000 --quick");
  EXPECT_LT(quick.size(), plain.size());
  for (const auto &point : quick) {
    ASSERT_EQ(point["vmaf"].size(), 12u);
    EXPECT_EQ(point["scored"][1], 5);
    EXPECT_EQ(point["sizes"].size(), 60u);
  }
  EXPECT_NE(plain[0]["scored"], quick[0]["scored"]);
}

TEST_F(Options, ABudgetThatIsSpentLeavesTheFirstRound) {
  write_two_scenes("clip.y4m", 320, 180, 60);
  const auto plain = points("plain", "--res 90,180 --cap 100000 --budget 2h");
  const auto short_of_time = points("short", "--res 90,180 --cap 100000 --budget 0.1s");
  EXPECT_EQ(short_of_time.size(), 4u); // two of each size
  EXPECT_GT(plain.size(), short_of_time.size());
}

TEST_F(Options, TheModelIsWhatScores) {
  write_two_scenes("clip.y4m", 160, 90, 24);
  double means[2];
  const std::string models[] = {"vmaf_v0.6.1", "vmaf_v0.6.1neg"};
  for (int i = 0; i < 2; ++i) {
    const std::string out = "out" + std::to_string(i);
    const Outcome outcome = run("pertitle " + in("clip.y4m") + " --qp 36 --progress none -o " + in(out) +
                                " --cap 100000 --model " + models[i]);
    ASSERT_EQ(outcome.status, 0) << outcome.text;
    const auto ladder = nlohmann::json::parse(slurp(out + "/ladder.json"), nullptr, false);
    const std::string file = ladder["ladder"][0]["file"];
    ASSERT_EQ(run("vmaf " + in("clip.y4m") + " " + in(out + "/" + file) + " --align index --models " +
                  models[i] + " --progress none -o " + in("scores.json"))
                  .status,
              0);
    const auto scores = nlohmann::json::parse(slurp("scores.json"), nullptr, false);
    means[i] = ladder["ladder"][0]["vmaf"];
    EXPECT_EQ(ladder["model"], models[i]);
    EXPECT_NEAR(means[i], scores["pooled_metrics"]["vmaf"]["mean"].get<double>(), 1e-4);
  }
  EXPECT_GT(std::abs(means[0] - means[1]), 0.01);
}

TEST_F(Options, ThePoolDecidesWhatAPointIsWorth) {
  write_two_scenes("clip.y4m", 160, 90, 40);
  const auto point = points("out", "--qp 30 --cap 100000")[0];
  const auto scores = point["vmaf"].get<std::vector<double>>();
  ASSERT_EQ(scores.size(), 40u);
  double inverse = 0;
  for (const double score : scores)
    inverse += 1 / (score + 1);
  auto sorted = scores;
  std::sort(sorted.begin(), sorted.end());
  const double mean = std::accumulate(scores.begin(), scores.end(), 0.0) / 40, harmonic = 40 / inverse - 1;
  const double p5 = sorted[1] + 0.95 * (sorted[2] - sorted[1]); // place 0.05 * 39
  EXPECT_NEAR(first_quality("--pool mean"), mean, 0.06);
  EXPECT_NEAR(first_quality("--pool harmonic"), harmonic, 0.06);
  EXPECT_NEAR(first_quality("--pool p5"), p5, 0.06);
  EXPECT_GT(mean, p5 + 1); // or the clip would not tell them apart
}

TEST_F(Options, TargetsAndRungsShapeTheLadder) {
  write_two_scenes("clip.y4m", 320, 180, 30);
  points("out", "--qp 20,26,32,38,44 --res 90,180 --cap 100000");
  const auto rungs = [this](const std::string &options) {
    const std::string text = run("pertitle ladder " + in("out") + " --cap 100000 " + options).text;
    return std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(text.find("against")), '\n') -
           2;
  };
  EXPECT_EQ(rungs("--rungs 1"), 1);
  EXPECT_GE(first_quality("--cap 100000 --targets 70"), 70);
  EXPECT_LT(first_quality("--cap 100000 --targets 70"), first_quality("--cap 100000 --targets 90"));
}

} // namespace
} // namespace hull::tools
