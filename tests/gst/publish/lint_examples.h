#pragma once

#include "gst/publish/lint.h"

#include <functional>
#include <vector>

namespace hull::publish {

/// Something that breaks one rule, and how the linter is shown it.
struct Example {
  const char *rule;
  std::function<void(Findings &)> lint;
};

/// Origins that answer wrong, one per rule of servers.
std::vector<Example> server_examples();

} // namespace hull::publish
