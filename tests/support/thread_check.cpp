// What the TSan job relies on: without an argument a race that must be reported; with one, the same counter
// behind GLib's lock, which must not be.

#include <thread>

#include <glib.h>

namespace {

int counter;
GMutex mutex;

void count(bool locked) {
  for (int i = 0; i < 1000; ++i) {
    if (locked) g_mutex_lock(&mutex);
    ++counter;
    if (locked) g_mutex_unlock(&mutex);
  }
}

} // namespace

int main(int count_of_arguments, char **) {
  const bool locked = count_of_arguments > 1;
  std::thread other(count, locked);
  count(locked);
  other.join();
  return counter > 0 ? 0 : 1;
}
