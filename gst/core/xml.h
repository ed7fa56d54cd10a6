#pragma once

#include "gst/core/result.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace hull::publish {

/// An XML element without its namespaces: enough for an MPD. No DTD, no external entities.
struct XmlNode {
  std::string name;
  std::map<std::string, std::string> attributes;
  std::vector<XmlNode> children;
  std::string text;

  std::string get(const std::string &key) const;
  const XmlNode *child(std::string_view child_name) const;
  std::vector<const XmlNode *> all(std::string_view child_name) const;
};

/// bad_data with the byte where the text stops being well-formed. Depth is limited to 64.
Result<XmlNode> parse_xml(std::string_view text);

} // namespace hull::publish
