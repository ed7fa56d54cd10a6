#pragma once

#include "gst/ladder/choose.h"
#include "gst/tools/title/task.h"

#include <atomic>
#include <string>
#include <vector>

namespace hull::tools {

/// What a title's work takes on this machine, for telling how long the rest lasts: nothing else depends on
/// it.
struct CostProbe {
  Costs costs;
  std::vector<ladder::Resolution> rungs; ///< of the ladder its pictures alone would get; empty = not known
};

/// Encodes some pictures from five places of the title at two quantizers and all `sizes`, with and without
/// scoring them, and looks at the processor time that takes: about `work`, see work_of. Fails where a title
/// cannot be entered in its middle.
Result<CostProbe> probe_costs(const Source &source, const std::vector<ladder::Resolution> &sizes,
                              const ladder::Rules &rules, const std::string &model, double work,
                              const std::atomic<int> &stop);

Json to_json(const CostProbe &probed);
Result<CostProbe> cost_probe_from_json(const Json &json);

} // namespace hull::tools
