#include "gst/vmaf/score_files.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hull::vmaf {
namespace {

class ScoreFilesTest : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(folder_); }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  static std::string text_of(const std::filesystem::path &path) {
    std::ifstream file(path);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  const std::filesystem::path folder_ = std::filesystem::temp_directory_path() / "hull-score-files-test";
  const std::shared_ptr<const ScoreColumns> columns_ =
      std::make_shared<const ScoreColumns>(ScoreColumns{{"a", "vmaf"}, 1});
};

TEST_F(ScoreFilesTest, GrowWithTheirStreamsAndEndInTheSameText) {
  ScoreFiles files((folder_ / "s.json").string(), LogLayout::json);
  ASSERT_TRUE(files.open({"one", "two"}, *columns_, 96, 64));
  std::vector<StreamScores> scores(2, StreamScores(*columns_, 100));
  for (std::uint64_t n = 0; n < 4; ++n)
    for (std::size_t stream = 0; stream < 2; ++stream) {
      const FrameScore score{stream, n, columns_, {1.0, 90.0 - static_cast<double>(n + stream)}};
      scores[stream].add(score);
      ASSERT_TRUE(files.write(score));
    }
  const ReportHead head{96, 64, 25, {{"pad", "\"x\""}}};
  for (std::size_t stream = 0; stream < 2; ++stream)
    ASSERT_TRUE(files.finish(stream, scores[stream].log(), head));
  EXPECT_EQ(text_of(folder_ / "s.json"), to_text(LogLayout::json, scores[0].log(), head));
  EXPECT_EQ(text_of(folder_ / "s.two.json"), to_text(LogLayout::json, scores[1].log(), head));
  EXPECT_EQ(scores[1].mean(), 87.5);
}

TEST_F(ScoreFilesTest, SayWhyTheyCannotBeWritten) {
  ScoreFiles nowhere((folder_ / "none" / "s.json").string(), LogLayout::csv);
  const auto opened = nowhere.open({"one"}, *columns_, 96, 64);
  ASSERT_FALSE(opened);
  EXPECT_NE(opened.error().text.find("cannot be written"), std::string::npos) << opened.error().text;
  ScoreFiles full("/dev/full", LogLayout::csv);
  ASSERT_TRUE(full.open({"one"}, *columns_, 96, 64));
  const auto finished = full.finish(0, {}, {});
  ASSERT_FALSE(finished);
  EXPECT_EQ(finished.error().code, ErrorCode::no_space);
}

TEST(WithPadName, ComesBeforeTheEnding) {
  EXPECT_EQ(with_pad_name("scores.json", "distorted_1"), "scores.distorted_1.json");
  EXPECT_EQ(with_pad_name("a.b/scores", "distorted_1"), "a.b/scores.distorted_1");
  EXPECT_EQ(with_pad_name("-", "distorted_1"), "-");
}

} // namespace
} // namespace hull::vmaf
