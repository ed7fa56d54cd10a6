#include "plugins/mp4/mux_pad.h"

namespace hull {
namespace {

constexpr std::size_t kWorthAWakeUp = 64;             // samples
constexpr std::uint64_t kWorthAWakeUpBytes = 1 << 19; // the same by size
constexpr std::size_t kFull = 256;
constexpr std::uint64_t kFullBytes = 8 << 20;
constexpr gint64 kPatience = 20'000; // microseconds a sample may find the door closed

const Property<MuxPadSettings> kProperties[] = {
    property<&MuxPadSettings::timescale>(
        "timescale", "Ticks per second of the track; 0 = from the frame rate or sample rate"),
};

GstFlowReturn chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
  Arrival arrival;
  arrival.buffer = BufferRef::adopt(buffer);
  return MuxPad::of(pad).arrive(std::move(arrival));
}

} // namespace

std::span<const Property<MuxPadSettings>> MuxPad::properties() {
  return kProperties;
}

void MuxPad::class_init(GstAggregatorPadClass *klass) {
  klass->flush = [](GstAggregatorPad *pad, GstAggregator *) {
    of(pad).reset();
    return GST_FLOW_OK;
  };
}

void MuxPad::install(const std::atomic<bool> *hurry) {
  hurry_ = hurry;
  aggregator_chain_ = GST_PAD_CHAINFUNC(GST_PAD(self_));
  gst_pad_set_chain_function(GST_PAD(self_), chain);
}

MuxPad::Batch &MuxPad::open_batch() {
  if (batches_.empty() || batches_.back().id != open_id_) batches_.push_back({open_id_, {}, 0});
  return batches_.back();
}

// Sends a token for the open batch. Only this pad's own streaming thread may find tokens_ > 0 here, and then
// the aggregator's queue makes it wait: without the lock.
GstFlowReturn MuxPad::submit(std::unique_lock<std::mutex> &lock) {
  GstBuffer *token = gst_buffer_new();
  GST_BUFFER_OFFSET(token) = open_id_;
  for (const Arrival &arrival : open_batch().arrivals) {
    if (!arrival.buffer) continue;
    GST_BUFFER_PTS(token) = GST_BUFFER_PTS(arrival.buffer.get());
    GST_BUFFER_DTS(token) = GST_BUFFER_DTS(arrival.buffer.get());
    break;
  }
  announced_id_ = open_id_;
  last_submit_ = g_get_monotonic_time();
  const bool may_wait = tokens_++ > 0;
  if (may_wait) lock.unlock();
  const GstFlowReturn flow = aggregator_chain_(GST_PAD(self_), GST_OBJECT_PARENT(self_), token);
  if (may_wait) lock.lock();
  if (flow != GST_FLOW_OK) {
    tokens_ -= tokens_ > 0;
    batches_.clear();
  }
  return flow;
}

GstFlowReturn MuxPad::arrive(Arrival arrival) {
  std::unique_lock lock(door_mutex_);
  Batch &batch = open_batch();
  if (arrival.buffer) batch.bytes += gst_buffer_get_size(arrival.buffer.get());
  batch.arrivals.push_back(std::move(arrival));
  const std::size_t count = batch.arrivals.size();
  if (announced_id_ == open_id_ && tokens_ > 0)
    return count < kFull && batch.bytes < kFullBytes ? GST_FLOW_OK : submit(lock);
  if (*hurry_ || count >= kWorthAWakeUp || batch.bytes >= kWorthAWakeUpBytes ||
      g_get_monotonic_time() - last_submit_ > kPatience) {
    const GstFlowReturn flow = submit(lock);
    lock.unlock();
    // The others' batches may be what the aggregator now waits for.
    GST_OBJECT_LOCK(GST_OBJECT_PARENT(self_));
    std::vector<PadRef> others;
    for (GList *l = GST_ELEMENT(GST_OBJECT_PARENT(self_))->sinkpads; l; l = l->next)
      if (l->data != self_) others.push_back(PadRef::retain(GST_PAD(l->data)));
    GST_OBJECT_UNLOCK(GST_OBJECT_PARENT(self_));
    for (const PadRef &other : others)
      of(other.get()).nudge();
    return flow;
  }
  return GST_FLOW_OK;
}

void MuxPad::nudge() {
  std::unique_lock lock(door_mutex_);
  if (tokens_ > 0 || batches_.empty() || batches_.back().arrivals.empty()) return;
  submit(lock);
}

GstFlowReturn MuxPad::seal() {
  std::unique_lock lock(door_mutex_);
  GstFlowReturn flow = GST_FLOW_OK;
  const bool waiting =
      !batches_.empty() && batches_.back().id == open_id_ && !batches_.back().arrivals.empty();
  if (waiting && !(announced_id_ == open_id_ && tokens_ > 0)) flow = submit(lock);
  ++open_id_;
  return flow;
}

bool MuxPad::collect(std::deque<Arrival> &to, bool stay) {
  const std::lock_guard lock(door_mutex_);
  while (GstBuffer *token = gst_aggregator_pad_peek_buffer(self_)) {
    const std::uint64_t id = GST_BUFFER_OFFSET(token);
    gst_buffer_unref(token);
    while (!batches_.empty() && batches_.front().id < id)
      batches_.pop_front();
    if (!batches_.empty() && batches_.front().id == id && !batches_.front().arrivals.empty()) {
      for (Arrival &arrival : batches_.front().arrivals)
        to.push_back(std::move(arrival));
      batches_.front().arrivals.clear();
      batches_.front().bytes = 0;
      return true;
    }
    if (stay && tokens_ == 1) return false;
    gst_aggregator_pad_drop_buffer(self_);
    tokens_ -= tokens_ > 0;
  }
  return false;
}

void MuxPad::reset() {
  const std::lock_guard lock(door_mutex_);
  batches_.clear();
  ++open_id_;
  announced_id_ = 0;
  tokens_ = 0;
  last_submit_ = 0;
}

} // namespace hull
