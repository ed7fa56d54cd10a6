// Parts, tasks and what becomes of their results: without encoding anything.

#include "gst/tools/support/files.h"
#include "gst/tools/title/cost_probe.h"
#include "gst/tools/title/task.h"
#include "gst/tools/title/work_units.h"

#include <filesystem>
#include <fstream>
#include <gtest/gtest.h>

namespace hull::tools {
namespace {

Source title(std::uint64_t frames, bool steady = true) {
  Source s;
  s.path = "/nowhere/film.mkv";
  s.identity = "abc";
  s.width = 640;
  s.height = 360;
  s.display = {640, 360};
  s.frames = frames;
  s.seconds = static_cast<double>(frames) / 25;
  s.steady = steady;
  return s;
}

std::vector<std::uint64_t> groups_of(std::uint64_t frames, std::uint64_t length = 50) {
  std::vector<std::uint64_t> groups;
  for (std::uint64_t at = 0; at < frames; at += length)
    groups.push_back(at);
  return groups;
}

TEST(Parts, CoverTheTitleOnceAndBeginWithGroups) {
  for (const std::uint64_t frames : {1u, 49u, 50u, 299u, 300u, 449u, 451u, 1000u, 7777u}) {
    const Source source = title(frames);
    std::uint64_t next = 0;
    for (const WorkUnit &unit : work_units(source, groups_of(frames), 1)) {
      EXPECT_EQ(unit.window.first, next) << frames;
      EXPECT_EQ(unit.window.first % 50, 0u);
      ASSERT_FALSE(unit.keys.empty());
      EXPECT_EQ(unit.keys.front(), 0u);
      EXPECT_LT(unit.keys.back(), unit.window.count);
      next += unit.window.count;
      EXPECT_EQ(unit.lead, unit.window.first ? 1u : 0u);
      EXPECT_EQ(unit.tail, next < frames ? 1u : 0u);
    }
    EXPECT_EQ(next, frames);
  }
}

TEST(Parts, LeadIsAMultipleOfTheStepSoThatTheSamePicturesAreScored) {
  for (const WorkUnit &unit : work_units(title(2000), groups_of(2000), 5))
    EXPECT_EQ(unit.lead, unit.window.first ? 5u : 0u);
}

TEST(Parts, SourcesThatCannotBeSeekedHaveFew) {
  EXPECT_EQ(work_units(title(180'000), groups_of(180'000), 1).size(), 600u);
  EXPECT_LE(work_units(title(180'000, false), groups_of(180'000), 1).size(), 8u);
}

TEST(Parts, OnlyLongTitlesAreSampled) {
  EXPECT_EQ(sample_units(title(14'000), groups_of(14'000), 1).size(),
            work_units(title(14'000), groups_of(14'000), 1).size());
  const auto samples = sample_units(title(180'000), groups_of(180'000), 1);
  ASSERT_EQ(samples.size(), 16u);
  std::uint64_t pictures = 0;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    pictures += samples[i].window.count;
    EXPECT_EQ(samples[i].window.first % 50, 0u);
    // One in each sixteenth.
    EXPECT_EQ(samples[i].window.first * 16 / 180'000, i);
  }
  EXPECT_EQ(pictures, 16u * 150);
}

class TaskTest : public testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/hull-task-XXXXXX";
    path_ = ::mkdtemp(name);
    std::filesystem::create_directories(path_ + "/parts");
  }
  void TearDown() override { std::filesystem::remove_all(path_); }
  static Task task() {
    const Source source = title(1000);
    const WorkUnit unit = work_units(source, groups_of(1000), 1).at(1);
    return Task(
        "round 1, task 2 of 3", {source, unit, "vmaf_v0.6.1", 1},
        {{{640, 360}, 26, {}, true, {}}, {{320, 180}, 30, {{0, 30}, {50, 31}}, false, "parts/x.mp4"}});
  }
  std::string path_;
};

TEST_F(TaskTest, ComesBackFromItsJson) {
  const Task a = task();
  const auto json = to_json(a);
  for (const char *field : {"id", "inputs", "command", "output", "key", "job"})
    EXPECT_TRUE(json.contains(field)) << field;
  EXPECT_EQ(json["output"].size(), 3u); // two records and a track file
  const auto b = task_from_json(Json::parse(json.dump()));
  ASSERT_TRUE(b) << b.error().text;
  EXPECT_EQ(to_json(*b).dump(), json.dump());
  EXPECT_EQ(b->keys, a.keys);
}

TEST_F(TaskTest, DamagedOrForeignJsonIsRefused) {
  const std::string text = to_json(task()).dump();
  const auto with = [&text](const std::string &from, const std::string &to) {
    std::string changed = text;
    EXPECT_NE(changed.find(from), std::string::npos) << from;
    return Json::parse(changed.replace(changed.find(from), from.size(), to));
  };
  EXPECT_FALSE(task_from_json(Json::parse("[1")));
  EXPECT_FALSE(task_from_json(Json::object()));
  EXPECT_FALSE(task_from_json(with("\"qp\":26", "\"qp\":27"))); // no longer what the key says
  const auto refused = task_from_json(with("\"version\":\"" HULL_VERSION, "\"version\":\"9.9"));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().text.find("same version"), std::string::npos) << refused.error().text;
}

TEST_F(TaskTest, IsFinishedOnlyWithAllRecordsAndWholeTrackFiles) {
  const Task t = task();
  const auto cache = Cache::open(path_ + "/cache");
  ASSERT_TRUE(cache);
  EXPECT_FALSE(finished(t, path_));
  RenditionResult record;
  record.key = t.keys[0];
  ASSERT_TRUE(cache->put(record));
  EXPECT_FALSE(finished(t, path_));
  record.key = t.keys[1];
  record.media = "parts/x.mp4";
  record.media_bytes = 4;
  ASSERT_TRUE(cache->put(record));
  EXPECT_FALSE(finished(t, path_));
  std::ofstream(path_ + "/parts/x.mp4") << "123";
  EXPECT_FALSE(finished(t, path_));
  std::ofstream(path_ + "/parts/x.mp4") << "1234";
  EXPECT_TRUE(finished(t, path_));
}

TEST(Joined, PicturesAreNumberedThrough) {
  RenditionResult a, b;
  a.key = "a", b.key = "b";
  a.pictures = b.pictures = 4;
  a.seconds = b.seconds = 0.16;
  a.sizes = {9, 1, 1, 1};
  b.sizes = {8, 2, 7, 2};
  a.keys = {0};
  b.keys = {0, 2};
  a.vmaf = {90, 91};
  b.vmaf = {80, 81};
  a.scored = b.scored = {0, 2};
  const RenditionResult whole = joined({a, b});
  EXPECT_EQ(whole.pictures, 8u);
  EXPECT_EQ(whole.bytes(), 31u);
  EXPECT_EQ(whole.keys, (std::vector<std::uint64_t>{0, 4, 6}));
  EXPECT_EQ(whole.scored, (std::vector<std::uint64_t>{0, 2, 4, 6}));
  EXPECT_EQ(whole.vmaf, (std::vector<double>{90, 91, 80, 81}));
  EXPECT_NEAR(whole.seconds, 0.32, 1e-12);
  EXPECT_NE(whole.key, joined({b, a}).key);
}

TEST(Work, CostsOfATrialReplaceTheUsualOnes) {
  CostProbe probed;
  probed.costs.encode *= 2;
  probed.costs.score *= 3;
  probed.rungs = {{640, 360}, {320, 180}};
  const auto again = cost_probe_from_json(to_json(probed));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->costs.encode, probed.costs.encode);
  EXPECT_EQ(again->rungs, probed.rungs);
  EXPECT_FALSE(cost_probe_from_json(Json{{"score", 1.0}}));
  Source source;
  source.display = {640, 360};
  const std::vector<Rendition> one = {{{320, 180}, 30, {}, true, {}}};
  EXPECT_GT(work_of(source, 10, one, 1, again->costs), 1.5 * work_of(source, 10, one));
}

TEST(Work, GrowsWithPicturesAndRenditions) {
  const Source source = title(100);
  const Rendition small{{320, 180}, 26, {}, true, {}}, large{{640, 360}, 26, {}, true, {}};
  EXPECT_LT(work_of(source, 100, {}), work_of(source, 100, {small}));
  EXPECT_LT(work_of(source, 100, {small}), work_of(source, 100, {large}));
  // Two at once share the decoding and the reference.
  EXPECT_LT(work_of(source, 100, {small, large}),
            work_of(source, 100, {small}) + work_of(source, 100, {large}));
  EXPECT_NEAR(work_of(source, 200, {small}), 2 * work_of(source, 100, {small}), 1e-6);
}

} // namespace
} // namespace hull::tools
