#include "plugins/cmaf/output.h"

#include <algorithm>
#include <chrono>

namespace hull::cmaf {

using publish::LiveEvent;

void EventQueue::push(LiveEvent event) {
  const std::lock_guard lock(mutex_);
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
  std::unique_lock lock(mutex_);
  busy_ = false;
  changed_.notify_all();
  changed_.wait(lock, [this] { return aborted_ || closed_ || !events_.empty(); });
  if (aborted_ || events_.empty()) return false;
  event = std::move(events_.front());
  events_.pop_front();
  busy_ = true;
  return true;
}

void EventQueue::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  changed_.notify_all();
}

void EventQueue::abort() {
  const std::lock_guard lock(mutex_);
  aborted_ = closed_ = true;
  changed_.notify_all();
}

bool EventQueue::aborted() const {
  const std::lock_guard lock(mutex_);
  return aborted_;
}

bool EventQueue::wait_empty(double seconds) {
  std::unique_lock lock(mutex_);
  return changed_.wait_for(lock, std::chrono::duration<double>(seconds),
                           [this] { return events_.empty() && !busy_; });
}

std::uint64_t EventQueue::dropped_segments() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

} // namespace hull::cmaf
