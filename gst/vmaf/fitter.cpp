#include "gst/vmaf/fitter.h"

namespace hull::vmaf {

namespace {

/// The samples as words of `bits` at `drop`, in `out`.
Plane words_of(const Plane &plane, int bits, int drop, std::vector<std::uint16_t> &out) {
  out.resize(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height));
  auto *to = out.data();
  const int up = bits - plane.bits + drop;
  for (int y = 0; y < plane.height; ++y)
    for (int x = 0; x < plane.width; ++x)
      *to++ = static_cast<std::uint16_t>(plane.sample(x, y) << up);
  return {reinterpret_cast<const std::uint8_t *>(out.data()),
          2 * std::ptrdiff_t{plane.width},
          plane.width,
          plane.height,
          bits,
          drop};
}

} // namespace

Plane Fitter::fit_plane(const Plane &plane, const Plane &target, std::size_t index) {
  Plane result = plane;
  PlaneFitter &fitter = planes_[index];
  const bool scales = plane.width != target.width || plane.height != target.height;
  if (result.bits != target.bits) { // before it is scaled, which then rounds less
    promoted_ = true;
    result = words_of(result, target.bits, scales ? 0 : target.drop, fitter.deep);
  }
  if (scales) {
    if (!fitter.scaler || !fitter.scaler->fits(plane) || fitter.out_width != target.width ||
        fitter.out_height != target.height) {
      fitter.scaler = std::make_unique<Scaler>(plane.width, plane.height, target.width, target.height);
      fitter.out_width = target.width;
      fitter.out_height = target.height;
    }
    result = fitter.scaler->scale(result);
    scaled_ = true;
  }
  // One side keeps its samples at the top of the word.
  return result.drop == target.drop ? result : words_of(result, target.bits, target.drop, fitter.placed);
}

Picture Fitter::fit(const Picture &picture, const Picture &reference, bool chroma) {
  Picture fitted;
  fitted.coding = picture.coding;
  if (!fitted.coding.width || !fitted.coding.height) {
    fitted.coding.width = picture.y.width;
    fitted.coding.height = picture.y.height;
  }
  if (!fitted.coding.bits) fitted.coding.bits = picture.y.bits;
  fitted.y = fit_plane(picture.y, reference.y, 0);
  if (chroma && picture.cb.data && reference.cb.data) {
    fitted.cb = fit_plane(picture.cb, reference.cb, 1);
    fitted.cr = fit_plane(picture.cr, reference.cr, 2);
  }
  return fitted;
}

} // namespace hull::vmaf
