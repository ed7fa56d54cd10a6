#pragma once

#include "gst/tools/command.h"

namespace hull::tools {

// The subcommands, one per file of the same name; main.cpp lists them.
void add_atoms(CLI::App &app, Run &run);
void add_bdrate(CLI::App &app, Run &run);
void add_encode(CLI::App &app, Run &run);
void add_lint(CLI::App &app, Run &run);
void add_pertitle(CLI::App &app, Run &run);
void add_vmaf(CLI::App &app, Run &run);

} // namespace hull::tools
