#pragma once

#include "gst/glue/log.h"

namespace hull {

/// hullmp4mux's debug category, for files that do not know the element.
inline GstDebugCategory *mux_category() {
  static GstDebugCategory *const made = make_category("hullmp4mux", "MP4 and CMAF muxer");
  return made;
}

} // namespace hull

#define GST_CAT_DEFAULT ::hull::mux_category()
