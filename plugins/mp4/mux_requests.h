#pragma once

#include "gst/core/mutex.h"
#include "gst/isobmff/file/additions.h"
#include "gst/isobmff/file/chapters.h"

#include <atomic>

#include <gst/gst.h>

namespace hull {

/// What the application asks of a running muxer, from any thread: boxes, fields, places to split.
class MuxRequests {
 public:
  /// `place`: "fragment" = in front of the next fragment, else a place of Additions::add_box.
  Result<void> add_box(const char *place, GBytes *box);
  Result<void> set_field(const char *path, const char *value);
  /// A custom event "hull-mp4-box" (place, box), "hull-mp4-field" (path, value) or
  /// "hull-mp4-chapter" (title, running-time); false for other events.
  static bool is_request(const GstEvent *event);
  Result<void> take(GstEvent *event);
  void split(std::int64_t running_time);
  /// A chapter from `running_time` on, in nanoseconds; GST_CLOCK_TIME_NONE: from what is being written now.
  Result<void> add_chapter(const char *title, guint64 running_time);
  /// From now on add_chapter is refused, until open_movie() or reset(); `why` is a literal.
  void close_chapters(const char *why);
  /// The chapters that upstream or the application lists, in running time, instead of those it listed before.
  void set_toc(isobmff::Chapters chapters);
  isobmff::Chapters chapters() const; ///< in no order
  unsigned chapters_version() const { return chapters_version_; }
  /// Where the muxer is, in running time.
  void set_position(std::int64_t running_time) { position_ = running_time; }
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
  isobmff::Chapters toc_ HULL_GUARDED_BY(mutex_), markers_ HULL_GUARDED_BY(mutex_);
  const char *no_chapters_ HULL_GUARDED_BY(mutex_) = nullptr; // why there are none (any more)
  std::atomic<unsigned> chapters_version_{0};
  std::atomic<std::int64_t> position_{0};
  bool movie_closed_ HULL_GUARDED_BY(mutex_) = false;
};

/// Puts the signals of the element's class in place: add-box, set-field, add-chapter,
/// split-at-running-time (actions) and encryption-key.
void install_mux_signals(GObjectClass *klass, MuxRequests &(*requests_of)(gpointer element));

/// What the encryption-key signal answers for a pad: a structure with key-id and key as hex, or nothing.
GstStructure *ask_for_key(GstElement *element, GstPad *pad);

} // namespace hull
