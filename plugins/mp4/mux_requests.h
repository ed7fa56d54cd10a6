#pragma once

#include "gst/core/mutex.h"
#include "gst/isobmff/file/additions.h"

#include <gst/gst.h>

namespace hull {

/// What the application asks of a running muxer, from any thread: boxes, fields, places to split.
class MuxRequests {
 public:
  /// `place`: "fragment" = in front of the next fragment, else a place of Additions::add_box.
  Result<void> add_box(const char *place, GBytes *box);
  Result<void> set_field(const char *path, const char *value);
  /// A custom event "hull-mp4-box" (place, box) or "hull-mp4-field" (path, value); false for other events.
  static bool is_request(const GstEvent *event);
  Result<void> take(GstEvent *event);
  void split(std::int64_t running_time);
  /// The movie box has left: what still concerns it is refused until reset().
  void close_movie();
  void open_movie(); ///< another one will be written
  void reset();      ///< at the end of a run; a request made before the next start belongs to that one

  isobmff::Additions additions() const;
  std::vector<ByteVector> take_fragment_boxes();
  std::vector<std::int64_t> take_splits();

 private:
  mutable Mutex mutex_; // leaf: held only to copy
  isobmff::Additions movie_ HULL_GUARDED_BY(mutex_);
  std::vector<ByteVector> fragment_ HULL_GUARDED_BY(mutex_);
  std::vector<std::int64_t> splits_ HULL_GUARDED_BY(mutex_);
  bool movie_closed_ HULL_GUARDED_BY(mutex_) = false;
};

/// Puts the signals of the element's class in place: add-box, set-field, split-at-running-time (actions) and
/// encryption-key.
void install_mux_signals(GObjectClass *klass, MuxRequests &(*requests_of)(gpointer element));

/// What the encryption-key signal answers for a pad: a structure with key-id and key as hex, or nothing.
GstStructure *ask_for_key(GstElement *element, GstPad *pad);

} // namespace hull
