#include "gst/vmaf/result_notes.h"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hull::vmaf {
namespace {

nlohmann::json notes(const ResultFacts &facts) {
  nlohmann::json made = nlohmann::json::object();
  for (const auto &[name, text] : result_notes(facts))
    made[name] = nlohmann::json::parse(text);
  return made;
}

TEST(ResultNotes, AreJsonAndSayWhatWasCounted) {
  ResultFacts facts;
  facts.input = "a \"b\"";
  facts.models = {{"vmaf", "vmaf_v0.6.1"}, {"vmaf_neg", "vmaf_v0.6.1neg"}};
  facts.counts.matched = 5;
  facts.counts.missing = 2;
  facts.offset = -3;
  facts.distorted = SourceFacts{96, 64, "I420", "bt709", 1, 2, 3, 4};
  const auto made = notes(facts);
  EXPECT_EQ(made["pad"], "a \"b\"");
  EXPECT_EQ(made["models"]["vmaf_neg"], "vmaf_v0.6.1neg");
  EXPECT_TRUE(made["scaler"].is_null());
  EXPECT_EQ(made["alignment"]["by"], "timestamp");
  EXPECT_EQ(made["alignment"]["offset"], -3);
  EXPECT_EQ(made["distorted"]["crop"], (std::vector<int>{1, 2, 3, 4}));
  EXPECT_FALSE(made.contains("reference"));
  EXPECT_FALSE(made.contains("auto_align"));
  ASSERT_EQ(made["warnings"].size(), 1u);
  EXPECT_EQ(made["warnings"][0], "2 reference frames had no partner and are not scored");
}

TEST(ResultNotes, WarnOfAllThatMakesAScoreDoubtful) {
  ResultFacts facts;
  facts.doubts = {"the transfer functions differ"};
  facts.bars = {0, 0, 8, 8};
  facts.counts.unmatched = facts.counts.repeated = 1;
  facts.promoted = true;
  facts.frames_scored = 10;
  facts.frames_kept = 4;
  const std::string warnings = notes(facts)["warnings"].dump();
  for (const char *part :
       {"transfer functions differ", "this input: left 0 right 0 top 8 bottom 8",
        "belong to no reference frame", "repeat a timestamp", "shifted up", "newest 4 of 10"})
    EXPECT_NE(warnings.find(part), std::string::npos) << part << " in " << warnings;
  EXPECT_EQ(notes({})["warnings"].size(), 0u);
}

} // namespace
} // namespace hull::vmaf
