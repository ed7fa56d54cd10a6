#include "gst/isobmff/file/roll.h"

#include "gst/isobmff/boxes/sample.h"

#include <algorithm>

namespace hull::isobmff {

namespace {
const FourCC kRoll("roll");
}

Node roll_description(std::int16_t distance) {
  SampleGroupDescription sgpd;
  sgpd.grouping_type = kRoll;
  sgpd.default_length = 2;
  append_be(sgpd.entries.emplace_back(), 2, static_cast<std::uint16_t>(distance));
  return Node(std::move(sgpd));
}

Node roll_group(std::uint64_t samples) {
  SampleToGroup sbgp;
  sbgp.grouping_type = kRoll;
  sbgp.entries.push_back({static_cast<std::uint32_t>(samples), 1});
  return Node(std::move(sbgp));
}

std::optional<Node> take_roll_description(Node &stbl) {
  const auto found = std::ranges::find_if(stbl.children, [](const Node &child) {
    const auto *sgpd = child.as<SampleGroupDescription>();
    return sgpd && sgpd->grouping_type == kRoll && sgpd->entries.size() == 1;
  });
  if (found == stbl.children.end()) return std::nullopt;
  Node taken = std::move(*found);
  stbl.children.erase(found);
  return taken;
}

} // namespace hull::isobmff
