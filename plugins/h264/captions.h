#pragma once

#include "gst/h264/sei.h"

#include <vector>

#include <gst/gst.h>

namespace hull::h264 {

/// SEI messages for what upstream attached to a buffer: closed captions (GstVideoCaptionMeta of every type,
/// when `captions`) and unregistered user data (GstVideoSEIUserDataUnregisteredMeta).
std::vector<SeiMessage> sei_of(GstBuffer *buffer, bool captions);

} // namespace hull::h264
