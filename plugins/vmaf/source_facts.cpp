#include "plugins/vmaf/source_facts.h"

#include "gst/glue/ref.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>

namespace hull {

vmaf::SourceFacts source_facts(const GstVideoInfo &info, const VmafPadSettings &crop) {
  const OwnedText colorimetry(gst_video_colorimetry_to_string(&info.colorimetry));
  return {GST_VIDEO_INFO_WIDTH(&info),
          GST_VIDEO_INFO_HEIGHT(&info),
          GST_VIDEO_INFO_NAME(&info),
          colorimetry.c_str(),
          crop.crop_left,
          crop.crop_top,
          crop.crop_right,
          crop.crop_bottom};
}

namespace {

// What is left of an input behind its crops, in square pixels.
struct Shown {
  double width, height;
};

Shown shown(const GstVideoInfo &info, const VmafPadSettings &crop) {
  const double par = GST_VIDEO_INFO_PAR_D(&info) > 0
                         ? static_cast<double>(GST_VIDEO_INFO_PAR_N(&info)) / GST_VIDEO_INFO_PAR_D(&info)
                         : 1;
  return {(GST_VIDEO_INFO_WIDTH(&info) - static_cast<double>(crop.crop_left + crop.crop_right)) * par,
          GST_VIDEO_INFO_HEIGHT(&info) - static_cast<double>(crop.crop_top + crop.crop_bottom)};
}

// Below it VMAF is not defined, though a reference may be larger.
constexpr int kSmallest = 32;

int smaller_side(const GstVideoInfo &info, const VmafPadSettings &crop) {
  return std::min(GST_VIDEO_INFO_WIDTH(&info) - static_cast<int>(crop.crop_left + crop.crop_right),
                  GST_VIDEO_INFO_HEIGHT(&info) - static_cast<int>(crop.crop_top + crop.crop_bottom));
}

// Sizes are even numbers: what differs by less than that is rounded.
bool has_shape_of(const Shown &reference, const Shown &input) {
  constexpr double kRounding = 1.99;
  return std::abs(input.width - input.height * reference.width / reference.height) < kRounding ||
         std::abs(input.height - input.width * reference.height / reference.width) < kRounding;
}

} // namespace

std::vector<std::string> doubts_about(const GstVideoInfo &reference, const VmafPadSettings &reference_crop,
                                      const GstVideoInfo &distorted, const VmafPadSettings &crop) {
  std::vector<std::string> found;
  const Shown whole = shown(reference, reference_crop), part = shown(distorted, crop);
  if (!has_shape_of(whole, part))
    found.push_back(fmt::format(
        "the reference has the shape {:.0f}x{:.0f} and this input {:.0f}x{:.0f}: it was stretched to be "
        "scored. If it is cropped or padded, set the crop properties of the reference or of this pad",
        whole.width, whole.height, part.width, part.height));
  if (const int least = smaller_side(distorted, crop); least <= kSmallest)
    found.push_back(
        fmt::format("only {} pixels of a side of this input are left to be scaled to the reference's "
                    "size: that shows nothing of a video's quality. Lower the pad's crop properties, "
                    "or give a larger picture",
                    least));
  const auto &r = reference.colorimetry, &d = distorted.colorimetry;
  if (r.range != d.range && r.range != GST_VIDEO_COLOR_RANGE_UNKNOWN &&
      d.range != GST_VIDEO_COLOR_RANGE_UNKNOWN)
    found.push_back("full and limited range are compared with each other; convert one of them first");
  if (r.transfer != d.transfer && r.transfer != GST_VIDEO_TRANSFER_UNKNOWN &&
      d.transfer != GST_VIDEO_TRANSFER_UNKNOWN &&
      !gst_video_transfer_function_is_equivalent(
          r.transfer, static_cast<guint>(GST_VIDEO_INFO_COMP_DEPTH(&reference, 0)), d.transfer,
          static_cast<guint>(GST_VIDEO_INFO_COMP_DEPTH(&distorted, 0))))
    found.push_back("the transfer functions differ");
  for (const GstVideoTransferFunction hdr : {GST_VIDEO_TRANSFER_SMPTE2084, GST_VIDEO_TRANSFER_ARIB_STD_B67})
    if (r.transfer == hdr || d.transfer == hdr) {
      found.push_back("PQ or HLG pictures: no VMAF model was trained on HDR");
      break;
    }
  if (GST_VIDEO_INFO_INTERLACE_MODE(&reference) != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE ||
      GST_VIDEO_INFO_INTERLACE_MODE(&distorted) != GST_VIDEO_INTERLACE_MODE_PROGRESSIVE)
    found.push_back("interlaced pictures are scored as they are; deinterlace both sides first");
  return found;
}

} // namespace hull
