#pragma once

#include "gst/glue/shell.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include <gst/base/gstaggregator.h>

namespace hull {

/// What a sink pad received: a buffer or a serialized event, in the order they came.
struct Arrival {
  BufferRef buffer;
  EventRef event;
};

struct MuxPadSettings {
  std::uint32_t timescale = 0;
};

class MuxPad;

/// What the pads of one muxer share. GstAggregator runs when every pad has something in its queue, and wakes
/// a thread for each buffer that goes in or out, which costs more than muxing a small sample does. Here a
/// pad's queue is its own, and GstAggregator's holds at most one empty buffer, a token, by one rule: a pad
/// has a token unless the aggregating thread waits for that very pad and nothing has come there yet. So
/// whatever comes for a pad that is waited for wakes the aggregating thread at once, whatever comes for
/// another one wakes nobody, and no streaming thread ever waits inside GstAggregator.
class InputQueues {
 public:
  void add(MuxPad *pad);
  void remove(MuxPad *pad);
  /// A run begins: the aggregating thread looks once when all pads are active, before anything has come.
  void open();
  /// The stream has ended: streaming threads that wait go on and hear `flow`.
  void close(GstFlowReturn flow);
  /// The aggregating thread looks once, whatever it waits for; from any thread.
  void wake();

  // Aggregating thread.
  /// It looks now; false: nothing has come since it last did.
  bool look() { return news_.exchange(false); }
  bool news() const { return news_; } ///< readable under GstAggregator's locks
  /// A pad holds all it may hold while others have nothing: those can be waited for no longer. Says so once.
  bool take_overfull() { return overfull_.exchange(false); }

 private:
  friend class MuxPad;
  bool anybody_starves() const;

  // Taken before GstAggregator's locks. Held while a token goes into its queue, which is empty then: that
  // waits for nobody.
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<MuxPad *> pads_;
  GstFlowReturn flow_ = GST_FLOW_OK;
  bool unseen_ = true; // the aggregating thread has not looked in this run
  std::atomic<bool> news_{false};
  std::atomic<bool> overfull_{false};
};

/// A sink pad with a queue of its own.
class MuxPad : public Configured<MuxPadSettings> {
 public:
  using Base = GstAggregatorPad;
  using BaseClass = GstAggregatorPadClass;
  static constexpr char kTypeName[] = "HullMp4MuxPad";
  static GType parent_type() { return GST_TYPE_AGGREGATOR_PAD; }
  static std::span<const Property<MuxPadSettings>> properties();
  static void class_init(GstAggregatorPadClass *klass);
  explicit MuxPad(GstAggregatorPad *self) : self_(self) {}
  ~MuxPad();
  MuxPad(const MuxPad &) = delete;
  MuxPad &operator=(const MuxPad &) = delete;

  static MuxPad &of(gpointer pad) { return Shell<MuxPad>::of(pad); }

  /// Puts the queue in front of the pad's chain function.
  void install(std::shared_ptr<InputQueues> queues);

  /// Streaming thread. A buffer waits while the queue is full, unless another pad starves.
  GstFlowReturn arrive(Arrival arrival);

  // Aggregating thread.
  /// Appends what has come to `to`; false if there was nothing.
  bool take(std::deque<Arrival> &to);
  /// Whether the aggregating thread waits for this pad.
  void wait_for(bool waited_for);
  /// EOS has come, although it may still wait behind samples.
  bool has_ended() const { return ended_; }
  /// It waits, and nothing has come.
  bool starves() const;

  /// Streaming stops or starts: threads that wait here go on.
  void set_active(bool active);
  /// The pad is about to leave the element, which GstAggregator does under its lock: ours must not be taken.
  void release();
  void begin_flush();
  /// A flush ends: drops buffers and all events that are sent again.
  void flush();
  void reset();

 private:
  friend class InputQueues;
  bool hungry() const { return active_ && waited_for_ && queue_.empty(); }
  bool full() const;
  bool overfull() const;
  GstFlowReturn put_token();
  void drop_token();

  GstAggregatorPad *self_;
  GstPadChainFunction aggregator_chain_ = nullptr;
  GstPadActivateModeFunction aggregator_activate_ = nullptr;
  std::shared_ptr<InputQueues> queues_;

  // Under the lock of queues_.
  std::deque<Arrival> queue_;
  std::uint64_t bytes_ = 0;
  bool active_ = false;
  bool flushing_ = false;
  bool waited_for_ = true;
  bool token_ = false; // in GstAggregator's queue
  std::atomic<bool> released_{false};
  std::atomic<bool> ended_{false};
};

} // namespace hull
