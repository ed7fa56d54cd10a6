#pragma once

#include "gst/glue/ref.h"

#include <gst/gst.h>

namespace hull {

/// Calls a function again and again from the system clock's thread, with an element that is kept alive for
/// it. start() and stop() come from one thread at a time.
class Ticker {
 public:
  Ticker() = default;
  Ticker(const Ticker &) = delete;
  Ticker &operator=(const Ticker &) = delete;
  ~Ticker() { stop(); }
  void start(GstElement *element, GstClockTime interval, GstClockCallback call);
  /// A call that runs already may end later.
  void stop();

 private:
  GstClockID id_ = nullptr;
};

} // namespace hull
