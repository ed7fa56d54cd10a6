#pragma once

#include "gst/isobmff/rules/cmaf.h"

namespace hull::isobmff::cmaf {

/// Adds a finding at the rule's own level.
void report(Findings &out, const char *id, const Node *where, std::string text);
/// The same at another level: a rule may have a part that is only recommended.
void report_as(Findings &out, const char *id, Level level, const Node *where, std::string text);

/// One place in an order of boxes.
struct Place {
  std::vector<FourCC> types; ///< any of them
  bool needed = false;
};
/// Boxes of `parent` that are named stand in the order of `places`, and the needed ones are there. Others may
/// stand anywhere. `once` refuses a second box of a needed place.
void check_order(const Node &parent, const char *id, std::span<const Place> places, Findings &out,
                 bool once = true);

/// Where `trak` is not there, a rule about its inside says so only once: this is the one trak or nullptr.
const Node *only_trak(const Node &moov);

} // namespace hull::isobmff::cmaf
