#include "gst/tools/engine/engines.h"
#include "gst/tools/support/child_process.h"
#include "gst/tools/support/files.h"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <fmt/format.h>
#include <fmt/ranges.h> // join, which left format.h with fmt 11
#include <map>
#include <set>
#include <thread>

namespace hull::tools {
namespace {

constexpr int kTries = 3;
constexpr std::size_t kLargestArray = 1000; // Slurm's MaxArraySize is 1001 unless configured
constexpr auto kPoll = std::chrono::milliseconds(500);

std::string first_line(const std::string &text) {
  return text.substr(0, text.find('\n'));
}

std::vector<std::string> words(const std::string &text) {
  std::vector<std::string> list;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    if (end > at) list.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return list;
}

// In single quotes for a shell.
std::string quoted(const std::string &text) {
  std::string out = "'";
  for (const char c : text)
    out += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return out + "'";
}

class SlurmEngine : public Engine {
 public:
  explicit SlurmEngine(const std::string &options) : options_(words(options)) {}

  Step<void> run(const std::string &folder, const std::vector<Task> &tasks, const std::atomic<int> &stop,
                 const std::function<void(double)> &progress) override;

 private:
  Result<std::string> submit(const std::string &folder, const std::vector<const Task *> &tasks);
  Result<void> wait(const std::string &folder, const std::vector<std::string> &jobs,
                    const std::atomic<int> &stop);
  void look(const std::string &folder);
  void avoid_nodes();

  std::vector<std::string> options_;
  std::vector<const Task *> missing_;
  std::map<const Task *, std::string> job_of_; // array job and place of the last try
  std::set<std::string> avoided_;              // nodes that took tasks and left nothing
  double done_ = 0, total_ = 0;
  std::function<void(double)> progress_;
  unsigned arrays_ = 0;
};

// Tasks whose results have appeared leave the list.
void SlurmEngine::look(const std::string &folder) {
  std::erase_if(missing_, [&](const Task *task) {
    if (!finished(*task, folder)) return false;
    done_ += task->work();
    return true;
  });
  if (progress_) progress_(total_ > 0 ? done_ / total_ : 1);
}

Result<std::string> SlurmEngine::submit(const std::string &folder, const std::vector<const Task *> &tasks) {
  std::string script =
      "#!/bin/sh\n"
      "# Task number SLURM_ARRAY_TASK_ID of a job array; a task that is finished ends at once.\n"
      "cd " +
      quoted(folder) + " || exit 1\ncase $SLURM_ARRAY_TASK_ID in\n";
  std::error_code ignored;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    script += fmt::format("{}) task={} ;;\n", i, tasks[i]->file());
    std::filesystem::remove(folder + "/" + tasks[i]->error_file(), ignored);
  }
  script += "esac\nexec " + quoted(own_program()) + " pertitle task \"$task\" >/dev/null\n";
  const std::string file = fmt::format("{}/tasks/array-{}.sh", folder, arrays_++);
  if (auto ok = write_file(file, script); !ok) return tl::unexpected(ok.error());
  std::vector<std::string> command = {"sbatch",
                                      "--parsable",
                                      "--requeue",
                                      "--open-mode=append",
                                      "--job-name=pertitle",
                                      "--export=ALL",
                                      fmt::format("--array=0-{}", tasks.size() - 1),
                                      "--output=" + folder + "/tasks/slurm-%A_%a.log"};
  command.insert(command.end(), options_.begin(), options_.end());
  command.push_back(file);
  CommandOutput output;
  if (!avoided_.empty()) {
    command.insert(command.end() - 1, fmt::format("--exclude={}", fmt::join(avoided_, ",")));
    output = run_command(command);
    command.erase(command.end() - 2);
  }
  // Where no other node is left, those have to do.
  if (!output.ran || output.status != 0) output = run_command(command);
  if (!output.ran)
    return fail(ErrorCode::not_found,
                "there is no Slurm here: sbatch cannot be started; install slurm-client, "
                "or use --engine local");
  if (output.status != 0)
    return fail(ErrorCode::state,
                "Slurm takes no job: " + first_line(output.error.empty() ? output.out : output.error) +
                    "; is slurmctld running, and do the --slurm-options fit?");
  const std::string job = output.out.substr(0, output.out.find_first_of(";\n"));
  for (std::size_t i = 0; i < tasks.size(); ++i)
    job_of_[tasks[i]] = fmt::format("{}_{}", job, i);
  return job;
}

// A node without its disk ends tasks as fast as they come, so the next try goes elsewhere.
void SlurmEngine::avoid_nodes() {
  for (const Task *task : missing_) {
    const std::string facts = run_command({"scontrol", "--oneliner", "show", "job", job_of_[task]}).out;
    constexpr std::string_view kField = " NodeList=";
    const std::size_t at = facts.find(kField);
    if (at == std::string::npos) continue;
    const std::string node = facts.substr(at + kField.size(), facts.find(' ', at + 1) - at - kField.size());
    if (!node.empty() && node != "(null)") avoided_.insert(node);
  }
}

// Returns when the jobs have left the queue or all results are there.
Result<void> SlurmEngine::wait(const std::string &folder, const std::vector<std::string> &jobs,
                               const std::atomic<int> &stop) {
  const std::string list = fmt::format("{}", fmt::join(jobs, ","));
  int silent = 0;
  while (!stop.load()) {
    std::this_thread::sleep_for(kPoll);
    // The queue first: what ends between the two looks has its results there.
    const CommandOutput queue = run_command({"squeue", "--noheader", "--jobs=" + list, "--format=%i"});
    look(folder);
    if (missing_.empty()) return {};
    if (queue.status == 0 && queue.out.find_first_not_of(" \n") == std::string::npos) return {};
    if (queue.status != 0 && queue.error.find("Invalid job id") != std::string::npos) return {};
    // A controller that restarts is silent for a while.
    silent = queue.status == 0 ? 0 : silent + 1;
    if (silent * kPoll > std::chrono::minutes(10))
      return fail(ErrorCode::state, "Slurm has not answered for ten minutes: " + first_line(queue.error) +
                                        "; run the same command again when it does, finished work is kept");
  }
  return fail(ErrorCode::stopped, "stopped");
}

Step<void> SlurmEngine::run(const std::string &folder, const std::vector<Task> &tasks,
                            const std::atomic<int> &stop, const std::function<void(double)> &progress) {
  progress_ = progress;
  done_ = total_ = 0;
  missing_.clear();
  for (const Task &task : tasks) {
    missing_.push_back(&task);
    total_ += task.work();
  }
  for (int tries = 0; tries < kTries && !missing_.empty(); ++tries) {
    std::vector<std::string> jobs;
    Result<void> result;
    for (std::size_t from = 0; result && from < missing_.size(); from += kLargestArray) {
      const auto begin = missing_.begin() + static_cast<std::ptrdiff_t>(from);
      const auto count = std::min(kLargestArray, missing_.size() - from);
      const auto job = submit(folder, {begin, begin + static_cast<std::ptrdiff_t>(count)});
      if (job)
        jobs.push_back(*job);
      else
        result = tl::unexpected(job.error());
    }
    if (result) result = wait(folder, jobs, stop);
    if (!result || missing_.empty())
      for (const std::string &job : jobs)
        run_command({"scancel", "--quiet", job});
    if (!result) return halt(result.error());
    for (const Task *task : missing_)
      if (const auto error = error_of(*task, folder); error && !worth_a_try(*error)) return halt(*error);
    avoid_nodes();
  }
  if (missing_.empty()) return {};
  if (const auto error = error_of(*missing_.front(), folder)) return halt(*error);
  return halt(
      {ErrorCode::state,
       fmt::format("{} left Slurm's queue {} times without a result, and {} more; {}/tasks/slurm-*.log may "
                   "say why. Can {} read and write this folder?",
                   missing_.front()->id, kTries, missing_.size() - 1, folder,
                   avoided_.empty() ? "all machines" : fmt::format("{}", fmt::join(avoided_, ", ")))});
}

} // namespace

std::unique_ptr<Engine> slurm_engine(const std::string &options) {
  return std::make_unique<SlurmEngine>(options);
}

} // namespace hull::tools
