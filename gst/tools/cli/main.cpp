#include "gst/tools/cli/commands.h"

namespace {

// One file per subcommand; each adds itself here.
constexpr hull::tools::AddCommand kCommands[] = {
    hull::tools::add_atoms, hull::tools::add_bdrate,   hull::tools::add_encode,
    hull::tools::add_lint,  hull::tools::add_pertitle, hull::tools::add_vmaf,
};

} // namespace

int main(int argc, char **argv) {
  return hull::tools::run_command_line(
      argc, argv, "Encode, measure, package and inspect video with gst-plugins-hull.", kCommands);
}
