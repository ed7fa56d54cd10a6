// Models: the bootstrap collection against figures of libvmaf 3.2's tool, and files that are no models.

#include "gst/vmaf/session.h"
#include "tests/gst/vmaf/clips.h"

#include <algorithm>
#include <gtest/gtest.h>
#include <random>

namespace hull::vmaf {
namespace {

std::filesystem::path model_path(const std::string &name) {
  return test::vectors_folder().parent_path() / "models" / name;
}

TEST(Bootstrap, AddsTheIntervalThatLibvmafPrints) {
  const auto manifest = test::read_json(test::vectors_folder() / "manifest.json");
  if (!manifest.is_object()) GTEST_SKIP() << "no vectors at " << test::vectors_folder();
  const auto pair = std::find_if(manifest["pairs"].begin(), manifest["pairs"].end(),
                                 [](const auto &p) { return p["name"] == "src01_8"; });
  const auto reference = test::stored_clip(*pair, "ref"), distorted = test::stored_clip(*pair, "dis");
  ASSERT_TRUE(reference && distorted);
  // vmaf -m path=vmaf_b_v0.6.3.json --cpumask 255 of this pair, six digits: score, bagging, stddev, low,
  // high.
  const double expected[3][5] = {{83.171225, 82.275541, 2.302359, 78.728629, 86.205567},
                                 {81.319807, 80.813865, 1.316361, 78.883851, 83.262824},
                                 {79.810998, 79.280655, 1.250161, 77.410671, 81.490993}};
  SessionOptions options;
  auto models = choose_models("", model_path("vmaf_b_v0.6.3.json").string(), 0);
  ASSERT_TRUE(models) << models.error().text;
  options.models = std::move(*models);
  const ScoreLog log = test::scores_of(*reference, *distorted, options);
  const std::size_t first = log.names().size() - 5;
  EXPECT_EQ(log.names()[first], "vmaf");
  EXPECT_EQ(log.names()[first + 4], "vmaf_ci_p95_hi");
  for (std::size_t n = 0; n < 3; ++n)
    for (std::size_t i = 0; i < 5; ++i)
      EXPECT_NEAR(log.at(n, first + i), expected[n][i], 5.1e-7)
          << "frame " << n << " " << log.names()[first + i];
}

TEST(Models, AutoTakes4kAbove1440Lines) {
  EXPECT_EQ(choose_models("auto", "", 1440)->front().model.name, "vmaf_v0.6.1");
  EXPECT_EQ(choose_models("auto", "", 1441)->front().model.name, "vmaf_4k_v0.6.1");
  EXPECT_EQ(choose_models("auto", "", 2160)->front().key, "vmaf");
}

TEST(Models, AutoV1GoesByLinesAndFrameRate) {
  const auto chosen = [](int height, double rate) {
    return choose_models("auto-v1", "", height, rate)->front().model.name;
  };
  EXPECT_EQ(chosen(1080, 25), "vmaf_v1.0.16_3d0h");
  EXPECT_EQ(chosen(1440, 48), "vmaf_v1.0.16_3d0h");
  EXPECT_EQ(chosen(2160, 0), "vmaf_v1.0.16_1d5h_2160");
  EXPECT_EQ(chosen(1080, 50), "vmaf_v1.0.16_hfr_3d0h");
  EXPECT_EQ(chosen(2160, 59.94), "vmaf_v1.0.16_hfr_1d5h_2160");
}

TEST(Models, OfV1HaveShortNames) {
  for (const char *name :
       {"3d0h", "5d0h", "1d5h_2160", "3d0h_2160", "hfr_3d0h", "hfr_5d0h", "hfr_1d5h_2160", "hfr_3d0h_2160"}) {
    const std::string whole = std::string("vmaf_v1.0.16_") + name;
    for (const std::string &form : {std::string(name), "v1.0.16_" + std::string(name), whole}) {
      const auto model = built_in_model(form);
      ASSERT_TRUE(model) << form;
      EXPECT_EQ(model->name, whole);
    }
  }
  EXPECT_FALSE(built_in_model("v1.0.16_4d0h"));
}

TEST(Models, OfV1FromTheFileScoreAsTheBuiltInOnes) {
  if (!std::filesystem::exists(model_path("vmaf_v1.0.16_3d0h.json")))
    GTEST_SKIP() << "no models in ../shared";
  for (const char *name :
       {"3d0h", "5d0h", "1d5h_2160", "3d0h_2160", "hfr_3d0h", "hfr_5d0h", "hfr_1d5h_2160", "hfr_3d0h_2160"}) {
    const std::string whole = std::string("vmaf_v1.0.16_") + name;
    const auto read = load_model(model_path(whole + ".json").string());
    ASSERT_TRUE(read) << read.error().text;
    const auto built = *built_in_model(name);
    ASSERT_EQ(read->features.size(), built.features.size());
    for (std::size_t i = 0; i < built.features.size(); ++i)
      EXPECT_TRUE(read->features[i].options == built.features[i].options) << name << " " << i;
    PairFeatures pair;
    pair.adm.push_back({0.93, 0.02, {}});
    pair.cambi.push_back(0.7);
    for (const double chroma : {0.0, 3.5}) { // estimated, measured
      pair.speed.assign(1, {0, 0, chroma});
      const FrameMotion motion(0, {{4, 4, 4}});
      EXPECT_EQ(read->score(pair, motion), built.score(pair, motion)) << name;
      EXPECT_EQ(read->clip, built.clip);
    }
  }
}

TEST(Models, OfV1ShareWhatTheyRead) {
  auto models =
      *choose_models("3d0h,5d0h,1d5h_2160,3d0h_2160,hfr_3d0h,hfr_5d0h,hfr_1d5h_2160,hfr_3d0h_2160", "", 0);
  const auto plan = plan_features(models);
  ASSERT_TRUE(plan);
  EXPECT_EQ(plan->adm_passes.size(), 3u); // 3d0h and 1d5h_2160 see the same detail
  EXPECT_EQ(plan->speed.size(), 3u);
  EXPECT_EQ(plan->cambi.size(), 1u);
  EXPECT_EQ(plan->motion.size(), 3u); // with the default
  EXPECT_FALSE(plan->gains.normal || plan->gains.neg);
}

TEST(Models, FromTheFileScoreAsTheBuiltInOnes) {
  if (!std::filesystem::exists(model_path("vmaf_v0.6.1.json"))) GTEST_SKIP() << "no models in ../shared";
  PairFeatures pair;
  std::fill_n(pair.adm2, kGains, 0.93);
  for (auto &scale : pair.vif_scale)
    std::fill_n(scale, kGains, 0.7);
  for (const char *name : {"vmaf_v0.6.1", "vmaf_v0.6.1neg", "vmaf_4k_v0.6.1"}) {
    const auto read = load_model(model_path(std::string(name) + ".json").string());
    ASSERT_TRUE(read) << read.error().text;
    EXPECT_EQ(read->score(pair, 3.5), built_in_model(name)->score(pair, 3.5)) << name;
  }
}

TEST(ModelFile, IsRefusedAtEveryTruncation) {
  auto model = test::read_json(model_path("vmaf_v0.6.1neg.json"));
  if (!model.is_object()) GTEST_SKIP() << "no models in ../shared";
  // Three of the support vectors are enough to cut through.
  std::string svm = model["model_dict"]["model"];
  std::size_t end = svm.find("SV\n") + 3;
  for (int line = 0; line < 3; ++line)
    end = svm.find('\n', end) + 1;
  svm.resize(end);
  const std::size_t total = svm.find("total_sv");
  svm.replace(total, svm.find('\n', total) - total, "total_sv 3");
  model["model_dict"]["model"] = svm;
  model.erase("param_dict");
  const std::string whole = model.dump();
  ASSERT_TRUE(parse_model(whole, "whole"));
  for (std::size_t n = 0; n < whole.size(); ++n)
    ASSERT_FALSE(parse_model(std::string_view(whole).substr(0, n), "cut")) << n << " bytes";
  // The same for the text of the support vector machine inside, up to the last line: in that sparse format a
  // shorter vector is a vector.
  for (std::size_t n = 0; n + 1 < svm.size(); ++n) {
    model["model_dict"]["model"] = svm.substr(0, n);
    const bool accepted = parse_model(model.dump(), "cut").has_value();
    EXPECT_FALSE(accepted && n <= svm.rfind('\n', svm.size() - 2)) << n << " bytes";
  }
}

TEST(ModelFile, IsRefusedWhereItsPartsDoNotFit) {
  const auto whole = test::read_json(model_path("vmaf_v0.6.1.json"));
  if (!whole.is_object()) GTEST_SKIP() << "no models in ../shared";
  const auto refused = [&whole](const char *what, const auto &change) {
    auto broken = whole;
    change(broken["model_dict"]);
    const auto parsed = parse_model(broken.dump(), "broken");
    ASSERT_FALSE(parsed) << what;
    EXPECT_GT(parsed.error().text.size(), 20u) << what;
  };
  for (const char *key : {"slopes", "intercepts", "feature_names", "model", "model_type"}) {
    refused(key, [key](auto &d) { d.erase(key); });
    refused(key, [key](auto &d) { d[key] = 7; });
    refused(key, [key](auto &d) { d[key] = nullptr; });
  }
  refused("one slope too few", [](auto &d) { d["slopes"].erase(0); });
  refused("a slope of zero for the score", [](auto &d) { d["slopes"][0] = 0.0; });
  refused("text for a slope", [](auto &d) { d["slopes"][1] = "x"; });
  refused("a feature nobody knows", [](auto &d) { d["feature_names"][0] = "VMAF_integer_feature_x_score"; });
  refused("another machine", [](auto &d) { d["model_type"] = "LIBLINEAR"; });
  refused("no support vectors", [](auto &d) { d["model"] = "svm_type nu_svr\n"; });
  refused("a support vector of letters", [](auto &d) {
    const std::string text = d["model"];
    d["model"] = text + "a 1:b\n";
  });
}

TEST(RunningPool, AgreesWithTheExactOne) {
  std::mt19937 random(1);
  std::uniform_real_distribution<double> scores(20, 100);
  RunningPool running;
  std::vector<double> values;
  for (int i = 0; i < 20000; ++i) {
    values.push_back(scores(random));
    running.add(values.back());
  }
  const Pooled exact = pool(values), streamed = running.pooled();
  EXPECT_EQ(streamed.mean, exact.mean);
  EXPECT_EQ(streamed.harmonic_mean, exact.harmonic_mean);
  EXPECT_EQ(streamed.min, exact.min);
  EXPECT_EQ(streamed.max, exact.max);
  EXPECT_NEAR(streamed.stddev, exact.stddev, 1e-9);
  for (const auto member : {&Pooled::p1, &Pooled::p5, &Pooled::p10, &Pooled::p25, &Pooled::p50})
    EXPECT_NEAR(streamed.*member, exact.*member, exact.*member / 4096 + 0.01);
}

TEST(ScoreLog, KeepsTheNewestRowsAndPoolsAll) {
  ScoreLog log({"a", "b"}, 4);
  for (std::uint64_t n = 0; n < 10; ++n)
    log.add(n, {static_cast<double>(n), n % 2 ? std::nan("") : 1.0});
  ASSERT_EQ(log.size(), 4u);
  EXPECT_EQ(log.total(), 10u);
  EXPECT_EQ(log.frame(0), 6u);
  EXPECT_EQ(log.at(3, 0), 9.0);
  EXPECT_EQ(log.pooled(0).mean, 4.5);
  EXPECT_EQ(log.pooled(0).min, 0.0);
  EXPECT_EQ(log.pooled(1).mean, 1.0);
}

} // namespace
} // namespace hull::vmaf
