#pragma once

// An element's debug category has its factory's name: GST_DEBUG=hullmp4mux:5. Files that log name it once,
//
//   #define GST_CAT_DEFAULT hull::category<Mp4Mux>()
//
// and use GST_DEBUG_OBJECT and its like. What goes where: INFO caps, segment, first and last buffer,
// negotiation and choices; DEBUG cuts, drops, repairs, alignment, key units asked and met, playlists; LOG
// what happens for every buffer. raise() and warn() log by themselves.

#include "gst/core/log.h"

#include <gst/gst.h>

namespace hull {

/// The category called `name`, made on the first call; from any thread.
GstDebugCategory *make_category(const char *name, const char *description);

/// The category of an element's class, which names itself with kCategory and kDescription.
template <class Impl> GstDebugCategory *category() {
  static GstDebugCategory *const made = make_category(Impl::kCategory, Impl::kDescription);
  return made;
}

/// The category with the name of the element's factory; GStreamer's own where there is none.
GstDebugCategory *category_of(GstElement *element);

/// A sink for lines of rooms without GStreamer. `category` and `object` must outlive it; `object` may be
/// null.
LogSink log_into(GstDebugCategory *category, GObject *object);

} // namespace hull
