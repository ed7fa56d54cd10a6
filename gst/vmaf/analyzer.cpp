#include "gst/vmaf/analyzer.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

namespace hull::vmaf {

struct Analyzer::Task {
  enum class Kind { vif, halve, adm, motion, cambi, speed } kind;
  int scale;
  int begin, end;
  std::size_t picture = 0; ///< halve: which pyramid; cambi, speed: which one, [0] the reference for speed
  std::size_t setup = 0;   ///< cambi, speed
  int source_row() const { return kind == Kind::adm || kind == Kind::halve ? 2 * begin : begin; }
};

/// What one thread needs, and the sums it has gathered.
struct Analyzer::Scratch {
  Scratch(int width, std::size_t pictures, std::size_t views)
      : vif(width, pictures),
        adm(width, pictures, views),
        motion(width, 1),
        vif_sums(pictures * kScales),
        adm_sums(pictures * kLevels) {}

  void clear() {
    std::fill(std::begin(vif_reference), std::end(vif_reference), VifSums{});
    std::fill(std::begin(adm_reference), std::end(adm_reference), AdmSums{});
    std::fill(vif_sums.begin(), vif_sums.end(), VifSums{});
    std::fill(adm_sums.begin(), adm_sums.end(), AdmSums{});
    motion_sums[0] = motion_sums[1] = 0;
  }

  VifScratch vif;
  AdmScratch adm;
  Rows<std::int32_t> motion;
  VifSums vif_reference[kScales];
  AdmSums adm_reference[kLevels];
  std::vector<VifSums> vif_sums; ///< [scale][picture]
  std::vector<AdmSums> adm_sums;
  std::uint64_t motion_sums[2] = {}; ///< against the frame before, and the one before that
};

Result<void> check_size(int width, int height) {
  if (width > 32 && height > 32) return {};
  return fail(ErrorCode::unsupported, "VMAF is not defined for pictures of " + std::to_string(width) + "x" +
                                          std::to_string(height) +
                                          ": both sides must be above 32 pixels. Score at a larger size.");
}

Analyzer::Analyzer(int width, int height, std::size_t pictures, const AnalyzerOptions &options)
    : width_(width),
      height_(height),
      options_(options),
      kernels_(*options.kernels),
      workers_(options.threads) {
  for (const AdmPass &pass : options.adm)
    views_.push_back(pass.view());
  for (std::size_t i = 0; i <= pictures; ++i) {
    vif_.emplace_back(width, height);
    adm_.emplace_back(width, height);
  }
  for (std::size_t i = 1; i <= pictures; ++i) {
    vif_distorted_.push_back(&vif_[i]);
    adm_distorted_.push_back(&adm_[i]);
  }
  for (unsigned i = 0; i < workers_.count(); ++i)
    scratch_.push_back(std::make_unique<Scratch>(width, pictures, views_.size()));
}

Analyzer::~Analyzer() = default;

/// Source rows of a stripe: as many as the second-level cache holds of all pictures, fewer where threads are
/// to end at about the same time.
int Analyzer::stripe_rows(int scale, std::size_t pictures) const {
  if (options_.stripe_rows) return std::max(1, options_.stripe_rows >> scale);
  if (workers_.count() > 1) return 64;
  constexpr std::size_t kCache = 512 * 1024;
  const std::size_t row = static_cast<std::size_t>(width_) * (pictures + 2); // the previous picture, too
  return std::clamp(static_cast<int>(kCache / row), 64, 128) << scale;
}

/// A step for each scale, which also makes what the next one reads. All that is done with a stripe of the
/// pictures comes together, while the cache has it.
void Analyzer::plan() {
  using Kind = Task::Kind;
  const auto split = [&](Kind kind, int scale, int rows, std::size_t picture) {
    const bool halves = kind == Kind::adm || kind == Kind::halve;
    const int height = std::max(1, stripe_rows(scale, pictures_) / (halves ? 2 : 1));
    for (int y = 0; y < rows; y += height)
      tasks_[scale].push_back({kind, scale, y, std::min(rows, y + height), picture});
  };
  for (int s = 0; s < kScales; ++s) {
    tasks_[s].clear();
    if (pictures_ > 0) {
      if (measures_adm()) split(Kind::adm, s, AdmRegion(width_, height_, s).height, 0);
      const int rows = s == 0 ? height_ : vif_[0].plane(s).height;
      for (std::size_t i = 0; measures_v06() && i <= pictures_ && s + 1 < kScales; ++i)
        split(Kind::halve, s, rows / 2, i);
      if (measures_v06()) split(Kind::vif, s, rows, 0);
    }
    if (s == 0 && earlier_.one) split(Kind::motion, 0, height_, 0);
    if (s == 0 && earlier_.two) split(Kind::motion, 0, height_, 1);
    std::stable_sort(tasks_[s].begin(), tasks_[s].end(),
                     [](const Task &a, const Task &b) { return a.source_row() < b.source_row(); });
  }
  if (pictures_ > 0) plan_v1();
}

/// What is done with whole pictures comes first: small pieces behind it even out the threads.
void Analyzer::plan_v1() {
  using Kind = Task::Kind;
  std::vector<Task> whole;
  for (std::size_t setup = 0; setup < options_.cambi.size(); ++setup)
    for (std::size_t i = 0; i < pictures_; ++i)
      whole.push_back({Kind::cambi, 0, 0, 0, i, setup});
  for (std::size_t setup = 0; setup < speed_setups_.size(); ++setup)
    for (std::size_t i = 0; i <= pictures_; ++i)
      whole.push_back({Kind::speed, 0, 0, 0, i, setup});
  tasks_[0].insert(tasks_[0].begin(), whole.begin(), whole.end());
}

void Analyzer::execute(const Task &task, Scratch &scratch) {
  const auto s = static_cast<std::size_t>(task.scale);
  const std::size_t all = scratch.vif_sums.size() / kScales;
  switch (task.kind) {
  case Task::Kind::vif:
    vif_stripe(kernels_, vif_[0].plane(task.scale), std::span(vif_distorted_).first(pictures_), task.scale,
               task.begin, task.end, options_.gains, scratch.vif, scratch.vif_reference[s],
               std::span(scratch.vif_sums).subspan(s * all, pictures_));
    break;
  case Task::Kind::halve:
    vif_halve(kernels_, vif_[task.picture], task.scale, task.begin, task.end, scratch.vif);
    break;
  case Task::Kind::adm:
    adm_stripe(kernels_, adm_[0], std::span(adm_distorted_).first(pictures_), task.scale, task.begin,
               task.end, options_.gains, views_, scratch.adm, scratch.adm_reference[s],
               std::span(scratch.adm_sums).subspan(s * all, pictures_));
    break;
  case Task::Kind::motion:
    scratch.motion_sums[task.picture] += motion_stripe(kernels_, task.picture ? *earlier_.two : *earlier_.one,
                                                       reference_->y, task.begin, task.end, scratch.motion);
    break;
  case Task::Kind::cambi: {
    Banding &banding = banding_[task.setup * all + task.picture];
    banding.score = banding.cambi->measure(distorted_[task.picture].y);
    break;
  }
  case Task::Kind::speed:
    estimate_speed(task.picture, task.setup);
    break;
  }
}

void Analyzer::estimate_speed(std::size_t index, std::size_t setup) {
  const Picture &picture = index ? distorted_[index - 1] : *reference_;
  Estimates &estimates = estimates_[setup * vif_.size() + index];
  estimates.planes[0] = speed_estimate(picture.cb, speed_setups_[setup]);
  estimates.planes[1] = speed_estimate(picture.cr, speed_setups_[setup]);
}

MotionPair Analyzer::measure(const Picture &reference, const Earlier &earlier,
                             std::span<const Picture> distorted, std::span<PairFeatures> features) {
  reference_ = &reference;
  distorted_ = distorted;
  earlier_ = earlier;
  pictures_ = distorted.size();
  vif_[0].set_picture(reference.y);
  adm_[0].picture = reference.y;
  for (std::size_t i = 0; i < pictures_; ++i) {
    vif_[i + 1].set_picture(distorted[i].y);
    adm_[i + 1].picture = distorted[i].y;
  }
  for (auto &scratch : scratch_)
    scratch->clear();
  prepare_banding();
  prepare_speed();
  plan();
  for (const auto &tasks : tasks_)
    workers_.run(static_cast<int>(tasks.size()), [&](int task, unsigned thread) {
      execute(tasks[static_cast<std::size_t>(task)], *scratch_[thread]);
    });
  score(features);
  score_speed(features);
  if (options_.psnr)
    for (std::size_t i = 0; i < pictures_; ++i) {
      features[i].psnr[0] = psnr(kernels_, reference.y, distorted[i].y);
      features[i].psnr[1] = psnr(kernels_, reference.cb, distorted[i].cb);
      features[i].psnr[2] = psnr(kernels_, reference.cr, distorted[i].cr);
    }
  std::uint64_t motion[2] = {};
  for (const auto &scratch : scratch_)
    for (std::size_t i = 0; i < 2; ++i)
      motion[i] += scratch->motion_sums[i];
  return {motion_score(motion[0], width_, height_), motion_score(motion[1], width_, height_)};
}

/// What depends on how a picture was coded is made with the first one that was coded so.
void Analyzer::prepare_banding() {
  const std::size_t all = vif_distorted_.size();
  banding_.resize(options_.cambi.size() * all);
  for (std::size_t at = 0; at < banding_.size(); ++at) {
    const std::size_t i = at % all;
    Banding &banding = banding_[at];
    if (i >= pictures_ || (banding.cambi && banding.coding == distorted_[i].coding)) continue;
    const Coding &coding = banding.coding = distorted_[i].coding;
    const CambiOptions options = coded_options(options_.cambi[at / all], coding, width_, height_);
    banding.cambi.reset(); // it reads the setup
    banding.setup = std::make_unique<CambiSetup>(width_, height_, distorted_[i].y.bits, options);
    banding.cambi = std::make_unique<Cambi>(kernels_, *banding.setup);
  }
}

/// What depends on the chroma planes' size is made with the first pictures.
void Analyzer::prepare_speed() {
  if (speed_setups_.size() == options_.speed.size()) return;
  for (const SpeedOptions &options : options_.speed)
    speed_setups_.emplace_back(reference_->cb.width, reference_->cb.height, options);
  estimates_.resize(speed_setups_.size() * vif_.size());
}

void Analyzer::score(std::span<PairFeatures> features) const {
  const std::size_t all = vif_distorted_.size();
  for (std::size_t i = 0; i < pictures_; ++i) {
    features[i] = {};
    std::array<AdmLevelScore, kLevels> levels;
    std::array<AdmSums, kLevels> adm_sums, adm_references;
    for (std::size_t s = 0; s < kScales; ++s) {
      VifSums vif, vif_reference;
      AdmSums &adm = adm_sums[s], &adm_reference = adm_references[s];
      for (const auto &scratch : scratch_) {
        const VifSums &mine = scratch->vif_sums[s * all + i], &shared = scratch->vif_reference[s];
        for (std::size_t g = 0; g < kGains; ++g)
          vif.num_log[g] += mine.num_log[g];
        vif.num_flat += mine.num_flat;
        vif_reference.den_log += shared.den_log;
        vif_reference.den_flat += shared.den_flat;
        adm.add(scratch->adm_sums[s * all + i]);
        adm_reference.add(scratch->adm_reference[s]);
      }
      const VifScore score = vif_score(vif_reference, vif);
      const int level = static_cast<int>(s);
      levels[s] = adm_level_score(AdmRegion(width_, height_, level), level, adm_reference, adm);
      for (int g = 0; g < kGains; ++g) {
        features[i].vif_scale[s][g] = score.ratio(g);
        features[i].adm_scale[s][g] =
            static_cast<double>(levels[s].num[g]) / static_cast<double>(levels[s].den);
      }
    }
    for (int g = 0; g < kGains; ++g)
      features[i].adm2[g] = adm_score(levels, g, width_, height_);
    for (std::size_t view = 0; view < views_.size(); ++view)
      features[i].adm.push_back(
          adm_view_score(options_.adm[view], view, width_, height_, adm_references, adm_sums));
    for (std::size_t setup = 0; setup < options_.cambi.size(); ++setup)
      features[i].cambi.push_back(banding_[setup * all + i].score);
  }
}

void Analyzer::score_speed(std::span<PairFeatures> features) const {
  for (std::size_t setup = 0; setup < speed_setups_.size(); ++setup)
    for (std::size_t i = 0; i < pictures_; ++i) {
      const Estimates *estimates = &estimates_[setup * vif_.size()];
      features[i].speed.push_back(
          speed_score(estimates[0].planes, estimates[i + 1].planes, options_.speed[setup]));
    }
}

double psnr(const Kernels &kernels, const Plane &a, const Plane &b) {
  if (!a.data || !b.data) return std::numeric_limits<double>::quiet_NaN();
  std::uint64_t sum = 0;
  for (int y = 0; y < a.height; ++y)
    sum += a.bits == 8 ? kernels.squared_error_8(a.row8(y), b.row8(y), a.width)
                       : kernels.squared_error_16(a.row16(y), b.row16(y), a.drop, a.width);
  const double mse = static_cast<double>(sum) / (static_cast<double>(a.width) * a.height);
  const double peak = (1 << a.bits) - 1;
  return std::min(10.0 * std::log10(peak * peak / std::max(mse, 1e-16)), 6.0 * a.bits + 12);
}

} // namespace hull::vmaf
