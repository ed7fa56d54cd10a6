#include "gst/tools/commands.h"

#include <CLI/CLI.hpp>

namespace hull::tools {

// One file per subcommand; each adds itself here.
const AddCommand kCommands[] = {
    add_atoms,
    add_bdrate,
    add_encode,
    add_lint,
    add_pertitle,
    add_vmaf,
};

} // namespace hull::tools

int main(int argc, char **argv) {
  using namespace hull::tools;
  CLI::App app{"Encode, measure, package and inspect video with gst-plugins-hull.", "gst-hull-1.0"};
  app.set_version_flag("--version", "gst-hull-1.0 " HULL_VERSION);
  app.require_subcommand(1);
  Run run;
  for (const AddCommand add : kCommands)
    if (add) add(app, run);
  try {
    app.parse(argc, argv);
  } catch (const CLI::ParseError &error) {
    return app.exit(error) == 0 ? kDone : kUsage;
  }
  return run();
}
