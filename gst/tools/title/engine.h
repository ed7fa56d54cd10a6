#pragma once

#include "gst/tools/title/outcome.h"
#include "gst/tools/title/task.h"

#include <atomic>
#include <functional>
#include <string>
#include <vector>

namespace hull::tools {

/// Where tasks are done. The result does not depend on it: every task leaves what its key names.
class Engine {
 public:
  virtual ~Engine() = default;
  /// Does `tasks`, whose JSON is in FOLDER/tasks already, and returns when all are finished(). `progress` is
  /// told the share of their work that is done. Ends Stopped when `stop` is set, with nothing left running;
  /// Listed where the tasks are for others to do; with the first task's error that another try would not
  /// mend.
  virtual Step<void> run(const std::string &folder, const std::vector<Task> &tasks,
                         const std::atomic<int> &stop, const std::function<void(double)> &progress) = 0;
  /// Cores at work at once, as far as that is known.
  virtual unsigned workers() const { return 1; }
  /// Tasks run on this machine, so what a try of them takes here says how long they last.
  virtual bool is_here() const { return false; }
};

} // namespace hull::tools
