#pragma once

#include "gst/vmaf/feature_options.h"
#include "gst/vmaf/kernels/kernels.h"
#include "gst/vmaf/plane.h"
#include "gst/vmaf/rows.h"

#include <vector>

namespace hull::vmaf {

/// What of CAMBI depends on the picture's size and the options alone.
struct CambiSetup {
  CambiSetup(const CambiSetup &) = delete;
  CambiSetup &operator=(const CambiSetup &) = delete;
  CambiSetup(int picture_width, int picture_height, int picture_bits, const CambiOptions &options);

  CambiOptions options;
  int width, height; ///< at which the picture was encoded
  bool soften;       ///< encoded at less than 10 bits
  bool halved;       ///< the first scale is left out
  int window;        ///< samples, odd
  int mask_limit;    ///< of 49 neighbours that are flat
  CambiRange range;
  int last[kCambiDifferences + 1] = {};
  std::vector<float> reciprocal;
};

/// `options` with the size and depth that a picture of `width` x `height` was coded with, where they set none.
/// As in libvmaf a larger size counts for nothing, nor does one for which CAMBI is not defined.
CambiOptions coded_options(CambiOptions options, const Coding &coding, int width, int height);

/// Whether CAMBI is defined: a side of 216 at least, and a window that it can count.
Result<void> check_cambi(int width, int height, const CambiOptions &options);

/// CAMBI of pictures of one size: how visible the banding is, 0 = not at all.
class Cambi {
 public:
  /// `setup` must live as long as this.
  Cambi(const Kernels &kernels, const CambiSetup &setup);
  double measure(const Plane &luma);

 private:
  struct Scale {
    int width, height;
    Rows<std::uint16_t> image;
    Rows<std::uint8_t> mask;
  };
  void load(const Plane &luma);
  void load_row(const Plane &luma, int y, std::uint16_t *out) const;
  void keep(int y, const std::uint16_t *row, const std::uint8_t *mask);
  void halve(const Scale &from, Scale &to);
  void smooth(Scale &scale);
  void contrast(const Scale &scale);
  double pooled(const Scale &scale);

  const Kernels &kernels_;
  const CambiSetup &setup_;
  std::vector<Scale> scales_;
  Rows<std::uint16_t> rows_;
  Rows<std::uint8_t> flat_;
  Rows<float> contrast_;
  std::vector<std::uint16_t> bins_;
  std::vector<float> values_;
  std::vector<int> columns_, lines_; ///< the picture's, by encoded ones; empty where they are the same
};

} // namespace hull::vmaf
