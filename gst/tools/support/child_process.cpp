#include "gst/tools/support/child_process.h"

#include "gst/core/number.h"

#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <sys/prctl.h>
#include <unistd.h>

#include <gio/gunixinputstream.h>

namespace hull::tools {
namespace {

std::vector<const char *> argv_of(const std::vector<std::string> &arguments) {
  std::vector<const char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  argv.push_back(nullptr);
  return argv;
}

std::string message_of(GError *error) {
  std::string text = error ? error->message : "no reason given";
  g_clear_error(&error);
  return text;
}

// Lives in the launcher until the child has its own copy.
struct Setup {
  pid_t parent;
  std::function<void()> own;
};

void set_up(gpointer data) {
  const auto &setup = *static_cast<const Setup *>(data);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL); // a killed run leaves no process behind
  if (::getppid() != setup.parent) ::_exit(127);
  if (setup.own) setup.own();
}

} // namespace

CommandOutput run_command(const std::vector<std::string> &arguments) {
  CommandOutput output;
  const auto process = GRef<GSubprocess>::adopt(g_subprocess_newv(
      argv_of(arguments).data(),
      static_cast<GSubprocessFlags>(G_SUBPROCESS_FLAGS_STDOUT_PIPE | G_SUBPROCESS_FLAGS_STDERR_PIPE),
      nullptr));
  if (!process) return output;
  GBytes *out = nullptr, *error = nullptr;
  output.ran = g_subprocess_communicate(process.get(), nullptr, nullptr, &out, &error, nullptr);
  const auto text = [](GBytes *bytes) {
    std::string own;
    if (!bytes) return own;
    own.assign(static_cast<const char *>(g_bytes_get_data(bytes, nullptr)), g_bytes_get_size(bytes));
    g_bytes_unref(bytes);
    return own;
  };
  output.out = text(out);
  output.error = text(error);
  if (output.ran && g_subprocess_get_if_exited(process.get()))
    output.status = g_subprocess_get_exit_status(process.get());
  return output;
}

Result<ChildProcess> ChildProcess::start(const Options &options) {
  const auto launcher =
      GRef<GSubprocessLauncher>::adopt(g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDOUT_PIPE));
  g_subprocess_launcher_set_cwd(launcher.get(), options.folder.c_str());
  const int log = ::open(options.error_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
  if (log >= 0) g_subprocess_launcher_take_stderr_fd(launcher.get(), log);
  g_subprocess_launcher_set_child_setup(launcher.get(), set_up, new Setup{::getpid(), options.setup},
                                        [](gpointer data) { delete static_cast<Setup *>(data); });
  GError *error = nullptr;
  auto process = GRef<GSubprocess>::adopt(
      g_subprocess_launcher_spawnv(launcher.get(), argv_of(options.arguments).data(), &error));
  if (!process) return fail(ErrorCode::io, message_of(error));
  ChildProcess child(std::move(process));
  ::fcntl(child.output(), F_SETFL, O_NONBLOCK);
  return child;
}

ChildProcess::~ChildProcess() {
  if (!process_ || !id()) return;
  g_subprocess_force_exit(process_.get());
  wait();
}

int ChildProcess::output() const {
  return g_unix_input_stream_get_fd(G_UNIX_INPUT_STREAM(g_subprocess_get_stdout_pipe(process_.get())));
}

std::optional<pid_t> ChildProcess::id() const {
  const char *id = g_subprocess_get_identifier(process_.get());
  return id ? to_number<pid_t>(id) : std::nullopt;
}

void ChildProcess::terminate() {
  g_subprocess_send_signal(process_.get(), SIGTERM);
}

void ChildProcess::wait() {
  g_subprocess_wait(process_.get(), nullptr, nullptr);
}

std::optional<int> ChildProcess::exit_status() const {
  if (!g_subprocess_get_if_exited(process_.get())) return std::nullopt;
  return g_subprocess_get_exit_status(process_.get());
}

std::string ChildProcess::ending() const {
  if (const auto status = exit_status()) return "status " + std::to_string(*status);
  return ::strsignal(g_subprocess_get_term_sig(process_.get()));
}

} // namespace hull::tools
