#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

namespace CLI {
class App;
class Option;
} // namespace CLI

namespace hull::tools {

/// An option or argument being declared. Each call says more about the values it takes and returns it again.
class Option {
 public:
  explicit Option(CLI::Option *option) : option_(option) {}
  Option &required();
  Option &positive();
  Option &range(int low, int high);
  Option &range(double low, double high);
  Option &one_of(const std::vector<std::string> &words);
  Option &separated_by_commas();
  Option &shows_default();
  Option &excludes(const Option &other);

 private:
  CLI::Option *option_;
};

/// A command being declared: the program itself or one of its subcommands. Variables named here are set while
/// the command line is read, so they have to live as long as the action. CLI11 does the work, in options.cpp
/// alone: its templates would cost every command seconds to compile.
class Command {
 public:
  using Run = std::function<int()>;
  Command(CLI::App *app, Run *chosen) : app_(app), chosen_(chosen) {}

  Command command(const char *name, const char *about);
  /// Without it a command may be given alone.
  void needs_subcommand();
  Option option(const char *names, std::string &value, const char *about);
  Option option(const char *names, int &value, const char *about);
  Option option(const char *names, unsigned &value, const char *about);
  Option option(const char *names, double &value, const char *about);
  Option option(const char *names, std::vector<std::string> &values, const char *about);
  Option option(const char *names, std::vector<int> &values, const char *about);
  Option option(const char *names, std::vector<unsigned> &values, const char *about);
  Option option(const char *names, std::vector<double> &values, const char *about);
  Option flag(const char *names, bool &value, const char *about);
  /// What the command does when it is given without a subcommand; returns the exit status.
  void does(Run run);

 private:
  CLI::App *app_;
  Run *chosen_;
};

using AddCommand = void (*)(Command &program);

/// Reads the command line, does what it asks for and returns the exit status: kUsage, after a sentence, for
/// one that cannot be read.
int run_command_line(int argc, const char *const *argv, const char *about,
                     std::span<const AddCommand> commands);

} // namespace hull::tools
