// Tells ThreadSanitizer what GLib's and GStreamer's own locks order. Their libraries are not built with it,
// and GMutex waits by futex, which it does not see: every handover between two threads would be reported.
// Loaded in front of a test (LD_PRELOAD), this stands before the functions that order threads and says so.

#include <dlfcn.h>

#include <gst/gst.h>

extern "C" {
void __tsan_acquire(void *) __attribute__((weak));
void __tsan_release(void *) __attribute__((weak));
}

namespace {

void acquire(const void *at) {
  if (__tsan_acquire) __tsan_acquire(const_cast<void *>(at));
}

void release(const void *at) {
  if (__tsan_release) __tsan_release(const_cast<void *>(at));
}

} // namespace

// The function of this name that the libraries bring, found once.
#define REAL(name) static const auto real = reinterpret_cast<decltype(&name)>(dlsym(RTLD_NEXT, #name));

#define LOCKS(type, lock, trylock, unlock)                                                                   \
  void lock(type *at) {                                                                                      \
    REAL(lock)                                                                                               \
    real(at);                                                                                                \
    acquire(at);                                                                                             \
  }                                                                                                          \
  gboolean trylock(type *at) {                                                                               \
    REAL(trylock)                                                                                            \
    const gboolean got = real(at);                                                                           \
    if (got) acquire(at);                                                                                    \
    return got;                                                                                              \
  }                                                                                                          \
  void unlock(type *at) {                                                                                    \
    REAL(unlock)                                                                                             \
    release(at);                                                                                             \
    real(at);                                                                                                \
  }

#define HANDS_OVER(result, name, key, parameters, arguments)                                                 \
  result name parameters {                                                                                   \
    REAL(name)                                                                                               \
    release(key);                                                                                            \
    acquire(key);                                                                                            \
    return real arguments;                                                                                   \
  }

#define RECEIVES(result, name, key, parameters, arguments)                                                   \
  result name parameters {                                                                                   \
    REAL(name)                                                                                               \
    result received = real arguments;                                                                        \
    acquire(key);                                                                                            \
    return received;                                                                                         \
  }

#pragma GCC visibility push(default)
extern "C" {
LOCKS(GMutex, g_mutex_lock, g_mutex_trylock, g_mutex_unlock)
LOCKS(GRecMutex, g_rec_mutex_lock, g_rec_mutex_trylock, g_rec_mutex_unlock)
LOCKS(GRWLock, g_rw_lock_writer_lock, g_rw_lock_writer_trylock, g_rw_lock_writer_unlock)
LOCKS(GRWLock, g_rw_lock_reader_lock, g_rw_lock_reader_trylock, g_rw_lock_reader_unlock)

void g_cond_wait(GCond *cond, GMutex *mutex) {
  REAL(g_cond_wait)
  release(mutex);
  real(cond, mutex);
  acquire(mutex);
}

gboolean g_cond_wait_until(GCond *cond, GMutex *mutex, gint64 end_time) {
  REAL(g_cond_wait_until)
  release(mutex);
  const gboolean signalled = real(cond, mutex, end_time);
  acquire(mutex);
  return signalled;
}

// Reference counts order what the last owner frees after what the others did.
HANDS_OVER(void, g_object_unref, object, (gpointer object), (object))
HANDS_OVER(void, gst_object_unref, object, (gpointer object), (object))
HANDS_OVER(void, gst_mini_object_unref, object, (GstMiniObject * object), (object))
HANDS_OVER(GstFlowReturn, gst_pad_push, buffer, (GstPad * pad, GstBuffer *buffer), (pad, buffer))
HANDS_OVER(gboolean, gst_bus_post, bus, (GstBus * bus, GstMessage *message), (bus, message))
RECEIVES(GstMessage *, gst_bus_timed_pop_filtered, bus,
         (GstBus * bus, GstClockTime timeout, GstMessageType types), (bus, timeout, types))
RECEIVES(GstMessage *, gst_bus_pop, bus, (GstBus * bus), (bus))
RECEIVES(GstMessage *, gst_bus_pop_filtered, bus, (GstBus * bus, GstMessageType types), (bus, types))
// Queues, with GstHarness's above all.
HANDS_OVER(void, g_async_queue_push, queue, (GAsyncQueue * queue, gpointer data), (queue, data))
RECEIVES(gpointer, g_async_queue_pop, queue, (GAsyncQueue * queue), (queue))
RECEIVES(gpointer, g_async_queue_try_pop, queue, (GAsyncQueue * queue), (queue))
RECEIVES(gpointer, g_async_queue_timeout_pop, queue, (GAsyncQueue * queue, guint64 timeout), (queue, timeout))
}
#pragma GCC visibility pop
