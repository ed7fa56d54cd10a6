#pragma once

#include "gst/glue/map.h"
#include "plugins/vmaf/sink.h"

namespace hull {

/// A buffer kept mapped, with its planes as they are scored.
struct VmafSink::Held {
  explicit Held(const VmafSlot &slot) : buffer(slot.buffer), frame(slot.info, buffer.get(), GST_MAP_READ) {}
  BufferRef buffer;
  MappedFrame frame;
  vmaf::Picture picture;
  unsigned fitter = 0; ///< which of the two reference fitters holds its planes, where it had to be fitted
};

} // namespace hull
