#pragma once

#include "gst/glue/shell.h"
#include "plugins/mp4/mux_queue.h"

#include <memory>

namespace hull {

struct MuxPadSettings {
  std::uint32_t timescale = 0;
};

/// A sink pad of hullmp4mux: what comes waits in its queue.
class MuxPad : public Configured<MuxPadSettings> {
 public:
  using Base = GstPad;
  using BaseClass = GstPadClass;
  static constexpr char kTypeName[] = "HullMp4MuxPad";
  static GType parent_type() { return GST_TYPE_PAD; }
  static std::span<const Property<MuxPadSettings>> properties();
  static void class_init(GstPadClass *) {}
  explicit MuxPad(GstPad *) {}

  static MuxPad &of(gpointer pad) { return Shell<MuxPad>::of(pad); }

  /// Before the pad is added to its element.
  void set_queue(std::shared_ptr<InputQueue> queue) { queue_ = std::move(queue); }
  const std::shared_ptr<InputQueue> &queue() const { return queue_; }

 private:
  std::shared_ptr<InputQueue> queue_;
};

} // namespace hull
