#include "gst/tools/engine/engines.h"
#include "gst/tools/support/files.h"

#include <fmt/format.h>

namespace hull::tools {
namespace {

// Two rounds of search and three of rungs, and one to package them.
constexpr int kPlans = 6;

} // namespace

Result<void> write_snakefile(const std::string &folder, const std::string &cwd,
                             const std::vector<std::string> &arguments) {
  Json list = Json::array({own_program()});
  for (const std::string &argument : arguments)
    list.push_back(argument);
  for (const char *argument : {"--engine", "list", "--progress", "none"})
    list.push_back(argument);
  const std::string text = fmt::format(
      R"py(# One title by Snakemake: snakemake -s Snakefile -d FOLDER -j CORES
# Each plan asks gst-hull-1.0 which tasks come next, since the search depends on what was measured; a plan without
# tasks means that the title is done and packaged.
import json, shlex

TOOL = {program}
PERTITLE = {command}
CWD = {cwd}
LAST = {last}


def tasks_of(number):
    if number < 0:
        return []
    with checkpoints.plan.get(number=number).output[0].open() as file:
        return ["tasks/" + task["key"] + ".done" for task in json.load(file)]


rule all:
    input: lambda wildcards: tasks_of(LAST), f"tasks/plan-{{LAST}}.json"


checkpoint plan:
    input: lambda wildcards: tasks_of(int(wildcards.number) - 1)
    output: "tasks/plan-{{number}}.json"
    params:
        cwd=shlex.quote(CWD),
        command=" ".join(shlex.quote(word) for word in PERTITLE)
    shell: "out=$PWD/{{output}}; cd {{params.cwd}} && {{params.command}} > \"$out\""


rule task:
    output: touch("tasks/{{key}}.done")
    params: tool=shlex.quote(TOOL)
    wildcard_constraints: key="[0-9a-f]{{64}}"
    shell: "{{params.tool}} pertitle task tasks/{{wildcards.key}}.json > /dev/null"
)py",
      fmt::arg("program", Json(own_program()).dump()), fmt::arg("command", list.dump()),
      fmt::arg("cwd", Json(cwd).dump()), fmt::arg("last", kPlans - 1));
  return write_file(folder + "/Snakefile", text);
}

} // namespace hull::tools
