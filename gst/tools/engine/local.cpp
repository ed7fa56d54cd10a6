#include "gst/core/number.h"
#include "gst/tools/engine/engines.h"
#include "gst/tools/support/child_process.h"
#include "gst/tools/support/cores.h"

#include <algorithm>
#include <deque>
#include <filesystem>
#include <fmt/format.h>
#include <poll.h>
#include <sched.h>
#include <unistd.h>

namespace hull::tools {
namespace {

constexpr int kTries = 3;

// A process at work on a task. It tells the share done on its standard output, a number a line.
struct Worker {
  std::size_t task = 0;
  ChildProcess process;
  std::string unread;
  double share = 0;
  int core = -1; ///< kept to; -1 = all
};

// This process and its children keep to the first `wanted` of the cores it may use.
void keep_to(unsigned wanted) {
  cpu_set_t set, kept;
  CPU_ZERO(&set);
  CPU_ZERO(&kept);
  if (::sched_getaffinity(0, sizeof set, &set) != 0) return;
  for (int cpu = 0; cpu < CPU_SETSIZE && wanted > 0; ++cpu)
    if (CPU_ISSET(cpu, &set)) {
      CPU_SET(cpu, &kept);
      --wanted;
    }
  ::sched_setaffinity(0, sizeof kept, &kept);
}

void keep_to_core(int core) {
  cpu_set_t only;
  CPU_ZERO(&only);
  CPU_SET(core, &only);
  ::sched_setaffinity(0, sizeof only, &only);
}

cpu_set_t usable_set() {
  cpu_set_t set;
  CPU_ZERO(&set);
  ::sched_getaffinity(0, sizeof set, &set);
  return set;
}

// All threads of a process may use all of `set` from now on.
void let_go(pid_t process, const cpu_set_t &set) {
  std::error_code gone;
  for (const auto &thread :
       std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task", gone))
    if (const auto id = to_number<pid_t>(thread.path().filename().native()))
      ::sched_setaffinity(*id, sizeof set, &set);
}

class LocalEngine : public Engine {
 public:
  explicit LocalEngine(unsigned workers) : workers_(workers ? workers : usable_cores()) {
    if (workers_ < usable_cores()) keep_to(workers_);
  }

  Step<void> run(const std::string &folder, const std::vector<Task> &tasks, const std::atomic<int> &stop,
                 const std::function<void(double)> &progress) override {
    folder_ = folder;
    tasks_ = &tasks;
    tries_.assign(tasks.size(), 0);
    done_ = total_ = 0;
    waiting_.clear();
    for (std::size_t i = 0; i < tasks.size(); ++i) {
      waiting_.push_back(i);
      total_ += tasks[i].work();
    }
    Result<void> result;
    while (result && (!waiting_.empty() || !running_.empty())) {
      if (stop.load()) result = fail(ErrorCode::stopped, "stopped");
      while (result && !waiting_.empty() && running_.size() < workers_)
        result = start();
      if (waiting_.empty() && running_.size() < workers_) spread();
      if (result) result = watch();
      if (progress) progress(share());
    }
    for (Worker &worker : running_)
      worker.process.terminate();
    for (Worker &worker : running_)
      worker.process.wait();
    running_.clear();
    if (!result) return halt(result.error());
    return {};
  }
  unsigned workers() const override { return std::min(workers_, usable_cores()); }
  bool is_here() const override { return true; }

 private:
  Result<void> start();
  int free_core() const;
  void spread();
  Result<void> watch();
  Result<void> ended(const Worker &worker);
  double share() const {
    double work = done_;
    for (const Worker &worker : running_)
      work += worker.share * (*tasks_)[worker.task].work();
    return total_ > 0 ? work / total_ : 1;
  }

  unsigned workers_;
  std::string folder_;
  const std::vector<Task> *tasks_ = nullptr;
  std::vector<int> tries_;
  std::deque<std::size_t> waiting_;
  std::vector<Worker> running_;
  double done_ = 0, total_ = 0;
};

// Where there is work for all cores, workers that keep to one each do not take caches and turns from each
// other. -1: there are fewer workers to come than cores.
int LocalEngine::free_core() const {
  if (running_.size() + waiting_.size() < workers_ || workers_ != usable_cores()) return -1;
  cpu_set_t set = usable_set();
  for (const Worker &worker : running_)
    if (worker.core >= 0) CPU_CLR(worker.core, &set);
  for (int core = 0; core < CPU_SETSIZE; ++core)
    if (CPU_ISSET(core, &set)) return core;
  return -1;
}

// The last ones share the cores of those that are done.
void LocalEngine::spread() {
  for (Worker &worker : running_)
    if (worker.core >= 0) {
      if (const auto id = worker.process.id()) let_go(*id, usable_set());
      worker.core = -1;
    }
}

Result<void> LocalEngine::start() {
  const int core = free_core();
  const std::size_t number = waiting_.front();
  waiting_.pop_front();
  const Task &task = (*tasks_)[number];
  std::error_code ignored;
  std::filesystem::remove(folder_ + "/" + task.error_file(), ignored);
  ChildProcess::Options options;
  options.arguments = {own_program(), "pertitle", "task", task.file()};
  options.folder = folder_;
  options.error_file = folder_ + "/tasks/log";
  if (core >= 0) options.setup = [core] { keep_to_core(core); };
  auto process = ChildProcess::start(options);
  if (!process) return fail(ErrorCode::io, "no worker can be started: " + process.error().text);
  running_.push_back({number, std::move(*process), {}, 0, core});
  return {};
}

// Waits a tenth of a second for news of any worker.
Result<void> LocalEngine::watch() {
  std::vector<pollfd> fds;
  for (const Worker &worker : running_)
    fds.push_back({worker.process.output(), POLLIN, 0});
  ::poll(fds.data(), fds.size(), 100);
  for (std::size_t i = 0; i < running_.size();) {
    Worker &worker = running_[i];
    char block[256];
    for (ssize_t n; (n = ::read(worker.process.output(), block, sizeof block)) > 0;)
      worker.unread.append(block, static_cast<std::size_t>(n));
    if (const auto end = worker.unread.rfind('\n'); end != std::string::npos) {
      const auto begin = end == 0 ? std::string::npos : worker.unread.rfind('\n', end - 1);
      std::string_view line = worker.unread;
      line.remove_prefix(begin == std::string::npos ? 0 : begin + 1);
      worker.share = std::clamp(take_number<double>(line).value_or(0), 0.0, 1.0);
      worker.unread.erase(0, end + 1);
    }
    if (worker.process.id()) {
      ++i;
      continue;
    }
    worker.process.wait();
    const Worker gone = std::move(worker);
    running_.erase(running_.begin() + static_cast<std::ptrdiff_t>(i));
    if (auto ok = ended(gone); !ok) return ok;
  }
  return {};
}

Result<void> LocalEngine::ended(const Worker &worker) {
  const Task &task = (*tasks_)[worker.task];
  if (worker.process.exit_status() == 0 && finished(task, folder_)) {
    done_ += task.work();
    return {};
  }
  const auto error = tools::error_of(task, folder_);
  if (error) return tl::unexpected(*error);
  if (++tries_[worker.task] < kTries) {
    waiting_.push_back(worker.task);
    return {};
  }
  return fail(ErrorCode::state,
              fmt::format("{} ended {} times without a result ({}); {}/tasks/log may say more", task.id,
                          kTries, worker.process.ending(), folder_));
}

} // namespace

std::unique_ptr<Engine> local_engine(unsigned workers) {
  return std::make_unique<LocalEngine>(workers);
}

} // namespace hull::tools
