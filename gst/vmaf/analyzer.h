#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/adm.h"
#include "gst/vmaf/cambi.h"
#include "gst/vmaf/motion.h"
#include "gst/vmaf/speed.h"
#include "gst/vmaf/vif.h"
#include "gst/vmaf/workers.h"

#include <memory>

namespace hull::vmaf {

/// What the models of the v0.6 family read, per gain limit ([0] 100, [1] NEG), what those of v1 read, in the
/// order of the options that were asked for, and PSNR where it was.
struct PairFeatures {
  double adm2[kGains] = {};
  double adm_scale[kLevels][kGains] = {};
  double vif_scale[kScales][kGains] = {};
  double psnr[3] = {}; ///< dB of Y, Cb, Cr; NaN where the plane is absent
  std::vector<AdmViewScore> adm;
  std::vector<double> cambi;
  std::vector<SpeedScore> speed;
};

/// Luma planes of the reference before a frame: the last one and the one before that; null = none.
struct Earlier {
  const Plane *one = nullptr, *two = nullptr;
};

/// Motion of a frame against each of them; 0 without.
struct MotionPair {
  double one = 0, two = 0;
};

struct AnalyzerOptions {
  Gains gains; ///< of ADM and VIF for the v0.6 family; neither = VIF is left out
  std::vector<AdmPass> adm;
  std::vector<CambiOptions> cambi;
  std::vector<SpeedOptions> speed; ///< pictures must have chroma then
  bool psnr = false;
  unsigned threads = 1;
  int stripe_rows = 0; ///< rows of a stripe at scale 0; 0 = chosen by size and threads
  const Kernels *kernels = &vmaf::kernels(hull::cpu());
};

/// Whether a picture of this size has a defined score: both sides must be above 32, where libvmaf's wavelet
/// ends.
Result<void> check_size(int width, int height);

/// Measures any number of distorted pictures of one size and depth against their common reference, whose
/// share of the work is done once. Holds planes for two lower resolutions and rings of rows, no copy of a
/// picture.
class Analyzer {
 public:
  /// `width` x `height` luma samples (check_size passed), up to `pictures` distorted pictures per frame.
  Analyzer(int width, int height, std::size_t pictures, const AnalyzerOptions &options);
  ~Analyzer();

  /// Features of each distorted picture. All planes have the analyzer's size and one depth.
  MotionPair measure(const Picture &reference, const Earlier &earlier, std::span<const Picture> distorted,
                     std::span<PairFeatures> features);

 private:
  struct Scratch;
  struct Task;
  int stripe_rows(int scale, std::size_t pictures) const;
  bool measures_v06() const { return options_.gains.normal || options_.gains.neg; }
  bool measures_adm() const { return measures_v06() || !views_.empty(); }
  void prepare_banding();
  void prepare_speed();
  void plan();
  void plan_v1();
  void execute(const Task &task, Scratch &scratch);
  void estimate_speed(std::size_t index, std::size_t setup);
  void score(std::span<PairFeatures> features) const;
  void score_speed(std::span<PairFeatures> features) const;

  const int width_, height_;
  const AnalyzerOptions options_;
  const Kernels &kernels_;
  Workers workers_;
  std::vector<VifPyramid> vif_; ///< [0] the reference
  std::vector<AdmPyramid> adm_;
  std::vector<VifPyramid *> vif_distorted_;
  std::vector<AdmPyramid *> adm_distorted_;
  std::vector<std::unique_ptr<Scratch>> scratch_; ///< one per thread
  std::vector<AdmView> views_;
  /// CAMBI of pictures that were coded alike.
  struct Banding {
    Coding coding;
    std::unique_ptr<CambiSetup> setup;
    std::unique_ptr<Cambi> cambi;
    double score = 0;
  };
  std::vector<Banding> banding_; ///< [options][picture]
  std::vector<SpeedSetup> speed_setups_;
  struct Estimates {
    SpeedEstimate planes[2];
  };
  std::vector<Estimates> estimates_; ///< [setup][picture], [0] the reference
  std::vector<Task> tasks_[kScales];
  const Picture *reference_ = nullptr;
  std::span<const Picture> distorted_;
  Earlier earlier_;
  std::size_t pictures_ = 0;
};

/// Peak signal to noise ratio in dB as libvmaf reports it: capped at 6 * bits + 12, NaN for an absent plane.
double psnr(const Kernels &kernels, const Plane &a, const Plane &b);

} // namespace hull::vmaf
