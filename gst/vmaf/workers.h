#pragma once

#include "gst/core/mutex.h"

#include <functional>
#include <thread>
#include <vector>

namespace hull::vmaf {

/// A fixed team of threads for loops inside a frame. The caller's thread works too, so Workers(1) starts
/// none.
class Workers {
 public:
  explicit Workers(unsigned threads);
  Workers(const Workers &) = delete;
  Workers &operator=(const Workers &) = delete;
  ~Workers();

  unsigned count() const { return static_cast<unsigned>(threads_.size()) + 1; }
  /// Calls work(task, thread) for every task in 0..tasks-1 and returns when all are done. `thread` < count();
  /// one thread never runs two tasks at a time, so it may own scratch memory.
  void run(int tasks, const std::function<void(int task, unsigned thread)> &work);

 private:
  void loop(unsigned thread);
  void drain(unsigned thread);

  std::vector<std::thread> threads_;
  Mutex mutex_; // leaf
  Condition wake_, done_;
  const std::function<void(int, unsigned)> *work_ HULL_GUARDED_BY(mutex_) = nullptr;
  int next_ HULL_GUARDED_BY(mutex_) = 0, tasks_ HULL_GUARDED_BY(mutex_) = 0,
            running_ HULL_GUARDED_BY(mutex_) = 0;
  bool stop_ HULL_GUARDED_BY(mutex_) = false;
};

} // namespace hull::vmaf
