#pragma once

#include "gst/glue/shell.h"
#include "gst/mux/timeline.h"

#include <atomic>
#include <deque>
#include <mutex>
#include <vector>

#include <gst/base/gstaggregator.h>

namespace hull {

/// What a sink pad received: a sample, or a stretch without one.
struct Arrival {
  BufferRef buffer; ///< null for a gap
  mux::Stamp stamp;
};

struct MuxPadSettings {
  std::uint32_t timescale = 0;
};

/// A sink pad with a door: samples gather in a batch, and GstAggregator sees one token per batch instead of
/// one buffer per sample. Its queue wakes a thread for each buffer it takes, which costs more than muxing a
/// small sample does. A live batch is let in at once; otherwise it waits until it is worth a wake-up, until
/// an event follows it, or until another pad has to wait for this one.
class MuxPad : public Configured<MuxPadSettings> {
 public:
  using Base = GstAggregatorPad;
  using BaseClass = GstAggregatorPadClass;
  static constexpr char kTypeName[] = "HullMp4MuxPad";
  static GType parent_type() { return GST_TYPE_AGGREGATOR_PAD; }
  static std::span<const Property<MuxPadSettings>> properties();
  static void class_init(GstAggregatorPadClass *klass);
  explicit MuxPad(GstAggregatorPad *self) : self_(self) {}

  static MuxPad &of(gpointer pad) { return Shell<MuxPad>::of(pad); }

  /// Puts the door in front of the pad's chain function. `hurry` tells whether batches must not wait.
  void install(const std::atomic<bool> *hurry);

  // Streaming thread.
  GstFlowReturn arrive(Arrival arrival);
  /// A serialized event follows: what came before it goes in first, what comes after starts a new batch.
  GstFlowReturn seal();
  /// Lets a waiting batch in; from any thread.
  void nudge();

  // Aggregating thread.
  /// Appends what has come to `to`; true if there was anything. Takes the tokens of empty batches out, but
  /// with `stay` leaves the last one: GstAggregator then goes on with the other pads and does not wait for
  /// this one.
  bool collect(std::deque<Arrival> &to, bool stay);
  void reset();

 private:
  struct Batch {
    std::uint64_t id = 0;
    std::vector<Arrival> arrivals;
    std::uint64_t bytes = 0;
  };
  GstFlowReturn submit(std::unique_lock<std::mutex> &lock);
  Batch &open_batch();

  GstAggregatorPad *self_;
  GstPadChainFunction aggregator_chain_ = nullptr;
  const std::atomic<bool> *hurry_ = nullptr;

  // Held while a token goes into an empty queue, which does not block; never while one may have to wait.
  std::mutex door_mutex_;
  std::deque<Batch> batches_;
  std::uint64_t open_id_ = 1;
  std::uint64_t announced_id_ = 0; // newest batch that has a token
  unsigned tokens_ = 0;            // in the aggregator's queue
  gint64 last_submit_ = 0;
};

} // namespace hull
