#pragma once

// The body of a request that follows an object of the window while it grows.

#include "gst/core/mutex.h"
#include "gst/origin/gref.h"
#include "gst/publish/live/live.h"

#include <memory>
#include <string>

namespace hull::origin {

/// Wakes threads that wait for a change of the window, or tells them to stop.
class ChangeNotifier {
 public:
  void wake();
  void stop();
  bool stopped() const;
  /// Until wake() was called since the last wait of this kind, stop(), or `seconds` have passed. `seen` is
  /// the caller's memory.
  void wait(std::uint64_t &seen, double seconds);

 private:
  mutable Mutex mutex_; // leaf
  Condition changed_;
  std::uint64_t count_ HULL_GUARDED_BY(mutex_) = 0;
  bool stopped_ HULL_GUARDED_BY(mutex_) = false;
};

/// A stream of the object's bytes from its beginning: reading waits for the next chunk while the object
/// grows, and ends when it is whole. G_IO_ERROR_CANCELLED once `changes` is stopped, G_IO_ERROR_NOT_FOUND
/// when the window has let it go.
GRef<GInputStream> make_growing_body(std::shared_ptr<const publish::Live> live, std::string name,
                                     std::shared_ptr<ChangeNotifier> changes);

} // namespace hull::origin
