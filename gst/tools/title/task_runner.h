#pragma once

#include "gst/tools/title/context.h"
#include "gst/tools/title/outcome.h"

#include <string>
#include <vector>

namespace hull::tools {

/// What encodes of a title came to.
struct Collected {
  std::vector<RenditionResult> results; ///< one for each rendition, over all units
  /// Of each rendition with a file: the track files of its units, in OUT/parts, in order of time.
  std::vector<std::vector<std::string>> files;
};

/// Has the tasks of a title done by its engine.
class TaskRunner {
 public:
  TaskRunner(const TitleContext &context, const Costs &costs) : context_(context), costs_(costs) {}

  /// The results of `wanted` over all `units`, from the cache or by tasks.
  Step<Collected> collect(const Source &source, const std::vector<WorkUnit> &units, unsigned subsample,
                          const std::vector<Rendition> &wanted, const std::string &name);

 private:
  Step<void> run(std::vector<Task> tasks, const std::string &name);
  const TitleContext &context_;
  Costs costs_;
  Json tasks_ = Json::array(); // of this run so far, for people
};

} // namespace hull::tools
