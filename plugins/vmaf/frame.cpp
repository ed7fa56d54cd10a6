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
  picture.coding = {static_cast<int>(crop.enc_width), static_cast<int>(crop.enc_height),
                    static_cast<int>(crop.enc_bitdepth)};
  picture.y = component_of(frame, 0, crop);
  const bool planar = GST_VIDEO_FORMAT_INFO_N_PLANES(format) == 3;
  if (planar) {
    picture.cb = component_of(frame, 1, crop);
    picture.cr = component_of(frame, 2, crop);
  }
  return picture;
}

} // namespace

const char *const kVmafCaps = GST_VIDEO_CAPS_MAKE(
    "{ I420, YV12, NV12, NV21, Y42B, Y444, GRAY8, I420_10LE, I422_10LE, Y444_10LE, I420_12LE, "
    "I422_12LE, Y444_12LE, P010_10LE, P012_LE }");

VmafFrameRef frame_of(const vmaf::TimedFrame &frame) {
  return std::static_pointer_cast<const VmafFrame>(frame.picture);
}

std::int64_t frame_duration(const GstVideoInfo &info) {
  if (GST_VIDEO_INFO_FPS_N(&info) <= 0 || GST_VIDEO_INFO_FPS_D(&info) <= 0) return 0;
  return static_cast<std::int64_t>(gst_util_uint64_scale(GST_SECOND,
                                                         static_cast<guint64>(GST_VIDEO_INFO_FPS_D(&info)),
                                                         static_cast<guint64>(GST_VIDEO_INFO_FPS_N(&info))));
}

Result<std::unique_ptr<MappedPicture>> MappedPicture::map(VmafFrameRef frame, const std::string &pad) {
  std::unique_ptr<MappedPicture> made(new MappedPicture(std::move(frame)));
  if (!made->map_)
    return fail(ErrorCode::bad_data, "A buffer on pad " + pad + " cannot be mapped for reading.");
  auto picture = picture_of(made->map_, made->frame_->crop);
  if (!picture) return tl::unexpected(picture.error());
  made->picture = *picture;
  return made;
}

void VmafChroma::separate(MappedPicture &mapped) {
  if (GST_VIDEO_FORMAT_INFO_N_PLANES(mapped.map().info().finfo) != 2) return;
  vmaf::Plane *const chroma[2] = {&mapped.picture.cb, &mapped.picture.cr};
  for (guint i = 0; i < 2; ++i) {
    const vmaf::Plane mixed = component_of(mapped.map(), i + 1, mapped.frame().crop);
    *chroma[i] = mixed.bits == 8 ? unzipped(mixed, bytes_[i]) : unzipped(mixed, words_[i]);
  }
}

} // namespace hull
