#pragma once

// What rules of files have in common, whoever makes them.

#include "gst/isobmff/boxes/tree.h"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace hull::isobmff::rules {

enum class Level {
  must,   ///< the text says shall
  should, ///< the text recommends
  house,  ///< our own, or no text was found
};

/// How well a rule is known.
enum class Certainty {
  primary,    ///< read in the specification that makes it
  validator,  ///< read in the source of a public validator or player
  secondary,  ///< read in a quotation or transcription
  unverified, ///< believed
};

struct Rule {
  const char *id; ///< "CMF-01"
  Level level;
  Certainty certainty;
  const char *summary;
};

/// The rule of that name; the first one of the table for a name that it has not.
const Rule &find_rule(std::span<const Rule> table, std::string_view id);

struct Finding {
  const char *rule = ""; ///< id
  Level level = Level::must;
  std::string text;
  std::uint64_t offset = 0; ///< of the box concerned, as Node::offset says; 0 in a tree that was built
};
using Findings = std::vector<Finding>;

const char *name(Level level);
const char *name(Certainty certainty);

/// Whether nothing that must be was found.
bool conforms(const Findings &findings);

} // namespace hull::isobmff::rules
