#pragma once

// Locks that clang checks. A member behind a lock says HULL_GUARDED_BY(mutex_), a function that wants the
// lock held says HULL_REQUIRES(mutex_); clang's -Wthread-safety then refuses code that does otherwise. While
// any lock of ours is held, clang also refuses calls that leave the element (gst/glue/calls_out.h): whoever
// is called may read our properties, and would wait for us.
//
//   mutable Mutex mutex_;
//   int count_ HULL_GUARDED_BY(mutex_) = 0;
//   int count() const { const Lock lock(mutex_); return count_; }

#include <chrono>
#include <condition_variable>
#include <mutex>

#if defined(__clang__)
#define HULL_THREAD_ATTRIBUTE(x) __attribute__((x))
#else
#define HULL_THREAD_ATTRIBUTE(x)
#endif
#define HULL_GUARDED_BY(x) HULL_THREAD_ATTRIBUTE(guarded_by(x))
#define HULL_REQUIRES(...) HULL_THREAD_ATTRIBUTE(exclusive_locks_required(__VA_ARGS__))
#define HULL_EXCLUDES(...) HULL_THREAD_ATTRIBUTE(locks_excluded(__VA_ARGS__))

namespace hull {

class HULL_THREAD_ATTRIBUTE(capability("role")) AnyLock {};
/// Stands for "this thread holds a lock of ours". It exists for clang's analysis only.
inline AnyLock any_lock;

class HULL_THREAD_ATTRIBUTE(capability("mutex")) Mutex {
 public:
  Mutex() = default;
  Mutex(const Mutex &) = delete;
  Mutex &operator=(const Mutex &) = delete;

 private:
  friend class Lock;
  friend class InnerLock;
  std::mutex mutex_;
};

/// Holds a Mutex until the end of the scope, or between lock() and unlock().
class HULL_THREAD_ATTRIBUTE(scoped_lockable) Lock {
 public:
  explicit Lock(Mutex &mutex) HULL_THREAD_ATTRIBUTE(exclusive_lock_function(mutex, any_lock))
      : lock_(mutex.mutex_) {}
  ~Lock() HULL_THREAD_ATTRIBUTE(unlock_function()) {}
  Lock(const Lock &) = delete;
  Lock &operator=(const Lock &) = delete;
  void lock() HULL_THREAD_ATTRIBUTE(exclusive_lock_function()) { lock_.lock(); }
  void unlock() HULL_THREAD_ATTRIBUTE(unlock_function()) { lock_.unlock(); }

 private:
  friend class Condition;
  std::unique_lock<std::mutex> lock_;
};

/// A leaf taken while a Lock is held: the second and last of an element's two locks.
class HULL_THREAD_ATTRIBUTE(scoped_lockable) InnerLock {
 public:
  explicit InnerLock(Mutex &mutex) HULL_THREAD_ATTRIBUTE(exclusive_lock_function(mutex))
      : lock_(mutex.mutex_) {}
  ~InnerLock() HULL_THREAD_ATTRIBUTE(unlock_function()) {}
  InnerLock(const InnerLock &) = delete;
  InnerLock &operator=(const InnerLock &) = delete;

 private:
  std::lock_guard<std::mutex> lock_;
};

/// A condition variable for Lock. Conditions are loops in the function that holds the lock, not lambdas:
/// clang does not see that a lambda runs under it.
class Condition {
 public:
  void wait(Lock &lock) { variable_.wait(lock.lock_); }
  /// False when `duration` passed first.
  template <class Rep, class Period> bool wait_for(Lock &lock, std::chrono::duration<Rep, Period> duration) {
    return variable_.wait_for(lock.lock_, duration) == std::cv_status::no_timeout;
  }
  template <class Clock, class Duration>
  bool wait_until(Lock &lock, std::chrono::time_point<Clock, Duration> time) {
    return variable_.wait_until(lock.lock_, time) == std::cv_status::no_timeout;
  }
  void notify_one() { variable_.notify_one(); }
  void notify_all() { variable_.notify_all(); }

 private:
  std::condition_variable variable_;
};

} // namespace hull
