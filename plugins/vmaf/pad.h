#pragma once

#include "gst/glue/ref.h"
#include "gst/glue/shell.h"
#include "gst/vmaf/survey.h"

#include <deque>
#include <functional>
#include <optional>
#include <string>

#include <gst/gst.h>
#include <gst/video/video.h>

namespace hull {

struct VmafPadSettings {
  std::int32_t offset = 0;
  std::uint32_t crop_left = 0, crop_right = 0, crop_top = 0, crop_bottom = 0;
};

/// A buffer that waits for its partners, with what was known about it when it came.
struct VmafSlot {
  BufferRef buffer;
  GstVideoInfo info{};
  GstClockTime running_time = GST_CLOCK_TIME_NONE;
  GstClockTime stream_time = GST_CLOCK_TIME_NONE;
};

/// One input of hullvmafsink: its settings, the one buffer it holds and its counts. The element's state lock
/// guards all but the settings.
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

  struct Counts {
    std::uint64_t received = 0, matched = 0, missing = 0, unmatched = 0, repeated = 0, untimed = 0,
                  caps_changes = 0;
  };

  // Guarded by the element's state lock.
  std::optional<VmafSlot> slot;
  std::deque<VmafSlot> waiting;           ///< behind the slot; only filled while auto-align searches
  std::optional<vmaf::Alignment> aligned; ///< what auto-align found
  std::int32_t offset = 0;                ///< in force: the property's or the found one
  vmaf::BarWatch bars;
  std::optional<GstVideoInfo> info;
  GstSegment segment{};
  bool eos = false, flushing = false;
  GstClockTime last_time = GST_CLOCK_TIME_NONE; ///< of the newest buffer, to spot repetition and to fill gaps
  Counts counts;
  std::size_t stream = 0; ///< index in the session
  void reset();
  /// Lets the slot's buffer go and takes the next one that waits, if any.
  void next();
  void hold(VmafSlot held);

  /// Set by the element; called for the computed properties.
  std::function<std::string()> read_result;
  std::function<double()> read_score;

 private:
  GstPad *self_;
};

} // namespace hull
