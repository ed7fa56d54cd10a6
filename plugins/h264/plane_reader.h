#pragma once

#include "gst/core/bytes.h"
#include "gst/h264/activity.h"

#include <gst/video/video.h>

namespace hull::h264 {

/// Finds the three planes the library wants in a mapped picture. Those of I420 and YV12 are where they are;
/// the chroma of NV12 is split into memory of its own, valid until the next call.
class PlaneReader {
 public:
  PictureView read(GstVideoFrame &frame);

 private:
  ByteVector chroma_[2];
};

} // namespace hull::h264
