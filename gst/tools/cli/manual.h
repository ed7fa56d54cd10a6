#pragma once

// What a program's own description of its commands and options makes beside --help.

#include <string>

namespace CLI {
class App;
}

namespace hull::tools {

/// A page for man(1), with every subcommand.
std::string manual_page(const CLI::App &program);

/// For bash: subcommands, options, the values of options that have a list, file names elsewhere.
std::string bash_completion(const CLI::App &program);

} // namespace hull::tools
