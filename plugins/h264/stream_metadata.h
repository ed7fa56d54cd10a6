#pragma once

#include "gst/h264/params.h"
#include "gst/h264/sei.h"

#include <vector>

#include <gst/video/gstvideodecoder.h>
#include <gst/video/video.h>

namespace hull::h264 {

/// Fills into `info` what neither the container nor a parser said in `caps`, from the stream itself: shape,
/// rate and colour.
void describe(GstVideoInfo &info, const GstCaps *caps, const Sps &sps);

/// Adds mastering display and content light level of the SEI to `caps` of raw video, unless the `input` has
/// them.
void describe_light(GstCaps *caps, const GstCaps *input, const std::vector<SeiMessage> &sei);

/// Attaches closed captions and unregistered user data of the SEI to a decoded picture, unless `coded` has
/// such already, from a parser.
void attach(GstBuffer *picture, GstBuffer *coded, const std::vector<SeiMessage> &sei);

} // namespace hull::h264
