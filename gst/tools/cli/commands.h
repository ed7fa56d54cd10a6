#pragma once

#include "gst/tools/cli/options.h"

namespace hull::tools {

// The subcommands, one per file of the same name; main.cpp lists them.
void add_atoms(Command &program);
void add_bdrate(Command &program);
void add_encode(Command &program);
void add_lint(Command &program);
void add_pertitle(Command &program);
void add_vmaf(Command &program);

} // namespace hull::tools
