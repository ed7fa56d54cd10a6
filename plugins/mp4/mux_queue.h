#pragma once

#include "gst/core/mutex.h"
#include "gst/glue/ref.h"

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include <gst/gst.h>

namespace hull {

/// What a sink pad received: a buffer or a serialized event, in the order they came.
struct Arrival {
  BufferRef buffer;
  EventRef event;
  std::optional<std::int64_t> time; ///< running time at which a live buffer came
};

class InputQueue;

/// The queues of a muxer's inputs, and where its thread sleeps until one of those that it waits for has
/// something. What comes for another input wakes nobody: it could not help.
class InputQueues {
 public:
  /// Until when the muxing thread sleeps if nothing comes.
  struct Limit {
    ObjectRef<GstClock> clock;            ///< of a live pipeline, with the time below
    GstClockTime time = 0;                ///< of `clock`
    std::optional<gint64> monotonic_time; ///< microseconds of g_get_monotonic_time()
  };
  enum class Woken { news, time };

  std::shared_ptr<InputQueue> add();

  /// A run begins.
  void open();
  /// The run has ended: streaming threads that wait go on and hear `flow`, and so do those that come later.
  void close(GstFlowReturn flow);
  bool closed() const { return flow() != GST_FLOW_OK; }
  GstFlowReturn flow() const; ///< what streaming threads hear
  bool any_flushes() const;
  /// Whether it matters when something comes; from any thread.
  bool live() const { return live_; }
  void set_live(bool live) { live_ = live; }
  /// The muxing thread looks once more, whatever it waits for; from any thread.
  void wake();

  // Muxing thread.
  /// Sleeps until an input that is waited for has something, or is woken, or the run is closed.
  Woken wait(const Limit &limit);
  /// An input holds all it may hold while others have nothing: those can be waited for no longer. Says so
  /// once.
  bool take_overfull() { return overfull_.exchange(false); }

 private:
  friend class InputQueue;
  void rouse() HULL_REQUIRES(mutex_);
  bool something_came() const HULL_REQUIRES(mutex_);
  bool anybody_starves() const HULL_REQUIRES(mutex_);

  mutable Mutex mutex_;
  Condition came_; // for the muxing thread
  Condition room_; // for streaming threads
  std::vector<std::weak_ptr<InputQueue>> queues_ HULL_GUARDED_BY(mutex_);
  GstFlowReturn flow_ HULL_GUARDED_BY(mutex_) = GST_FLOW_FLUSHING;
  GstClockID alarm_ HULL_GUARDED_BY(mutex_) = nullptr; // what the muxing thread sleeps on, if not on came_
  bool sleeping_ HULL_GUARDED_BY(mutex_) = false;      // the inputs' waited_for_ says what for
  unsigned waiting_ HULL_GUARDED_BY(mutex_) = 0;       // streaming threads for room
  bool woken_ HULL_GUARDED_BY(mutex_) = false;
  std::atomic<bool> overfull_{false};
  std::atomic<bool> live_{false};
};

/// What waits in front of one input. Its state lies under the lock of its InputQueues.
class InputQueue {
 public:
  explicit InputQueue(InputQueues &queues) : queues_(queues) {}
  bool live() const { return queues_.live(); }

  // Streaming thread.
  /// A buffer waits while the queue is full, unless another input starves: streams that lie far apart in a
  /// file, behind small queues, would stop each other otherwise.
  GstFlowReturn put(Arrival arrival);
  /// Streaming stops or starts: threads that wait here go on.
  void set_active(bool active);
  void begin_flush();
  /// A flush ends: drops buffers, and the events that are sent again.
  void end_flush();

  // Muxing thread.
  /// Appends what has come to `to`; false if there was nothing.
  bool take(std::deque<Arrival> &to);
  /// Whether the muxing thread waits for this input.
  void wait_for(bool waited_for);
  /// EOS has come, although it may still wait behind samples.
  bool has_ended() const { return ended_; }
  /// A flush came since streaming started: elements in front may have lost events that they held back.
  bool was_flushed() const { return was_flushed_; }
  /// It is or was last waited for, and has nothing.
  bool starves() const;

 private:
  friend class InputQueues;
  bool hungry(bool sleeping) const;
  bool full() const;
  bool overfull() const;

  InputQueues &queues_; // of the element, which outlives its pads
  std::deque<Arrival> arrivals_;
  std::uint64_t bytes_ = 0;
  bool active_ = false;
  bool flushing_ = false;
  bool waited_for_ = true;
  bool has_begun_ = false; // something besides the events that begin a stream
  std::atomic<bool> ended_{false};
  std::atomic<bool> was_flushed_{false};
};

} // namespace hull
