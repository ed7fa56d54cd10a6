#include "gst/core/json.h"
#include "gst/core/number.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace hull {
namespace {

// The suite also runs under a German locale, where strtod() reads 3 and printf() writes "3,5".
TEST(Number, IsTheSameInEveryLocale) {
  EXPECT_EQ(to_number<double>("3.5"), 3.5);
  EXPECT_FALSE(to_number<double>("3,5"));
  std::string_view text = "3.5s";
  EXPECT_EQ(take_number<double>(text), 3.5);
  EXPECT_EQ(text, "s");
  EXPECT_EQ(fmt::format("{} {:.2f} {:g}", 3.5, 3.5, 1234567.5), "3.5 3.50 1.23457e+06");
  const Json json = Json::parse("[3.5,-0.25,1e300]");
  EXPECT_EQ(json[0].get<double>(), 3.5);
  EXPECT_EQ(json[1].get<double>(), -0.25);
  EXPECT_EQ(json.dump(), "[3.5,-0.25,1e+300]");
}

TEST(Number, RefusesWhatIsNone) {
  for (const char *text : {"", " 1", "+1", "1 ", "one", "-", "0x10", "nan", "inf", "-infinity", "1e999", "."})
    EXPECT_FALSE(to_number<double>(text)) << text;
  for (const char *text : {"", "1.5", "4294967296", "-1", "1 "})
    EXPECT_FALSE(to_number<unsigned>(text)) << text;
  EXPECT_EQ(to_number<int>("-12"), -12);
  EXPECT_EQ(to_number<double>("1e3"), 1000);
  std::string_view rest = "x";
  EXPECT_FALSE(take_number<int>(rest));
  EXPECT_EQ(rest, "x");
}

} // namespace
} // namespace hull
