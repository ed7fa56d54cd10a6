#include "gst/tools/cli/options.h"

#include "gst/tools/cli/manual.h"
#include "gst/tools/support/command.h"

#include <CLI/CLI.hpp>
#include <iostream>

namespace hull::tools {

Option &Option::required() {
  option_->required();
  return *this;
}

Option &Option::positive() {
  option_->check(CLI::PositiveNumber);
  return *this;
}

Option &Option::range(int low, int high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option &Option::range(double low, double high) {
  option_->check(CLI::Range(low, high));
  return *this;
}

Option &Option::one_of(const std::vector<std::string> &words) {
  option_->check(CLI::IsMember(words));
  return *this;
}

Option &Option::separated_by_commas() {
  option_->delimiter(',');
  return *this;
}

Option &Option::shows_default() {
  option_->capture_default_str();
  return *this;
}

Option &Option::excludes(const Option &other) {
  option_->excludes(other.option_);
  return *this;
}

Command Command::command(const char *name, const char *about) {
  CLI::App *own = app_->add_subcommand(name, about);
  if (app_->get_require_subcommand_min() == 0) app_->require_subcommand(0, 1);
  return {own, chosen_};
}

void Command::needs_subcommand() {
  app_->require_subcommand(1);
}

Option Command::option(const char *names, std::string &value, const char *about) {
  return Option(app_->add_option(names, value, about));
}
Option Command::option(const char *names, int &value, const char *about) {
  return Option(app_->add_option(names, value, about));
}
Option Command::option(const char *names, unsigned &value, const char *about) {
  return Option(app_->add_option(names, value, about));
}
Option Command::option(const char *names, double &value, const char *about) {
  return Option(app_->add_option(names, value, about));
}
Option Command::option(const char *names, std::vector<std::string> &values, const char *about) {
  return Option(app_->add_option(names, values, about));
}
Option Command::option(const char *names, std::vector<int> &values, const char *about) {
  return Option(app_->add_option(names, values, about));
}
Option Command::option(const char *names, std::vector<unsigned> &values, const char *about) {
  return Option(app_->add_option(names, values, about));
}
Option Command::option(const char *names, std::vector<double> &values, const char *about) {
  return Option(app_->add_option(names, values, about));
}
Option Command::flag(const char *names, bool &value, const char *about) {
  return Option(app_->add_flag(names, value, about));
}

void Command::does(Run run) {
  app_->callback([app = app_, chosen = chosen_, run = std::move(run)] {
    if (app->get_subcommands().empty()) *chosen = run;
  });
}

namespace {

// For those who build packages: not among the commands of --help.
void add_manual(CLI::App &app, Command::Run &chosen, std::string &shell) {
  CLI::App *manual = app.add_subcommand("manual", "Print a page for man, or a shell's completion");
  manual->group("");
  manual->add_option("--completion", shell, "For this shell")->check(CLI::IsMember({"bash"}));
  manual->callback([&] {
    chosen = [&] {
      std::cout << (shell.empty() ? manual_page(app) : bash_completion(app));
      return std::cout.flush() ? kDone : kFailed;
    };
  });
}

} // namespace

int run_command_line(int argc, const char *const *argv, const char *about,
                     std::span<const AddCommand> commands) {
  CLI::App app{about, "gst-hull-1.0"};
  app.set_version_flag("--version", "gst-hull-1.0 " HULL_VERSION);
  Command::Run chosen;
  Command program(&app, &chosen);
  for (const AddCommand add : commands)
    add(program);
  program.needs_subcommand();
  std::string shell;
  add_manual(app, chosen, shell);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return chosen();
}

} // namespace hull::tools
