#include "plugins/vmaf/frame.h"

namespace hull {
namespace {

vmaf::Plane component_of(MappedFrame &frame, guint component, const VmafPadSettings &crop) {
  const GstVideoFormatInfo *format = frame.info().finfo;
  const int xs = GST_VIDEO_FORMAT_INFO_W_SUB(format, component),
            ys = GST_VIDEO_FORMAT_INFO_H_SUB(format, component);
  const auto left = static_cast<int>(crop.crop_left), top = static_cast<int>(crop.crop_top);
  const int width = GST_VIDEO_INFO_WIDTH(&frame.info()) - left - static_cast<int>(crop.crop_right);
  const int height = GST_VIDEO_INFO_HEIGHT(&frame.info()) - top - static_cast<int>(crop.crop_bottom);
  const guint index = GST_VIDEO_FORMAT_INFO_PLANE(format, component);
  vmaf::Plane made;
  made.bits = static_cast<int>(GST_VIDEO_FORMAT_INFO_DEPTH(format, component));
  made.drop = static_cast<int>(GST_VIDEO_FORMAT_INFO_SHIFT(format, component));
  made.stride = frame.stride(index);
  // libvmaf's chroma planes round down at odd sizes.
  made.width = width >> xs;
  made.height = height >> ys;
  // In samples: GStreamer 1.22 gives P010's Cr an offset of one byte.
  const int sample = made.bits > 8 ? 2 : 1;
  const int offset = GST_VIDEO_FORMAT_INFO_POFFSET(format, component) ? sample : 0;
  made.data = frame.plane(index) + offset + (top >> ys) * made.stride +
              (left >> xs) * GST_VIDEO_FORMAT_INFO_PSTRIDE(format, component);
  return made;
}

/// Every second sample of a plane.
template <class T> vmaf::Plane unzipped(const vmaf::Plane &plane, std::vector<T> &out) {
  out.resize(static_cast<std::size_t>(plane.width) * static_cast<std::size_t>(plane.height));
  T *to = out.data();
  for (int y = 0; y < plane.height; ++y) {
    const auto *from = reinterpret_cast<const T *>(plane.data + y * plane.stride);
    for (int x = 0; x < plane.width; ++x)
      *to++ = from[2 * x];
  }
  vmaf::Plane made = plane;
  made.data = reinterpret_cast<const std::uint8_t *>(out.data());
  made.stride = plane.width * static_cast<std::ptrdiff_t>(sizeof(T));
  return made;
}

} // namespace

const char *const kVmafCaps = GST_VIDEO_CAPS_MAKE(
    "{ I420, YV12, NV12, NV21, Y42B, Y444, GRAY8, I420_10LE, I422_10LE, Y444_10LE, I420_12LE, "
    "I422_12LE, Y444_12LE, P010_10LE, P012_LE }");

int bits_of(const GstVideoInfo &info) {
  return GST_VIDEO_INFO_COMP_DEPTH(&info, 0);
}

Result<vmaf::Picture> picture_of(MappedFrame &frame, const VmafPadSettings &crop) {
  const GstVideoFormatInfo *format = frame.info().finfo;
  const int width = GST_VIDEO_INFO_WIDTH(&frame.info()), height = GST_VIDEO_INFO_HEIGHT(&frame.info());
  const auto left = static_cast<int>(crop.crop_left), top = static_cast<int>(crop.crop_top);
  const int inner_width = width - left - static_cast<int>(crop.crop_right);
  const int inner_height = height - top - static_cast<int>(crop.crop_bottom);
  if (inner_width < 1 || inner_height < 1)
    return fail(ErrorCode::settings, "Cropping leaves nothing of a picture of " + std::to_string(width) +
                                         "x" + std::to_string(height) + ": lower the pad's crop properties.");
  vmaf::Picture picture;
  picture.y = component_of(frame, 0, crop);
  const bool planar = GST_VIDEO_FORMAT_INFO_N_PLANES(format) == 3;
  if (planar) {
    picture.cb = component_of(frame, 1, crop);
    picture.cr = component_of(frame, 2, crop);
  }
  return picture;
}

void VmafChroma::separate(MappedFrame &frame, const VmafPadSettings &crop, vmaf::Picture &picture) {
  if (GST_VIDEO_FORMAT_INFO_N_PLANES(frame.info().finfo) != 2) return;
  vmaf::Plane *const chroma[2] = {&picture.cb, &picture.cr};
  for (guint i = 0; i < 2; ++i) {
    const vmaf::Plane mixed = component_of(frame, i + 1, crop);
    *chroma[i] = mixed.bits == 8 ? unzipped(mixed, bytes_[i]) : unzipped(mixed, words_[i]);
  }
}

vmaf::Plane VmafFitter::fit_plane(const vmaf::Plane &plane, const vmaf::Plane &target, std::size_t index) {
  vmaf::Plane result = plane;
  PlaneFitter &fitter = planes_[index];
  if (plane.width != target.width || plane.height != target.height) {
    if (!fitter.scaler || !fitter.scaler->fits(plane) || fitter.out_width != target.width ||
        fitter.out_height != target.height) {
      fitter.scaler = std::make_unique<vmaf::Scaler>(plane.width, plane.height, target.width, target.height);
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

vmaf::Picture VmafFitter::fit(const vmaf::Picture &picture, const vmaf::Picture &reference, bool chroma) {
  vmaf::Picture fitted;
  fitted.y = fit_plane(picture.y, reference.y, 0);
  if (chroma && picture.cb.data && reference.cb.data) {
    fitted.cb = fit_plane(picture.cb, reference.cb, 1);
    fitted.cr = fit_plane(picture.cr, reference.cr, 2);
  }
  return fitted;
}

} // namespace hull
