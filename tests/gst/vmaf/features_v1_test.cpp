// The v1 features on what is known without files: libvmaf's tables, and pictures of our own making.

#include "gst/vmaf/comparison.h"
#include "tests/gst/vmaf/clips.h"

#include <cmath>
#include <gtest/gtest.h>

namespace hull::vmaf {
namespace {

using test::Clip;

CambiOptions cambi_of_v1() {
  CambiOptions options;
  options.speedup = 1080;
  options.visible_luminance = 0.06;
  options.most = 17;
  return options;
}

TEST(CambiSetup, SeesStepsWhereLibvmafDoes) {
  const CambiSetup usual(576, 324, 8, {}), v1(576, 324, 8, cambi_of_v1());
  const int expected[] = {178, 305, 432, 559};
  for (int d = 1; d <= 4; ++d)
    EXPECT_EQ(usual.last[d], expected[d - 1]) << d;
  EXPECT_EQ(usual.range.visible, 0);
  EXPECT_EQ(v1.range.visible, 78);
  EXPECT_EQ(v1.range.low, 67);
  EXPECT_EQ(v1.range.high, 563);
}

TEST(CambiSetup, GoesByThePicturesSize) {
  struct Size {
    int width, height, window, mask_limit;
  };
  for (const Size &size :
       {Size{576, 324, 9, 16}, {1280, 720, 21, 19}, {1920, 1080, 33, 21}, {3840, 2160, 65, 24}}) {
    const CambiSetup setup(size.width, size.height, 10, {});
    EXPECT_EQ(setup.window, size.window) << size.width;
    EXPECT_EQ(setup.mask_limit, size.mask_limit) << size.width;
    EXPECT_FALSE(setup.halved || setup.soften);
  }
  const CambiSetup halved(1920, 1080, 8, cambi_of_v1());
  EXPECT_TRUE(halved.halved && halved.soften);
  EXPECT_EQ(halved.window, 17);
  EXPECT_FALSE(check_cambi(215, 215, {}));
  EXPECT_TRUE(check_cambi(216, 100, {}));
  EXPECT_FALSE(check_cambi(8192, 4320, cambi_of_v1()));
  EXPECT_TRUE(check_cambi(7680, 4320, cambi_of_v1()));
}

TEST(AdmCsf, HasLibvmafsFactors) {
  const auto factors = [](double distance, int height) {
    return adm_pass({2, distance, height, 1, 0.02, 0.7, 0.5})->csf.factors;
  };
  const CsfFactors near = factors(3, 1080), far = factors(5, 1080), fine = factors(3, 2160);
  EXPECT_EQ(near.level0[0], 24809);
  EXPECT_EQ(near.level0[2], 36087);
  EXPECT_EQ(near.levels[3][1], 154193616);
  EXPECT_EQ(far.level0[0], 8833);
  EXPECT_EQ(far.levels[1][0], 63604172);
  EXPECT_EQ(fine.level0[2], 4018);
  EXPECT_EQ(fine.levels[2][1], 50586124);
  EXPECT_EQ(*adm_pass({2, 3.0, 1080}), *adm_pass({2, 1.5, 2160}));
  EXPECT_EQ(adm_pass({})->csf.factors.level0[0], 36453);
  EXPECT_EQ(adm_pass({})->csf.factors.levels[1][0], 137373792);
  EXPECT_FALSE(adm_pass({2, 4.0, 1080}));
  EXPECT_FALSE(adm_pass({0, 3.0, 720}));
}

TEST(SpeedSetup, HasLibvmafsFilters) {
  const SpeedSetup setup(288, 162, {});
  const float low[] = {0.0756488293f, 0.0991033912f, 0.120188937f, 0.13493669f, 0.14024429f};
  ASSERT_EQ(setup.low_pass.size(), 9u);
  for (std::size_t i = 0; i < 5; ++i) {
    EXPECT_FLOAT_EQ(setup.low_pass[i], low[i]);
    EXPECT_EQ(setup.low_pass[8 - i], setup.low_pass[i]);
  }
  ASSERT_EQ(setup.local_mean.size(), 3u);
  EXPECT_FLOAT_EQ(setup.local_mean[1], 0.667242944f);
  EXPECT_EQ(setup.columns, 3);
  EXPECT_EQ(setup.rows, 2);
  EXPECT_FALSE(check_speed(79, 80, {}));
  EXPECT_TRUE(check_speed(80, 80, {}));
}

TEST(MotionTrack, WaitsForTheFramesThatItNeeds) {
  MotionOptions options;
  options.five_frame_window = options.moving_average = true;
  options.most = 18;
  MotionTrack track(options);
  const double scores[] = {0, 0, 4, 30, 8};
  track.push(scores[0]);
  track.push(scores[1]);
  EXPECT_FALSE(track.ready());
  track.push(scores[2]);
  ASSERT_TRUE(track.ready());
  EXPECT_EQ(track.take(false).motion3, 4); // the first sum stands in
  EXPECT_EQ(track.take(false).motion3, 4);
  EXPECT_FALSE(track.ready());
  track.push(scores[3]);
  EXPECT_EQ(track.take(false).motion3, 11); // (18 + 4) / 2: the next frame's sum, limited, and the one before
  track.push(scores[4]);
  EXPECT_EQ(track.take(false).motion2, 4); // the lesser of frames 2 and 4
  EXPECT_EQ(track.take(true).motion2, 8);
}

TEST(FeatureOptions, NameColumnsAsLibvmafDoes) {
  EXPECT_EQ(option_suffix(AdmOptions{}), "");
  EXPECT_EQ(option_suffix(AdmOptions{2, 1.5, 2160, 1, 0.02, 0.7, 0.5}),
            "_csf_2_dlmw_0.7_egl_1_min_0.5_nw_0.02_nvd_1.5_rdh_2160");
  EXPECT_EQ(option_suffix(cambi_of_v1()), "_hrs_1080_cmxv_17_vlt_0.06");
  SpeedOptions speed;
  const Json given =
      Json::parse(R"({"speed_nn_floor": 0.1, "speed_prescale": 0.6, "speed_prescale_method": "bilinear",
                                     "speed_sigma_nn": 0.19, "speed_weight_var_mode": 5, "speed_max_val": 45.0})");
  ASSERT_TRUE(read_options(given, speed));
  EXPECT_EQ(option_suffix(speed), "_mxv_45_nnf_0.1_ps_0.6_psm_bilinear_snn_0.19_wvm_5");
  for (const char *wrong :
       {R"({"speed_prescale": "x"})", R"({"speed_prescale": 9})", R"({"speed": 1})",
        R"({"speed_weight_var_mode": 1.5})", R"({"speed_prescale_method": "cubic"})", "3"})
    EXPECT_FALSE(read_options(Json::parse(wrong), speed)) << wrong;
}

/// 4:2:0 of 8 bits; luma rises in steps of one code over `step` columns.
Clip stairs(int width, int height, int step) {
  Clip clip;
  clip.width = width;
  clip.height = height;
  clip.chroma_width = width / 2;
  clip.chroma_height = height / 2;
  clip.frames = 3;
  for (int n = 0; n < clip.frames; ++n) {
    for (int i = 0; i < width * height; ++i)
      clip.bytes.push_back(static_cast<std::uint8_t>(40 + i % width / step));
    clip.bytes.insert(clip.bytes.end(), static_cast<std::size_t>(width * height / 2), 128);
  }
  return clip;
}

TEST(Cambi, FindsStairsAndNothingInAFlatPicture) {
  const Clip banded = stairs(320, 240, 20), flat = stairs(320, 240, 400);
  const CambiSetup setup(320, 240, 8, cambi_of_v1());
  Cambi cambi(kernels(cpu()), setup);
  EXPECT_EQ(cambi.measure(flat.picture(0).y), 0);
  const double score = cambi.measure(banded.picture(0).y);
  EXPECT_GT(score, 1);
  EXPECT_EQ(cambi.measure(banded.picture(0).y), score); // nothing is left of the picture before
}

// A model's file may ask for anything within libvmaf's ranges.
TEST(Cambi, TakesEveryOptionToItsEnds) {
  const Clip banded = stairs(320, 240, 20);
  const Plane luma = banded.picture(0).y;
  const char *const options[] = {R"({"cambi_vis_lum_threshold": 300})",
                                 R"({"cambi_vis_lum_threshold": 300, "cambi_eotf": "pq"})",
                                 R"({"cambi_vis_lum_threshold": 3, "max_log_contrast": 0})",
                                 R"({"max_log_contrast": 5, "window_size": 127})",
                                 R"({"tvi_threshold": 1, "max_log_contrast": 0, "eotf": "pq"})",
                                 R"({"tvi_threshold": 0.0001, "cambi_topk": 1})",
                                 R"({"topk": 0.0001, "window_size": 15})",
                                 R"({"cambi_max_val": 0})",
                                 R"({"enc_width": 1, "enc_height": 1})",
                                 R"({"enc_width": 217, "enc_height": 3, "enc_bitdepth": 16})"};
  for (const char *const text : options) {
    CambiOptions wanted;
    ASSERT_TRUE(read_options(Json::parse(text), wanted)) << text;
    const CambiOptions taken = coded_options(wanted, {}, 320, 240);
    const CambiSetup setup(320, 240, 8, taken);
    const double score = Cambi(kernels(cpu()), setup).measure(luma);
    EXPECT_GE(score, 0) << text;
    EXPECT_LE(score, wanted.most) << text;
    EXPECT_EQ(score, Cambi(kernels(Cpu::scalar), setup).measure(luma)) << text;
  }
}

TEST(Speed, TakesEveryOptionToItsEnds) {
  Clip noise = stairs(512, 384, 20);
  std::uint32_t state = 1;
  for (std::uint8_t &byte : noise.bytes)
    byte = static_cast<std::uint8_t>((state = state * 1664525 + 1013904223) >> 24);
  const Picture picture = noise.picture(0);
  const char *const options[] = {R"({"speed_kernelscale": 0.1})",
                                 R"({"speed_kernelscale": 4, "speed_prescale": 4})",
                                 R"({"speed_prescale": 4, "speed_prescale_method": "bilinear"})",
                                 R"({"speed_prescale": 0.5, "speed_nn_floor": 1})",
                                 R"({"speed_sigma_nn": 2, "speed_weight_var_mode": 6, "speed_max_val": 0})"};
  for (const char *const text : options) {
    SpeedOptions wanted;
    ASSERT_TRUE(read_options(Json::parse(text), wanted)) << text;
    ASSERT_TRUE(check_speed(picture.cb.width, picture.cb.height, wanted)) << text;
    const SpeedSetup setup(picture.cb.width, picture.cb.height, wanted);
    const SpeedEstimate planes[2] = {speed_estimate(picture.cb, setup), speed_estimate(picture.cr, setup)};
    const SpeedScore score = speed_score(planes, planes, wanted);
    EXPECT_TRUE(std::isfinite(score.uv)) << text;
    EXPECT_LE(score.uv, wanted.most) << text;
  }
}

/// Each sample of a plane `times` times both ways, `up` bits deeper.
class Enlarged {
 public:
  Enlarged(const Plane &from, int times, int up) {
    const int width = times * from.width, height = times * from.height;
    for (int y = 0; y < height; ++y)
      for (int x = 0; x < width; ++x) {
        const int sample = from.sample(x / times, y / times);
        bytes_.push_back(static_cast<std::uint8_t>(sample));
        words_.push_back(static_cast<std::uint16_t>(sample << up));
      }
    plane =
        up ? Plane{reinterpret_cast<const std::uint8_t *>(words_.data()), 2 * width, width, height, 8 + up, 0}
           : Plane{bytes_.data(), width, width, height, 8, 0};
  }
  Plane plane;

 private:
  std::vector<std::uint8_t> bytes_;
  std::vector<std::uint16_t> words_;
};

/// These stairs are beyond the models' limit.
CambiOptions unlimited() {
  CambiOptions options = cambi_of_v1();
  options.most = 1000;
  return options;
}

double banding_of(const Plane &luma, const Coding &coding) {
  const CambiOptions options = coded_options(unlimited(), coding, luma.width, luma.height);
  const CambiSetup setup(luma.width, luma.height, luma.bits, options);
  return Cambi(kernels(cpu()), setup).measure(luma);
}

// An encoder's bands are as wide as it made them, at the depth that it had, however the picture was scaled.
TEST(Cambi, GoesByTheSizeAndDepthThatWereCoded) {
  const Clip banded = stairs(320, 240, 7);
  const Plane coded = banded.picture(0).y;
  const double score = banding_of(coded, {});
  ASSERT_GT(score, 0);
  const Enlarged larger(coded, 2, 0), deeper(coded, 1, 2), both(coded, 2, 2);
  EXPECT_EQ(banding_of(larger.plane, {320, 240, 8}), score);
  EXPECT_NE(banding_of(larger.plane, {}), score);
  EXPECT_EQ(banding_of(deeper.plane, {320, 240, 8}), score);
  EXPECT_NE(banding_of(deeper.plane, {}), score);
  EXPECT_EQ(banding_of(both.plane, {320, 240, 8}), score);
}

TEST(Cambi, TakesCodedSizesThatItCanCount) {
  const auto size = [](const CambiOptions &options, const Coding &coding) {
    const CambiOptions taken = coded_options(options, coding, 1280, 720);
    return std::pair(taken.enc_width, taken.enc_height);
  };
  EXPECT_EQ(size({}, {960, 540, 8}), std::pair(960, 540));
  EXPECT_EQ(size({}, {1920, 1080, 8}), std::pair(1280, 720)); // larger than what is compared
  EXPECT_EQ(size({}, {192, 108, 8}), std::pair(1280, 720));   // too small for CAMBI
  EXPECT_EQ(size({}, {}), std::pair(1280, 720));
  CambiOptions set;
  set.enc_width = 640;
  set.enc_height = 360;
  set.enc_bits = 12;
  EXPECT_EQ(size(set, {960, 540, 8}), std::pair(640, 360)); // the model's own
  EXPECT_EQ(coded_options(set, {960, 540, 8}, 1280, 720).enc_bits, 12);
  EXPECT_EQ(coded_options({}, {960, 540, 8}, 1280, 720).enc_bits, 8);
}

TEST(Banding, OfPicturesCodedInOtherWaysIsThatOfEachAlone) {
  const Clip banded = stairs(320, 240, 7);
  const Enlarged shown(banded.picture(0).y, 2, 0);
  const Coding codings[] = {{640, 480, 8}, {320, 240, 8}, {480, 360, 8}};
  AnalyzerOptions options;
  options.cambi.push_back(unlimited());
  const auto measured = [&](Analyzer &analyzer, std::initializer_list<Coding> which) {
    std::vector<Picture> pictures;
    for (const Coding &coding : which)
      pictures.push_back({shown.plane, {}, {}, coding});
    std::vector<PairFeatures> features(pictures.size());
    analyzer.measure({shown.plane}, {}, pictures, features);
    std::vector<double> found;
    for (const PairFeatures &each : features)
      found.push_back(each.cambi.at(0));
    return found;
  };
  Analyzer analyzer(640, 480, 3, options);
  const auto together = measured(analyzer, {codings[0], codings[1], codings[2]});
  const auto swapped = measured(analyzer, {codings[2], codings[0]}); // one has no partner in this frame
  EXPECT_NE(together[0], together[1]);
  EXPECT_EQ(swapped, (std::vector<double>{together[2], together[0]}));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(together[i], banding_of(shown.plane, codings[i])) << i;
    Analyzer alone(640, 480, 1, options);
    EXPECT_EQ(measured(alone, {codings[i]}), std::vector<double>{together[i]}) << i;
  }
}

TEST(ModelsV1, GiveIdenticalFlatPicturesAHundred) {
  const Clip flat = stairs(352, 288, 400);
  SessionOptions options;
  options.models = *choose_models("3d0h,1d5h_2160,hfr_3d0h,v0.6.1neg", "", 0);
  for (const unsigned threads : {1u, 2u}) {
    options.threads = threads;
    const ScoreLog log = test::scores_of(flat, flat, options);
    ASSERT_EQ(log.size(), 3u);
    for (std::size_t n = 0; n < 3; ++n)
      for (std::size_t c = 0; c < log.names().size(); ++c) {
        const bool score = log.names()[c] == "vmaf" || log.names()[c].starts_with("vmaf_v1");
        EXPECT_EQ(score ? log.at(n, c) : 100, 100) << log.names()[c];
        EXPECT_FALSE(std::isnan(log.at(n, c))) << log.names()[c];
      }
  }
}

TEST(ModelsV1, AreRefusedWherePicturesLackWhatTheyRead) {
  const Clip small = stairs(160, 120, 20);
  Picture grey = stairs(352, 288, 20).picture(0);
  grey.cb = grey.cr = {};
  ComparisonOptions options;
  options.models = "3d0h";
  for (const Picture &picture : {small.picture(0), grey}) {
    const auto started = Comparison::start(options, picture, 8, {"distorted_0"});
    ASSERT_FALSE(started);
    EXPECT_NE(started.error().text.find("v0.6.1"), std::string::npos) << started.error().text;
  }
}

} // namespace
} // namespace hull::vmaf
