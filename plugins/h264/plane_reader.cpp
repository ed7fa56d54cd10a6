#include "plugins/h264/plane_reader.h"

namespace hull::h264 {
namespace {

void split_chroma(const std::uint8_t *from, int stride, int width, int height, std::uint8_t *u,
                  std::uint8_t *v) {
  for (int y = 0; y < height; ++y, from += stride, u += width, v += width)
    for (int x = 0; x < width; ++x) {
      u[x] = from[2 * x];
      v[x] = from[2 * x + 1];
    }
}

} // namespace

PictureView PlaneReader::read(GstVideoFrame &frame) {
  const auto data = [&frame](int plane) { return static_cast<std::uint8_t *>(frame.data[plane]); };
  PictureView planes{};
  planes.width = static_cast<unsigned>(GST_VIDEO_FRAME_WIDTH(&frame));
  planes.height = static_cast<unsigned>(GST_VIDEO_FRAME_HEIGHT(&frame));
  if (GST_VIDEO_FRAME_FORMAT(&frame) != GST_VIDEO_FORMAT_NV12) {
    for (int i = 0; i < 3; ++i) { // components, not planes: YV12 has V before U
      planes.data[i] = GST_VIDEO_FRAME_COMP_DATA(&frame, i);
      planes.stride[i] = GST_VIDEO_FRAME_COMP_STRIDE(&frame, i);
    }
    return planes;
  }
  const int width = GST_VIDEO_FRAME_WIDTH(&frame) / 2, height = GST_VIDEO_FRAME_HEIGHT(&frame) / 2;
  for (ByteVector &plane : chroma_)
    plane.resize(static_cast<std::size_t>(width) * static_cast<std::size_t>(height));
  split_chroma(data(1), frame.info.stride[1], width, height, chroma_[0].data(), chroma_[1].data());
  return {{data(0), chroma_[0].data(), chroma_[1].data()},
          {frame.info.stride[0], width, width},
          planes.width,
          planes.height};
}

} // namespace hull::h264
