#pragma once

#include "gst/core/result.h"
#include "gst/glue/ref.h"

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <gio/gio.h>

namespace hull::tools {

template <class T> using GRef = Ref<T, g_object_ref, g_object_unref>;

/// What a command printed, and how it ended.
struct CommandOutput {
  bool ran = false; ///< false: it could not be started
  int status = -1;  ///< of its exit; -1 when a signal ended it
  std::string out, error;
};

/// Runs a command of the search path to its end.
CommandOutput run_command(const std::vector<std::string> &arguments);

/// A process at work beside this one; killed with this object, and with this process.
class ChildProcess {
 public:
  struct Options {
    std::vector<std::string> arguments;
    std::string folder;          ///< its current one
    std::string error_file;      ///< what it prints on standard error is appended there
    std::function<void()> setup; ///< in the child; only calls that are safe after fork() with threads
  };

  static Result<ChildProcess> start(const Options &options);
  ChildProcess(ChildProcess &&) = default;
  ChildProcess &operator=(ChildProcess &&) = default;
  ~ChildProcess();

  /// Descriptor of its standard output; reading does not wait.
  int output() const;
  /// Nothing once it has ended.
  std::optional<pid_t> id() const;
  void terminate();
  /// Waits for its end.
  void wait();
  /// After the end: its exit status, or nothing when a signal ended it.
  std::optional<int> exit_status() const;
  /// After the end: "status 3", or the signal's name.
  std::string ending() const;

 private:
  explicit ChildProcess(GRef<GSubprocess> process) : process_(std::move(process)) {}
  GRef<GSubprocess> process_;
};

} // namespace hull::tools
