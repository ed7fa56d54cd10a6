#include "gst/isobmff/rules/rule.h"

#include <algorithm>

namespace hull::isobmff::rules {

const char *name(Level level) {
  static constexpr const char *kNames[] = {"must", "should", "house"};
  return kNames[static_cast<int>(level)];
}

const char *name(Certainty certainty) {
  static constexpr const char *kNames[] = {"primary", "validator", "secondary", "unverified"};
  return kNames[static_cast<int>(certainty)];
}

const Rule &find_rule(std::span<const Rule> table, std::string_view id) {
  const auto found = std::ranges::find(table, id, &Rule::id);
  return found == table.end() ? table.front() : *found;
}

bool conforms(const Findings &findings) {
  return std::ranges::none_of(findings, [](const Finding &f) { return f.level == Level::must; });
}

} // namespace hull::isobmff::rules
