#pragma once

#include "gst/glue/log.h"

namespace hull {

/// hullvmafsink's debug category, for files that do not know the element.
inline GstDebugCategory *vmaf_sink_category() {
  static GstDebugCategory *const made = make_category("hullvmafsink", "VMAF measurement");
  return made;
}

} // namespace hull

#define GST_CAT_DEFAULT ::hull::vmaf_sink_category()
