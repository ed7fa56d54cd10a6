// libvmaf 3.2's C path is the oracle: every feature and score of every stored pair, to the last of 17 digits.

#include "gst/vmaf/session.h"
#include "tests/gst/vmaf/clips.h"

#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

using test::Clip;

struct Case {
  nlohmann::json pair;
  friend void PrintTo(const Case &c, std::ostream *out) { *out << c.pair["name"]; }
};

std::vector<Case> stored_pairs() {
  std::vector<Case> found;
  const auto manifest = test::read_json(test::vectors_folder() / "manifest.json");
  if (!manifest.is_object()) return found;
  for (const auto &pair : manifest["pairs"])
    if (pair["exact_reference_valid"] && std::filesystem::exists(test::stored_path(pair, "ref")) &&
        std::filesystem::exists(test::stored_path(pair, "dis")))
      found.push_back({pair});
  return found;
}

class Vectors : public testing::TestWithParam<Case> {};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(Vectors);
INSTANTIATE_TEST_SUITE_P(Stored, Vectors, testing::ValuesIn(stored_pairs()), [](const auto &info) {
  return info.param.pair["name"].template get<std::string>();
});

TEST_P(Vectors, FeaturesEqualTheTruthToTheLastDigit) {
  const auto &pair = GetParam().pair;
  const auto reference = test::stored_clip(pair, "ref"), distorted = test::stored_clip(pair, "dis");
  ASSERT_TRUE(reference && distorted);
  const auto truth =
      test::read_json(test::vectors_folder() / "c" / (pair["name"].get<std::string>() + ".json"));
  AnalyzerOptions options;
  options.gains = {true, true};
  options.psnr = true;
  Analyzer analyzer(reference->width, reference->height, 1, options);
  for (int n = 0; n < reference->frames; ++n) {
    const Picture r = reference->picture(n), d = distorted->picture(n);
    const Plane before = n ? reference->picture(n - 1).y : Plane{};
    PairFeatures features;
    const double sad = analyzer.measure(r, {n ? &before : nullptr}, {&d, 1}, {&features, 1}).one;
    const auto &metrics = truth["frames"][static_cast<std::size_t>(n)]["metrics"];
    EXPECT_EQ(sad, metrics["VMAF_integer_feature_motion_sad_score"].get<double>()) << "frame " << n;
    for (std::size_t g = 0; g < kGains; ++g) {
      const std::string suffix = g ? "_egl_1" : "";
      EXPECT_EQ(features.adm2[g], metrics["integer_adm2" + suffix].get<double>()) << "frame " << n;
      for (std::size_t s = 0; s < kScales; ++s) {
        const std::string scale = std::to_string(s) + suffix;
        EXPECT_EQ(features.vif_scale[s][g], metrics["integer_vif_scale" + scale].get<double>()) << scale;
        EXPECT_EQ(features.adm_scale[s][g], metrics["integer_adm_scale" + scale].get<double>()) << scale;
      }
    }
    EXPECT_EQ(features.psnr[0], metrics["psnr_y"].get<double>());
    EXPECT_EQ(features.psnr[1], metrics["psnr_cb"].get<double>());
    EXPECT_EQ(features.psnr[2], metrics["psnr_cr"].get<double>());
  }
}

TEST_P(Vectors, ScoresOfFourModelsEqualTheTruthToTheLastDigit) {
  const auto &pair = GetParam().pair;
  const auto reference = test::stored_clip(pair, "ref"), distorted = test::stored_clip(pair, "dis");
  ASSERT_TRUE(reference && distorted);
  const auto truth =
      test::read_json(test::vectors_folder() / "c" / (pair["name"].get<std::string>() + ".json"));
  SessionOptions options;
  options.models = *choose_models("v0.6.1,v0.6.1neg,phone,4k_v0.6.1", "", 0);
  const ScoreLog log = test::scores_of(*reference, *distorted, options);
  ASSERT_EQ(log.size(), static_cast<std::size_t>(reference->frames));
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    const auto pooled = pool(log.column(c));
    const auto &expected = truth["pooled_metrics"][log.names()[c]];
    EXPECT_EQ(pooled.mean, expected["mean"].get<double>()) << log.names()[c];
    EXPECT_EQ(pooled.harmonic_mean, expected["harmonic_mean"].get<double>()) << log.names()[c];
    for (std::size_t n = 0; n < log.size(); ++n)
      EXPECT_EQ(log.at(n, c), truth["frames"][n]["metrics"][log.names()[c]].get<double>())
          << log.names()[c] << " of frame " << n;
  }
}

TEST(VectorsPresent, OrSkipped) {
  if (stored_pairs().empty()) GTEST_SKIP() << "no vectors at " << test::vectors_folder();
  EXPECT_GE(stored_pairs().size(), 17u);
}

} // namespace
} // namespace hull::vmaf
