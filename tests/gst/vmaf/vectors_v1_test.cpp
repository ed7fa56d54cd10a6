// libvmaf v3.2.0-13-gf85a8536's C path is the oracle for the v1 models and the features they read: every value
// of every stored pair, to the last of 17 digits.

#include "tests/gst/vmaf/clips.h"

#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

using test::Clip;

struct CaseV1 {
  nlohmann::json pair;
  friend void PrintTo(const CaseV1 &c, std::ostream *out) { *out << c.pair["name"]; }
};

std::filesystem::path folder() {
  return test::vectors_folder() / "v1";
}

std::vector<CaseV1> stored_pairs() {
  std::vector<CaseV1> found;
  const auto manifest = test::read_json(folder() / "manifest.json");
  if (!manifest.is_object()) return found;
  for (const auto &pair : manifest["pairs"])
    if (std::filesystem::exists(test::stored_path(pair, "ref")) &&
        std::filesystem::exists(test::stored_path(pair, "dis")) &&
        std::filesystem::exists(folder() / (pair["name"].get<std::string>() + ".json")))
      found.push_back({pair});
  return found;
}

class VectorsV1 : public testing::TestWithParam<CaseV1> {
 protected:
  void SetUp() override {
    const auto &pair = GetParam().pair;
    reference_ = test::stored_clip(pair, "ref");
    distorted_ = test::stored_clip(pair, "dis");
    ASSERT_TRUE(reference_ && distorted_);
    truth_ = test::read_json(folder() / (pair["name"].get<std::string>() + ".json"));
    ASSERT_TRUE(truth_.is_object());
  }
  void TearDown() override { RecordProperty("compared", compared_); }

  const nlohmann::json &metrics(int frame) const {
    return truth_["frames"][static_cast<std::size_t>(frame)]["metrics"];
  }
  bool knows(const std::string &name) const { return metrics(0).contains(name); }
  void expect(int frame, const std::string &name, double value) {
    ++compared_;
    ASSERT_TRUE(metrics(frame).contains(name)) << name;
    EXPECT_EQ(value, metrics(frame)[name].get<double>()) << name << " of frame " << frame;
  }
  template <class Measure> void each_frame(const Measure &measure) {
    for (int n = 0; n < reference_->frames; ++n)
      measure(n, reference_->picture(n), distorted_->picture(n));
  }

  std::optional<Clip> reference_, distorted_;
  nlohmann::json truth_;
  int compared_ = 0;
};
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(VectorsV1);
INSTANTIATE_TEST_SUITE_P(Stored, VectorsV1, testing::ValuesIn(stored_pairs()), [](const auto &info) {
  return info.param.pair["name"].template get<std::string>();
});

TEST_P(VectorsV1, ScoresAndColumnsOfAllModelsInOnePass) {
  std::string names = "v0.6.1,v0.6.1neg";
  for (const auto &name : GetParam().pair["models"])
    names += ",vmaf_v1.0.16_" + name.get<std::string>().substr(3);
  SessionOptions options;
  options.models = *choose_models(names, "", 0);
  const ScoreLog log = test::scores_of(*reference_, *distorted_, options);
  ASSERT_EQ(log.size(), static_cast<std::size_t>(reference_->frames));
  for (std::size_t c = 0; c < log.names().size(); ++c) {
    std::string name = log.names()[c];
    if (const std::string prefix = "vmaf_v1.0.16_"; name.starts_with(prefix))
      name = "v1_" + name.substr(prefix.size());
    else if (name.starts_with("vmaf") || name.find("vif") != std::string::npos ||
             name.find("egl_1") + 5 == name.size())
      continue; // of the v0.6 family, which has vectors of its own
    for (int n = 0; n < reference_->frames; ++n)
      expect(n, name, log.at(static_cast<std::size_t>(n), c));
  }
}

TEST_P(VectorsV1, AdmAndAimOfEachOption) {
  std::vector<AdmOptions> wanted(7);
  for (std::size_t i = 0; i < 4; ++i)
    wanted[i] = {2, 3.0, 1080, 1, 0.02, 0.7, 0.5};
  wanted[1].distance = 5;
  wanted[2].distance = 1.5;
  wanted[2].height = wanted[3].height = 2160;
  wanted[4].csf_mode = 3;
  wanted[5].distance = 4.5; // [6] the default
  AnalyzerOptions options;
  options.gains = {false, false};
  std::erase_if(wanted, [this](const AdmOptions &o) { return !knows("integer_aim" + option_suffix(o)); });
  for (const AdmOptions &adm : wanted)
    options.adm.push_back(*adm_pass(adm));
  Analyzer analyzer(reference_->width, reference_->height, 1, options);
  each_frame([&](int n, const Picture &r, const Picture &d) {
    PairFeatures features;
    analyzer.measure(r, {}, {&d, 1}, {&features, 1});
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const AdmViewScore &score = features.adm[i];
      const std::string suffix = option_suffix(wanted[i]);
      expect(n, "integer_adm2" + suffix, score.adm2);
      expect(n, "integer_aim" + suffix, score.aim);
      expect(n, "integer_adm3" + suffix, wanted[i].adm3(score.adm2, score.aim));
      for (std::size_t s = 0; s < kLevels; ++s)
        expect(n, "integer_adm_scale" + std::to_string(s) + suffix, score.scale[s]);
    }
  });
}

TEST_P(VectorsV1, MotionOfEachOption) {
  std::vector<MotionOptions> wanted(5);
  wanted[1].most = wanted[2].most = 18;
  wanted[2].five_frame_window = wanted[2].moving_average = true;
  wanted[3].blend_factor = 0.5;
  wanted[3].blend_offset = 2;
  wanted[3].most = 6;
  wanted[3].moving_average = true;
  wanted[4].fps_weight = 0.5;
  wanted[4].five_frame_window = true;
  AnalyzerOptions options;
  options.gains = {false, false};
  Analyzer analyzer(reference_->width, reference_->height, 1, options);
  std::vector<MotionPair> motion;
  for (int n = 0; n < reference_->frames; ++n) {
    const Picture r = reference_->picture(n);
    const Plane one = n ? reference_->picture(n - 1).y : Plane{},
                two = n > 1 ? reference_->picture(n - 2).y : Plane{};
    motion.push_back(analyzer.measure(r, {n ? &one : nullptr, n > 1 ? &two : nullptr}, {}, {}));
  }
  for (const MotionOptions &option : wanted) {
    const std::string suffix = option_suffix(option);
    if (!knows("integer_motion3" + suffix)) continue;
    MotionTrack track(option);
    int taken = 0;
    const auto compare = [&](const MotionScore &score) {
      const int n = taken++;
      expect(n, "VMAF_integer_feature_motion_sad_score" + suffix, score.sad);
      expect(n, "integer_motion2" + suffix, score.motion2);
      expect(n, "integer_motion3" + suffix, score.motion3);
    };
    for (const MotionPair &pair : motion) {
      track.push(option.five_frame_window ? pair.two : pair.one);
      while (track.ready())
        compare(track.take(false));
    }
    while (taken < reference_->frames)
      compare(track.take(true));
  }
}

TEST_P(VectorsV1, CambiOfEachOption) {
  std::vector<CambiOptions> wanted(4);
  wanted[1].speedup = wanted[2].speedup = 1080;
  wanted[1].most = 17;
  wanted[1].visible_luminance = 0.06;
  wanted[2].topk = 0.2;
  wanted[2].max_log_contrast = 3;
  wanted[2].window = 45;
  wanted[3].eotf = Eotf::pq;
  wanted[3].visible_luminance = 0.5;
  wanted[3].tvi_threshold = 0.01;
  for (const CambiOptions &option : wanted) {
    const std::string name = "cambi" + option_suffix(option);
    if (!knows(name)) continue;
    const CambiSetup setup(reference_->width, reference_->height, reference_->bits, option);
    Cambi cambi(kernels(cpu()), setup);
    each_frame([&](int n, const Picture &r, const Picture &d) {
      expect(n, name, cambi.measure(d.y));
      if (name == "cambi") expect(n, "cambi_source", cambi.measure(r.y));
    });
  }
}

TEST_P(VectorsV1, SpeedOfEachOption) {
  std::vector<SpeedOptions> wanted(5);
  for (std::size_t i = 1; i < 4; ++i) {
    wanted[i].nn_floor = 0.1;
    wanted[i].sigma_nn = 0.19;
    wanted[i].weight_mode = 5;
    wanted[i].most = 45;
  }
  wanted[2].prescale = 0.6;
  wanted[3].prescale = 0.5;
  wanted[4].prescale = wanted[4].kernel_scale = 1.5;
  wanted[4].weight_mode = 3;
  for (std::size_t i = 2; i < 5; ++i)
    wanted[i].method = Prescale::bilinear;
  for (const SpeedOptions &option : wanted) {
    const std::string suffix = option_suffix(option);
    const Plane chroma = reference_->picture(0).cb;
    if (!knows("speed_chroma_uv" + suffix)) continue;
    const SpeedSetup setup(chroma.width, chroma.height, option);
    each_frame([&](int n, const Picture &r, const Picture &d) {
      const SpeedEstimate reference[2] = {speed_estimate(r.cb, setup), speed_estimate(r.cr, setup)},
                          distorted[2] = {speed_estimate(d.cb, setup), speed_estimate(d.cr, setup)};
      const SpeedScore score = speed_score(reference, distorted, option);
      expect(n, "speed_chroma_u" + suffix, score.u);
      expect(n, "speed_chroma_v" + suffix, score.v);
      expect(n, "speed_chroma_uv" + suffix, score.uv);
    });
  }
}

TEST(VectorsV1Present, OrSkipped) {
  if (stored_pairs().empty()) GTEST_SKIP() << "no vectors at " << folder();
  EXPECT_GE(stored_pairs().size(), 17u);
}

} // namespace
} // namespace hull::vmaf
