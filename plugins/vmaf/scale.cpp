#include "plugins/vmaf/scale.h"

#include <cstring>

#define GST_CAT_DEFAULT hull::category<Scale>()

namespace hull {
namespace {

constexpr char kCaps[] =
    "video/x-raw, format=(string){ I420, YV12, Y42B, Y444, GRAY8, I420_10LE, I422_10LE, Y444_10LE }, "
    "width=(int)[ 1, 16384 ], height=(int)[ 1, 16384 ], framerate=(fraction)[ 0, max ], "
    "interlace-mode=(string)progressive";

vmaf::Plane plane_of(GstVideoFrame *frame, unsigned component) {
  return {static_cast<const std::uint8_t *>(GST_VIDEO_FRAME_COMP_DATA(frame, component)),
          GST_VIDEO_FRAME_COMP_STRIDE(frame, component),
          GST_VIDEO_FRAME_COMP_WIDTH(frame, component),
          GST_VIDEO_FRAME_COMP_HEIGHT(frame, component),
          static_cast<int>(GST_VIDEO_FRAME_COMP_DEPTH(frame, component)),
          0};
}

} // namespace

void Scale::class_init(GstVideoFilterClass *klass) {
  auto *element = reinterpret_cast<GstElementClass *>(klass);
  gst_element_class_set_static_metadata(
      element, "Bicubic scaler", "Filter/Converter/Video/Scaler",
      "Scales video with the kernel VMAF is measured with, the same on every CPU",
      "gst-plugins-hull developers");
  static GstStaticPadTemplate sink =
      GST_STATIC_PAD_TEMPLATE("sink", GST_PAD_SINK, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps));
  static GstStaticPadTemplate source =
      GST_STATIC_PAD_TEMPLATE("src", GST_PAD_SRC, GST_PAD_ALWAYS, GST_STATIC_CAPS(kCaps));
  gst_element_class_add_static_pad_template(element, &sink);
  gst_element_class_add_static_pad_template(element, &source);
  auto *transform = reinterpret_cast<GstBaseTransformClass *>(klass);
  transform->transform_caps = thunk<&Scale::transform_caps>;
  transform->fixate_caps = thunk<&Scale::fixate_caps>;
  transform->sink_event = thunk<&Scale::sink_event>;
  transform->passthrough_on_same_caps = TRUE;
  klass->set_info = thunk<&Scale::set_info>;
  klass->transform_frame = thunk<&Scale::transform_frame>;
}

// Everything but the size, and the pixels' shape that follows from it, is the same on both sides.
GstCaps *Scale::transform_caps(GstPadDirection, GstCaps *caps, GstCaps *filter) {
  CapsRef open = CapsRef::adopt(gst_caps_copy(caps));
  for (guint i = 0; i < gst_caps_get_size(open.get()); ++i) {
    GstStructure *structure = gst_caps_get_structure(open.get(), i);
    gst_structure_set(structure, "width", GST_TYPE_INT_RANGE, 1, G_MAXINT, "height", GST_TYPE_INT_RANGE, 1,
                      G_MAXINT, nullptr);
    if (gst_structure_has_field(structure, "pixel-aspect-ratio"))
      gst_structure_set(structure, "pixel-aspect-ratio", GST_TYPE_FRACTION_RANGE, 1, G_MAXINT, G_MAXINT, 1,
                        nullptr);
  }
  return filter ? gst_caps_intersect_full(filter, open.get(), GST_CAPS_INTERSECT_FIRST) : open.release();
}

// A size nobody asked for stays as it came; the picture's shape is kept by its pixels' where they are free.
GstCaps *Scale::fixate_caps(GstPadDirection, GstCaps *caps, GstCaps *other) {
  GstCaps *fixed = gst_caps_truncate(gst_caps_make_writable(other));
  GstStructure *to = gst_caps_get_structure(fixed, 0);
  const GstStructure *from = gst_caps_get_structure(caps, 0);
  int width = 1, height = 1, par_n = 1, par_d = 1;
  gst_structure_get_int(from, "width", &width);
  gst_structure_get_int(from, "height", &height);
  gst_structure_get_fraction(from, "pixel-aspect-ratio", &par_n, &par_d);
  gst_structure_fixate_field_nearest_int(to, "width", width);
  gst_structure_fixate_field_nearest_int(to, "height", height);
  int to_width = width, to_height = height, n = 1, d = 1;
  gst_structure_get_int(to, "width", &to_width);
  gst_structure_get_int(to, "height", &to_height);
  if (gst_structure_has_field(to, "pixel-aspect-ratio") &&
      gst_util_fraction_multiply(par_n, par_d, width, to_width, &n, &d) &&
      gst_util_fraction_multiply(n, d, to_height, height, &n, &d))
    gst_structure_fixate_field_nearest_fraction(to, "pixel-aspect-ratio", n, d);
  fixed = gst_caps_fixate(fixed);
  GST_DEBUG_OBJECT(self_, "of what may follow %" GST_PTR_FORMAT " is chosen", static_cast<void *>(fixed));
  return fixed;
}

gboolean Scale::set_info(GstCaps *in_caps, GstVideoInfo *in, GstCaps *out_caps, GstVideoInfo *out) {
  GST_INFO_OBJECT(self_, "from %" GST_PTR_FORMAT, static_cast<void *>(in_caps));
  GST_INFO_OBJECT(self_, "to %" GST_PTR_FORMAT "%s", static_cast<void *>(out_caps),
                  gst_base_transform_is_passthrough(GST_BASE_TRANSFORM(self_)) ? ", passed through" : "");
  frames_ = 0;
  last_time_ = GST_CLOCK_TIME_NONE;
  const unsigned components = GST_VIDEO_INFO_N_COMPONENTS(in);
  for (unsigned i = 0; i < components; ++i)
    scalers_[i] = vmaf::Scaler(GST_VIDEO_INFO_COMP_WIDTH(in, i), GST_VIDEO_INFO_COMP_HEIGHT(in, i),
                               GST_VIDEO_INFO_COMP_WIDTH(out, i), GST_VIDEO_INFO_COMP_HEIGHT(out, i));
  return TRUE;
}

gboolean Scale::sink_event(GstEvent *event) {
  if (GST_EVENT_TYPE(event) == GST_EVENT_SEGMENT) {
    const GstSegment *segment = nullptr;
    gst_event_parse_segment(event, &segment);
    GST_INFO_OBJECT(self_, "%" GST_SEGMENT_FORMAT, static_cast<const void *>(segment));
  }
  if (GST_EVENT_TYPE(event) == GST_EVENT_EOS)
    GST_INFO_OBJECT(self_, "ends after %" G_GUINT64_FORMAT " scaled frames, the last at %" GST_TIME_FORMAT,
                    frames_, GST_TIME_ARGS(last_time_));
  return GST_BASE_TRANSFORM_CLASS(Shell<Scale>::parent_class())->sink_event(GST_BASE_TRANSFORM(self_), event);
}

GstFlowReturn Scale::transform_frame(GstVideoFrame *in, GstVideoFrame *out) {
  const GstClockTime pts = GST_BUFFER_PTS(in->buffer);
  if (frames_++ == 0) GST_INFO_OBJECT(self_, "first frame at %" GST_TIME_FORMAT, GST_TIME_ARGS(pts));
  GST_LOG_OBJECT(self_, "frame at %" GST_TIME_FORMAT, GST_TIME_ARGS(pts));
  last_time_ = pts;
  for (unsigned i = 0; i < GST_VIDEO_FRAME_N_COMPONENTS(in); ++i) {
    const vmaf::Plane scaled = scalers_[i].scale(plane_of(in, i));
    auto *to = static_cast<std::uint8_t *>(GST_VIDEO_FRAME_COMP_DATA(out, i));
    const auto row = static_cast<std::size_t>(scaled.width) * (scaled.bits == 8 ? 1 : 2);
    for (int y = 0; y < scaled.height; ++y, to += GST_VIDEO_FRAME_COMP_STRIDE(out, i))
      std::memcpy(to, scaled.data + y * scaled.stride, row);
  }
  return GST_FLOW_OK;
}

} // namespace hull
