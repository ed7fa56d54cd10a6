#pragma once

#include "gst/vmaf/feature_options.h"
#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

namespace hull::vmaf {

/// Sum of absolute blurred differences of rows [begin, end) between two luma planes of one size and depth.
/// `scratch`: at least one row of the width.
std::uint64_t motion_stripe(const Kernels &kernels, const Plane &previous, const Plane &current, int begin,
                            int end, Rows<std::int32_t> &scratch);

/// The sum as libvmaf reports it: per pixel, in code values.
inline double motion_score(std::uint64_t sum, int width, int height) {
  return static_cast<double>(sum) / 256.0 / (static_cast<double>(width) * height);
}

struct MotionScore {
  double sad = 0, motion2 = 0, motion3 = 0;
};

/// motion2 and motion3 of a stream of frames. Each frame's values need the sum of the next one, the first
/// ones' that of the frame that is first compared.
class MotionTrack {
 public:
  explicit MotionTrack(const MotionOptions &options) : options_(options) {}
  /// Frames between the two that are compared.
  int span() const { return options_.five_frame_window ? 2 : 1; }
  /// The next frame's motion_score against the frame span() before it; 0 where there is none.
  void push(double score);
  /// Whether take() needs no further frame.
  bool ready() const;
  /// Values of the next frame; `last` = no further one will come.
  MotionScore take(bool last);

 private:
  double sad(std::uint64_t frame) const { return sads_[frame % kKept]; }
  double limited(double motion) const;

  static constexpr std::uint64_t kKept = 8;
  const MotionOptions options_;
  double sads_[kKept] = {};
  std::uint64_t frames_ = 0, next_ = 0;
  double before_ = 0; ///< motion3 of the frame before, not averaged
};

} // namespace hull::vmaf
