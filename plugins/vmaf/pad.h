#pragma once

#include "gst/glue/shell.h"
#include "gst/vmaf/frame_matcher.h"

#include <optional>
#include <string>

#include <gst/gst.h>
#include <gst/video/video.h>

namespace hull {

struct VmafPadSettings {
  std::int32_t offset = 0;
  std::uint32_t crop_left = 0, crop_right = 0, crop_top = 0, crop_bottom = 0;
  std::uint32_t enc_width = 0, enc_height = 0, enc_bitdepth = 0;
};

/// What the element knows about an input, its frames aside: the matcher has those.
struct VmafInput {
  vmaf::InputId id = vmaf::kReferenceInput;
  std::optional<GstVideoInfo> info;
  std::uint64_t caps_changes = 0;
  GstSegment segment{};
  bool eos = false, flushing = false;
  bool stale = false;                           ///< a seek is on its way: what still comes is from before it
  GstClockTime last_time = GST_CLOCK_TIME_NONE; ///< running time of the newest frame
  std::uint32_t flush_seqnum = 0;               ///< of the newest flush, which a seek shares

  void reset();
};

/// One input of hullvmafsink.
class VmafPad : public Configured<VmafPadSettings> {
 public:
  using Base = GstPad;
  using BaseClass = GstPadClass;
  static constexpr char kTypeName[] = "HullVmafSinkPad";
  static GType parent_type() { return GST_TYPE_PAD; }
  static std::span<const Property<VmafPadSettings>> properties();
  static void class_init(GstPadClass *klass);
  explicit VmafPad(GstPad *self) : self_(self) {}

  std::string result() const;
  double score() const;
  GstPad *self() const { return self_; }
  const char *name() const { return GST_OBJECT_NAME(self_); }

 private:
  friend struct VmafInputs; // whose lock guards it: VmafInputs::of()
  VmafInput input_;
  GstPad *self_;
};

} // namespace hull
