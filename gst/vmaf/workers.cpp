#include "gst/vmaf/workers.h"

namespace hull::vmaf {

Workers::Workers(unsigned threads) {
  for (unsigned i = 1; i < threads; ++i)
    threads_.emplace_back([this, i] { loop(i); });
}

Workers::~Workers() {
  {
    const Lock lock(mutex_);
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
  {
    const Lock lock(mutex_);
    work_ = &work;
    next_ = 0;
    tasks_ = tasks;
  }
  wake_.notify_all();
  drain(0);
  Lock lock(mutex_);
  while (running_ > 0)
    done_.wait(lock);
  work_ = nullptr;
}

void Workers::drain(unsigned thread) {
  Lock lock(mutex_);
  while (next_ < tasks_) {
    const int task = next_++;
    const auto *work = work_;
    ++running_;
    lock.unlock();
    (*work)(task, thread);
    lock.lock();
    --running_;
  }
  if (running_ == 0) done_.notify_one();
}

void Workers::loop(unsigned thread) {
  while (true) {
    {
      Lock lock(mutex_);
      while (!stop_ && next_ >= tasks_)
        wake_.wait(lock);
      if (stop_) return;
    }
    drain(thread);
  }
}

} // namespace hull::vmaf
