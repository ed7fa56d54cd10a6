#include "gst/origin/outputs/queued_output.h"

#include <algorithm>
#include <chrono>

namespace hull::origin {

using publish::LiveEvent;

void EventQueue::push(LiveEvent event) {
  const Lock lock(mutex_);
  if (closed_) return;
  while (events_.size() >= capacity_)
    drop_oldest_segment();
  events_.push_back(std::move(event));
  changed_.notify_all();
}

// A part of a segment is worth nothing, so all of it goes; headers stay.
void EventQueue::drop_oldest_segment() {
  const auto media = std::find_if(events_.begin(), events_.end(), [](const LiveEvent &event) {
    return event.kind == LiveEvent::Kind::chunk || event.kind == LiveEvent::Kind::segment;
  });
  if (media == events_.end()) {
    events_.pop_front();
    return;
  }
  const std::string name = media->name;
  std::erase_if(events_, [&name](const LiveEvent &event) {
    return event.name == name &&
           (event.kind == LiveEvent::Kind::chunk || event.kind == LiveEvent::Kind::segment);
  });
  ++dropped_;
}

bool EventQueue::pop(LiveEvent &event) {
  Lock lock(mutex_);
  busy_ = false;
  changed_.notify_all();
  while (!aborted_ && !closed_ && events_.empty())
    changed_.wait(lock);
  if (aborted_ || events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  busy_ = true;
  return true;
}

void EventQueue::close() {
  const Lock lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void EventQueue::abort() {
  const Lock lock(mutex_);
  aborted_ = closed_ = true;
  changed_.notify_all();
}

bool EventQueue::wait_empty(double seconds) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration_cast<std::chrono::nanoseconds>(
                                                          std::chrono::duration<double>(seconds));
  Lock lock(mutex_);
  while ((!events_.empty() || busy_) && changed_.wait_until(lock, end)) {
  }
  return events_.empty() && !busy_;
}

std::uint64_t EventQueue::dropped_segments() const {
  const Lock lock(mutex_);
  return dropped_;
}

QueuedOutput::QueuedOutput(std::unique_ptr<EventHandler> handler,
                           std::shared_ptr<const DeliveryStats> delivery)
    : delivery_(std::move(delivery)), handler_(std::move(handler)), thread_([this] {
        LiveEvent event;
        while (queue_.pop(event))
          handler_->handle(event);
        handler_->end();
      }) {}

QueuedOutput::~QueuedOutput() {
  finish(0);
}

void QueuedOutput::on_event(const LiveEvent &event) {
  if (handler_->wants(event)) queue_.push(event);
}

void QueuedOutput::finish(double seconds) {
  if (!thread_.joinable()) return;
  queue_.close();
  queue_.wait_empty(seconds);
  queue_.abort();
  thread_.join();
}

OutputStats QueuedOutput::stats() const {
  OutputStats stats = delivery_->stats();
  stats.dropped_segments += queue_.dropped_segments();
  return stats;
}

} // namespace hull::origin
