#include "gst/vmaf/workers.h"

namespace hull::vmaf {

Workers::Workers(unsigned threads) {
  for (unsigned i = 1; i < threads; ++i)
    threads_.emplace_back([this, i] { loop(i); });
}

Workers::~Workers() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  wake_.notify_all();
  for (std::thread &thread : threads_)
    thread.join();
}

void Workers::run(int tasks, const std::function<void(int, unsigned)> &work) {
  if (threads_.empty()) {
    for (int i = 0; i < tasks; ++i)
      work(i, 0);
    return;
  }
  std::unique_lock lock(mutex_);
  work_ = &work;
  next_ = 0;
  tasks_ = tasks;
  wake_.notify_all();
  drain(lock, 0);
  done_.wait(lock, [this] { return running_ == 0; });
  work_ = nullptr;
}

void Workers::drain(std::unique_lock<std::mutex> &lock, unsigned thread) {
  while (next_ < tasks_) {
    const int task = next_++;
    ++running_;
    lock.unlock();
    (*work_)(task, thread);
    lock.lock();
    --running_;
  }
  if (running_ == 0) done_.notify_one();
}

void Workers::loop(unsigned thread) {
  std::unique_lock lock(mutex_);
  while (true) {
    wake_.wait(lock, [this] { return stop_ || next_ < tasks_; });
    if (stop_) return;
    drain(lock, thread);
  }
}

} // namespace hull::vmaf
