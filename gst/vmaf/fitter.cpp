#include "gst/vmaf/fitter.h"

namespace hull::vmaf {

Plane Fitter::fit_plane(const Plane &plane, const Plane &target, std::size_t index) {
  Plane result = plane;
  PlaneFitter &fitter = planes_[index];
  if (plane.width != target.width || plane.height != target.height) {
    if (!fitter.scaler || !fitter.scaler->fits(plane) || fitter.out_width != target.width ||
        fitter.out_height != target.height) {
      fitter.scaler = std::make_unique<Scaler>(plane.width, plane.height, target.width, target.height);
      fitter.out_width = target.width;
      fitter.out_height = target.height;
    }
    result = fitter.scaler->scale(plane);
    scaled_ = true;
  }
  if (result.bits == target.bits && result.drop == target.drop) return result;
  // Depths differ, or one side keeps its samples at the top of the word: plain words of the target's depth.
  promoted_ |= result.bits != target.bits;
  fitter.deep.resize(static_cast<std::size_t>(result.width) * static_cast<std::size_t>(result.height));
  auto *out = fitter.deep.data();
  const int up = target.bits - result.bits;
  for (int y = 0; y < result.height; ++y)
    for (int x = 0; x < result.width; ++x)
      *out++ = static_cast<std::uint16_t>(result.sample(x, y) << (up + target.drop));
  return {reinterpret_cast<const std::uint8_t *>(fitter.deep.data()),
          2 * std::ptrdiff_t{result.width},
          result.width,
          result.height,
          target.bits,
          target.drop};
}

Picture Fitter::fit(const Picture &picture, const Picture &reference, bool chroma) {
  Picture fitted;
  fitted.y = fit_plane(picture.y, reference.y, 0);
  if (chroma && picture.cb.data && reference.cb.data) {
    fitted.cb = fit_plane(picture.cb, reference.cb, 1);
    fitted.cr = fit_plane(picture.cr, reference.cr, 2);
  }
  return fitted;
}

} // namespace hull::vmaf
