#pragma once

#include "gst/publish/lint/lint.h"

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

/// Segments and what an ingest source sends.
std::vector<Example> media_examples();
/// The same rules over media that break none.
void lint_sound_media(Findings &out);

} // namespace hull::publish
