#pragma once

// The outputs that do one thing after the other: a queue of events and the thread that works it off.

#include "gst/origin/outputs/output.h"

#include <deque>
#include <thread>

namespace hull::origin {

/// Events in order, at most `capacity` of them: a fuller queue drops the oldest whole segment.
class EventQueue {
 public:
  explicit EventQueue(std::size_t capacity) : capacity_(capacity) {}
  void push(publish::LiveEvent event);
  /// The next event; false once closed and empty, or when aborted.
  bool pop(publish::LiveEvent &event);
  void close();
  /// No more pops, whatever is left.
  void abort();
  bool wait_empty(double seconds);
  std::uint64_t dropped_segments() const;

 private:
  void drop_oldest_segment() HULL_REQUIRES(mutex_);
  const std::size_t capacity_;
  mutable Mutex mutex_; // leaf
  Condition changed_;
  std::deque<publish::LiveEvent> events_ HULL_GUARDED_BY(mutex_);
  std::uint64_t dropped_ HULL_GUARDED_BY(mutex_) = 0;
  bool closed_ HULL_GUARDED_BY(mutex_) = false;
  bool aborted_ HULL_GUARDED_BY(mutex_) = false;
  bool busy_ HULL_GUARDED_BY(mutex_) = false;
};

/// What an output does with events.
class EventHandler {
 public:
  virtual ~EventHandler() = default;
  /// Whether the event is worth a place in the queue. Streaming threads.
  virtual bool wants(const publish::LiveEvent &) const { return true; }
  /// May block. The output's thread, as end(), which comes last.
  virtual void handle(const publish::LiveEvent &event) = 0;
  virtual void end() {}
};

class QueuedOutput final : public Output {
 public:
  QueuedOutput(std::unique_ptr<EventHandler> handler, std::shared_ptr<const DeliveryStats> delivery);
  ~QueuedOutput() override;
  void on_event(const publish::LiveEvent &event) override;
  void finish(double seconds) override;
  OutputStats stats() const override;

 private:
  static constexpr std::size_t kQueue = 4096; // events; two minutes of two tracks in chunks of 0.2 s
  std::shared_ptr<const DeliveryStats> delivery_;
  std::unique_ptr<EventHandler> handler_;
  EventQueue queue_{kQueue};
  std::thread thread_;
};

} // namespace hull::origin
