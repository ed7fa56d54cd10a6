#pragma once

#include "gst/core/result.h"
#include "gst/glue/map.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/scaler.h"
#include "plugins/vmaf/pad.h"

#include <memory>
#include <vector>

namespace hull {

/// Size, depth and chroma layout that a reference and everything compared with it share.
struct VmafFormat {
  int width = 0, height = 0, bits = 8;
};

/// Formats read in place, one caps string.
extern const char *const kVmafCaps;

/// The planes of a mapped frame after cropping; chroma only where the format keeps it in planes of its own.
/// Fails when the crop leaves nothing.
Result<vmaf::Picture> picture_of(MappedFrame &frame, const VmafPadSettings &crop);

/// Chroma of formats that interleave Cb and Cr (NV12, NV21, P010, P012), taken apart into planes of its own;
/// PSNR reads them.
class VmafChroma {
 public:
  /// Fills in the picture's chroma where its format keeps both in one plane; others stay as they are.
  void separate(MappedFrame &frame, const VmafPadSettings &crop, vmaf::Picture &picture);

 private:
  std::vector<std::uint16_t> words_[2];
  std::vector<std::uint8_t> bytes_[2];
};

/// Bits per sample of a format and how far its words are shifted up.
int bits_of(const GstVideoInfo &info);

/// Brings planes to the size and depth of the reference; owns the memory for that.
class VmafFitter {
 public:
  /// Each plane as it is where it fits already; `chroma` = fit Cb and Cr to `reference`'s too.
  vmaf::Picture fit(const vmaf::Picture &picture, const vmaf::Picture &reference, bool chroma);
  bool scaled() const { return scaled_; }
  bool promoted() const { return promoted_; }

 private:
  vmaf::Plane fit_plane(const vmaf::Plane &plane, const vmaf::Plane &target, std::size_t index);
  struct PlaneFitter {
    std::unique_ptr<vmaf::Scaler> scaler;
    int out_width = 0, out_height = 0;
    std::vector<std::uint16_t> deep;
  };
  PlaneFitter planes_[3];
  bool scaled_ = false, promoted_ = false;
};

} // namespace hull
