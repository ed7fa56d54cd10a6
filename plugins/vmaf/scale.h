#pragma once

#include "gst/glue/shell.h"
#include "gst/vmaf/scaler.h"

#include <array>

#include <gst/video/gstvideofilter.h>

namespace hull {

struct ScaleSettings {};

/// hullscale: the scaler of hullvmafsink as a filter, so that a rendition is made and judged by the same
/// kernel. Streaming thread only; no lock.
class Scale : public Configured<ScaleSettings> {
 public:
  using Base = GstVideoFilter;
  using BaseClass = GstVideoFilterClass;
  static constexpr char kTypeName[] = "HullScale";
  static constexpr char kCategory[] = "hullscale", kDescription[] = "Bicubic scaler";
  static GType parent_type() { return GST_TYPE_VIDEO_FILTER; }
  static std::span<const Property<ScaleSettings>> properties() { return {}; }
  static void class_init(GstVideoFilterClass *klass);
  explicit Scale(GstVideoFilter *self) : self_(self) {}

  GstCaps *transform_caps(GstPadDirection direction, GstCaps *caps, GstCaps *filter);
  GstCaps *fixate_caps(GstPadDirection direction, GstCaps *caps, GstCaps *other);
  gboolean set_info(GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out);
  gboolean sink_event(GstEvent *event);
  GstFlowReturn transform_frame(GstVideoFrame *in, GstVideoFrame *out);

 private:
  GstVideoFilter *self_;
  GstClockTime last_time_ = GST_CLOCK_TIME_NONE; // of the last of them
  std::uint64_t frames_ = 0;                     ///< scaled since the caps came
  std::array<vmaf::Scaler, 3> scalers_;          // one per component: their sizes differ
};

} // namespace hull
