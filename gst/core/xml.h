#pragma once

#include "gst/core/result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hull {

/// An XML element, its name and those of its attributes without prefixes: enough for MPD and TTML. Character
/// references and CDATA are text like any other. No DTD, no external entities.
struct XmlNode {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<std::string> namespaces; ///< names of those declared here, in their order
  std::vector<XmlNode> children;
  std::string text; ///< its own, without that of its children

  std::string get(const std::string &key) const;
  const XmlNode *child(std::string_view child_name) const;
  std::vector<const XmlNode *> all(std::string_view child_name) const;
};

/// The document's root. bad_data with the byte where the text stops being well-formed, or where elements lie
/// in each other more than 64 deep.
Result<XmlNode> parse_xml(std::string_view text);

} // namespace hull
