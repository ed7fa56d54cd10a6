#include "gst/publish/lint/lint.h"

#include <algorithm>
#include <cassert>
#include <fmt/format.h>

namespace hull::publish {

void Findings::add(std::string_view id, std::string where, std::string text) {
  const Rule *rule = find_rule(id);
  assert(rule);
  all_.push_back({rule, std::move(where), std::move(text)});
}

bool Findings::has(std::string_view id) const {
  return std::any_of(all_.begin(), all_.end(),
                     [id](const Finding &finding) { return finding.rule->id == id; });
}

std::size_t Findings::violations() const {
  return static_cast<std::size_t>(std::count_if(
      all_.begin(), all_.end(), [](const Finding &finding) { return finding.rule->level == Level::must; }));
}

std::string to_text(const Finding &finding) {
  static constexpr const char *kLevels[] = {"MUST", "SHOULD", "player", "house"};
  static constexpr const char *kCertainties[] = {"primary text", "quoted", "seen in source", "second hand",
                                                 "not verified"};
  const Rule &rule = *finding.rule;
  return fmt::format("{} {} ({}; {}): {}: {}", rule.id, kLevels[static_cast<int>(rule.level)], rule.source,
                     kCertainties[static_cast<int>(rule.certainty)], finding.where, finding.text);
}

} // namespace hull::publish
