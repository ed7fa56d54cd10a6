#include "plugins/mp4/mux_queue.h"

#include <algorithm>
#include <chrono>

namespace hull {
namespace {

// What an input holds before its streaming thread waits, and what it holds at most while another one starves.
constexpr std::size_t kFull = 512;
constexpr std::uint64_t kFullBytes = 8 << 20;
constexpr std::size_t kOverfull = 1 << 20;
constexpr std::uint64_t kOverfullBytes = 128 << 20;

} // namespace

// All of them

std::shared_ptr<InputQueue> InputQueues::add() {
  auto queue = std::make_shared<InputQueue>(*this);
  const Lock lock(mutex_);
  std::erase_if(queues_, [](const auto &known) { return known.expired(); });
  queues_.push_back(queue);
  return queue;
}

void InputQueues::open() {
  const Lock lock(mutex_);
  flow_ = GST_FLOW_OK;
  woken_ = true; // an input may have come before
  overfull_ = false;
  for (const auto &known : queues_)
    if (const auto queue = known.lock()) queue->waited_for_ = true;
}

void InputQueues::close(GstFlowReturn flow) {
  const Lock lock(mutex_);
  flow_ = flow;
  rouse();
  room_.notify_all();
}

GstFlowReturn InputQueues::flow() const {
  const Lock lock(mutex_);
  return flow_;
}

bool InputQueues::any_flushes() const {
  const Lock lock(mutex_);
  return std::ranges::any_of(queues_, [](const auto &known) {
    const auto queue = known.lock();
    return queue && queue->flushing_;
  });
}

void InputQueues::wake() {
  const Lock lock(mutex_);
  woken_ = true;
  rouse();
}

void InputQueues::rouse() {
  if (!sleeping_) return;
  if (alarm_)
    gst_clock_id_unschedule(alarm_);
  else
    came_.notify_one();
}

bool InputQueues::something_came() const {
  if (woken_ || flow_ != GST_FLOW_OK) return true;
  return std::ranges::any_of(queues_, [](const auto &known) {
    const auto queue = known.lock();
    return queue && queue->waited_for_ && !queue->arrivals_.empty();
  });
}

bool InputQueues::anybody_starves() const {
  return std::ranges::any_of(queues_, [sleeping = sleeping_](const auto &known) {
    const auto queue = known.lock();
    return queue && queue->hungry(sleeping);
  });
}

// The pipeline's clock wakes by its own time, which in a test is no other clock's.
InputQueues::Woken InputQueues::wait(const Limit &limit) {
  Lock lock(mutex_);
  Woken why = Woken::news;
  while (!something_came() && why == Woken::news) {
    sleeping_ = true;
    if (waiting_ > 0 && anybody_starves()) room_.notify_all();
    if (limit.clock) {
      const GstClockID alarm = alarm_ = gst_clock_new_single_shot_id(limit.clock.get(), limit.time);
      lock.unlock();
      const GstClockReturn rang = gst_clock_id_wait(alarm, nullptr);
      lock.lock();
      alarm_ = nullptr;
      gst_clock_id_unref(alarm);
      if (rang != GST_CLOCK_UNSCHEDULED) why = Woken::time;
    } else if (limit.monotonic_time) {
      const gint64 left = *limit.monotonic_time - g_get_monotonic_time();
      if (left <= 0 || !came_.wait_for(lock, std::chrono::microseconds(left))) why = Woken::time;
    } else {
      came_.wait(lock);
    }
    sleeping_ = false;
  }
  woken_ = false;
  return why;
}

// One of them

// While the muxing thread is at work, or held up by what follows it, only those count that never had
// anything.
bool InputQueue::hungry(bool sleeping) const {
  return active_ && arrivals_.empty() && !ended_ && (sleeping ? waited_for_ : !has_begun_);
}

bool InputQueue::full() const {
  return arrivals_.size() >= kFull || bytes_ >= kFullBytes;
}

bool InputQueue::overfull() const {
  return arrivals_.size() >= kOverfull || bytes_ >= kOverfullBytes;
}

GstFlowReturn InputQueue::put(Arrival arrival) {
  const std::uint64_t size = arrival.buffer ? gst_buffer_get_size(arrival.buffer.get()) : 0;
  const bool ends = arrival.event && GST_EVENT_TYPE(arrival.event.get()) == GST_EVENT_EOS;
  const bool starts = arrival.event && GST_EVENT_TYPE(arrival.event.get()) == GST_EVENT_STREAM_START;
  Lock lock(queues_.mutex_);
  while (arrival.buffer && active_ && !flushing_ && queues_.flow_ == GST_FLOW_OK && full()) {
    const bool others_starve = queues_.anybody_starves();
    if (others_starve && !overfull()) break;
    if (others_starve && !queues_.overfull_.exchange(true)) {
      queues_.woken_ = true;
      queues_.rouse();
    }
    ++queues_.waiting_;
    queues_.room_.wait(lock);
    --queues_.waiting_;
  }
  if (!active_ || flushing_) return GST_FLOW_FLUSHING;
  if (queues_.flow_ != GST_FLOW_OK) return queues_.flow_;
  if (starts) ended_ = false;
  if (ends) ended_ = true;
  has_begun_ = has_begun_ || arrival.buffer || ends || GST_EVENT_TYPE(arrival.event.get()) == GST_EVENT_GAP;
  arrivals_.push_back(std::move(arrival));
  bytes_ += size;
  if (ends) { // those that are waited for may not come at all
    queues_.woken_ = true;
    queues_.room_.notify_all();
  }
  if (waited_for_ || ends) queues_.rouse();
  return GST_FLOW_OK;
}

bool InputQueue::take(std::deque<Arrival> &to) {
  const Lock lock(queues_.mutex_);
  if (arrivals_.empty()) return false;
  const bool some_wait = full();
  if (to.empty())
    to.swap(arrivals_);
  else
    std::ranges::move(arrivals_, std::back_inserter(to));
  arrivals_.clear();
  bytes_ = 0;
  if (some_wait) queues_.room_.notify_all();
  return true;
}

void InputQueue::wait_for(bool waited_for) {
  const Lock lock(queues_.mutex_);
  waited_for_ = waited_for;
}

bool InputQueue::starves() const {
  const Lock lock(queues_.mutex_);
  return hungry(true);
}

void InputQueue::set_active(bool active) {
  const Lock lock(queues_.mutex_);
  active_ = active;
  flushing_ = false;
  if (active) { // what an input that has been released still holds goes into the file
    arrivals_.clear();
    bytes_ = 0;
    waited_for_ = true;
    has_begun_ = false;
    ended_ = false;
    was_flushed_ = false;
  }
  queues_.woken_ = true;
  queues_.rouse();
  queues_.room_.notify_all();
}

void InputQueue::begin_flush() {
  const Lock lock(queues_.mutex_);
  flushing_ = true;
  was_flushed_ = true;
  queues_.room_.notify_all();
}

// What is sticky is not sent again after a flush, but for the segment.
void InputQueue::end_flush() {
  const Lock lock(queues_.mutex_);
  std::erase_if(arrivals_, [](const Arrival &arrival) {
    if (!arrival.event) return true;
    const GstEventType type = GST_EVENT_TYPE(arrival.event.get());
    // The macro mixes enumerations, which C++20 deprecates.
    const bool sticky = static_cast<int>(type) & static_cast<int>(GST_EVENT_TYPE_STICKY);
    return type == GST_EVENT_SEGMENT || type == GST_EVENT_EOS || !sticky;
  });
  bytes_ = 0;
  flushing_ = false;
  ended_ = false;
  queues_.room_.notify_all();
}

} // namespace hull
