#pragma once

#include "gst/tools/title/engine.h"

#include <memory>
#include <string>
#include <vector>

namespace hull::tools {

struct EngineOptions {
  std::string name = "local"; ///< local, slurm or list
  unsigned workers = 0;       ///< local: processor cores to use; 0 = all of them
  std::string slurm_options;  ///< more arguments for sbatch, separated by blanks
};

/// Processes of this machine, one core each, or more where there are fewer tasks than cores. A task whose
/// process was killed is tried three times.
std::unique_ptr<Engine> local_engine(unsigned workers);

/// A job array of Slurm's: every machine must see the folder, the source and this program under the same
/// names. Tasks of lost machines are put back into the queue by Slurm, those that left it without a result by
/// us, three times at most.
std::unique_ptr<Engine> slurm_engine(const std::string &options);

/// Prints the tasks as one JSON array and does none: for an engine outside, see write_snakefile.
std::unique_ptr<Engine> list_engine();

std::unique_ptr<Engine> make_engine(const EngineOptions &options);

/// Another try on another machine or later may end better.
bool worth_a_try(const Error &error);

/// FOLDER/Snakefile, which does a run with Snakemake: `arguments` are those of gst-hull-1.0 without --engine,
/// to be run in the folder `cwd`. Rules ask this program what comes next and do it, until the title is done.
Result<void> write_snakefile(const std::string &folder, const std::string &cwd,
                             const std::vector<std::string> &arguments);

/// Path of the running program.
std::string own_program();

} // namespace hull::tools
