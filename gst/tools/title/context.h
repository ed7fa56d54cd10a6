#pragma once

#include "gst/tools/title/cache.h"
#include "gst/tools/title/engine.h"
#include "gst/tools/title/options.h"

namespace hull::tools {

/// What all steps of a title work with. Their values go from one to the next; nothing here carries a result.
struct TitleContext {
  const TitleOptions &options; ///< `out` is the folder's canonical path
  const Cache &cache;
  Engine &engine;
  Progress &progress;
  const std::atomic<int> &stop;
};

} // namespace hull::tools
