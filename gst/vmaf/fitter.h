#pragma once

#include "gst/vmaf/plane.h"
#include "gst/vmaf/scaler.h"

#include <memory>
#include <vector>

namespace hull::vmaf {

/// Brings planes to the size and depth of the reference; owns the memory for that.
class Fitter {
 public:
  /// Each plane as it is where it fits already; `chroma` = fit Cb and Cr to `reference`'s too. The coding that
  /// the picture does not name is what it came with.
  Picture fit(const Picture &picture, const Picture &reference, bool chroma);
  bool scaled() const { return scaled_; }
  bool promoted() const { return promoted_; }

 private:
  Plane fit_plane(const Plane &plane, const Plane &target, std::size_t index);
  struct PlaneFitter {
    std::unique_ptr<Scaler> scaler;
    int out_width = 0, out_height = 0;
    std::vector<std::uint16_t> deep, placed;
  };
  PlaneFitter planes_[3];
  bool scaled_ = false, promoted_ = false;
};

} // namespace hull::vmaf
