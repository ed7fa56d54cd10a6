#include "plugins/mp4/mux_pad.h"

#include <algorithm>

namespace hull {
namespace {

// What one pad holds before its streaming thread waits, and what it holds at most while another pad starves:
// streams that lie far apart in a file, behind small queues, would stop each other otherwise.
constexpr std::size_t kFull = 512;
constexpr std::uint64_t kFullBytes = 8 << 20;
constexpr std::size_t kOverfull = 1 << 20;
constexpr std::uint64_t kOverfullBytes = 128 << 20;

const Property<MuxPadSettings> kProperties[] = {
    property<&MuxPadSettings::timescale>(
        "timescale", "Ticks per second of the track; 0 = from the frame rate or sample rate"),
};

GstFlowReturn chain(GstPad *pad, GstObject *, GstBuffer *buffer) {
  return MuxPad::of(pad).arrive({BufferRef::adopt(buffer), {}});
}

} // namespace

// What is shared

void InputQueues::add(MuxPad *pad) {
  const std::lock_guard lock(mutex_);
  pads_.push_back(pad);
}

void InputQueues::remove(MuxPad *pad) {
  const std::lock_guard lock(mutex_);
  std::erase(pads_, pad);
  changed_.notify_all();
}

void InputQueues::open() {
  const std::lock_guard lock(mutex_);
  flow_ = GST_FLOW_OK;
  unseen_ = true;
  news_ = overfull_ = false;
}

void InputQueues::close(GstFlowReturn flow) {
  const std::lock_guard lock(mutex_);
  flow_ = flow;
  changed_.notify_all();
}

void InputQueues::wake() {
  const std::lock_guard lock(mutex_);
  news_ = true;
  for (MuxPad *pad : pads_)
    (void)pad->put_token();
}

bool InputQueues::anybody_starves() const {
  return std::ranges::any_of(pads_, [](const MuxPad *pad) { return pad->hungry(); });
}

// A pad

std::span<const Property<MuxPadSettings>> MuxPad::properties() {
  return kProperties;
}

void MuxPad::class_init(GstAggregatorPadClass *klass) {
  klass->flush = [](GstAggregatorPad *pad, GstAggregator *) {
    of(pad).flush();
    return GST_FLOW_OK;
  };
}

void MuxPad::install(std::shared_ptr<InputQueues> queues) {
  queues_ = std::move(queues);
  queues_->add(this);
  aggregator_chain_ = GST_PAD_CHAINFUNC(GST_PAD(self_));
  aggregator_activate_ = GST_PAD_ACTIVATEMODEFUNC(GST_PAD(self_));
  gst_pad_set_chain_function(GST_PAD(self_), chain);
  gst_pad_set_activatemode_function(
      GST_PAD(self_), [](GstPad *pad, GstObject *parent, GstPadMode mode, gboolean active) -> gboolean {
        MuxPad &self = of(pad);
        if (!active && !self.released_)
          self.set_active(false); // before GStreamer waits for the streaming thread
        const gboolean done = self.aggregator_activate_(pad, parent, mode, active);
        if (active && done) self.set_active(true);
        return done;
      });
  // Who waits for this pad shall see that it has no peer any more.
  g_signal_connect(self_, "unlinked", G_CALLBACK(+[](GstPad *pad, GstPad *, gpointer) {
                     if (!of(pad).released_) of(pad).queues_->wake();
                   }),
                   nullptr);
}

MuxPad::~MuxPad() {
  if (queues_ && !released_) queues_->remove(this);
}

void MuxPad::release() {
  if (released_.exchange(true)) return;
  set_active(false);
  queues_->remove(this);
}

bool MuxPad::full() const {
  return queue_.size() >= kFull || bytes_ >= kFullBytes;
}

bool MuxPad::overfull() const {
  return queue_.size() >= kOverfull || bytes_ >= kOverfullBytes;
}

GstFlowReturn MuxPad::put_token() {
  GstObject *element = GST_OBJECT_PARENT(self_); // none yet where a pad is requested from a running element
  if (token_ || !active_ || flushing_ || !element) return GST_FLOW_OK;
  token_ = true;
  const GstFlowReturn flow = aggregator_chain_(GST_PAD(self_), element, gst_buffer_new());
  if (flow != GST_FLOW_OK) token_ = false;
  return flow;
}

void MuxPad::drop_token() {
  if (!token_) return;
  token_ = false;
  gst_aggregator_pad_drop_buffer(self_);
}

GstFlowReturn MuxPad::arrive(Arrival arrival) {
  const std::uint64_t size = arrival.buffer ? gst_buffer_get_size(arrival.buffer.get()) : 0;
  const bool ends = arrival.event && GST_EVENT_TYPE(arrival.event.get()) == GST_EVENT_EOS;
  std::unique_lock lock(queues_->mutex_);
  const auto may_go_on = [this] {
    return queues_->flow_ != GST_FLOW_OK || !active_ || flushing_ || !full() ||
           (queues_->anybody_starves() && !overfull());
  };
  while (arrival.buffer && !may_go_on()) {
    if (overfull() && queues_->anybody_starves() && !queues_->overfull_.exchange(true)) {
      queues_->news_ = true;
      for (MuxPad *pad : queues_->pads_)
        (void)pad->put_token();
      continue;
    }
    queues_->changed_.wait(lock);
  }
  if (!active_ || flushing_) return GST_FLOW_FLUSHING;
  if (queues_->flow_ != GST_FLOW_OK) return queues_->flow_;
  if (arrival.event && GST_EVENT_TYPE(arrival.event.get()) == GST_EVENT_STREAM_START) ended_ = false;
  ended_ = ended_ || ends;
  queue_.push_back(std::move(arrival));
  bytes_ += size;
  if (queue_.size() == 1) queues_->news_ = true;
  if (ends || queues_->unseen_) // those that are waited for may not come at all
    for (MuxPad *pad : queues_->pads_)
      (void)pad->put_token();
  return put_token();
}

bool MuxPad::take(std::deque<Arrival> &to) {
  const std::lock_guard lock(queues_->mutex_);
  queues_->unseen_ = false;
  if (queue_.empty()) return false;
  if (to.empty())
    to.swap(queue_);
  else
    std::move(queue_.begin(), queue_.end(), std::back_inserter(to));
  const bool some_wait = bytes_ >= kFullBytes || to.size() >= kFull;
  queue_.clear();
  bytes_ = 0;
  if (some_wait) queues_->changed_.notify_all();
  return true;
}

void MuxPad::wait_for(bool waited_for) {
  const std::lock_guard lock(queues_->mutex_);
  queues_->unseen_ = false;
  waited_for_ = waited_for;
  if (!waited_for || !queue_.empty())
    (void)put_token();
  else
    drop_token();
  if (hungry()) queues_->changed_.notify_all();
}

bool MuxPad::starves() const {
  const std::lock_guard lock(queues_->mutex_);
  return hungry();
}

void MuxPad::set_active(bool active) {
  const std::lock_guard lock(queues_->mutex_);
  active_ = active;
  flushing_ = false;
  if (active) { // what a pad that has been released still holds goes into the file
    queue_.clear();
    bytes_ = 0;
    waited_for_ = true;
    token_ = false;
    if (queues_->unseen_) (void)put_token();
  }
  queues_->changed_.notify_all();
}

void MuxPad::begin_flush() {
  const std::lock_guard lock(queues_->mutex_);
  flushing_ = true;
  queues_->changed_.notify_all();
}

// What is sticky is not sent again after a flush, but for the segment.
void MuxPad::flush() {
  const std::lock_guard lock(queues_->mutex_);
  std::erase_if(queue_, [](const Arrival &arrival) {
    if (!arrival.event) return true;
    const GstEventType type = GST_EVENT_TYPE(arrival.event.get());
    // The macro mixes enumerations, which C++20 deprecates.
    const bool sticky = static_cast<int>(type) & static_cast<int>(GST_EVENT_TYPE_STICKY);
    return type == GST_EVENT_SEGMENT || type == GST_EVENT_EOS || !sticky;
  });
  bytes_ = 0;
  flushing_ = ended_ = false;
  token_ = false; // GstAggregator has emptied its queue
  if (!queue_.empty()) (void)put_token();
  queues_->changed_.notify_all();
}

void MuxPad::reset() {
  const std::lock_guard lock(queues_->mutex_);
  queue_.clear();
  bytes_ = 0;
  waited_for_ = true;
  token_ = ended_ = false;
}

} // namespace hull
