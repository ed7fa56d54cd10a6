#include "gst/core/json.h"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <nlohmann/json.hpp>

namespace hull {
namespace {

constexpr const char *kText =
    R"({"z":[1,-2,3.5,1e300,18446744073709551615,-9223372036854775808],"a":{"deep":[[],{},null,true,"é\n\""]}})";

TEST(Json, SaysWhatTheLibrarySaysInTheOrderOfTheText) {
  const auto library = nlohmann::ordered_json::parse(kText);
  const Json json = Json::parse(kText);
  EXPECT_EQ(json.dump(), library.dump());
  EXPECT_EQ(json.dump(2), library.dump(2));
  EXPECT_EQ(json.members().front().first, "z");
  EXPECT_EQ(json["z"][4].get<std::uint64_t>(), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(json["z"][5].get<std::int64_t>(), std::numeric_limits<std::int64_t>::min());
}

TEST(Json, ListsOfPairsThatBeginWithATextAreObjects) {
  const std::vector<double> scores = {1.5, 2};
  const Json json = {{"size", {640, 360}}, {"scores", scores}, {"one", {"x"}}, {"none", nullptr}};
  EXPECT_EQ(json.dump(), R"({"size":[640,360],"scores":[1.5,2.0],"one":["x"],"none":null})");
  EXPECT_EQ(Json({{1, 2}, {"a", 3}}).dump(), R"([[1,2],["a",3]])");
  EXPECT_EQ(json["scores"].list<double>(), scores);
}

TEST(Json, WhatIsNotThereIsNullAndWhatIsAskedForThrows) {
  const Json json = Json::parse(R"({"a":"text","n":7})");
  EXPECT_TRUE(json["b"]["c"][3].is_null());
  EXPECT_EQ(json.value("n", 0), 7);
  EXPECT_EQ(json.value("b", "fallback"), "fallback");
  EXPECT_THROW(json.at("b"), JsonError);
  EXPECT_THROW(json["a"].get<int>(), JsonError);
  EXPECT_THROW(json["n"].get<bool>(), JsonError);
  EXPECT_THROW(json["n"].list<int>(), JsonError);
}

TEST(Json, BadTextIsNullAndBadValuesHaveAText) {
  for (const char *bad : {"", "{", "[1,]", "{\"a\":1}x", "nan", "\"\xff\""})
    EXPECT_TRUE(Json::parse(bad).is_null()) << bad;
  EXPECT_TRUE(Json::parse(std::string(100'000, '[') + std::string(100'000, ']')).is_null());
  EXPECT_EQ(Json("\xff").dump(), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(Json(std::nan("")).dump(), "null");
}

} // namespace
} // namespace hull
