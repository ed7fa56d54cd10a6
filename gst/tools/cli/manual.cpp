#include "gst/tools/cli/manual.h"

#include "gst/tools/support/command.h"

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <string_view>
#include <vector>

namespace hull::tools {
namespace {

using Apps = std::vector<const CLI::App *>;
using Options = std::vector<const CLI::Option *>;

Apps commands_of(const CLI::App &app) {
  return app.get_subcommands([](const CLI::App *command) { return !command->get_group().empty(); });
}

Options options_of(const CLI::App &app, bool positional) {
  return app.get_options([positional](const CLI::Option *option) {
    return !option->get_group().empty() && option->get_positional() == positional;
  });
}

// Text of a line for roff: a hyphen is a minus sign, so that what is copied from the page works.
std::string roff(std::string_view text) {
  std::string out = text.starts_with('.') || text.starts_with('\'') ? "\\&" : "";
  for (const char c : text)
    if (c == '\\')
      out += "\\e";
    else if (c == '-')
      out += "\\-";
    else
      out += c;
  return out;
}

// "{a,b}" of "TEXT:{a,b}"; empty where any value is taken.
std::string list_of(const CLI::Option &option) {
  const std::string type = option.get_type_name();
  const std::size_t begin = type.find('{'), end = type.rfind('}');
  return begin == std::string::npos || end == std::string::npos ? ""
                                                                : type.substr(begin + 1, end - begin - 1);
}

std::string value_of(const CLI::Option &option) {
  if (option.get_type_size() == 0) return "";
  std::string value = " \\fI" + roff(option.get_type_name()) + "\\fR";
  if (option.get_expected_max() > 1) value += " ...";
  if (!option.get_default_str().empty()) value += " (" + roff(option.get_default_str()) + ")";
  return value;
}

std::string label_of(const CLI::Option &option) {
  if (option.get_positional())
    return fmt::format("\\fI{}\\fR{}", roff(option.get_name(true)),
                       option.get_expected_max() > 1 ? " ..." : "");
  std::string names = option.get_name(false, true); // "-o,--output"
  std::string label;
  for (std::string_view rest = names; !rest.empty();) {
    const std::size_t comma = rest.find(',');
    const std::string_view name = rest.substr(0, comma);
    label += fmt::format("{}\\fB{}\\fR", label.empty() ? "" : ", ",
                         roff(name.substr(0, name.find('{')))); // "--no-media{false}"
    rest = comma == std::string_view::npos ? "" : rest.substr(comma + 1);
  }
  return label + value_of(option);
}

std::string synopsis_of(const CLI::App &command, const std::string &path) {
  std::string line = fmt::format("\\fB{}\\fR [\\fIOPTION\\fR]...", roff(path));
  for (const CLI::Option *argument : options_of(command, true)) {
    const std::string label = label_of(*argument);
    line += argument->get_required() ? " " + label : " [" + label + "]";
  }
  return line;
}

void describe(const CLI::App &command, const std::string &path, std::string &out) {
  const Apps below = commands_of(command);
  if (below.empty() || !options_of(command, true).empty()) {
    out += fmt::format(".SS {}\n{}\n.br\n{}.\n", roff(path), synopsis_of(command, path),
                       roff(command.get_description()));
    for (const bool positional : {true, false})
      for (const CLI::Option *option : options_of(command, positional))
        if (option->get_name() != "--help")
          out += fmt::format(".TP\n{}\n{}\n", label_of(*option), roff(option->get_description()));
  }
  for (const CLI::App *next : below)
    describe(*next, path + " " + next->get_name(), out);
}

std::string words_of(const Options &options) {
  std::string words;
  for (const CLI::Option *option : options)
    for (const std::string &name : option->get_lnames())
      words += (words.empty() ? "--" : " --") + name;
  return words;
}

std::string names_of(const Apps &apps) {
  std::string names;
  for (const CLI::App *app : apps)
    names += (names.empty() ? "" : " ") + app->get_name();
  return names;
}

struct Cases {
  std::string paths;    ///< 'a'|'a b': words that lead to a command
  std::string commands; ///< what may follow each
  std::string values;   ///< of options that have a list
};

void complete(const CLI::App &command, const std::string &path, Cases &cases) {
  const Apps below = commands_of(command);
  const Options options = options_of(command, false);
  if (!path.empty()) cases.paths += fmt::format("{}'{}'", cases.paths.empty() ? "" : " | ", path);
  cases.commands += fmt::format("    '{}') words='{}'; options='{}'; files={} ;;\n", path, names_of(below),
                                words_of(options), options_of(command, true).empty() ? "" : "yes");
  for (const CLI::Option *option : options)
    if (const std::string list = list_of(*option); !list.empty())
      for (const std::string &name : option->get_lnames())
        cases.values += fmt::format("    '{}:--{}') values='{}' ;;\n", path, name, list);
  for (const CLI::App *next : below)
    complete(*next, path.empty() ? next->get_name() : path + " " + next->get_name(), cases);
}

} // namespace

std::string manual_page(const CLI::App &program) {
  const std::string name = program.get_name();
  std::string about = program.get_description();
  if (about.ends_with('.')) about.pop_back();
  std::string out =
      fmt::format(".TH {} 1 \"\" \"gst\\-plugins\\-hull {}\"\n.SH NAME\n{} \\- {}\n.SH SYNOPSIS\n"
                  "\\fB{}\\fR \\fICOMMAND\\fR [\\fIOPTION\\fR]...\n.SH COMMANDS\n",
                  roff(name), HULL_VERSION, roff(name), roff(about), roff(name));
  describe(program, name, out);
  out += fmt::format(
      ".SH EXIT STATUS\n.TP\n{}\nIt is done.\n.TP\n{}\nIt failed, or what was asked for was found "
      "wrong.\n.TP\n{}\n"
      "The command line or a setting cannot be used.\n.SH SEE ALSO\n\\fBgst\\-launch\\-1.0\\fR(1), "
      "\\fBgst\\-inspect\\-1.0\\fR(1)\n",
      kDone, kFailed, kUsage);
  return out;
}

std::string bash_completion(const CLI::App &program) {
  Cases cases;
  complete(program, "", cases);
  return fmt::format(R"(# Completion of {0} for bash; {0} manual --completion bash wrote it.
_gst_hull() {{
  local current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} path= next words options files values i
  for ((i = 1; i < COMP_CWORD; ++i)); do
    next="${{path:+$path }}${{COMP_WORDS[i]}}"
    case "$next" in
    {1}) path=$next ;;
    esac
  done
  case "$path" in
{2}  esac
  case "$path:$before" in
{3}  esac
  if [ -n "$values" ]; then
    COMPREPLY=($(compgen -W "${{values//,/ }}" -- "$current"))
  elif [[ $current == -* ]]; then
    COMPREPLY=($(compgen -W "$options" -- "$current"))
  else
    COMPREPLY=($(compgen -W "$words" -- "$current"))
    [[ -z $files && $before != -* ]] || COMPREPLY+=($(compgen -f -- "$current"))
  fi
}}
complete -o filenames -F _gst_hull {0}
)",
                     program.get_name(), cases.paths, cases.commands, cases.values);
}

} // namespace hull::tools
