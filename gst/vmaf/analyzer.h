#pragma once

#include "gst/core/result.h"
#include "gst/vmaf/adm.h"
#include "gst/vmaf/motion.h"
#include "gst/vmaf/vif.h"
#include "gst/vmaf/workers.h"

#include <memory>

namespace hull::vmaf {

/// What the models of the v0.6 family read, per gain limit ([0] 100, [1] NEG), and PSNR where it was asked
/// for.
struct PairFeatures {
  double adm2[kGains] = {};
  double adm_scale[kLevels][kGains] = {};
  double vif_scale[kScales][kGains] = {};
  double psnr[3] = {}; ///< dB of Y, Cb, Cr; NaN where the plane is absent
};

struct AnalyzerOptions {
  Gains gains;
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
  /// `previous`: the reference's luma before this frame, or null; returns the frame's motion against it (0
  /// without).
  double measure(const Picture &reference, const Plane *previous, std::span<const Picture> distorted,
                 std::span<PairFeatures> features);

 private:
  struct Scratch;
  struct Task;
  int stripe_rows(int scale, std::size_t pictures) const;
  void plan(std::size_t pictures, bool motion);
  void execute(const Task &task, Scratch &scratch);
  void score(std::size_t pictures, std::span<PairFeatures> features) const;

  const int width_, height_;
  const AnalyzerOptions options_;
  const Kernels &kernels_;
  Workers workers_;
  std::vector<VifPyramid> vif_; ///< [0] the reference
  std::vector<AdmPyramid> adm_;
  std::vector<VifPyramid *> vif_distorted_;
  std::vector<AdmPyramid *> adm_distorted_;
  std::vector<std::unique_ptr<Scratch>> scratch_; ///< one per thread
  std::vector<Task> tasks_[kScales];
  const Plane *previous_ = nullptr;
  std::size_t pictures_ = 0;
};

/// Peak signal to noise ratio in dB as libvmaf reports it: capped at 6 * bits + 12, NaN for an absent plane.
double psnr(const Kernels &kernels, const Plane &a, const Plane &b);

} // namespace hull::vmaf
